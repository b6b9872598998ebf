package duckdb

import (
	"context"
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine/duckdb/sparksql"
	"launchlake/internal/engine/publication"
)

// rules are what a table asks of the rows that are written to it, as DuckDB evaluates it.
type rules struct {
	checks    []check
	defaults  map[string]string // SQL by column, for those that a query does not give
	generated map[string]string // likewise, over the other columns
}

// check is a condition that must be true for each row.
type check struct {
	constraint delta.Constraint
	condition  string
	columns    []string // to show of a row that breaks it
}

// rulesOf translates the constraints of a table. What cannot be evaluated as Spark does is an error, before anything is written.
func (e *Engine) rulesOf(m delta.Metadata) (*rules, error) {
	r := &rules{defaults: map[string]string{}, generated: map[string]string{}}
	for _, c := range m.Constraints() {
		if err := e.addRule(r, c, m.Schema); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Rule, err)
		}
	}
	r.addNotNull(m.Schema)
	return r, nil
}

func (e *Engine) addRule(r *rules, c delta.Constraint, schema *delta.Schema) error {
	now := e.options.Now()
	switch c.Rule {
	case delta.CheckRule, delta.InvariantRule, delta.LengthRule:
		x, err := sparksql.Condition(c.Expression, schema, now)
		r.checks = append(r.checks, check{c, x.SQL, x.Columns})
		return err
	}
	f, ok := schema.Field(c.Name)
	if !ok {
		return fmt.Errorf("%s: it is a member of another column", c)
	}
	x, err := sparksql.Assignment(c.Expression, f.Type, schema, now)
	switch {
	case err != nil:
		return err
	case c.Rule == delta.DefaultRule && len(x.Columns) > 0:
		return fmt.Errorf("%s: it refers to columns", c)
	case c.Rule == delta.DefaultRule:
		r.defaults[c.Name] = x.SQL
	default:
		r.generated[c.Name] = x.SQL
		r.checks = append(r.checks, check{c, fmt.Sprintf("%s IS NOT DISTINCT FROM %s", quoteName(c.Name), x.SQL), append([]string{c.Name}, x.Columns...)})
	}
	return nil
}

// dialect spells what a schema asks of values.
var dialect = publication.Dialect{
	Column: quoteName,
	Member: func(x, name string) string { return fmt.Sprintf("struct_extract(%s, %s)", x, quote(name)) },
	Any: func(list, item, condition string) string {
		return fmt.Sprintf("len(list_filter(%s, lambda %s: %s)) > 0", list, item, condition)
	},
}

// addNotNull adds the checks of columns that the files' statistics do not make: those of nested types.
func (r *rules) addNotNull(schema *delta.Schema) {
	for _, n := range publication.NotNull(schema, dialect) {
		if f, ok := schema.Field(n.Constraint.Name); !ok || nested(f.Type) {
			r.checks = append(r.checks, check{n.Constraint, n.Condition, []string{n.Column}})
		}
	}
}

// hold checks all rows of a relation. The first constraint that some break is a *[delta.ConstraintError].
func (e *Engine) hold(ctx context.Context, checks []check, schema *delta.Schema, rows string) error {
	if len(checks) == 0 {
		return nil
	}
	counts := make([]string, len(checks))
	broken := make([]int64, len(checks))
	into := make([]any, len(checks))
	for i, c := range checks {
		counts[i] = fmt.Sprintf("count(*) FILTER (WHERE (%s) IS NOT TRUE)", c.condition)
		into[i] = &broken[i]
	}
	query := fmt.Sprintf("SELECT %s FROM (%s)", join(counts), rows)
	if err := e.db.QueryRowContext(ctx, query).Scan(into...); err != nil {
		return fmt.Errorf("check the constraints: %w", queryError(ctx, err))
	}
	for i, n := range broken {
		if n == 0 {
			continue
		}
		example, err := e.example(ctx, checks[i], schema, rows)
		if err != nil {
			return fmt.Errorf("check the constraints: %w", err)
		}
		return &delta.ConstraintError{Constraint: checks[i].constraint, Rows: n, Example: example}
	}
	return nil
}

// example shows a row that breaks a constraint.
func (e *Engine) example(ctx context.Context, c check, schema *delta.Schema, rows string) (string, error) {
	names := publication.ShownColumns(c.columns, schema)
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = fmt.Sprintf("%s || coalesce(left(CAST(%s AS VARCHAR), %d), 'null')", quote(name+": "), quoteName(name), publication.ShownValue)
	}
	query := fmt.Sprintf("SELECT concat_ws(', ', %s) FROM (%s) WHERE (%s) IS NOT TRUE LIMIT 1", join(cells), rows, c.condition)
	var text string
	err := e.db.QueryRowContext(ctx, query).Scan(&text)
	return "{" + text + "}", queryError(ctx, err)
}

// enforce checks the rows of files that were written here and not yet stored.
func (p *publishing) enforce(ctx context.Context, l layout, files []written) error {
	if p.rules == nil || len(p.rules.checks) == 0 || len(files) == 0 {
		return nil
	}
	rows, err := writtenRows(l, files)
	if err != nil {
		return err
	}
	return p.engine.hold(ctx, p.rules.checks, l.Schema, rows)
}

// writtenRows gives the SQL that reads files written here, with the partition columns that they lack.
func writtenRows(l layout, files []written) (string, error) {
	paths := make([]string, len(files))
	constants := make([]string, len(files))
	for i, file := range files {
		paths[i] = file.path
		cells := []string{quote(file.path)}
		for _, name := range l.PartitionColumns {
			field, _ := l.Schema.Field(name)
			var value any
			if text := file.partition[l.PhysicalName(field)]; text != nil {
				var err error
				if value, err = parseText(field.Type, *text); err != nil {
					return "", fmt.Errorf("partition column %s: %w", name, err)
				}
			}
			cell, err := literal(field.Type, value)
			if err != nil {
				return "", fmt.Errorf("partition column %s: %w", name, err)
			}
			cells = append(cells, cell)
		}
		constants[i] = "(" + join(cells) + ")"
	}
	rows := l.logical(readParquet(paths), l.Stored(), localFileColumn)
	if len(l.PartitionColumns) == 0 {
		return rows, nil
	}
	names := []string{fileColumn}
	for _, name := range l.PartitionColumns {
		names = append(names, quoteName(name))
	}
	return fmt.Sprintf("SELECT d.*, c.* FROM (%s) AS d JOIN (VALUES %s) AS c(%s) ON c.%s = d.%s",
		rows, strings.Join(constants, ",\n"), join(names), fileColumn, localFileColumn), nil
}
