package integration_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tableKind is a kind of table that several implementations write in turn.
type tableKind struct {
	name       string
	partitions string // of CREATE TABLE
	properties []string
	// sitsOut says of an implementation by its name what it says of operations that it refuses on such a table.
	sitsOut map[string]string
}

var tableKinds = []tableKind{
	{name: "plain"},
	{name: "partitioned", partitions: "PARTITIONED BY (part)"},
	{name: "change data feed", properties: []string{"delta.enableChangeDataFeed"}},
	{name: "deletion vectors", properties: []string{"delta.enableDeletionVectors"}},
	{name: "column mapping", properties: []string{"delta.columnMapping.mode"}, sitsOut: map[string]string{
		"delta-rs": "Column mapping is not supported for write operation", // of its optimize and its add column
	}},
}

// soak says that the long form of a test is wanted.
func soak() bool { return os.Getenv("LAKE_TEST_SOAK") == "1" }

// needsSoak leaves kinds of tables that Spark takes minutes for to the long form of a test.
func needsSoak(t *testing.T, properties int) {
	t.Helper()
	if properties > 0 && !soak() {
		t.Skip("runs with LAKE_TEST_SOAK=1")
	}
}

// rounds is how often each implementation has its turn on a table.
func (kind tableKind) rounds() int {
	if kind.name == "plain" || soak() {
		return 10
	}
	return 4
}

// TestThreeWritersTakeTurnsOnOneTable lets Spark, delta-rs and us work on one table in random order, each with a random operation a
// round. After each round all three, and DuckDB's Delta extension, must read the rows that are expected.
func TestThreeWritersTakeTurnsOnOneTable(t *testing.T) {
	spark(t)
	deltars(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for i, kind := range tableKinds {
		t.Run(kind.name, func(t *testing.T) {
			needsSoak(t, len(kind.properties))
			g := newGame(t, kind, rand.New(rand.NewPCG(seed, uint64(i))))
			for round := range kind.rounds() {
				g.round()
				g.compare(fmt.Sprintf("round %d", round+1))
				if t.Failed() {
					t.Fatalf("the operations so far: %q", g.log)
				}
			}
			if found := check(t, g.path); len(found) > 0 {
				t.Errorf("after %q the check finds %v", g.log, found)
			}
			t.Logf("%d operations; %v", len(g.log), g.satOut)
		})
	}
}

// game is one table and what it must hold.
type game struct {
	t       *testing.T
	kind    tableKind
	path    string
	random  *rand.Rand
	players []player

	columns []string
	rows    map[int64]map[string]any
	nextID  int64
	log     []string
	satOut  map[string]int // turns that were not taken
}

func newGame(t *testing.T, kind tableKind, random *rand.Rand) *game {
	t.Helper()
	g := &game{
		t: t, kind: kind, path: filepath.Join(t.TempDir(), "table"), random: random,
		columns: []string{"id", "name", "amount", "day", "part"}, rows: map[int64]map[string]any{}, satOut: map[string]int{},
	}
	g.players = []player{sparkPlayer{spark(t)}, deltarsPlayer{deltars(t)}, newOurPlayer(t)}
	values := map[string]string{"delta.columnMapping.mode": "name"}
	properties := []string{"'delta.checkpointInterval' = '7'"}
	for _, name := range kind.properties {
		value := values[name]
		if value == "" {
			value = "true"
		}
		properties = append(properties, fmt.Sprintf("'%s' = '%s'", name, value))
	}
	spark(t).do(t, "sql", arguments{"text": fmt.Sprintf(
		"CREATE TABLE delta.`%s` (id BIGINT, name STRING, amount DOUBLE, day DATE, part STRING) USING delta %s TBLPROPERTIES (%s)",
		g.path, kind.partitions, strings.Join(properties, ", "))}, nil)
	return g
}

// round gives each implementation a turn.
func (g *game) round() {
	for _, i := range g.random.Perm(len(g.players)) {
		p := g.players[i]
		kinds := slices.Sorted(maps.Keys(turns))
		g.turn(p, kinds[g.random.IntN(len(kinds))])
	}
}

// turns are the operations, and what they do to the rows that are expected.
var turns = map[string]func(g *game, o *operation){
	"append":     func(g *game, o *operation) { o.rows = g.newRows() },
	"overwrite":  func(g *game, o *operation) { o.rows = g.newRows() },
	"merge":      func(g *game, o *operation) { o.rows = append(g.changedRows(), g.newRows()...) },
	"delete":     func(g *game, o *operation) { o.modulus, o.remainder = 5, g.random.Int64N(5) },
	"update":     func(g *game, o *operation) { o.modulus, o.remainder = 4, g.random.Int64N(4) },
	"optimize":   func(*game, *operation) {},
	"vacuum":     func(*game, *operation) {},
	"checkpoint": func(*game, *operation) {},
	"add column": func(g *game, o *operation) { o.text = fmt.Sprint("extra_", len(g.log)) },
}

// operation is one turn.
type operation struct {
	kind               string
	path               string
	columns            []string
	rows               []map[string]any // to append, to merge by id, or to put in place of all
	modulus, remainder int64            // of the ids of the rows to delete or to update
	text               string           // the new name of updated rows, or that of a new column
}

func (g *game) turn(p player, kind string) {
	g.t.Helper()
	o := operation{kind: kind, path: g.path, columns: g.columns, text: fmt.Sprintf("%s %d", p.name(), len(g.log))}
	turns[kind](g, &o)
	what := p.name() + ": " + kind
	g.log = append(g.log, what)
	err := p.play(g.t, o)
	reason, sitsOut := g.kind.sitsOut[p.name()]
	switch {
	case errors.Is(err, errNotOffered), err != nil && sitsOut && strings.Contains(err.Error(), reason):
		g.satOut[what]++
		return
	case err != nil:
		g.t.Fatalf("%s: %v\nafter %q", what, err, g.log)
	}
	g.expect(o)
}

// expect changes the rows that are expected.
func (g *game) expect(o operation) {
	switch o.kind {
	case "overwrite":
		clear(g.rows)
	case "delete":
		maps.DeleteFunc(g.rows, func(id int64, _ map[string]any) bool { return id%o.modulus == o.remainder })
	case "update":
		for id, row := range g.rows {
			if id%o.modulus == o.remainder {
				row["name"] = o.text
			}
		}
	case "add column":
		g.columns = append(g.columns[:len(g.columns):len(g.columns)], o.text)
		for _, row := range g.rows {
			row[o.text] = nil
		}
	}
	for _, row := range o.rows {
		g.rows[row["id"].(int64)] = row
	}
}

func (g *game) newRows() (rows []map[string]any) {
	for range 1 + g.random.IntN(8) {
		g.nextID++
		rows = append(rows, g.row(g.nextID))
	}
	return rows
}

// changedRows are new contents for some rows that are there. They stay in their partitions.
func (g *game) changedRows() (rows []map[string]any) {
	for _, id := range slices.Sorted(maps.Keys(g.rows)) {
		if g.random.IntN(3) == 0 {
			row := g.row(id)
			row["part"] = g.rows[id]["part"]
			rows = append(rows, row)
		}
	}
	return rows
}

// row makes a row, with nulls here and there and text that has to be escaped.
func (g *game) row(id int64) map[string]any {
	row := map[string]any{}
	for _, column := range g.columns {
		row[column] = nil
		if g.random.IntN(6) == 0 {
			continue
		}
		switch column {
		case "amount":
			row[column] = float64(g.random.IntN(1000)) / 8
		case "day":
			row[column] = time.Date(1960, 1, 1+g.random.IntN(40_000), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		case "part":
			row[column] = []string{"a", "b/c=d", "e f%"}[g.random.IntN(3)]
		default:
			row[column] = fmt.Sprintf("%s %d é \"%d\"", column, id, len(g.log))
		}
	}
	row["id"] = id
	return row
}

// compare reads the table with every implementation.
func (g *game) compare(when string) {
	g.t.Helper()
	want := sorted(g.t, slices.Collect(maps.Values(g.rows)))
	for _, r := range readers(g.t) {
		got, err := r.read(g.path)
		if err != nil {
			g.t.Errorf("%s, after %s: %s: %v", when, g.log[max(0, len(g.log)-3):], r.name, err)
			continue
		}
		if diff := cmp.Diff(want, sorted(g.t, got)); diff != "" {
			g.t.Errorf("%s, after %s (-expected +%s):\n%.3000s", when, g.log[max(0, len(g.log)-3):], r.name, diff)
		}
	}
}
