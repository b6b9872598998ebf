// Package enginetest checks what package engine promises, for any engine. The SQL in it is what DuckDB and Spark both
// understand.
package enginetest

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/objstore"
)

// Lab makes what a test works with.
type Lab struct {
	Open  func(t *testing.T) engine.Engine // a new session, closed by the test
	Store func(t *testing.T) objstore.Store

	// Understands are expressions in rules of tables that this engine evaluates, and others need not.
	Understands []string

	// Slow engines run what is done in several layouts in those with a change data feed only.
	Slow bool
}

// Run runs the suite.
func Run(t *testing.T, lab Lab) {
	tests := []struct {
		name string
		test func(t *testing.T, b *bench)
	}{
		{"values are taken out of documents by path and type", parsesValues},
		{"zero has no sign in documents", zerosHaveNoSign},
		{"the first path that holds a value counts", triesPathsInOrder},
		{"values of another type are named and null", namesWrongTypes},
		{"no document fails the batch", survivesDocuments},
		{"documents can be skipped", skipsDocuments},
		{"a column cannot hide one of the relation", refusesHiddenColumns},
		{"nasty values come back as they went", keepsNastyValues},
		{"parsed values come back as they went", keepsParsedValues},
		{"statistics hold every value", boundsHold},
		{"functions mean what they mean in Spark", agreesOnFunctions},
		{"append adds rows once", appendsOnce},
		{"overwrite replaces rows and keeps files when nothing changes", overwrites},
		{"overwrite tells moments apart that the log does not", overwritesMoments},
		{"overwrite happens again when a property changes", overwritesOnProperties},
		{"an overwrite replaces the rows that a condition names", replacesMatchingRows},
		{"an overwrite refuses rows outside of its condition", refusesRowsOutsideOfWhere},
		{"an overwrite replaces partitions", replacesPartitions},
		{"merge inserts, updates and leaves", merges},
		{"merge without newer only adds", mergesNewKeysOnly},
		{"merge writes only files that hold replaced rows", rewritesTouchedFiles},
		{"merge refuses a key twice and commits nothing", refusesDoubleKeys},
		{"merge progress is committed without rows too", commitsProgressAlone},
		{"merge removes the rows of tombstones", each(mergesByTombstones)},
		{"merge prunes rows that the query does not have", each(mergesAndPrunes)},
		{"overwritten rows are found in the feed", each(overwritesAndTells)},
		{"replaced rows are found in the feed", each(replacesAndTells)},
		{"rows are deleted by a condition", each(deletesRows)},
		{"rows are updated by a condition", each(updatesRows)},
		{"rows of partitions are edited", each(editsPartitions)},
		{"an overwrite replaces rows in every layout", each(replacesRowsInEveryLayout)},
		{"edits that make no sense are refused", each(refusesEdits)},
		{"editors that meet both succeed", each(editorsMeet)},
		{"deleted rows are purged from their files", each(purges)},
		{"a bound snapshot does not move", bindsSnapshots},
		{"bound files tell the version that brought them", bindsFiles},
		{"a column that the table lacks is added", widensTables},
		{"a column of another type is refused", refusesOtherTypes},
		{"a null in a required column is refused", refusesNulls},
		{"generated columns and defaults are filled in", servesGeneratedColumnsAndDefaults},
		{"rows that break a constraint are refused", refusesBrokenConstraints},
		{"expressions that are not understood are refused before anything is written", refusesUnknownExpressions},
		{"a constraint is added when all rows meet it", addsConstraints},
		{"partitioned tables are read and written", partitions},
		{"values that share a folder are told apart", tellsPartitionsApart},
		{"tables that map columns are written in every way", servesMappedTables},
		{"writers that meet both succeed", writersMeet},
		{"tables are published side by side", publishesSideBySide},
		{"definitions are kept or computed again", definesRelations},
		{"wrong SQL is an error with its reason", reportsErrors},
		{"a cancelled context ends the work", cancels},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, newBench(t, lab))
		})
	}
}

// bench is one test's engine and store.
type bench struct {
	engine.Engine
	t     *testing.T
	lab   Lab
	store objstore.Store
}

func newBench(t *testing.T, lab Lab) *bench {
	b := &bench{Engine: lab.Open(t), t: t, lab: lab, store: lab.Store(t)}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) table(name string) *delta.Table { return TableIn(b.store, name) }

// TableIn names a table in a store; it has a URL when the store is a folder.
func TableIn(store objstore.Store, name string) *delta.Table {
	var o delta.Options
	if dir, ok := store.(*objstore.Dir); ok {
		o.Location = "file://" + dir.Path() + "/" + name
	}
	return delta.OpenWith(objstore.Sub(store, name), o)
}

func (b *bench) snapshot(table *delta.Table) *delta.Snapshot {
	b.t.Helper()
	s, err := table.Snapshot(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) publish(query string, out engine.Output) engine.Published {
	b.t.Helper()
	done, err := b.Publish(b.t.Context(), query, out)
	if err != nil {
		b.t.Fatal(err)
	}
	return done
}

func (b *bench) define(name, query string) {
	b.t.Helper()
	if err := b.Define(b.t.Context(), name, query, engine.EachTime); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) bind(name string, in engine.Input) {
	b.t.Helper()
	if err := b.Bind(b.t.Context(), name, in); err != nil {
		b.t.Fatal(err)
	}
}

// want compares the rows of a query, each written as its values with bars between.
func (b *bench) want(query string, want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.rows(query)); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", query, diff)
	}
}

// wantTable compares all rows of a table's latest version, sorted as text.
func (b *bench) wantTable(table *delta.Table, columns string, want ...string) {
	b.t.Helper()
	name := fmt.Sprintf("t%d", time.Now().UnixNano())
	b.bind(name, engine.Input{Snapshot: b.snapshot(table)})
	got := b.rows("select " + columns + " from " + name)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("rows of the table (-want +got):\n%s", diff)
	}
}

func (b *bench) rows(query string) []string {
	b.t.Helper()
	rows, err := b.Query(b.t.Context(), query)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for row, err := range rows.All {
		if err != nil {
			b.t.Fatal(err)
		}
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = text(v)
		}
		got = append(got, strings.Join(texts, "|"))
	}
	return got
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		if v == 0 && math.Signbit(v) {
			return "-0.0"
		}
		return fmt.Sprint(v)
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.999999Z")
	case []byte:
		return "x" + hex.EncodeToString(v)
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = text(v[i])
		}
		return "[" + strings.Join(texts, ",") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// documents defines a relation of documents, numbered from 0 in column n.
func (b *bench) documents(name string, documents ...string) {
	b.t.Helper()
	var rows []string
	for n, d := range documents {
		rows = append(rows, fmt.Sprintf("select %d as n, unhex('%x') as raw", n, d))
	}
	b.define(name, strings.Join(rows, " union all "))
}

func (b *bench) parse(columns []engine.Column, documents ...string) {
	b.t.Helper()
	b.documents("documents", documents...)
	err := b.Parse(b.t.Context(), "parsed", engine.Documents{From: "documents", Document: "raw", Columns: columns})
	if err != nil {
		b.t.Fatal(err)
	}
}

func paths(s *delta.Snapshot) []string {
	var found []string
	for add, err := range s.Files() {
		if err != nil {
			panic(err)
		}
		found = append(found, add.Path)
	}
	slices.Sort(found)
	return found
}
