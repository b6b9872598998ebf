package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb/sparksql"
	"launchlake/internal/engine/publication"
)

var _ engine.Editor = (*Engine)(nil)

// Delete implements [engine.Editor].
func (e *Engine) Delete(ctx context.Context, what engine.Edit) (engine.Published, error) {
	done, err := e.edit(ctx, what, &edit{where: what.Where})
	if err != nil {
		return engine.Published{}, fmt.Errorf("delete rows: %w", err)
	}
	return done, nil
}

// Update implements [engine.Editor].
func (e *Engine) Update(ctx context.Context, what engine.Edit, set []engine.Assignment) (engine.Published, error) {
	err := engine.CheckAssignments(set)
	var done engine.Published
	if err == nil {
		done, err = e.edit(ctx, what, &edit{where: what.Where, set: set})
	}
	if err != nil {
		return engine.Published{}, fmt.Errorf("update rows: %w", err)
	}
	return done, nil
}

func (e *Engine) edit(ctx context.Context, what engine.Edit, how *edit) (engine.Published, error) {
	return publication.Edit(ctx, what, how.set, &publishing{engine: e, edit: how, out: engine.Output{Table: what.Table}})
}

// edit is a change of rows by a condition.
type edit struct {
	where string
	set   []engine.Assignment // nil: the rows are deleted
}

// run changes the rows of a snapshot.
func (d *edit) run(ctx context.Context, p *publishing, s *delta.Snapshot, c *publication.Change) error {
	e := p.engine
	values, err := d.values(e, s.Schema())
	if err != nil {
		return err
	}
	if p.rules = nil; d.set != nil { // rows that stay as they are meet them
		if err := p.Admit(s.Metadata()); err != nil {
			return err
		}
	}
	where := d.where
	if known, err := sparksql.Condition(where, s.Schema(), e.options.Now()); err == nil {
		where = known.SQL
		if known.Filter != nil {
			c.Reads = []delta.Predicate{known.Filter}
		}
	}
	files, err := c.Candidates(s)
	if err != nil {
		return err
	}
	rows, err := e.scanQuery(ctx, scan{snapshot: s, files: files, place: true})
	if err != nil {
		return err
	}
	found := e.name("found")
	defer e.drop(ctx, found)
	tells := s.ChangeDataFeedEnabled() && (d.set != nil || !s.DeletionVectorsEnabled())
	cells := []string{fileColumn, rowColumn}
	if tells || d.set != nil {
		cells = append(cells, columnList(s.Schema()))
	}
	for _, v := range values {
		cells = append(cells, v.value+" AS "+v.name)
	}
	if err := e.Define(ctx, found, fmt.Sprintf("SELECT %s FROM (%s) AS target WHERE (%s\n)", join(cells), rows, where), engine.Once); err != nil {
		return err
	}
	var n int64
	if err := e.db.QueryRowContext(ctx, "SELECT count(*) FROM "+found).Scan(&n); err != nil || n == 0 {
		return queryError(ctx, err)
	}
	if d.set == nil {
		c.Counts.Deleted = n
	} else {
		c.Counts.Updated = n
	}
	return d.write(ctx, p, s, c, files, found, values, tells)
}

// newValue is what an updated column gets.
type newValue struct {
	column string
	value  string // SQL
	name   string // of the value in the relation of the rows that were found
}

func (d *edit) values(e *Engine, schema *delta.Schema) ([]newValue, error) {
	var values []newValue
	for _, a := range d.set {
		found := false
		for _, f := range schema.Fields {
			if !strings.EqualFold(f.Name, a.Column) {
				continue
			}
			t, err := sqlType(f.Type)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", f.Name, err)
			}
			found = true
			values = append(values, newValue{f.Name, fmt.Sprintf("CAST((%s\n) AS %s)", a.Value, t), e.name("value")})
		}
		if !found {
			return nil, fmt.Errorf("the table has no column %s", a.Column)
		}
	}
	return values, nil
}

// updated gives the SQL of the rows of found after the update. Generated columns follow those that they are made of.
func (p *publishing) updated(schema *delta.Schema, found string, values []newValue) string {
	var generated []string
	cells := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		cells[i] = quoteName(f.Name)
		at := slices.IndexFunc(values, func(v newValue) bool { return v.column == f.Name })
		if at >= 0 {
			cells[i] = values[at].name + " AS " + cells[i]
		} else if from := p.rules.generated[f.Name]; from != "" {
			t, _ := sqlType(f.Type) // the scan of the same schema has checked it
			generated = append(generated, fmt.Sprintf("CAST(%s AS %s) AS %s", from, t, cells[i]))
		}
	}
	rows := fmt.Sprintf("SELECT %s FROM %s", join(cells), found)
	if len(generated) > 0 {
		rows = fmt.Sprintf("SELECT * REPLACE (%s) FROM (%s)", join(generated), rows)
	}
	return rows
}

// write stores the rows of found as they are afterwards, with those that share a file with them where files are written again.
func (d *edit) write(ctx context.Context, p *publishing, s *delta.Snapshot, c *publication.Change, files []engine.File, found string, values []newValue, tells bool) error {
	schema := s.Schema()
	kept, err := p.takeOut(ctx, s, c, files, found)
	if err != nil {
		return err
	}
	query := strings.TrimPrefix(kept, unionAll)
	if d.set != nil {
		query = p.updated(schema, found, values) + kept
	}
	if query != "" {
		if c.Add, err = p.write(ctx, s, schema, query); err != nil {
			return err
		}
	}
	switch columns := columnList(schema); {
	case !tells || d.set == nil && c.Rewritten == 0:
	case d.set == nil:
		c.Told, err = p.tell(ctx, s, schema, fmt.Sprintf("SELECT %s, 'delete' AS %s FROM %s", columns, quoteName(engine.ChangeType), found))
	default:
		c.Told, err = p.tell(ctx, s, schema, fmt.Sprintf("SELECT %s, 'update_preimage' AS %s FROM %s\nUNION ALL\nSELECT *, 'update_postimage' FROM (%s)",
			columns, quoteName(engine.ChangeType), found, p.updated(schema, found, values)))
	}
	return err
}
