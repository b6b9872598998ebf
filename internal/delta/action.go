package delta

import "time"

// Version numbers the commits of a table, from 0.
type Version int64

// Metadata is what describes a table besides its files.
type Metadata struct {
	ID               string // a UUID, made by Create when empty
	Name             string
	Description      string
	Schema           *Schema
	PartitionColumns []string
	Configuration    map[string]string // table properties
	CreatedTime      time.Time
}

// Protocol says what a client must be able to do to read or write a table.
type Protocol struct {
	MinReaderVersion int
	MinWriterVersion int
	ReaderFeatures   []string // nil unless MinReaderVersion is 3
	WriterFeatures   []string // nil unless MinWriterVersion is 7
}

// Add is a data file of a table.
type Add struct {
	Path             string             // key relative to the table, decoded; an absolute URI for a file outside of it
	PartitionValues  map[string]*string // nil is null; see FormatPartitionValue
	Size             int64              // bytes
	ModificationTime time.Time
	DataChange       bool   // as found in the log; what a transaction writes is decided by its Operation
	Stats            *Stats // nil when unknown
	Tags             map[string]string
	DeletionVector   *DeletionVector // nil: all rows of the file are the table's
}

// Remove is the tombstone of a data file.
type Remove struct {
	Path              string
	PartitionValues   map[string]*string // nil when the log does not say
	Size              int64              // 0 when the log does not say
	DeletionTimestamp time.Time
	DataChange        bool
	DeletionVector    *DeletionVector // that the file had
}

// AppTransaction is the progress of an application, committed with its data.
type AppTransaction struct {
	AppID       string
	Version     int64
	LastUpdated time.Time
}

// CommitInfo is the provenance of a commit, as its writer gave it.
type CommitInfo struct {
	Timestamp           time.Time
	InCommitTimestamp   time.Time // zero unless the table has in-commit timestamps
	Operation           string
	OperationParameters map[string]string // values that are no strings are given as JSON
	OperationMetrics    map[string]string
	IsBlindAppend       *bool
	ReadVersion         *Version
	IsolationLevel      string
	EngineInfo          string
	UserMetadata        string
	TxnID               string
}

// Commit is one version of the log.
type Commit struct {
	Version      Version
	Timestamp    time.Time
	Info         CommitInfo
	Protocol     *Protocol // nil unless the commit set it
	Metadata     *Metadata // nil unless the commit set it
	Transactions []AppTransaction
	Add          []Add
	Remove       []Remove
}
