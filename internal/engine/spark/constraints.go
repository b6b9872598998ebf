package spark

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
	"launchlake/internal/engine/spark/connect"
)

// rules are what a table asks of the rows that are written to it. Its expressions are Spark's own SQL.
type rules struct {
	checks    []check
	defaults  map[string]string // by column, for those that a query does not give
	generated map[string]string // likewise, over the other columns
}

// check is a condition that must be true for each row.
type check struct {
	constraint delta.Constraint
	condition  string
	columns    []string // to show of a row that breaks it
}

func newCheck(c delta.Constraint, condition string, schema *delta.Schema) check {
	return check{c, condition, columnsIn(condition, schema)}
}

func rulesOf(l layout) rules {
	r := rules{defaults: map[string]string{}, generated: map[string]string{}}
	for _, c := range l.Constraints() {
		switch c.Rule {
		case delta.DefaultRule:
			r.defaults[c.Name] = c.Expression
		case delta.GeneratedRule:
			r.generated[c.Name] = c.Expression
			r.checks = append(r.checks, newCheck(c, fmt.Sprintf("%s <=> (%s\n)", quoteName(c.Name), c.Expression), l.Schema))
		default:
			r.checks = append(r.checks, newCheck(c, c.Expression, l.Schema))
		}
	}
	for _, n := range publication.NotNull(l.Schema, dialect) {
		r.checks = append(r.checks, check{n.Constraint, n.Condition, []string{n.Column}})
	}
	return r
}

// dialect spells what a schema asks of values.
var dialect = publication.Dialect{
	Column: quoteName,
	Member: func(x, name string) string { return x + "." + quoteName(name) },
	Any: func(list, item, condition string) string {
		return fmt.Sprintf("exists(%s, %s -> %s)", list, item, condition)
	},
}

// columnsIn are the columns that an expression names, in the order in which it does.
func columnsIn(expression string, schema *delta.Schema) []string {
	var names []string
	for len(expression) > 0 {
		n := skipLength(expression)
		word := strings.Trim(expression[:n], "`")
		if n == 0 {
			n = max(plainLength(expression), 1)
			word = expression[:n]
		}
		for _, f := range schema.Fields {
			if strings.EqualFold(f.Name, word) && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
		expression = expression[n:]
	}
	return names
}

// fill gives the publication's query the columns of a table. Those that it lacks are generated, or have their default, or are null. Behind
// them comes the column of tombstones, when there is one.
func (p *publishing) fill(l layout) (string, error) {
	r := rulesOf(l)
	var cells, following []string
	for _, f := range l.Schema.Fields {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", fmt.Errorf("column %s: %w", f.Name, err)
		}
		name := quoteName(f.Name)
		value, follow := "NULL", name
		if _, ok := p.out.Schema.Field(f.Name); ok {
			value = name
		} else if from := r.generated[f.Name]; from != "" {
			follow = fmt.Sprintf("CAST((%s\n) AS %s) AS %s", from, t, name)
		} else if from := r.defaults[f.Name]; from != "" {
			value = "(" + from + "\n)"
		}
		cells, following = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %s", value, t, name)), append(following, follow)
	}
	if p.out.Tombstone != "" {
		name := quoteName(p.out.Tombstone)
		cells, following = append(cells, name), append(following, name)
	}
	query := fmt.Sprintf("SELECT %s FROM (%s)", join(cells), p.query)
	if !slices.Equal(following, quoteNames(columnNamesOf(l.Schema))) && len(r.generated) > 0 {
		query = fmt.Sprintf("SELECT %s FROM (%s)", join(following), query)
	}
	return query, nil
}

func columnNamesOf(schema *delta.Schema) []string {
	names := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		names[i] = f.Name
	}
	return names
}

// brokenRule is what Spark calls an error that a query raised.
const brokenRule = "USER_RAISED_EXCEPTION"

// enforced makes a query fail at the first row that breaks what the table asks of rows. It costs no look at the rows
// besides their writing; how many break it is found out when some do.
func enforced(checks []check, query string) string {
	if len(checks) == 0 {
		return query
	}
	var conditions []string
	for _, c := range checks {
		conditions = append(conditions, fmt.Sprintf("CASE WHEN (%s\n) THEN true ELSE raise_error(%s) END", c.condition, quote("a row breaks "+c.constraint.String())))
	}
	return fmt.Sprintf("SELECT * FROM (%s) WHERE %s", query, strings.Join(conditions, " AND "))
}

// explain tells of a write that failed because of a row which rows broke which rule.
func (e *Engine) explain(ctx context.Context, err error, checks []check, l layout, query string) error {
	if said, ok := errors.AsType[*connect.Error](err); !ok || said.Class != brokenRule {
		return err
	}
	_, held := e.hold(ctx, checks, l.Schema, "("+query+")")
	if _, ok := errors.AsType[*delta.ConstraintError](held); ok {
		return held
	}
	return err
}

// hold checks all rows of a relation, and counts them. The first constraint that some break is a *[delta.ConstraintError].
func (e *Engine) hold(ctx context.Context, checks []check, schema *delta.Schema, relation string) (rows int64, err error) {
	counts := []string{"count(*)"}
	for _, c := range checks {
		counts = append(counts, fmt.Sprintf("count_if(NOT coalesce((%s\n), false))", c.condition))
	}
	found, err := e.rows(ctx, fmt.Sprintf("SELECT %s FROM %s", join(counts), relation))
	if err != nil {
		return 0, fmt.Errorf("check the constraints: %w", err)
	}
	for i, c := range checks {
		n := found[0][i+1].(int64)
		if n == 0 {
			continue
		}
		example, err := e.example(ctx, c, schema, relation)
		if err != nil {
			return 0, fmt.Errorf("check the constraints: %w", err)
		}
		return 0, &delta.ConstraintError{Constraint: c.constraint, Rows: n, Example: example}
	}
	return found[0][0].(int64), nil
}

// example shows a row that breaks a constraint.
func (e *Engine) example(ctx context.Context, c check, schema *delta.Schema, relation string) (string, error) {
	names := publication.ShownColumns(c.columns, schema)
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = fmt.Sprintf("concat(%s, coalesce(left(CAST(%s AS STRING), %d), 'null'))", quote(name+": "), quoteName(name), publication.ShownValue)
	}
	found, err := e.rows(ctx, fmt.Sprintf("SELECT concat_ws(', ', %s) FROM %s WHERE NOT coalesce((%s\n), false) LIMIT 1", join(cells), relation, c.condition))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return fmt.Sprintf("{%s}", found[0][0]), nil
}

var _ engine.Constrainer = (*Engine)(nil)

// AddConstraint implements [engine.Constrainer].
func (e *Engine) AddConstraint(ctx context.Context, t *delta.Table, name, condition string) (delta.Version, error) {
	version, err := publication.AddConstraint(ctx, t, name, condition, func(s *delta.Snapshot, c delta.Constraint) error {
		rows, err := e.snapshotQuery(s)
		if err == nil {
			_, err = e.hold(ctx, []check{newCheck(c, c.Expression, s.Schema())}, s.Schema(), rows)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("add constraint %s: %w", name, classified(err))
	}
	return version, nil
}
