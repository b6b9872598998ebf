package contract

import "strings"

// BuiltIn are the names of the rules that every contract has without declaring them: the raw record must be UTF-8,
// JSON, an object, and its values must have the columns' types.
var BuiltIn = []string{"is_utf8", "is_json", "is_object", "well_typed"}

// requiredRules are what required columns imply. What is copied from Bronze is always there.
func (p *parser) requiredRules(columns []Column) []Rule {
	for _, name := range BuiltIn {
		p.unique("rule", name, builtInLine)
	}
	var rules []Rule
	for _, c := range columns {
		if !c.Required || c.Origin != "" {
			continue
		}
		rule := Rule{Name: c.Name + "_present", Expect: c.Name + " is not null", Action: Quarantine, Message: c.Name + " is missing"}
		p.unique("rule", rule.Name, p.names["property "+c.Name])
		rules = append(rules, rule)
	}
	return rules
}

func (p *parser) rules(t table) []Rule {
	var rules []Rule
	for i, prop := range t.Properties {
		for j, q := range prop.Quality {
			rules = append(rules, p.rule(q, "schema", 0, "properties", i, "quality", j))
		}
	}
	for j, q := range t.Quality {
		if q.Implementation.ExpectOfAll == "" {
			rules = append(rules, p.rule(q, "schema", 0, "quality", j))
		}
	}
	return rules
}

// limits are the quality entries of the table that have expectOfAll.
func (p *parser) limits(t table) []Limit {
	var limits []Limit
	for j, q := range t.Quality {
		if q.Implementation.ExpectOfAll == "" {
			continue
		}
		at := p.place("schema", 0, "quality", j)
		p.entry(q, at)
		limit := Limit{Name: q.Name, Expect: strings.TrimSpace(q.Implementation.ExpectOfAll), Message: strings.TrimSpace(q.Implementation.Message)}
		if q.Implementation.Expect != "" || Action(q.Implementation.Action) != Fail || limit.Message == "" {
			p.fail(at("implementation"), "rule %q: expectOfAll goes with action fail and a message, and not with expect", q.Name)
		}
		p.portable(limit.Expect, at("implementation", "expectOfAll"), "expectOfAll of rule", q.Name)
		limits = append(limits, limit)
	}
	return limits
}

// place gives the lines of what lies at and below a place.
func (p *parser) place(place ...any) func(keys ...any) int {
	return func(keys ...any) int { return p.lines.at(append(place[:len(place):len(place)], keys...)...) }
}

// entry checks what all quality entries have.
func (p *parser) entry(q quality, at func(keys ...any) int) {
	if q.Type != "custom" || q.Engine != Engine {
		p.fail(at(), "quality entry %q must have type custom and engine %s", q.Name, Engine)
	}
	if !identifier.MatchString(q.Name) {
		p.fail(at("name"), "rule name %q must be lower-case letters, digits and _", q.Name)
	}
	p.unique("rule", q.Name, at("name"))
}

func (p *parser) rule(q quality, place ...any) Rule {
	at := p.place(place...)
	p.entry(q, at)
	if q.Implementation.ExpectOfAll != "" {
		p.fail(at("implementation", "expectOfAll"), "rule %q: expectOfAll is for rules of the table", q.Name)
	}
	rule := Rule{
		Name:    q.Name,
		Expect:  strings.TrimSpace(q.Implementation.Expect),
		Action:  Action(q.Implementation.Action),
		Message: strings.TrimSpace(q.Implementation.Message),
	}
	if rule.Expect == "" || rule.Message == "" {
		p.fail(at("implementation"), "rule %q needs expect and message", q.Name)
	}
	p.portable(rule.Expect, at("implementation", "expect"), "expect of rule", q.Name)
	switch rule.Action {
	case Warn, Drop, Quarantine, Fail:
	default:
		p.fail(at("implementation", "action"), "rule %q: action %q is not one of warn, drop, quarantine, fail", q.Name, rule.Action)
	}
	return rule
}

// portable refuses SQL that engines read in different ways: a backslash in a literal is an escape to Spark and itself
// to DuckDB.
func (p *parser) portable(sql string, line int, what, name string) {
	if strings.Contains(sql, `\`) {
		p.fail(line, "%s %q has a backslash, which engines read differently: write [.] and [0-9] in patterns, chr(92) elsewhere", what, name)
	}
}
