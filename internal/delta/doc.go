// Package delta reads and writes Delta Lake tables on an object store.
//
// A [Table] is a location. A [Snapshot] is the table at one version and never changes. A [Transaction] starts
// from a snapshot and commits its actions as the next version, or reports why it could not.
package delta
