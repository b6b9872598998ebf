package spark

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

var _ engine.Editor = (*Engine)(nil)

// Delete implements [engine.Editor].
func (e *Engine) Delete(ctx context.Context, what engine.Edit) (engine.Published, error) {
	done, err := e.edit(ctx, what, &edit{where: what.Where})
	if err != nil {
		return engine.Published{}, fmt.Errorf("delete rows: %w", classified(err))
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
		return engine.Published{}, fmt.Errorf("update rows: %w", classified(err))
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
	values, err := d.values(p.engine, s.Schema())
	if err != nil {
		return err
	}
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = v.value + " AS " + v.name
	}
	tells := s.ChangeDataFeedEnabled() && (d.set != nil || !s.DeletionVectorsEnabled())
	found, release, err := p.find(ctx, s, d.where, tells || d.set != nil, cells)
	if err != nil {
		return err
	}
	defer release()
	n, err := p.engine.countRows(ctx, found)
	if err != nil || n == 0 {
		return err
	}
	if d.set == nil {
		c.Counts.Deleted = n
	} else {
		c.Counts.Updated = n
	}
	return d.write(ctx, p, s, c, found, values, tells)
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
		at := slices.IndexFunc(schema.Fields, func(f delta.Field) bool { return strings.EqualFold(f.Name, a.Column) })
		if at < 0 {
			return nil, fmt.Errorf("the table has no column %s", a.Column)
		}
		t, err := sqlType(schema.Fields[at].Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", a.Column, err)
		}
		values = append(values, newValue{schema.Fields[at].Name, fmt.Sprintf("CAST((%s\n) AS %s)", a.Value, t), e.name("value")})
	}
	return values, nil
}

// updated gives the SQL of the rows of found after the update. Generated columns follow those that they are made of.
func updated(l layout, found string, values []newValue) (string, error) {
	generated := rulesOf(l).generated
	var cells, following []string
	for _, f := range l.Schema.Fields {
		name := quoteName(f.Name)
		cell, follow := name, name
		if at := slices.IndexFunc(values, func(v newValue) bool { return v.column == f.Name }); at >= 0 {
			cell = values[at].name + " AS " + name
		} else if from := generated[f.Name]; from != "" {
			t, err := sqlType(f.Type)
			if err != nil {
				return "", fmt.Errorf("column %s: %w", f.Name, err)
			}
			follow = fmt.Sprintf("CAST((%s) AS %s) AS %s", from, t, name)
		}
		cells, following = append(cells, cell), append(following, follow)
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT %s FROM %s)", join(following), join(cells), found), nil
}

// write stores the rows of found as they are afterwards, with those that share a file with them where files are written again.
func (d *edit) write(ctx context.Context, p *publishing, s *delta.Snapshot, c *publication.Change, found string, values []newValue, tells bool) error {
	l := layoutOf(s, s.Schema())
	query, err := p.takeOut(ctx, s, c, found)
	if err != nil {
		return err
	}
	after := ""
	if d.set != nil {
		if after, err = updated(l, found, values); err != nil {
			return err
		}
		if query != "" {
			query = unionAll + query
		}
		query = after + query
	}
	if query != "" {
		if c.Add, err = p.write(ctx, l, rebalanced(query)); err != nil {
			return err
		}
	}
	before := fmt.Sprintf("SELECT %s, '%%s' AS %s FROM %s", columnList(l.Schema), engine.ChangeType, found)
	switch {
	case !tells || d.set == nil && c.Rewritten == 0:
	case d.set == nil:
		c.Told, err = p.tell(ctx, l, fmt.Sprintf(before, "delete"))
	default:
		c.Told, err = p.tell(ctx, l, fmt.Sprintf(before, "update_preimage")+unionAll+fmt.Sprintf("SELECT *, 'update_postimage' FROM (%s)", after))
	}
	return err
}
