// Package publication is the part of [engine.Engine.Publish] and [engine.Editor] that is the same for every engine that writes
// data files and has package delta commit them: the table is made when it is not there, widened, left alone when it has
// the progress, and the work is done again when another writer came first.
//
// An engine is a [Work]: it turns a snapshot into a [Change], and only ever writes files that no version names. The one
// commit, by put-if-absent, is made here, whatever store the table lies on and however many engines are at work, and so is
// what the table's history tells of it.
package publication

import (
	"context"
	"errors"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// attempts is how often the work is done when other writers keep changing the table meanwhile.
const attempts = 10

// Retry does some work, again while it ends with a [delta.ConflictError].
func Retry(work func() error) error {
	for attempt := 1; ; attempt++ {
		err := work()
		if _, conflict := errors.AsType[*delta.ConflictError](err); !conflict || attempt == attempts {
			return err
		}
	}
}

// Work is what an engine does in a publication.
type Work interface {
	// Admit finds out whether the engine can evaluate what a table asks of its rows. It is called with what the table will be,
	// before it is made, and before each Change.
	Admit(m delta.Metadata) error

	// Change writes the files that change a snapshot. Their rows must have been held against all constraints of the table as it
	// will be. After an error c names the files that were stored so far.
	Change(ctx context.Context, s *delta.Snapshot, c *Change) error
}

// Publish does the work on the table as it is, and commits it. out.Schema must be given. The files that were stored are
// removed when they certainly are not part of the table.
func Publish(ctx context.Context, out engine.Output, work Work) (done engine.Published, err error) {
	p := &publication{out: out, work: work, operation: func(c *Change) delta.Operation { return published(out, c) }}
	return p.run(ctx)
}

// Edit is Publish for an edit, whose table must be there; set is nil when rows are deleted. The work is not asked to admit anything.
func Edit(ctx context.Context, e engine.Edit, set []engine.Assignment, work Work) (engine.Published, error) {
	if err := e.Check(); err != nil {
		return engine.Published{}, err
	}
	p := &publication{
		out:       engine.Output{Table: e.Table, Progress: e.Progress, UserMetadata: e.UserMetadata},
		work:      work,
		edit:      true,
		operation: func(c *Change) delta.Operation { return edited(e, set != nil, c) },
	}
	return p.run(ctx)
}

type publication struct {
	out       engine.Output
	work      Work
	edit      bool
	operation func(*Change) delta.Operation
	created   bool // the table was made by it
}

func (p *publication) run(ctx context.Context) (done engine.Published, err error) {
	err = Retry(func() error {
		done, err = p.once(ctx)
		return err
	})
	return done, err
}

// once does the work on the table as it is now.
func (p *publication) once(ctx context.Context) (engine.Published, error) {
	snapshot, err := p.open(ctx)
	if err != nil {
		return engine.Published{}, err
	}
	if p.out.Applied(&snapshot.Head) {
		return applied(snapshot), nil
	}
	// Before any work, and before files are written that no commit would name.
	if err := snapshot.CheckWrite(); err != nil {
		return engine.Published{}, err
	}
	c := &Change{Enforced: snapshot.Metadata().Constraints()}
	if !p.edit {
		if err := p.prepare(snapshot, c); err != nil {
			return engine.Published{}, err
		}
	}
	if err := p.work.Change(ctx, snapshot, c); err != nil {
		Discard(ctx, p.out.Table, c.stored())
		return engine.Published{}, err
	}
	done, err := p.commit(ctx, snapshot, c)
	if errors.Is(err, delta.ErrAlreadyApplied) {
		return applied(snapshot), nil
	}
	if p.created {
		done.Before = engine.NoVersion
	}
	return done, err
}

// applied tells that a table has the progress already.
func applied(s *delta.Snapshot) engine.Published {
	return engine.Published{AlreadyApplied: true, Before: s.Version(), After: s.Version()}
}

// open gives the table as it is. When it is not there, and may be made, it is.
func (p *publication) open(ctx context.Context) (*delta.Snapshot, error) {
	s, err := p.out.Table.Snapshot(ctx)
	if p.edit || !errors.Is(err, delta.ErrNotATable) {
		return s, err
	}
	m := delta.Metadata{Name: p.out.Name, Description: p.out.Description, Schema: p.out.Schema, Configuration: p.out.Configuration}
	if err := p.work.Admit(m); err != nil {
		return nil, err
	}
	p.created = true
	return p.out.Table.Create(ctx, m)
}

// prepare finds out which schema the table will have, and whether the engine can serve it.
func (p *publication) prepare(s *delta.Snapshot, c *Change) error {
	if err := c.changeSchema(s, p.out); err != nil {
		return err
	}
	m := s.Metadata()
	m.Schema = c.SchemaOf(s)
	c.Enforced = m.Constraints()
	if err := p.work.Admit(m); err != nil {
		return err
	}
	return c.checkNewRules(s, p.out)
}

func (p *publication) commit(ctx context.Context, s *delta.Snapshot, c *Change) (engine.Published, error) {
	open := p.out.Outstanding(&s.Head)
	properties := p.out.Properties(&s.Head)
	done := c.Counts
	done.Before, done.After = s.Version(), s.Version()
	if c.empty() && len(open) == 0 && len(properties) == 0 {
		return done, nil
	}
	tx := s.Begin(p.operation(c))
	if p.out.Mode != engine.Append {
		c.read(tx)
	}
	for key, value := range properties {
		tx.SetConfiguration(key, value)
	}
	for _, progress := range open {
		tx.SetTransaction(progress.AppID, progress.Version)
	}
	c.put(tx)
	after, err := tx.Commit(ctx)
	if err != nil {
		DiscardAfter(ctx, p.out.Table, err, c.stored())
		return engine.Published{}, err
	}
	done.After = after.Version()
	done.FilesAdded, done.FilesRemoved, done.VectorsAdded = len(c.Add), len(c.Remove), len(c.Trim)
	done.BytesAdded, _ = c.bytes()
	return done, nil
}

// DiscardAfter removes stored files when the commit that failed certainly did not happen. After other errors it may have.
func DiscardAfter(ctx context.Context, t *delta.Table, err error, files []delta.Add) {
	if delta.NotCommitted(err) {
		Discard(ctx, t, files)
	}
}

// Discard removes data files that no commit names. Those it cannot remove are found by a vacuum.
func Discard(ctx context.Context, t *delta.Table, files []delta.Add) {
	for _, f := range files {
		_ = t.Store().Delete(context.WithoutCancel(ctx), f.Path)
	}
}
