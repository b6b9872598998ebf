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
		rules = append(rules, p.rule(q, "schema", 0, "quality", j))
	}
	return rules
}

func (p *parser) rule(q quality, place ...any) Rule {
	at := func(keys ...any) int { return p.lines.at(append(place[:len(place):len(place)], keys...)...) }
	if q.Type != "custom" || q.Engine != Engine {
		p.fail(at(), "quality entry %q must have type custom and engine %s", q.Name, Engine)
	}
	if !identifier.MatchString(q.Name) {
		p.fail(at("name"), "rule name %q must be lower-case letters, digits and _", q.Name)
	}
	p.unique("rule", q.Name, at("name"))
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
