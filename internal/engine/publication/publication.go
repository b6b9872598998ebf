// Package publication is the part of [engine.Engine.Publish] that is the same for every engine that writes data files and
// has package delta commit them: the table is made when it is not there, widened, left alone when it has the progress, and
// the work is done again when another writer came first.
//
// An engine says what it does to a snapshot by a [Work]. It only ever writes files that no version names; the one
// commit, by put-if-absent, is made here, whatever store the table lies on and however many engines are at work.
package publication

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// attempts is how often the work is done when other writers keep changing the table meanwhile.
const attempts = 10

// Work writes data files that bring the rows of the output into the table. schema is the one that the table will have.
// After an error the change names the files that were stored so far.
type Work func(ctx context.Context, s *delta.Snapshot, schema *delta.Schema) (Change, error)

// Change is what a publication does to a snapshot.
type Change struct {
	Add      []delta.Add
	Remove   []delta.Add
	Enforced []delta.Constraint // that the rows of Add were held against
	Counts   engine.Published   // of rows
	Metrics  map[string]int64   // for the table's history, besides those of the files
}

// Publish does the work on the table as it is, and commits it. out.Schema must be given. The data files that a Work stored
// are removed when they certainly are not part of the table.
func Publish(ctx context.Context, out engine.Output, work Work) (engine.Published, error) {
	p := &publication{out: out, work: work}
	for attempt := 1; ; attempt++ {
		done, err := p.once(ctx)
		if _, conflict := errors.AsType[*delta.ConflictError](err); !conflict || attempt == attempts {
			return done, err
		}
	}
}

type publication struct {
	out     engine.Output
	work    Work
	created bool // the table was made by it
}

// once does the work on the table as it is now.
func (p *publication) once(ctx context.Context) (engine.Published, error) {
	snapshot, err := p.out.Table.Snapshot(ctx)
	if errors.Is(err, delta.ErrNotATable) {
		p.created = true
		snapshot, err = p.out.Table.Create(ctx, delta.Metadata{
			Name: p.out.Name, Description: p.out.Description, Schema: p.out.Schema, Configuration: p.out.Configuration,
		})
	}
	if err != nil {
		return engine.Published{}, err
	}
	if p.out.Applied(snapshot) {
		return engine.Published{AlreadyApplied: true, Before: snapshot.Version(), After: snapshot.Version()}, nil
	}
	// Before any work, and before files are written that no commit would name.
	if err := snapshot.CheckWrite(); err != nil {
		return engine.Published{}, err
	}
	schema, err := widen(snapshot.Schema(), p.out.Schema)
	if err != nil {
		return engine.Published{}, err
	}
	change, err := p.work(ctx, snapshot, schema)
	if err != nil {
		p.discard(ctx, change.Add)
		return engine.Published{}, err
	}
	done, err := p.commit(ctx, snapshot, schema, change)
	if errors.Is(err, delta.ErrAlreadyApplied) {
		return engine.Published{AlreadyApplied: true, Before: snapshot.Version(), After: snapshot.Version()}, nil
	}
	if p.created {
		done.Before = engine.NoVersion
	}
	return done, err
}

// widen adds to a table's columns those that it lacks.
func widen(have, want *delta.Schema) (*delta.Schema, error) {
	widened := &delta.Schema{Fields: have.Fields[:len(have.Fields):len(have.Fields)]}
	for _, f := range want.Fields {
		old, ok := have.Field(f.Name)
		if !ok {
			f.Nullable = true // the rows that are there have none
			widened.Fields = append(widened.Fields, f)
			continue
		}
		if !delta.Widens(f.Type, old.Type) {
			return nil, fmt.Errorf("column %s is %s in the table and %s now: such a change needs a new table", f.Name, old.Type, f.Type)
		}
	}
	return widened, nil
}

func (p *publication) commit(ctx context.Context, s *delta.Snapshot, schema *delta.Schema, c Change) (engine.Published, error) {
	open := p.out.Outstanding(s)
	properties := p.out.Properties(s)
	widened := len(schema.Fields) > len(s.Schema().Fields)
	done := c.Counts
	done.Before, done.After = s.Version(), s.Version()
	if !widened && len(c.Add)+len(c.Remove)+len(open)+len(properties) == 0 {
		return done, nil
	}
	tx := s.Begin(p.operation(c))
	if p.out.Mode != engine.Append {
		tx.Read()
	}
	if widened {
		tx.SetSchema(schema)
	}
	for key, value := range properties {
		tx.SetConfiguration(key, value)
	}
	for _, progress := range open {
		tx.SetTransaction(progress.AppID, progress.Version)
	}
	tx.Remove(c.Remove...)
	tx.Add(c.Add...)
	tx.Enforced(c.Enforced...)
	after, err := tx.Commit(ctx)
	if err != nil {
		p.discardAfter(ctx, err, c.Add)
		return engine.Published{}, err
	}
	done.After = after.Version()
	done.FilesAdded, done.FilesRemoved = len(c.Add), len(c.Remove)
	for _, add := range c.Add {
		done.BytesAdded += add.Size
	}
	return done, nil
}

// operation tells the table's history what was done, in Spark's words.
func (p *publication) operation(c Change) delta.Operation {
	op := delta.Operation{Name: "WRITE", UserMetadata: p.out.UserMetadata, Metrics: map[string]int64{
		"numFiles":      int64(len(c.Add)),
		"numOutputRows": Records(c.Add),
	}}
	switch p.out.Mode {
	case engine.Append:
		op.Parameters = map[string]string{"mode": "Append"}
	case engine.Overwrite:
		op.Parameters = map[string]string{"mode": "Overwrite"}
	case engine.Merge:
		op.Name = "MERGE"
		op.Parameters = map[string]string{"predicate": "keys " + strings.Join(p.out.Keys, ", "), "matchedPredicates": p.out.Newer}
	}
	maps.Copy(op.Metrics, c.Metrics)
	return op
}

// Records counts the rows of new files.
func Records(adds []delta.Add) (n int64) {
	for _, add := range adds {
		n += add.Stats.NumRecords
	}
	return n
}

// discardAfter removes stored files when the commit certainly did not happen. After other errors it may have.
func (p *publication) discardAfter(ctx context.Context, err error, adds []delta.Add) {
	if _, conflict := errors.AsType[*delta.ConflictError](err); conflict || errors.Is(err, delta.ErrAlreadyApplied) {
		p.discard(ctx, adds)
	}
}

// discard removes data files that no commit names. Those it cannot remove are found by a vacuum.
func (p *publication) discard(ctx context.Context, adds []delta.Add) {
	for _, add := range adds {
		_ = p.out.Table.Store().Delete(context.WithoutCancel(ctx), add.Path)
	}
}
