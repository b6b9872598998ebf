package delta

import (
	"iter"
	"time"
)

// Snapshot is a table at one version. It never changes and may be used concurrently.
type Snapshot struct {
	table    *Table
	version  Version
	protocol Protocol
	metadata Metadata
}

// Table is the table that the snapshot was taken of.
func (s *Snapshot) Table() *Table { return s.table }

// Version is the number of the commit that the snapshot ends with.
func (s *Snapshot) Version() Version { return s.version }

// Timestamp is when the version was committed.
func (s *Snapshot) Timestamp() time.Time { panic("being built") }

// Metadata describes the table. The caller must not change what it refers to.
func (s *Snapshot) Metadata() Metadata { return s.metadata }

// Schema lists the table's columns, partition columns included.
func (s *Snapshot) Schema() *Schema { return s.metadata.Schema }

// Protocol is what the table asks of its readers and writers.
func (s *Snapshot) Protocol() Protocol { return s.protocol }

// AppVersion is the last version that an application committed with SetTransaction.
func (s *Snapshot) AppVersion(appID string) (int64, bool) { panic("being built") }

// Files yields the live files that may hold rows for which all predicates are true, ordered by path. A file is left out
// only when its partition values or statistics prove that it holds none.
func (s *Snapshot) Files(p ...Predicate) iter.Seq2[Add, error] { panic("being built") }

// NumFiles counts the live files.
func (s *Snapshot) NumFiles() int { panic("being built") }

// NumRecords counts the rows by the files' statistics; false when one of them does not say.
func (s *Snapshot) NumRecords() (int64, bool) { panic("being built") }

// Begin starts a transaction on top of the snapshot.
func (s *Snapshot) Begin(op Operation) *Transaction { return &Transaction{snapshot: s, operation: op} }
