package delta

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// constraintPrefix begins the table properties that hold CHECK constraints (spec: CHECK Constraints).
const constraintPrefix = "delta.constraints."

// Keys of a column's metadata (spec: Column Invariants, Generated Columns; Default Columns).
const (
	invariantKey     = "delta.invariants"
	generationKey    = "delta.generationExpression"
	columnDefaultKey = "CURRENT_DEFAULT"
)

// Rule is the kind of a [Constraint], named as the table feature that it belongs to.
type Rule string

// The rules of a table.
const (
	CheckRule     Rule = "checkConstraints"    // the expression must be true; null is not
	InvariantRule Rule = "invariants"          // likewise, kept with a column
	GeneratedRule Rule = "generatedColumns"    // the column equals the expression, or both are null
	DefaultRule   Rule = "allowColumnDefaults" // the column is the expression where a writer gives none
	LengthRule    Rule = "char/varchar"        // the column is no longer than its type says; the expression must be true
	NotNullRule   Rule = "not null"            // the column is not null, as its type says; not among [Metadata.Constraints]
)

// shownExpression is how many characters of an expression messages show.
const shownExpression = 200

// Constraint is what a table asks of the rows that are written to it, in an expression of Spark SQL over the table's columns.
type Constraint struct {
	Rule       Rule
	Name       string // of the CHECK constraint, or of the column, a member of a struct by dots
	Expression string
}

func (c Constraint) String() string {
	switch c.Rule {
	case GeneratedRule:
		return fmt.Sprintf("generated column %s (%s)", c.Name, shortened(c.Expression))
	case DefaultRule:
		return fmt.Sprintf("default of column %s (%s)", c.Name, shortened(c.Expression))
	case InvariantRule:
		return fmt.Sprintf("invariant of column %s (%s)", c.Name, shortened(c.Expression))
	case LengthRule:
		return fmt.Sprintf("length of column %s (%s)", c.Name, shortened(c.Expression))
	case NotNullRule:
		return fmt.Sprintf("not null of column %s", c.Name)
	default:
		return fmt.Sprintf("constraint %s (%s)", c.Name, shortened(c.Expression))
	}
}

func shortened(text string) string {
	if r := []rune(text); len(r) > shownExpression {
		return string(r[:shownExpression]) + "…"
	}
	return text
}

// Constraints are what the table asks of rows, beside its types and the columns that must not be null: CHECK constraints by name,
// then those of columns in the schema's order.
func (m Metadata) Constraints() []Constraint {
	var all []Constraint
	for _, key := range slices.Sorted(maps.Keys(m.Configuration)) {
		if name, ok := strings.CutPrefix(key, constraintPrefix); ok {
			all = append(all, Constraint{CheckRule, name, m.Configuration[key]})
		}
	}
	if m.Schema == nil {
		return all
	}
	for name, f := range m.Schema.fields() {
		if raw, ok := f.Metadata[invariantKey]; ok {
			all = append(all, Constraint{InvariantRule, name, invariantExpression(metadataText(raw))})
		}
		if raw, ok := f.Metadata[generationKey]; ok {
			all = append(all, Constraint{GeneratedRule, name, metadataText(raw)})
		}
		if raw, ok := f.Metadata[columnDefaultKey]; ok {
			all = append(all, Constraint{DefaultRule, name, metadataText(raw)})
		}
	}
	for _, f := range m.Schema.Fields {
		if limit, ok := lengthLimit(f); ok {
			all = append(all, limit)
		}
	}
	return all
}

// metadataText reads a text among a column's metadata; what is none stays as it is, to be refused by who evaluates it.
func metadataText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}

// invariantExpression takes the expression out of {"expression":{"expression":"x > 3"}}. Old writers stored it bare.
func invariantExpression(text string) string {
	var wrapped struct {
		Expression struct {
			Expression *string `json:"expression"`
		} `json:"expression"`
	}
	if json.Unmarshal([]byte(text), &wrapped) != nil || wrapped.Expression.Expression == nil {
		return text
	}
	return *wrapped.Expression.Expression
}

// ConstraintError says that rows break a constraint of the table. Nothing was committed.
type ConstraintError struct {
	Constraint Constraint
	Rows       int64  // that break it; 0 when they were not counted
	Example    string // the values of one of them; "" when it is not known
}

func (e *ConstraintError) Error() string {
	rows := "rows"
	switch {
	case e.Rows == 1:
		rows = "1 row"
	case e.Rows > 1:
		rows = fmt.Sprintf("%d rows", e.Rows)
	}
	text := fmt.Sprintf("%s against the %s", rows, e.Constraint)
	if e.Constraint.Rule == NotNullRule {
		text = fmt.Sprintf("column %s must not be null, it is in %s", e.Constraint.Name, rows)
	}
	if e.Example != "" {
		text += ", such as " + e.Example
	}
	return text
}

// SetConstraint adds a CHECK constraint, whose name readers take without regard to case. The rows that the table has must meet it:
// state so by Enforced. What others add meanwhile is a conflict.
func (tx *Transaction) SetConstraint(name, expression string) {
	tx.constraints = append(tx.constraints, constraintChange{strings.ToLower(name), &expression})
	tx.Read()
}

// DropConstraint takes a CHECK constraint away. That there is none of the name is an error of Commit.
func (tx *Transaction) DropConstraint(name string) {
	tx.constraints = append(tx.constraints, constraintChange{name: name})
}

// constraintChange is a constraint to add, or to drop when it has no expression.
type constraintChange struct {
	name       string
	expression *string
}

// Enforced states that all rows of the files that the transaction adds meet the constraints, and for one that is new, all
// rows of the table. Commit refuses to add rows to a table with constraints that were not stated, however they came
// to be there; only a transaction that rearranges rows needs to state none.
func (tx *Transaction) Enforced(c ...Constraint) {
	tx.enforced = append(tx.enforced, c...)
}

// applyConstraints changes the constraints of a configuration.
func (tx *Transaction) applyConstraints(configuration map[string]string) error {
	for _, c := range tx.constraints {
		key, there := findConstraint(configuration, c.name)
		switch {
		case c.expression == nil && !there:
			return fmt.Errorf("drop constraint %s: the table has none of that name", c.name)
		case c.expression == nil:
			delete(configuration, key)
		case there:
			return fmt.Errorf("add constraint %s: the table has one of that name: %s", c.name, configuration[key])
		case c.name == "" || strings.TrimSpace(*c.expression) == "":
			return errors.New("add constraint: it needs a name and an expression")
		default:
			configuration[constraintPrefix+c.name] = *c.expression
		}
	}
	return nil
}

// findConstraint gives the property that holds a constraint.
func findConstraint(configuration map[string]string, name string) (string, bool) {
	for _, key := range slices.Sorted(maps.Keys(configuration)) {
		if own, ok := strings.CutPrefix(key, constraintPrefix); ok && strings.EqualFold(own, name) {
			return key, true
		}
	}
	return "", false
}

// checkEnforced refuses rows that nobody has held against the constraints of the table as it will be. Before is the table that the
// transaction began with.
func (p *prepared) checkEnforced(before, after *Metadata) error {
	rows := len(p.adds) > len(p.deletions) && !p.rearrange // rows of files that only get another vector were there
	live := p.base != nil && p.base.state.files.len() > 0
	had := before.Constraints()
	var missing []string
	for _, c := range after.Constraints() {
		isNew := live && c.Rule != DefaultRule && !slices.Contains(had, c)
		if (rows || isNew) && !slices.Contains(p.enforced, c) {
			missing = append(missing, fmt.Sprintf("%s (%s)", c.Rule, cmp.Or(c.Name, shortened(c.Expression))))
		}
	}
	if len(missing) > 0 {
		return &UnsupportedError{Features: missing, Write: true}
	}
	return nil
}
