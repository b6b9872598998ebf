package publication

import (
	"fmt"
	"slices"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// SchemaOf is the schema that the table will have.
func (c *Change) SchemaOf(s *delta.Snapshot) *delta.Schema {
	if c.schema != nil {
		return c.schema
	}
	return s.Schema()
}

// Widened is whether the table gets another schema.
func (c *Change) Widened() bool { return c.schema != nil }

// changeSchema finds out which schema the table will have.
func (c *Change) changeSchema(s *delta.Snapshot, out engine.Output) error {
	widened, err := widen(s.Schema(), out.Schema)
	if out.OverwriteSchema && (err != nil || len(widened.Fields) > len(out.Schema.Fields)) {
		m, err := s.Metadata().Replace(out.Schema)
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

// checkNewRules refuses constraints that come with new columns, which the rows that are there were never held against.
func (c *Change) checkNewRules(s *delta.Snapshot, out engine.Output) error {
	if s.NumFiles() == 0 || out.Mode == engine.Overwrite && out.Where == "" {
		return nil
	}
	had := s.Metadata().Constraints()
	for _, rule := range c.Enforced {
		if rule.Rule != delta.DefaultRule && !slices.Contains(had, rule) {
			return fmt.Errorf("the %s is new: the rows that the table has would not meet it", rule)
		}
	}
	return nil
}
