package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

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
	snapshot      *Snapshot
	operation     Operation
	adds          []Add
	removes       []Add
	deletions     []deletion
	changeData    []Add
	reads         []Predicate // a file counts as read when one of them may be true in it
	txns          map[string]int64
	domains       map[string]domainAction
	schema        *Schema
	replace       bool // schema may be any other; all files go
	changes       []ColumnChange
	configuration map[string]string
	constraints   []constraintChange
	enforced      []Constraint
	unset         map[string]bool
	committed     bool
}

// Add puts data files into the table. They must have been stored before. PartitionValues must name exactly the
// partition columns.
func (tx *Transaction) Add(files ...Add) { tx.adds = append(tx.adds, files...) }

// Remove takes live files out of the table. Only the paths and deletion vectors are looked at.
func (tx *Transaction) Remove(files ...Add) { tx.removes = append(tx.removes, files...) }

// Read declares that the result depends on the rows for which all predicates are true; without predicates on all rows.
// A concurrent commit that adds or removes such rows is then a conflict. Several calls add up.
func (tx *Transaction) Read(p ...Predicate) { tx.reads = append(tx.reads, And(p...)) }

// SetTransaction records the progress of an application with the commit. Commit fails with [ErrAlreadyApplied] when the
// table has this version of the application, or a later one, already.
func (tx *Transaction) SetTransaction(appID string, version int64) { tx.txns[appID] = version }

// SetSchema changes the table's schema. Columns may only be added, and must be nullable.
func (tx *Transaction) SetSchema(s *Schema) { tx.schema = s }

// ReplaceSchema gives the table any other schema. The transaction must remove all of the table's files, and counts as having read
// all rows.
func (tx *Transaction) ReplaceSchema(s *Schema) {
	tx.schema, tx.replace = s, true
	tx.Read()
}

// SetConfiguration sets a table property. The protocol is raised to what the property asks for.
func (tx *Transaction) SetConfiguration(key, value string) {
	tx.configuration[key] = value
	delete(tx.unset, key)
}

// UnsetConfiguration takes a table property away.
func (tx *Transaction) UnsetConfiguration(key string) {
	tx.unset[key] = true
	delete(tx.configuration, key)
}

// SetMetrics adds to the operation's metrics, which are often known last.
func (tx *Transaction) SetMetrics(metrics map[string]int64) {
	all := map[string]int64{}
	maps.Copy(all, tx.operation.Metrics)
	maps.Copy(all, metrics)
	tx.operation.Metrics = all
}

// Commit stores the transaction as the next version of the table and returns the snapshot at it. When other writers
// committed meanwhile it goes on behind them, unless what they did is a *[ConflictError]. When the reply of the store is
// lost it finds out what happened: after an error the transaction is not in the table, unless the error matches
// [ErrUnknownOutcome]; then only the next reader of the table can tell.
func (tx *Transaction) Commit(ctx context.Context) (*Snapshot, error) {
	if tx.committed {
		return nil, errors.New("commit: the transaction was committed or tried before; begin another")
	}
	p, err := tx.prepare()
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	tx.committed = true // from here on it may be in the table, whatever the store says
	vectors, err := p.storeVectors(ctx)
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	s, err := p.commit(ctx)
	if err != nil {
		p.table.discardVectors(ctx, vectors, err)
		return nil, fmt.Errorf("commit: %w", err)
	}
	return s, nil
}

// prepared is a transaction turned into actions, checked against the snapshot that it started from.
type prepared struct {
	table       *Table
	base        *Snapshot // what the commit is put on top of; nil for the first
	info        commitInfoAction
	protocol    *protocolAction // nil: unchanged
	metadata    *metadataAction // nil: unchanged
	txns        []txnAction
	domains     []domainAction
	adds        []*addAction
	removes     []*removeAction
	deletions   []preparedDeletion
	changes     []*cdcAction
	reads       []Predicate
	enforced    []Constraint // that the rows of adds were held against
	rearrange   bool
	afterCommit Metadata
}

func (tx *Transaction) prepare() (*prepared, error) {
	s := tx.snapshot
	p := &prepared{table: s.table, base: s, reads: tx.reads, enforced: tx.enforced, rearrange: tx.operation.Rearrange}
	now := s.table.now()
	for _, app := range slices.Sorted(maps.Keys(tx.txns)) {
		if done, ok := s.AppVersion(app); ok && done >= tx.txns[app] {
			return nil, fmt.Errorf("application %q is at version %d: %w", app, done, ErrAlreadyApplied)
		}
		updated := now.UnixMilli()
		p.txns = append(p.txns, txnAction{AppID: app, Version: tx.txns[app], LastUpdated: &updated})
	}
	if err := tx.prepareDomains(p); err != nil {
		return nil, err
	}
	if err := tx.prepareMetadata(p); err != nil {
		return nil, err
	}
	for _, r := range tx.reads {
		if _, err := p.afterCommit.filter([]Predicate{r}); err != nil {
			return nil, err
		}
	}
	if err := tx.prepareAdds(p, now); err != nil {
		return nil, err
	}
	if err := p.checkEnforced(&s.metadata, &p.afterCommit); err != nil {
		return nil, err
	}
	if err := tx.prepareRemoves(p, now); err != nil {
		return nil, err
	}
	if err := tx.prepareDeletions(p, now); err != nil {
		return nil, err
	}
	if err := tx.prepareChanges(p); err != nil {
		return nil, err
	}
	version := s.Version()
	p.info = tx.operation.commitInfo(s.table)
	p.info.ReadVersion = &version
	p.info.IsolationLevel = isolation(&s.metadata)
	p.info.IsBlindAppend = p.isBlindAppend()
	return p, nil
}

// isBlindAppend says that the result does not depend on what the table holds.
func (p *prepared) isBlindAppend() bool { return len(p.reads) == 0 && len(p.removes) == 0 }

func (op Operation) commitInfo(t *Table) commitInfoAction {
	info := commitInfoAction{
		Operation:           op.Name,
		OperationParameters: map[string]string{},
		UserMetadata:        op.UserMetadata,
		EngineInfo:          t.engineInfo(),
		TxnID:               uuid.NewString(),
	}
	maps.Copy(info.OperationParameters, op.Parameters)
	for k, v := range op.Metrics {
		if info.OperationMetrics == nil {
			info.OperationMetrics = map[string]string{}
		}
		info.OperationMetrics[k] = fmt.Sprint(v)
	}
	return info
}

// prepareMetadata works out the table's metadata and protocol after the commit, and that we may write such a table.
func (tx *Transaction) prepareMetadata(p *prepared) error {
	s := tx.snapshot
	if err := tx.changeMetadata(&p.afterCommit); err != nil {
		return err
	}
	changed := !maps.Equal(p.afterCommit.Configuration, s.metadata.Configuration) ||
		!equalTypes(p.afterCommit.Schema, s.metadata.Schema)
	protocol := s.protocol
	if changed {
		action, err := p.afterCommit.action()
		if err != nil {
			return err
		}
		action.Format = s.state.metadata.Format
		action.fill()
		p.metadata = action
		protocol = protocol.upgraded(&p.afterCommit)
	}
	if len(p.domains) > 0 {
		protocol = protocol.with(domainMetadataFeature)
	}
	if !protocol.equal(s.protocol) {
		p.protocol = protocol.action()
	}
	u := s.usage()
	u.metadata = &p.afterCommit
	return protocol.checkWrite(u)
}

// changeMetadata gives the table's metadata with what the transaction was told to change of it.
func (tx *Transaction) changeMetadata(m *Metadata) (err error) {
	*m = tx.snapshot.metadata
	switch {
	case tx.replace && len(tx.removes) < tx.snapshot.NumFiles():
		return fmt.Errorf("replace the schema: %d files of the old one would stay", tx.snapshot.NumFiles()-len(tx.removes))
	case tx.replace:
		*m, err = m.Replace(tx.schema)
	case tx.schema != nil:
		*m, err = m.Evolve(tx.schema)
	}
	if err != nil {
		return err
	}
	if len(tx.configuration)+len(tx.unset)+len(tx.constraints) > 0 {
		if *m, err = m.configure(tx.configuration, tx.unset); err != nil {
			return err
		}
		if err := tx.applyConstraints(m.Configuration); err != nil {
			return err
		}
	}
	if *m, err = m.altered(tx.changes); err != nil {
		return err
	}
	if tx.schema == nil && len(tx.changes) == 0 {
		return nil
	}
	return m.validate()
}

func (tx *Transaction) prepareAdds(p *prepared, now time.Time) error {
	columns := p.afterCommit.indexedColumns()
	seen := map[string]bool{}
	for _, a := range tx.adds {
		if err := p.afterCommit.checkAdd(a); err != nil {
			return fmt.Errorf("add %q: %w", a.Path, err)
		}
		if a.ModificationTime.IsZero() {
			a.ModificationTime = now
		}
		action, err := a.action(&p.afterCommit, columns, !tx.operation.Rearrange)
		if err != nil {
			return fmt.Errorf("add %q: %w", a.Path, err)
		}
		if seen[action.Path] {
			return fmt.Errorf("add %q: the file is added twice", a.Path)
		}
		seen[action.Path] = true
		p.adds = append(p.adds, action)
	}
	return nil
}

func (tx *Transaction) prepareRemoves(p *prepared, now time.Time) error {
	if n := len(tx.removes) + len(tx.deletions); n > 0 && !tx.operation.Rearrange && p.afterCommit.enabled("delta.appendOnly") {
		return fmt.Errorf("remove rows of %d files: %w (delta.appendOnly)", n, ErrAppendOnly)
	}
	added := map[string]bool{}
	for _, a := range p.adds {
		added[a.Path] = true
	}
	seen := map[string]bool{}
	live := tx.snapshot.state.files.finder()
	for _, r := range tx.removes {
		file := live.find(r.key())
		switch {
		case file == nil:
			return fmt.Errorf("remove %q: version %d has no such file", r.Path, tx.snapshot.Version())
		case added[file.Path]:
			return fmt.Errorf("remove %q: the same transaction adds it", r.Path)
		case seen[file.Path]:
			return fmt.Errorf("remove %q: the file is removed twice", r.Path)
		}
		seen[file.Path] = true
		p.removes = append(p.removes, file.tombstone(now, !tx.operation.Rearrange))
	}
	return nil
}

// checkAdd says whether a file can be part of the table, as far as partition values and statistics tell.
func (m *Metadata) checkAdd(a Add) error {
	if a.Path == "" || strings.HasPrefix(a.Path, logPrefix) {
		return errors.New("not the path of a data file")
	}
	if a.Size < 0 {
		return errors.New("negative size")
	}
	if a.DeletionVector != nil {
		return errors.New("a new file has no deletion vector: DeleteRows makes one")
	}
	if len(a.PartitionValues) != len(m.PartitionColumns) {
		return fmt.Errorf("partition values for %d columns, the table has %d partition columns", len(a.PartitionValues), len(m.PartitionColumns))
	}
	for _, c := range m.PartitionColumns {
		text, ok := a.PartitionValues[c]
		if !ok {
			return fmt.Errorf("no value for partition column %q", c)
		}
		f, _ := m.Schema.Field(c)
		v, err := ParsePartitionValue(f.Type, text)
		if err != nil {
			return fmt.Errorf("column %q: %w", c, err)
		}
		if v == nil && !f.Nullable {
			return &ConstraintError{Constraint: Constraint{Rule: NotNullRule, Name: c}}
		}
	}
	return m.checkNotNull(a.Stats)
}

// checkNotNull refuses a file whose statistics say that a column without nulls holds some. A member of a struct counts when
// nothing that it lies in may be null.
func (m *Metadata) checkNotNull(s *Stats) error {
	if s == nil {
		return nil
	}
	for name := range requiredLeaves(m.Schema, nil) {
		if c, ok := s.Columns[name]; ok && c.NullCount != nil && *c.NullCount > 0 {
			return &ConstraintError{Constraint: Constraint{Rule: NotNullRule, Name: name}, Rows: *c.NullCount}
		}
	}
	return nil
}
