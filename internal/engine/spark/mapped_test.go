package spark_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/enginetest"
)

// Rows that Spark writes are found by other readers by the names and field ids of columns, at every depth.
func TestMappedColumnsHaveTheirNamesAndIDsInsideOfOthers(t *testing.T) {
	field := func(name string, typ delta.Type) delta.Field {
		return delta.Field{Name: name, Type: typ, Nullable: true}
	}
	inner := &delta.Struct{Fields: []delta.Field{field("a b", delta.Integer), field("m", &delta.Map{Key: delta.String, Value: &delta.Struct{Fields: []delta.Field{field("x,y", delta.Date)}}})}}
	schema := &delta.Schema{Fields: []delta.Field{field("the key", delta.Long), field("list", &delta.Array{Element: inner, ContainsNull: true})}}
	e := open(t)
	defer e.Close()
	for _, mode := range []string{"name", "id"} {
		table := enginetest.TableIn(dir(t), mode)
		if _, err := table.Create(t.Context(), delta.Metadata{Schema: schema, Configuration: map[string]string{"delta.columnMapping.mode": mode}}); err != nil {
			t.Fatal(err)
		}
		_, err := e.Publish(t.Context(), "SELECT 7 AS `the key`, array(named_struct('a b', 8, 'm', map('k', named_struct('x,y', date '2026-01-02'))), null) AS list",
			engine.Output{Table: table, Mode: engine.Append, Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		s, err := table.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := []string{`the key=7 list=[]interface {}{map[string]interface {}{"a b":8, "m":[][2]interface {}{[2]interface {}{"k", map[string]interface {}{"x,y":time.Date(2026, time.January, 2, 0, 0, 0, 0, time.UTC)}}}}, interface {}(nil)}`}
		if diff := cmp.Diff(want, newLake(t).read(engine.Input{Snapshot: s})); diff != "" {
			t.Errorf("mapped by %s, read by DuckDB (-want +got):\n%s", mode, diff)
		}
	}
}
