package delta

import "fmt"

// Finding is something that is wrong with a table.
type Finding struct {
	Kind   FindingKind `json:"kind"`
	Key    string      `json:"key"` // the object that it is about
	Detail string      `json:"detail"`
}

// Advice says what to do about the finding.
func (f Finding) Advice() string { return advice[f.Kind] }

func (f Finding) String() string { return fmt.Sprintf("%s: %s: %s", f.Kind, f.Key, f.Detail) }

// FindingKind sorts findings by what is to be done about them.
type FindingKind string

// What a check can find.
const (
	LogGap            FindingKind = "log_gap"            // a commit is missing between others
	BrokenCommit      FindingKind = "broken_commit"      // a commit cannot be read
	BrokenCheckpoint  FindingKind = "broken_checkpoint"  // a checkpoint cannot be read
	FalseCheckpoint   FindingKind = "false_checkpoint"   // a checkpoint is not what the commits before it add up to
	FalseChecksum     FindingKind = "false_checksum"     // a version checksum is not what the commits add up to
	FalseCompaction   FindingKind = "false_compaction"   // a compaction is not what its commits add up to
	LoneCheckpoint    FindingKind = "lone_checkpoint"    // the commit of the newest checkpoint is missing
	FalseHint         FindingKind = "false_hint"         // _last_checkpoint names what is not there
	UnreadableVersion FindingKind = "unreadable_version" // the version cannot be opened
	InvalidProtocol   FindingKind = "invalid_protocol"   // the protocol action breaks the protocol's own rules
	FileTwice         FindingKind = "file_twice"         // one data file is live twice: its rows count double
	MissingFile       FindingKind = "missing_file"       // a file of the version is not there
	WrongSize         FindingKind = "wrong_size"         // a file has another size than the log says
	BrokenFile        FindingKind = "broken_file"        // a data file cannot be read
	FalseStatistics   FindingKind = "false_statistics"   // statistics leave out rows that the file has
)

var advice = map[FindingKind]string{
	LogGap:            "versions from the gap up to the next checkpoint are lost; bring the commit back from a copy of the bucket or folder",
	BrokenCommit:      "bring the commit back from a copy; versions behind the next checkpoint can be read without it",
	BrokenCheckpoint:  "delete the checkpoint when the commits before it are all there, then `lake checkpoint` writes another; else bring it back from a copy",
	FalseCheckpoint:   "delete the checkpoint while the commits before it are there, then `lake checkpoint` writes a true one",
	FalseChecksum:     "a commit before it was changed after it was written, or its writer is broken: compare the log with a copy; when the log is right, delete the checksum, for other engines may refuse the version",
	FalseCompaction:   "delete it: it holds nothing that its commits do not hold, and readers may believe it",
	LoneCheckpoint:    "bring the commit back from a copy: other engines cannot open the table without it; the next commit heals it for those who can",
	FalseHint:         "`lake checkpoint` writes the checkpoint and the hint anew",
	UnreadableVersion: "the log does not hold this version any more; `lake history` shows the last good commits, `lake restore` goes back to one",
	InvalidProtocol:   "the writer that set it is broken: restore the table to the version before, and do not let it write again",
	FileTwice:         "overwrite the table's rows, or `lake restore` to the version before the file was added again",
	MissingFile:       "bring the file back from a copy, or `lake restore` to a version that has all its files",
	WrongSize:         "the file was overwritten or cut: bring it back from a copy, or `lake restore` to a version before it",
	BrokenFile:        "the file was damaged: bring it back from a copy, or `lake restore` to a version before it",
	FalseStatistics:   "queries may leave out rows of the file: rewrite it with `lake optimize`, and mistrust its writer",
}
