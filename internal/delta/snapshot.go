package delta

import (
	"context"
	"iter"
	"slices"
	"time"
)

// Snapshot is a table at one version. It never changes and may be used concurrently.
type Snapshot struct{ Head }

// newSnapshot makes the snapshot of a state and refuses what cannot be read rightly.
func (t *Table) newSnapshot(st *state, at time.Time) (*Snapshot, error) {
	h, err := t.newHead(st, at)
	if err != nil {
		return nil, err
	}
	return &Snapshot{*h}, nil
}

// Snapshot is the snapshot itself.
func (s *Snapshot) Snapshot(context.Context) (*Snapshot, error) { return s, nil }

// Files yields the live files that may hold rows for which all predicates are true, ordered by path. A file is left out
// only when its partition values or statistics prove that it holds none. A predicate on a column that the table has not,
// or with a value that the column cannot have, is the one error.
func (s *Snapshot) Files(p ...Predicate) iter.Seq2[Add, error] {
	return func(yield func(Add, error) bool) {
		keep, err := s.metadata.filter(p)
		if err != nil {
			yield(Add{}, err)
			return
		}
		stats := s.metadata.statsReader()
		for a := range s.state.files.all() {
			if keep(a) && !yield(a.public(&s.metadata, stats), nil) {
				return
			}
		}
	}
}

// Matching tells the live files apart by a predicate: those all of whose rows meet it, as partition values and statistics prove, and
// those some of whose rows may. Other files hold no row that does.
func (s *Snapshot) Matching(p Predicate) (all, some []Add, err error) {
	b := &binding{metadata: &s.metadata, index: map[string]int{}}
	condition, err := b.bind(p)
	if err != nil {
		return nil, nil, err
	}
	stats := s.metadata.statsReader()
	for a := range s.state.files.all() {
		facts := b.facts(a)
		switch out := condition.eval(func(i int) columnFacts { return facts[i] }); {
		case out == outcomes{isTrue: true}:
			all = append(all, a.public(&s.metadata, stats))
		case out.isTrue:
			some = append(some, a.public(&s.metadata, stats))
		}
	}
	return all, some, nil
}

// NumFiles counts the live files.
func (s *Snapshot) NumFiles() int { return s.state.files.len() }

// SizeInBytes adds up the live files' sizes.
func (s *Snapshot) SizeInBytes() int64 { return s.state.files.bytes }

// NumRecords counts the rows by the files' statistics, less those that deletion vectors delete; false when a file does not
// say.
func (s *Snapshot) NumRecords() (int64, bool) {
	var sum int64
	stats := newStatsReader(nil)
	for a := range s.state.files.all() {
		if !stats.begin(a.Stats) || stats.records < 0 {
			return 0, false
		}
		sum += stats.records
		if a.DeletionVector != nil {
			sum -= a.DeletionVector.Cardinality
		}
	}
	return sum, true
}

// CheckWrite says whether this package can write to the table: the error is an *[UnsupportedError] with what it cannot.
// Transactions check the same when they commit.
func (s *Snapshot) CheckWrite() error { return s.protocol.checkWrite(s.usage()) }

// Begin starts a transaction on top of the snapshot.
func (s *Snapshot) Begin(op Operation) *Transaction {
	return &Transaction{snapshot: s, operation: op, configuration: map[string]string{}, unset: map[string]bool{}, txns: map[string]int64{},
		domains: map[string]domainAction{}}
}

// filter makes the test of files for predicates.
func (m *Metadata) filter(p []Predicate) (func(*addAction) bool, error) {
	b := &binding{metadata: m, index: map[string]int{}}
	all, err := b.bindAll(p)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return func(*addAction) bool { return true }, nil
	}
	return func(a *addAction) bool {
		facts := b.facts(a)
		return boundAnd(all).eval(func(i int) columnFacts { return facts[i] }).isTrue
	}, nil
}

// facts gives what a file's partition values and statistics say of the columns of a binding. It is valid until the next call.
func (b *binding) facts(a *addAction) []columnFacts {
	if b.stats == nil {
		b.stats, b.known = newStatsReader(b.columns), make([]columnFacts, len(b.columns))
	}
	told, begun := false, false
	for i, l := range b.columns {
		if slices.Contains(b.metadata.PartitionColumns, l.path[0]) {
			b.known[i] = partitionFacts(l.typ, partitionValue(a.PartitionValues, l.physical[0]))
			continue
		}
		if !begun {
			told, begun = b.stats.begin(a.Stats), true
		}
		if b.known[i] = (columnFacts{nulls: true, values: true}); told {
			b.known[i] = b.stats.facts(i)
		}
	}
	return b.known
}

func partitionFacts(t Type, text *string) columnFacts {
	v, err := ParsePartitionValue(t, text)
	switch {
	case err != nil:
		return columnFacts{nulls: true, values: true}
	case v == nil:
		return columnFacts{nulls: true}
	default:
		return columnFacts{min: v, max: v, values: true}
	}
}

// facts gives what is said of a column, by its number.
func (r *statsReader) facts(i int) columnFacts {
	c := r.column(i)
	f := columnFacts{min: c.Min, max: c.Max, nulls: true, values: true}
	if c.NullCount != nil {
		f.nulls = *c.NullCount > 0
		f.values = r.records < 0 || *c.NullCount < r.records
	}
	return f
}
