package enginetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// mark is a field's metadata of one text.
func mark(key, text string) map[string]json.RawMessage {
	quoted, _ := json.Marshal(text)
	return map[string]json.RawMessage{key: quoted}
}

// constrained makes a table with rules of every kind.
func (b *bench) constrained() *delta.Table {
	b.t.Helper()
	table := b.table("constrained")
	_, err := table.Create(b.t.Context(), delta.Metadata{
		Schema: &delta.Schema{Fields: []delta.Field{
			{Name: "id", Type: delta.Long, Metadata: mark("delta.invariants", `{"expression":{"expression":"id < 1000"}}`)},
			{Name: "v", Type: delta.Integer, Nullable: true},
			{Name: "born", Type: delta.Date, Nullable: true},
			{Name: "y", Type: delta.Integer, Nullable: true, Metadata: mark("delta.generationExpression", "YEAR(born)")},
			{Name: "kind", Type: delta.String, Nullable: true, Metadata: mark("CURRENT_DEFAULT", "'it\\'s'")},
		}},
		PartitionColumns: []string{"y"},
		Configuration:    map[string]string{"delta.constraints.positive": "v > 0", "delta.constraints.kinds": "kind IN ('it\\'s', 'b') AND born > '2020-01-01'"},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return table
}

const goodRow = "select cast(1 as bigint) as id, 5 as v, date '2026-01-02' as born"

func servesGeneratedColumnsAndDefaults(t *testing.T, b *bench) {
	table := b.constrained()
	b.publish(goodRow, engine.Output{Table: table, Mode: engine.Append})
	b.wantTable(table, "id, v, y, kind", "1|5|2026|it's")
	b.publish("select id + 1 as id, v, born, 2026 as y, 'b' as kind from ("+goodRow+") t", engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"id"}})
	b.wantTable(table, "id, y, kind", "1|2026|it's", "2|2026|b")
}

func refusesBrokenConstraints(t *testing.T, b *bench) {
	table := b.constrained()
	b.publish(goodRow, engine.Output{Table: table, Mode: engine.Append})
	before := b.snapshot(table)
	for query, want := range map[string][]string{
		"select id, -v as v, born from ({}) t union all {} union all select id, cast(null as int), born from ({}) t": {"positive", "v > 0", "2 rows", "v: "},
		"select id + 1000 as id, v, born from ({}) t":                                                                {"invariant of column id", "id < 1000", "1 row", "id: 1001"},
		"select id, v, born, 2027 as y from ({}) t":                                                                  {"generated column y", "y: 2027"},
		"select id, v, born, 'c' as kind from ({}) t":                                                                {"kinds", "kind: c"},
		"select id, v, date '2020-01-01' as born from ({}) t":                                                        {"kinds", "born: 2020-01-01"},
		"select id, v, cast(null as date) as born from ({}) t":                                                       {"kinds", "born: null"},
		"select cast(null as bigint) as id, v, born from ({}) t":                                                     {"id"},
	} {
		query = strings.ReplaceAll(query, "{}", goodRow)
		for _, out := range []engine.Output{{Mode: engine.Append}, {Mode: engine.Overwrite}, {Mode: engine.Merge, Keys: []string{"id"}, Newer: "true"}} {
			if out.Mode == engine.Merge && strings.Contains(query, "union") {
				continue // gives a key twice
			}
			out.Table, out.Progress = table, progress(1)
			_, err := b.Publish(t.Context(), query, out)
			var broken *delta.ConstraintError
			if !errors.As(err, &broken) {
				t.Errorf("%s of %s: %v", out.Mode, query, err)
				continue
			}
			for _, text := range want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s of %s: %q does not say %q", out.Mode, query, err, text)
				}
			}
		}
	}
	if now := b.snapshot(table); now.Version() != before.Version() {
		t.Errorf("version %d, was %d", now.Version(), before.Version())
	}
	b.wantOnlyFiles(table)
}

// wantOnlyFiles finds data files that no version names.
func (b *bench) wantOnlyFiles(table *delta.Table) {
	b.t.Helper()
	known := map[string]bool{}
	for commit, err := range table.Commits(b.t.Context(), 0, b.snapshot(table).Version()) {
		if err != nil {
			b.t.Fatal(err)
		}
		for _, add := range commit.Add {
			known[add.Path] = true
		}
	}
	for info, err := range table.Store().List(b.t.Context(), "", "") {
		if err != nil {
			b.t.Fatal(err)
		}
		if !strings.HasPrefix(info.Key, "_") && !known[info.Key] {
			b.t.Errorf("file %s was left behind", info.Key)
		}
	}
}

func refusesUnknownExpressions(t *testing.T, b *bench) {
	for i, tt := range []struct{ metadata, key, expression string }{
		{"table", "delta.constraints.c", "soundex(s) = 'A100'"},
		{"table", "delta.constraints.c", "s > 5"},
		{"table", "delta.constraints.c", "n +"},
		{"table", "delta.constraints.c", "nowhere = 1"},
		{"column", "delta.generationExpression", "uuid()"},
		{"column", "CURRENT_DEFAULT", "rand()"},
		{"column", "delta.invariants", "not json"},
		{"column", "delta.identity.start", "1"},
	} {
		if slices.Contains(b.lab.Understands, tt.expression) {
			continue
		}
		table := b.table(fmt.Sprint("unknown", i))
		m := delta.Metadata{Schema: &delta.Schema{Fields: []delta.Field{{Name: "n", Type: delta.Long, Nullable: true}, {Name: "s", Type: delta.String, Nullable: true}}}}
		if tt.metadata == "table" {
			m.Configuration = map[string]string{tt.key: tt.expression}
		} else {
			m.Schema.Fields[1].Metadata = mark(tt.key, tt.expression)
		}
		if _, err := table.Create(t.Context(), m); err != nil {
			if tt.key != "delta.identity.start" {
				t.Errorf("%s: %v", tt.expression, err)
			}
			continue
		}
		for _, query := range []string{"select cast(1 as bigint) as n", "select cast(1 as bigint) as n, 'x' as s where false"} {
			if _, err := b.Publish(t.Context(), query, engine.Output{Table: table, Mode: engine.Append}); err == nil {
				t.Errorf("%s: rows were written", tt.expression)
			}
		}
		b.wantOnlyFiles(table)
	}
}

func addsConstraints(t *testing.T, b *bench) {
	constrainer, ok := b.Engine.(engine.Constrainer)
	if !ok {
		t.Skip("the engine adds no constraints")
	}
	table := b.table("rows")
	b.publish("select 1 as n, 'a' as s union all select 2, null", engine.Output{Table: table, Mode: engine.Append})
	before := b.snapshot(table)
	var broken *delta.ConstraintError
	if _, err := constrainer.AddConstraint(t.Context(), table, "texts", "s = 'a'"); !errors.As(err, &broken) || broken.Rows != 1 || !strings.Contains(err.Error(), "n: 2") {
		t.Errorf("a row that breaks it: %v", err)
	}
	if _, err := constrainer.AddConstraint(t.Context(), table, "odd", "soundex(s) = 'A'"); err == nil || b.snapshot(table).Version() != before.Version() {
		t.Errorf("an unknown function: %v", err)
	}
	version, err := constrainer.AddConstraint(t.Context(), table, "Small", "n < 10 AND (s IS NULL OR s < 'b')")
	if s := b.snapshot(table); err != nil || version != s.Version() || version != before.Version()+1 || s.Metadata().Configuration["delta.constraints.small"] == "" {
		t.Errorf("version %d, %v, %v", version, err, s.Metadata().Configuration)
	}
	if _, err := b.Publish(t.Context(), "select 10 as n, 'a' as s", engine.Output{Table: table, Mode: engine.Append}); !errors.As(err, &broken) {
		t.Errorf("after it was added: %v", err)
	}
	b.publish("select 9 as n, cast(null as string) as s", engine.Output{Table: table, Mode: engine.Append})
	b.wantTable(table, "n, s", "1|a", "2|null", "9|null")
}
