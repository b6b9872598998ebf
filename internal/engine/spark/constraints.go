package spark

import (
	"fmt"
	"strings"

	"launchlake/internal/delta"
)

// fill gives the publication's query the columns of a schema; those that it lacks have their default, or are null.
func (p *publishing) fill(m delta.Metadata, schema *delta.Schema) (string, error) {
	defaults := map[string]string{}
	for _, c := range m.Constraints() {
		if c.Rule == delta.DefaultRule || c.Rule == delta.GeneratedRule {
			defaults[c.Name] = "(" + c.Expression + ")"
		}
	}
	var cells []string
	for _, f := range schema.Fields {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", fmt.Errorf("column %s: %w", f.Name, err)
		}
		value := quoteName(f.Name)
		if _, ok := p.schema.Field(f.Name); !ok {
			value = "NULL"
			if expression, ok := defaults[f.Name]; ok {
				value = expression
			}
		}
		cells = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %s", value, t, quoteName(f.Name)))
	}
	return fmt.Sprintf("SELECT %s FROM (%s)", join(cells), p.query), nil
}

// enforced makes a query fail at the first row that breaks what the table asks of rows. The table's expressions are
// Spark's own SQL.
func enforced(m delta.Metadata, schema *delta.Schema, query string) (string, error) {
	var cells, conditions []string
	for _, f := range schema.Fields {
		cell := quoteName(f.Name)
		if !f.Nullable {
			cell = fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN raise_error(%[2]s) ELSE %[1]s END AS %[1]s", cell,
				quote(fmt.Sprintf("column %s is required but a row has no value", f.Name)))
		}
		cells = append(cells, cell)
	}
	for _, c := range m.Constraints() {
		var condition string
		switch c.Rule {
		case delta.CheckRule, delta.InvariantRule, delta.LengthRule:
			condition = c.Expression
		case delta.GeneratedRule:
			condition = fmt.Sprintf("%s <=> (%s)", quoteName(c.Name), c.Expression)
		case delta.DefaultRule:
			continue
		default:
			return "", fmt.Errorf("%s is not known to this engine", c)
		}
		conditions = append(conditions, fmt.Sprintf("CASE WHEN (%s) THEN true ELSE raise_error(%s) END", condition, quote("a row breaks "+c.String())))
	}
	query = fmt.Sprintf("SELECT %s FROM (%s)", join(cells), query)
	if len(conditions) > 0 {
		query += " WHERE " + strings.Join(conditions, " AND ")
	}
	return query, nil
}
