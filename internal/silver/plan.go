package silver

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"launchlake/internal/contract"
	"launchlake/internal/engine"
)

// Relations of a refinement, each made from the one before.
const (
	relBronze   = "bronze"   // rows of the new data files
	relRecords  = "records"  // what is needed of them, under names that no column of a contract has
	relParsed   = "parsed"   // with the columns that have source paths
	relChecked  = "checked"  // with all columns, and what each rule says
	relRepeated = "repeated" // keys that several good rows have, and how many
)

// versionOrigin is the origin of a column that holds the Bronze version of its row.
const versionOrigin = "version"

// envelope are the columns of Bronze that every refinement needs. In the relations each has a '_' before its name.
var envelope = []string{"id", "last_updated", "sha256", "defect", "request_url", "fetched_at"}

// plan makes the SQL of a refinement.
type plan struct {
	contract *contract.Contract
	rules    []check
	updated  string // the column that orders the rows of a key
	hash     string // the column that breaks ties
}

// check is a rule as SQL over the rows.
type check struct {
	contract.Rule
	broken  string // SQL condition
	message string // SQL text
}

func newPlan(c *contract.Contract) (plan, error) {
	p := plan{contract: c, updated: "last_updated"}
	for _, column := range c.Columns {
		if column.Origin == "sha256" {
			p.hash = column.Name
		}
	}
	hasUpdated := slices.ContainsFunc(c.Columns, func(column contract.Column) bool { return column.Name == p.updated })
	if p.hash == "" || !hasUpdated {
		return p, fmt.Errorf("contract %s needs a column %s and one from bronze.sha256: they order the rows of a key", c.Name, p.updated)
	}
	p.rules = builtIn()
	for _, rule := range c.Rules {
		p.rules = append(p.rules, check{
			Rule:    rule,
			broken:  fmt.Sprintf("(_readable and not coalesce((%s), false))", rule.Expect),
			message: text(rule.Message),
		})
	}
	return p, nil
}

// builtIn are the rules of every contract. What a record breaks of the first three makes it unreadable, and no
// other rule is held against it.
func builtIn() []check {
	rule := func(name, message, broken string) check {
		return check{contract.Rule{Name: name, Action: contract.Quarantine, Message: message}, broken, text(message)}
	}
	wellTyped := rule("well_typed", "", "(_readable and array_join("+engine.WrongTypes+", ' ') <> '')")
	wellTyped.message = text("wrong type: ") + " || array_join(" + engine.WrongTypes + ", ', ')"
	return []check{
		rule("is_utf8", "the record is not UTF-8", "(coalesce(_defect, '') = 'not_utf8')"),
		rule("is_json", "the record is not JSON that can be parsed", "(not _readable and coalesce(_defect, '') not in ('not_utf8', 'not_an_object'))"),
		rule("is_object", "the record is JSON but no object", "(coalesce(_defect, '') = 'not_an_object')"),
		wellTyped,
	}
}

// records gives what is needed of Bronze.
func (p plan) records() string {
	columns := []string{"raw", "raw as _raw", engine.CommitVersion + " as _version"}
	for _, name := range p.carried() {
		columns = append(columns, name+" as _"+name)
	}
	return "select " + strings.Join(columns, ", ") + " from " + relBronze
}

// carried are the columns of Bronze that go along with a record.
func (p plan) carried() []string {
	names := slices.Clone(envelope)
	for _, column := range p.contract.Columns {
		if column.Origin != "" && column.Origin != versionOrigin && !slices.Contains(names, column.Origin) {
			names = append(names, column.Origin)
		}
	}
	return names
}

func (p plan) documents() engine.Documents {
	d := engine.Documents{From: relRecords, Document: "raw", Skip: "_defect is not null"}
	for _, column := range p.contract.Columns {
		if len(column.Paths) > 0 {
			d.Columns = append(d.Columns, engine.Column{Name: column.Name, Type: column.Type, Paths: column.Paths})
		}
	}
	return d
}

// rows computes the columns that are not simply read.
func (p plan) rows() string {
	columns := []string{"_raw", "_version", engine.WrongTypes, "(_defect is null and " + engine.Parsed + ") as _readable"}
	for _, name := range p.carried() {
		columns = append(columns, "_"+name)
	}
	for _, column := range p.contract.Columns {
		switch {
		case column.Origin != "":
			columns = append(columns, "_"+column.Origin+" as "+column.Name)
		case column.Logic != "":
			columns = append(columns, "("+column.Logic+") as "+column.Name)
		default:
			columns = append(columns, column.Name)
		}
	}
	return "select " + strings.Join(columns, ",\n") + "\nfrom " + relParsed
}

// checked adds what each rule says, the names and messages of those that are broken, and the verdict on the record:
// the severest action of a broken rule, where to keep a record aside is severer than to drop it.
func (p plan) checked() string {
	var flags, flagNames, names, messages []string
	byAction := map[contract.Action][]string{}
	for i, rule := range p.rules {
		flag := ruleFlag(i)
		flags, flagNames = append(flags, rule.broken+" as "+flag), append(flagNames, flag)
		names = append(names, fmt.Sprintf("case when %s then %s end", flag, text(rule.Name)))
		messages = append(messages, fmt.Sprintf("case when %s then %s end", flag, rule.message))
		byAction[rule.Action] = append(byAction[rule.Action], flag)
	}
	verdict := "case"
	for _, action := range []contract.Action{contract.Fail, contract.Quarantine, contract.Drop} {
		if len(byAction[action]) > 0 {
			verdict += fmt.Sprintf(" when %s then %s", strings.Join(byAction[action], " or "), text(string(action)))
		}
	}
	verdict += " else 'keep' end"
	anyFlag := strings.Join(flagNames, " or ")
	said := func(texts []string) string {
		return fmt.Sprintf("case when %s then concat_ws(%s, %s) end", anyFlag, separator, strings.Join(texts, ",\n"))
	}
	columns := append([]string{"_version", "_fetched_at", said(names) + " as _broken", said(messages) + " as _messages", verdict + " as _verdict"}, flagNames...)
	for _, name := range asideColumns {
		columns = append(columns, fmt.Sprintf("case when %s then %s end as %[2]s", strings.Join(byAction[contract.Quarantine], " or "), name))
	}
	return fmt.Sprintf("select %s\nfrom (select *, %s from (%s) r) c", strings.Join(append(columns, p.columns()...), ",\n"), strings.Join(flags, ",\n"), p.rows())
}

// asideColumns are those that only rows that break a rule of the quarantine need, of which the record is larger than all others.
var asideColumns = []string{"_raw", "_id", "_last_updated", "_request_url"}

// columns are those of the contract.
func (p plan) columns() []string {
	names := make([]string, len(p.contract.Columns))
	for i, column := range p.contract.Columns {
		names[i] = column.Name
	}
	return names
}

// separator stands between the names, and the messages, of broken rules; it is in none of them.
const separator = "chr(31)"

func ruleFlag(i int) string { return fmt.Sprintf("_rule_%d", i) }

// repeated gives the keys that several good rows have.
func (p plan) repeated() string {
	keys := strings.Join(p.contract.Keys(), ", ")
	return fmt.Sprintf("select %s, count(*) as _n from %s where _verdict = 'keep' group by %[1]s having count(*) > 1", keys, relChecked)
}

// newest gives the good rows to merge: of each key the one that was updated last. Only rows whose keys are there several times, if any are as
// counted, are ranked, for to rank whole rows takes longer than to find them.
func (p plan) newest(c Counts) string {
	columns, repeats := strings.Join(p.columns(), ", "), p.repeats()
	if c.Superseded == 0 {
		return fmt.Sprintf("select %s from %s where _verdict = 'keep'", columns, relChecked)
	}
	return fmt.Sprintf(`select %[1]s from (select c.* from %[2]s c anti join %[3]s where c._verdict = 'keep') a
		union all
		select %[1]s from (
			select *, row_number() over (partition by %[4]s order by %[5]s desc, %[6]s desc, _version, _fetched_at) as _rank
			from (select c.* from %[2]s c semi join %[3]s where c._verdict = 'keep') r) w
		where _rank = 1`, columns, relChecked, repeats, strings.Join(p.contract.Keys(), ", "), p.updated, p.hash)
}

// repeats joins a row c to its key, when that is repeated. It is joined outright, for engines keep all rows to evaluate an EXISTS.
func (p plan) repeats() string {
	var same []string
	for _, key := range p.contract.Keys() {
		same = append(same, fmt.Sprintf("r.%s = c.%[1]s", key))
	}
	return relRepeated + " r on " + strings.Join(same, " and ")
}

// newer is when a row replaces the one in the table.
func (p plan) newer() string {
	return fmt.Sprintf("source.%[1]s > target.%[1]s or (source.%[1]s = target.%[1]s and source.%[2]s > target.%[2]s)", p.updated, p.hash)
}

// quarantined gives the records to keep aside, with the bytes that Bronze has of them.
func (p plan) quarantined(runID string, now time.Time) string {
	return fmt.Sprintf(`select _id as id, split(_broken, %[1]s) as rules, split(_messages, %[1]s) as messages, _raw as raw, %[5]s as sha256,
			_last_updated as last_updated, _version as bronze_version, _request_url as request_url, _fetched_at as fetched_at,
			%[2]s as run_id, %[3]s as quarantined_at
		from (
			select c.*, row_number() over (partition by %[5]s order by _version, _fetched_at) as _rank
			from %[4]s c where _verdict = 'quarantine') r
		where _rank = 1`, separator, text(runID), moment(now), relChecked, p.hash)
}

// text spells a string in SQL. Quotes and backslashes, which dialects escape in their own ways, come in by their codes.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	for char, code := range map[string]string{"'": "chr(39)", `\`: "chr(92)"} {
		s = strings.ReplaceAll(s, char, "\x00"+code+"\x00")
	}
	var parts []string
	for i, part := range strings.Split(s, "\x00") {
		if i%2 == 1 {
			parts = append(parts, part)
			continue
		}
		parts = append(parts, "'"+part+"'")
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " || ") + ")"
}

// moment spells a timestamp in SQL, where sessions are in UTC.
func moment(t time.Time) string {
	return "timestamp '" + t.UTC().Format("2006-01-02 15:04:05.999999") + "'"
}
