// Package delta reads and writes Delta Lake tables on an object store.
//
// A [Table] is a location. A [Snapshot] is the table at one version and never changes; it lists the live data files
// ([Add]), left out those that a [Predicate] excludes. A [Transaction] starts from a snapshot and commits its actions as
// the next version, or reports why it could not. A [Commit] is one version of the log as its writer left it. [Changes] are
// the rows that a range of versions changed.
//
// Rows are not its business: it plans which files hold them, and which rows of a file do not count ([Table.DeletedRows]),
// and commits new files and deletions of rows ([Transaction.DeleteRows]); somebody else reads and writes the Parquet, and so it is the
// engine that optimizes tables.
//
// # Commits
//
// The one thing a store must be able to do is to create an object unless it exists. The commit of version N+1 is created
// so; whoever finds it taken reads what the others did, checks it for conflicts and goes on behind them. When the store's
// answer is lost, the commit is read back and known by the id that each transaction has, so it is neither repeated nor
// reported as failed. A writer that may be killed between commit and answer sets its own progress in the same commit
// ([Transaction.SetTransaction]) and finds it there when it runs again.
//
// Isolation is that of the table's property delta.isolationLevel: Serializable unless it says WriteSerializable. Changes
// of metadata by another writer are conflicts for every transaction, blind appends included.
//
// # Maintenance
//
// [Table.Check] looks for damage and yields each [Finding] with its advice; it is the one place that reads columns of data files, to see
// whether their statistics are true. [Table.Vacuum] deletes files that no version of the retention needs (found
// by a listing, or in the log alone: vacuum_lite.go), [Table.CleanLog] the part
// of the log that is older than its retention, [Table.Restore] goes back to a version by a new commit. Each may be broken off at any
// moment and run again, beside readers and writers.
//
// # Size
//
// What is opened is the newest checkpoint and the commits behind it, whatever the log's length. A snapshot holds its files packed, about a
// hundred bytes for each with its statistics (filelist.go), which are parsed when somebody asks. A Table that is asked again for the
// latest version reads what came since (reuse.go). Who needs to know no files, as one who asks whether there is anything new, reads a [Head]: of the
// checkpoint the columns of other actions, or in place of it the version's checksum. [Table.History] and [Table.SnapshotAt] list as much of the log as they need.
//
// # What of the protocol is here
//
// By the sections of PROTOCOL.md, with the file that holds it:
//
//   - Delta Log Entries (segment.go, logpath.go): commits must be contiguous; a gap, an empty commit, a cut line are a
//     [CorruptError]. Names that are not of the protocol are passed over.
//   - Checkpoints (checkpoint_read.go, checkpoint_write.go, checkpoint_v2.go): read: classic, in parts, V2 with JSON or Parquet
//     manifest and sidecars; statistics as text or as columns. Written: classic, one file, or V2, a Parquet manifest with
//     sidecars, as delta.checkpointPolicy says; both forms of statistics; every delta.checkpointInterval commits. _last_checkpoint
//     (lastcheckpoint.go, jsonchecksum.go) is a hint with a checksum, written after a checkpoint.
//   - Version Checksum File (versionchecksum.go): written after each commit, best effort, without histograms and without the list of files;
//     [Table.Check] compares every one that is there, of whatever writer, with the log (check_checksum.go). A [Head] is read from
//     it when it has the id of the commit (head_checksum.go); nothing else needs it.
//   - Log Compaction Files (compaction.go): read in place of the commits that they cover, unless they are not sane: several actions on one
//     thing, or lines that are none; [Table.Check] compares them with the commits (check_compaction.go). Not written. Staged commits are not read.
//   - Actions (logline.go, commitinfo.go): metaData, protocol, add, remove, txn, cdc, domainMetadata,
//     commitInfo, sidecar, checkpointMetadata. Unknown actions and fields are passed over.
//   - Domain Metadata (domain.go): read, kept, written under users' names; two writers of one domain are a conflict.
//   - Action Reconciliation (state.go, replay.go): newest first; only files that commits name are remembered on the way. What is
//     live, and the tombstones, are kept sorted and packed (filelist.go).
//   - Table Features (features.go): one table says for each feature how far it is served. Features that a reader must know
//     and this package does not are an [UnsupportedError] with their names; so are those for writers, when a transaction
//     commits. Protocol versions that imply features are taken apart likewise.
//   - Served: appendOnly, columnMapping, deletionVectors, changeDataFeed, timestampNtz, typeWidening, v2Checkpoint,
//     vacuumProtocolCheck, inCommitTimestamp, domainMetadata.
//   - Read, and written while a table lists it without using it: identityColumns, which readers need not know.
//   - Served by who writes the rows: invariants, checkConstraints, generatedColumns, allowColumnDefaults (constraint.go). A transaction
//     that adds rows states which of them it enforced, and none goes without.
//   - Read while a table lists them without using them: variantType, variantShredding.
//   - Lengths of char(n) and varchar(n), which Spark keeps beside the schema (length.go): likewise; within other types they are refused.
//   - Read, not written: rowTracking, clustering, checkpointProtection, icebergCompat*, materializePartitionColumns, and
//     unknown features of writers. Neither read nor written: catalogManaged, unknown features of readers, unknown types.
//   - Requirements for Writers: a new table gets protocol (1,2), or the lowest that has what its columns and properties ask for: (1,4) for
//     the change data feed, (2,5) for columnMapping, (3,7) for timestampNtz and deletionVectors. Properties raise it as they are set
//     (properties.go, protocol.go). Columns that must not be null are checked by the statistics of the files added; rows are the
//     writer's to check.
//   - Schema Serialization Format (schema.go, types.go), schema evolution (evolve.go): columns are added, or made nullable. Altering a
//     table (alter.go) renames, drops and widens them too, at any depth.
//   - Partition Value Serialization (partition.go, timetext.go), paths (path.go): every type and every spelling in use. The
//     empty string is null.
//   - Column Mapping (mapping.go, mapping_write.go): by name and by id; by name for tables that have data. Statistics and partition values go by physical names; who reads the
//     data files asks [Metadata.PhysicalName] and [Metadata.FieldID].
//   - Deletion Vectors (vector.go, vector_write.go, rowset.go, z85.go): read, of every storage type; size, checksum, format, cardinality
//     are checked. Written into one file a commit, storage type u, where delta.enableDeletionVectors asks for them.
//   - Type Widening (widen.go, widen_write.go): any change without loss is read and written; others are refused by their names.
//   - Add CDC File, Change Data Files (changes.go, changes_write.go): read, from the files that commits made for it, else from what they
//     added and removed, with regard to deletion vectors. A range without the feed, or across columns that went away, is an error. Written
//     as the caller gives them, who makes the files.
//   - Metadata Cleanup (cleanlog.go): up to the newest checkpoint that all versions of the retention can be read from, which is first
//     compared with its commits (ledger.go). Nothing is cleaned unasked.
//   - Vacuum Protocol Check (vacuum.go, keepset.go): a vacuum refuses features whose files it would not know, which are those of Iceberg and of
//     catalogs, and unknown ones; it knows deletion vectors and change data.
//   - Per-file Statistics (stats.go, statsjson.go): the first 32 leaf columns or those that the properties name; strings cut to
//     32 characters, timestamps to milliseconds. Both stay bounds: a cut maximum is raised, and one that was read is widened.
//   - In-Commit Timestamps (timetravel.go): read, and kept growing when enabled. Time travel goes by them, and by the
//     objects' times where there are none.
package delta
