// Package connect speaks Spark Connect, the gRPC protocol by which a program steers a Spark cluster.
//
// A [Remote] says where the server is; a [Client] is one session there. It runs SQL, gives relations names, keeps
// their rows on the cluster, and reads results as Arrow record batches. What Spark says went wrong is an *[Error].
//
// Only the few messages that this takes are here, written with protobuf's wire format, over the HTTP/2 of the standard
// library: gRPC and the generated messages would make the program several times the size of this.
// The messages are those of Spark 4 (spark/connect/base.proto, commands.proto, relations.proto); later servers understand them too.
package connect
