package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// publishAttempts is how often the work is done when other writers keep changing the table meanwhile.
const publishAttempts = 10

// Publish implements [engine.Engine].
func (e *Engine) Publish(ctx context.Context, query string, out engine.Output) (engine.Published, error) {
	if err := out.Check(); err != nil {
		return engine.Published{}, err
	}
	done, err := e.publish(ctx, query, out)
	if err != nil {
		return engine.Published{}, fmt.Errorf("publish %s: %w", cmp.Or(out.Name, "rows"), err)
	}
	return done, nil
}

func (e *Engine) publish(ctx context.Context, query string, out engine.Output) (engine.Published, error) {
	columns, err := e.describe(ctx, trimQuery(query))
	if err != nil {
		return engine.Published{}, err
	}
	rows := slices.DeleteFunc(slices.Clone(columns), func(c resultColumn) bool { return out.Tombstone != "" && c.name == out.Tombstone })
	if out.Tombstone != "" && len(rows) != len(columns)-1 {
		return engine.Published{}, fmt.Errorf("the query lacks column %s, or has it twice", out.Tombstone)
	}
	if out.Schema == nil {
		if out.Schema, err = derivedSchema(rows, out); err != nil {
			return engine.Published{}, err
		}
	}
	p := &publication{engine: e, out: out}
	if p.query, err = castQuery(query, rows, out); err != nil {
		return engine.Published{}, err
	}
	return p.untilItGoes(ctx)
}

// untilItGoes does the work, again when others changed the table meanwhile.
func (p *publication) untilItGoes(ctx context.Context) (engine.Published, error) {
	for attempt := 1; ; attempt++ {
		done, err := p.once(ctx)
		if _, conflict := errors.AsType[*delta.ConflictError](err); !conflict || attempt == publishAttempts {
			return done, err
		}
	}
}

// derivedSchema makes a schema of a query's columns.
func derivedSchema(columns []resultColumn, out engine.Output) (*delta.Schema, error) {
	schema := &delta.Schema{}
	for _, c := range columns {
		if !c.exact {
			return nil, fmt.Errorf("column %s has a type that Delta has not (shown as %s): cast it", c.name, c.typ)
		}
		f, err := out.Commented(delta.Field{Name: c.name, Type: c.typ, Nullable: true})
		if err != nil {
			return nil, err
		}
		schema.Fields = append(schema.Fields, f)
	}
	return schema, nil
}

// columnNames gives the names of a query's columns.
func columnNames(columns []resultColumn) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// castQuery gives the columns of a query in the order and with the types of a schema. The order of its rows stays.
func castQuery(query string, columns []resultColumn, out engine.Output) (string, error) {
	schema := out.Schema
	if _, ok := schema.Field(out.Tombstone); ok {
		return "", fmt.Errorf("column %s says which rows are tombstones, so the table cannot have it", out.Tombstone)
	}
	if err := out.CheckColumns(columnNames(columns)); err != nil {
		return "", err
	}
	var cells []string
	for _, f := range schema.Fields {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", fmt.Errorf("column %s: %w", f.Name, err)
		}
		cells = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %[1]s", quoteName(f.Name), t))
	}
	if out.Tombstone != "" {
		cells = append(cells, fmt.Sprintf("CAST(%s AS BOOLEAN) AS %[1]s", quoteName(out.Tombstone)))
	}
	return fmt.Sprintf("SELECT %s FROM (%s\n)", join(cells), trimQuery(query)), nil
}

// publication is one Publish.
type publication struct {
	engine  *Engine
	query   string // with the columns of out.Schema
	out     engine.Output
	edit    *edit // in place of a query and a mode
	created bool  // the table was made by it
	rules   *rules
}

// change is what a publication does to a snapshot.
type change struct {
	schema    *delta.Schema     // nil: as it is
	replace   bool              // schema is not one that the table's can grow into
	reads     []delta.Predicate // a row for which one is true was read; nil: all were
	add       []delta.Add
	remove    []delta.Add
	trim      []trimmed
	told      []delta.Add // files of changes
	rewritten int         // removed files of which rows stay, in added ones
	vectors   vectorCounts
	counts    engine.Published
	metrics   map[string]int64
}

func (c *change) empty() bool { return c.schema == nil && len(c.add)+len(c.remove)+len(c.trim) == 0 }

// stored are the files that were stored for the change.
func (c *change) stored() []delta.Add { return slices.Concat(c.add, c.told) }

// bytes adds up the sizes of the files that come and go.
func (c *change) bytes() (added, removed int64) {
	for _, f := range c.add {
		added += f.Size
	}
	for _, f := range c.remove {
		removed += f.Size
	}
	return added, removed
}

// once does the work on the table as it is now.
func (p *publication) once(ctx context.Context) (engine.Published, error) {
	snapshot, err := p.out.Table.Snapshot(ctx)
	if errors.Is(err, delta.ErrNotATable) && p.edit == nil {
		if _, err := p.engine.rulesOf(delta.Metadata{Configuration: p.out.Configuration}, p.out.Schema); err != nil {
			return engine.Published{}, err
		}
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
	c, err := p.change(ctx, snapshot)
	if err != nil {
		p.discard(ctx, c.stored())
		return engine.Published{}, err
	}
	done, err := p.commit(ctx, snapshot, c)
	if errors.Is(err, delta.ErrAlreadyApplied) {
		return engine.Published{AlreadyApplied: true, Before: snapshot.Version(), After: snapshot.Version()}, nil
	}
	if p.created {
		done.Before = engine.NoVersion
	}
	return done, err
}

// change writes the data files.
func (p *publication) change(ctx context.Context, s *delta.Snapshot) (*change, error) {
	c := &change{}
	if p.edit != nil {
		return c, p.edit.run(ctx, p, s, c)
	}
	if err := p.changeSchema(s, c); err != nil {
		return c, err
	}
	var err error
	if p.rules, err = p.engine.rulesOf(s.Metadata(), c.schemaOf(s)); err != nil {
		return c, err
	}
	if err := p.checkNewRules(s); err != nil {
		return c, err
	}
	switch p.out.Mode {
	case engine.Merge:
		return c, p.merge(ctx, s, c)
	case engine.Overwrite:
		if p.out.Where != "" {
			return c, p.replaceWhere(ctx, s, c)
		}
		return c, p.overwrite(ctx, s, c)
	case engine.OverwritePartitions:
		return c, p.overwritePartitions(ctx, s, c)
	default:
		return c, p.append(ctx, s, c)
	}
}

// changeSchema finds out which schema the table will have.
func (p *publication) changeSchema(s *delta.Snapshot, c *change) error {
	widened, err := widen(s.Schema(), p.out.Schema)
	if p.out.OverwriteSchema && (err != nil || len(widened.Fields) > len(p.out.Schema.Fields)) {
		m, err := s.Metadata().Replace(p.out.Schema)
		c.schema, c.replace = m.Schema, true
		return err
	}
	if err != nil {
		return err
	}
	if len(widened.Fields) > len(s.Schema().Fields) {
		m, err := s.Metadata().Evolve(widened)
		c.schema = m.Schema
		return err
	}
	return nil
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
			return nil, fmt.Errorf("column %s is %s in the table and %s now: such a change needs a new table, or an overwrite that may change the schema",
				f.Name, old.Type, f.Type)
		}
	}
	return widened, nil
}

func (p *publication) commit(ctx context.Context, s *delta.Snapshot, c *change) (engine.Published, error) {
	open := p.out.Outstanding(s)
	properties := p.out.Properties(s)
	done := c.counts
	done.Before, done.After = s.Version(), s.Version()
	if c.empty() && len(open) == 0 && len(properties) == 0 {
		return done, nil
	}
	tx := s.Begin(p.operation(c))
	switch {
	case p.out.Mode == engine.Append:
	case c.reads != nil:
		tx.Read(delta.Or(c.reads...))
	default:
		tx.Read()
	}
	switch {
	case c.replace:
		tx.ReplaceSchema(c.schema)
	case c.schema != nil:
		tx.SetSchema(c.schema)
	}
	for key, value := range properties {
		tx.SetConfiguration(key, value)
	}
	for _, progress := range open {
		tx.SetTransaction(progress.AppID, progress.Version)
	}
	tx.Remove(c.remove...)
	tx.Add(c.add...)
	tx.Enforced(p.rules.stated...)
	for _, f := range c.trim {
		tx.DeleteRows(f.file, f.rows)
	}
	tx.AddChangeData(c.told...)
	after, err := tx.Commit(ctx)
	if err != nil {
		p.discardAfter(ctx, err, c.stored())
		return engine.Published{}, err
	}
	done.After = after.Version()
	done.FilesAdded, done.FilesRemoved, done.VectorsAdded = len(c.add), len(c.remove), len(c.trim)
	done.BytesAdded, _ = c.bytes()
	return done, nil
}

// operation tells the table's history what was done, in Spark's words.
func (p *publication) operation(c *change) delta.Operation {
	if p.edit != nil {
		op := p.edit.operation(c)
		op.UserMetadata = p.out.UserMetadata
		return op
	}
	op := delta.Operation{Name: "WRITE", UserMetadata: p.out.UserMetadata, Metrics: map[string]int64{
		"numFiles":      int64(len(c.add)),
		"numOutputRows": records(c.add),
	}}
	switch p.out.Mode {
	case engine.Append:
		op.Parameters = map[string]string{"mode": "Append"}
	case engine.Overwrite:
		op.Parameters = map[string]string{"mode": "Overwrite"}
		if p.out.Where != "" {
			op.Parameters["predicate"] = p.out.Where
		}
	case engine.OverwritePartitions:
		op.Parameters = map[string]string{"mode": "Overwrite", "isDynamicPartitionOverwrite": "true"}
	case engine.Merge:
		op.Name, op.Parameters = "MERGE", mergeParameters(p.out)
	}
	maps.Copy(op.Metrics, c.metrics)
	return op
}

func records(adds []delta.Add) (n int64) {
	for _, add := range adds {
		n += add.Stats.NumRecords
	}
	return n
}

// discardAfter removes uploaded files when the commit certainly did not happen. After other errors it may have.
func (p *publication) discardAfter(ctx context.Context, err error, adds []delta.Add) {
	_, conflict := errors.AsType[*delta.ConflictError](err)
	_, broken := errors.AsType[*delta.ConstraintError](err)
	_, unsupported := errors.AsType[*delta.UnsupportedError](err)
	if conflict || broken || unsupported || errors.Is(err, delta.ErrAlreadyApplied) {
		p.discard(ctx, adds)
	}
}

// discard removes data files that no commit names. Those it cannot remove are found by a vacuum.
func (p *publication) discard(ctx context.Context, adds []delta.Add) {
	for _, add := range adds {
		_ = p.out.Table.Store().Delete(context.WithoutCancel(ctx), add.Path)
	}
}
