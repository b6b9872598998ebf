package enginetest

import (
	"fmt"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// servesMappedTables writes to tables whose columns have other names in data files, at every depth, in all ways.
func servesMappedTables(t *testing.T, b *bench) {
	for i, properties := range []map[string]string{
		{"delta.columnMapping.mode": "name", "delta.enableChangeDataFeed": "true"},
		{"delta.columnMapping.mode": "id", "delta.enableDeletionVectors": "true"},
	} {
		t.Run(properties["delta.columnMapping.mode"], func(t *testing.T) {
			inner := *b
			inner.t = t
			inner.editMapped(inner.table(fmt.Sprint("mapped", i)), properties)
		})
	}
}

func (b *bench) editMapped(table *delta.Table, properties map[string]string) {
	b.t.Helper()
	field := func(name string, typ delta.Type) delta.Field {
		return delta.Field{Name: name, Type: typ, Nullable: true}
	}
	schema := &delta.Schema{Fields: []delta.Field{field("k", delta.Long), field("p", delta.String), field("tags", &delta.Array{Element: delta.String, ContainsNull: true}),
		field("v", delta.Decimal{Precision: 9, Scale: 2})}}
	if _, err := table.Create(b.t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"p"}, Configuration: properties}); err != nil {
		b.t.Fatal(err)
	}
	row := func(key int, p, v string) string {
		return fmt.Sprintf("select %d as k, '%s' as p, split('%[2]s,!', ',') as tags, %s as v", key, p, v)
	}
	plain := engine.Output{Table: table, Mode: engine.Append, Schema: schema}
	b.publish(row(1, "x", "1.5")+" union all "+row(2, "x", "2.5")+" union all "+row(3, "y", "-3.25"), plain)
	b.wantTable(table, "k, p, tags, v", "1|x|[x,!]|1.50", "2|x|[x,!]|2.50", "3|y|[y,!]|-3.25")
	s := b.snapshot(table)
	_, some, err := s.Matching(delta.Col("k").Gt(int64(2)))
	if files, total := len(some), s.NumFiles(); err != nil || files >= total {
		b.t.Errorf("of %d files %d may have keys above 2: %v", total, files, err)
	}
	merge := engine.Output{Table: table, Mode: engine.Merge, Schema: schema, Keys: []string{"k"}, Newer: "source.v > target.v"}
	done := b.publish(row(2, "x", "9")+" union all "+row(4, "z", "4"), merge)
	if done.Inserted != 1 || done.Updated != 1 {
		b.t.Errorf("merge: %+v", done)
	}
	b.wantTable(table, "k, p, tags, v", "1|x|[x,!]|1.50", "2|x|[x,!]|9.00", "3|y|[y,!]|-3.25", "4|z|[z,!]|4.00")
	over := plain
	over.Mode, over.Where = engine.Overwrite, "v > 5 OR k = 4"
	done = b.publish(row(4, "x", "8"), over)
	if done.Inserted != 1 || done.Deleted != 2 {
		b.t.Errorf("overwrite of some rows: %+v", done)
	}
	b.wantTable(table, "k, p, tags, v", "1|x|[x,!]|1.50", "3|y|[y,!]|-3.25", "4|x|[x,!]|8.00")
	over.Where, over.Mode = "", engine.OverwritePartitions
	b.publish(row(5, "x", "5"), over)
	b.wantTable(table, "k, p, tags, v", "3|y|[y,!]|-3.25", "5|x|[x,!]|5.00")
}
