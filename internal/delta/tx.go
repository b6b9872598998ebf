package delta

import "context"

// Operation names what a transaction does, for the table's history.
type Operation struct {
	Name         string // "WRITE", "MERGE", "DELETE", "OPTIMIZE", ...
	Parameters   map[string]string
	Metrics      map[string]int64
	UserMetadata string
	Rearrange    bool // the files change, the rows do not (compaction): written as dataChange false
}

// Transaction collects the actions of one commit. It is not for concurrent use and commits at most once.
//
// A transaction on which Read is not called and which removes nothing is a blind append: it conflicts with nobody's
// rows, only with changes of the table's metadata or protocol.
type Transaction struct {
	snapshot  *Snapshot
	operation Operation
}

// Add puts data files into the table. They must have been stored before. PartitionValues must name exactly the
// partition columns.
func (tx *Transaction) Add(files ...Add) { panic("being built") }

// Remove takes live files out of the table.
func (tx *Transaction) Remove(files ...Add) { panic("being built") }

// Read declares that the result depends on the rows for which all predicates are true; without predicates on all rows.
// A concurrent commit that adds or removes such rows is then a conflict.
func (tx *Transaction) Read(p ...Predicate) { panic("being built") }

// SetTransaction records the progress of an application with the commit. Commit fails with [ErrAlreadyApplied] when the
// table has this version of the application, or a later one, already.
func (tx *Transaction) SetTransaction(appID string, version int64) { panic("being built") }

// SetSchema changes the table's schema. Columns may only be added, and must be nullable.
func (tx *Transaction) SetSchema(s *Schema) { panic("being built") }

// SetConfiguration sets a table property.
func (tx *Transaction) SetConfiguration(key, value string) { panic("being built") }

// SetMetrics adds to the operation's metrics, which are often known last.
func (tx *Transaction) SetMetrics(metrics map[string]int64) { panic("being built") }

// Commit stores the transaction as the next version of the table and returns the snapshot at it. When other writers
// committed meanwhile it goes on behind them, unless what they did is a *[ConflictError]. When the reply of the store is
// lost it finds out what happened: after an error the transaction is not in the table, unless the store could not be
// asked any more or ctx ended; only the next reader can tell then.
func (tx *Transaction) Commit(ctx context.Context) (*Snapshot, error) { panic("being built") }
