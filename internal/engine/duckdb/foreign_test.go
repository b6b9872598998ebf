package duckdb_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/objstore"
)

// Tables whose data files we write, and whose log goes on as other writers would have it.

const tableURL = "s3://bucket/table"

// foreignTable makes a table of the rows of a query, in one file.
func foreignTable(t *testing.T, query string) (*delta.Table, delta.Add) {
	t.Helper()
	e := open(t)
	defer e.Close()
	table := delta.OpenWith(objstore.NewMemory(), delta.Options{Location: tableURL})
	publish(t, e, query, engine.Output{Table: table, Mode: engine.Append})
	return table, onlyFile(t, table)
}

func onlyFile(t *testing.T, table *delta.Table) delta.Add {
	t.Helper()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var files []delta.Add
	for add, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, add)
	}
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	return files[0]
}

const protocolOfOthers = `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","columnMapping"],"writerFeatures":["deletionVectors","columnMapping","changeDataFeed"]}}`

// goOn stores the next commit of a table.
func goOn(t *testing.T, table *delta.Table, lines ...string) {
	t.Helper()
	latest := delta.Version(-1)
	for commit, err := range table.History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		latest = max(latest, commit.Version)
	}
	key := fmt.Sprintf("_delta_log/%020d.json", latest+1)
	if err := table.Store().PutIfAbsent(t.Context(), key, []byte(strings.Join(lines, "\n"))); err != nil {
		t.Fatal(err)
	}
}

// deletes stores a deletion vector and gives its descriptor.
func deletes(t *testing.T, table *delta.Table, name string, rows ...uint64) string {
	t.Helper()
	bitmap, err := roaring64.BitmapOf(rows...).ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	data := append(binary.LittleEndian.AppendUint32(nil, 1681511377), bitmap...)
	file := binary.BigEndian.AppendUint32([]byte{1}, uint32(len(data)))
	file = binary.BigEndian.AppendUint32(append(file, data...), crc32.ChecksumIEEE(data))
	if err := table.Store().Put(t.Context(), name, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"storageType":"p","pathOrInlineDv":"%s/%s","offset":1,"sizeInBytes":%d,"cardinality":%d}`, tableURL, name, len(data), len(rows))
}

func action(kind string, file delta.Add, vector string) string {
	if vector != "" {
		vector = `,"deletionVector":` + vector
	}
	return fmt.Sprintf(`{"%s":{"path":"%s","partitionValues":{},"size":%d,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":%d}"%s}}`,
		kind, file.Path, file.Size, file.Stats.NumRecords, vector)
}

// metadata gives a metaData action with the schema of a list of fields.
func metadata(t *testing.T, configuration, fields string) string {
	t.Helper()
	schema, err := json.Marshal(`{"type":"struct","fields":[` + fields + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":%s,"partitionColumns":[],"configuration":{%s}}}`, schema, configuration)
}

func rowsOf(t *testing.T, in engine.Input) ([]string, error) {
	t.Helper()
	e := open(t)
	defer e.Close()
	if err := e.Bind(t.Context(), "t", in); err != nil {
		return nil, err
	}
	all, err := query(t, e, "select * from t")
	var texts []string
	for _, row := range all {
		texts = append(texts, fmt.Sprint(row...))
	}
	slices.Sort(texts)
	return texts, err
}

func latestRows(t *testing.T, table *delta.Table) ([]string, error) {
	t.Helper()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		return nil, err
	}
	return rowsOf(t, engine.Input{Snapshot: s})
}

func TestRowsThatOthersDeletedStayDeleted(t *testing.T) {
	table, file := foreignTable(t, "select cast(n as bigint) as n from range(6) as r(n)")
	goOn(t, table, protocolOfOthers)
	goOn(t, table, action("remove", file, ""), action("add", file, deletes(t, table, "a.bin", 0, 4)))
	got, err := latestRows(t, table)
	if diff := cmp.Diff([]string{"1", "2", "3", "5"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := s.NumRecords(); n != 4 || !ok {
		t.Errorf("the log counts %d rows, known: %t", n, ok)
	}
	e := open(t)
	defer e.Close()
	for _, step := range []struct {
		out   engine.Output
		query string
		want  []string
	}{
		{engine.Output{Mode: engine.Append}, "select 9", []string{"1", "2", "3", "5", "9"}},
		{engine.Output{Mode: engine.Merge, Keys: []string{"n"}, Newer: "true"}, "select 1 union all select 4", []string{"1", "2", "3", "4", "5", "9"}},
		{engine.Output{Mode: engine.Overwrite}, "select 7", []string{"7"}},
	} {
		step.out.Table = table
		publish(t, e, "select cast(n as bigint) as n from ("+step.query+") as t(n)", step.out)
		got, err := latestRows(t, table)
		if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", step.out.Mode, err, diff)
		}
	}
}

func TestDeletedRowsThatAFileHasNotAreAnError(t *testing.T) {
	table, file := foreignTable(t, "select cast(n as bigint) as n from range(6) as r(n)")
	goOn(t, table, protocolOfOthers)
	goOn(t, table, action("remove", file, ""), action("add", file, deletes(t, table, "a.bin", 6)))
	got, err := latestRows(t, table)
	if _, ok := errors.AsType[*delta.CorruptError](err); !ok {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOneFileWithSeveralVectorsGivesTheChangesOfEach(t *testing.T) {
	table, file := foreignTable(t, "select cast(n as bigint) as n from range(4) as r(n)")
	goOn(t, table, protocolOfOthers, metadata(t, `"delta.enableChangeDataFeed":"true"`, `{"name":"n","type":"long","nullable":true,"metadata":{}}`))
	first, second := deletes(t, table, "a.bin", 0, 1), deletes(t, table, "b.bin", 1, 2)
	goOn(t, table, action("remove", file, ""), action("add", file, first))
	goOn(t, table, action("remove", file, first), action("add", file, second))
	goOn(t, table, action("remove", file, second))
	last := onlyVersion(t, table)
	changes, err := table.Changes(t.Context(), last-2, last)
	if err != nil {
		t.Fatal(err)
	}
	e := open(t)
	defer e.Close()
	if err := e.Bind(t.Context(), "t", engine.Input{Changes: changes}); err != nil {
		t.Fatal(err)
	}
	all, err := query(t, e, "select n, _change_type, _commit_version, _commit_timestamp is null from t")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range all {
		got = append(got, fmt.Sprint(row))
	}
	slices.Sort(got)
	want := []string{
		fmt.Sprintf("[0 delete %d false]", last-2), fmt.Sprintf("[0 delete %d false]", last), fmt.Sprintf("[0 insert %d false]", last-1),
		fmt.Sprintf("[1 delete %d false]", last-2), fmt.Sprintf("[2 delete %d false]", last-1), fmt.Sprintf("[3 delete %d false]", last),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func onlyVersion(t *testing.T, table *delta.Table) delta.Version {
	t.Helper()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Version()
}

func TestMappedColumnsAreFoundAtAnyDepth(t *testing.T) {
	table, _ := foreignTable(t, `select {'x': 1, 'y': [{'z': 'a'}, null]} as c1, map {'k': {'x': 2}} as c2, 'old' as c3
		union all select null, null, null`)
	mapped := func(name, physical, typ string) string {
		return fmt.Sprintf(`{"name":"%s","type":%s,"nullable":true,"metadata":{"delta.columnMapping.id":1,"delta.columnMapping.physicalName":"%s"}}`, name, typ, physical)
	}
	list := `{"type":"array","containsNull":true,"elementType":{"type":"struct","fields":[` + mapped("w", "z", `"string"`) + `,` + mapped("z", "new", `"long"`) + `]}}`
	structure := `{"type":"struct","fields":[` + mapped("y", "x", `"integer"`) + `,` + mapped("x", "y", list) + `]}`
	dictionary := `{"type":"map","keyType":"string","valueContainsNull":true,"valueType":{"type":"struct","fields":[` + mapped("a b,", "x", `"integer"`) + `]}}`
	goOn(t, table, protocolOfOthers, metadata(t, `"delta.columnMapping.mode":"name"`, strings.Join([]string{
		mapped("c3", "c9", `"string"`), mapped("c2", "c1", structure), mapped("c1", "c2", dictionary), mapped("c4", "c3", `"string"`),
	}, ",")))
	got, err := latestRows(t, table)
	want := []string{
		"<nil> <nil> <nil> <nil>",
		"<nil> map[x:[map[w:a z:<nil>] <nil>] y:1] [[k map[a b,:2]]]old",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	e := open(t)
	defer e.Close()
	_, err = e.Publish(t.Context(), "select c3, c2, c1, c4 from (select 'x' as c3, 'y' as c4, null as c2, null as c1)", engine.Output{Table: table, Mode: engine.Append})
	if err == nil {
		t.Error("the table was written to")
	}
}

func TestFilesWithoutFieldIDsAreRefusedWhereColumnsAreFoundByThem(t *testing.T) {
	table, _ := foreignTable(t, "select 1 as x")
	goOn(t, table, protocolOfOthers, metadata(t, `"delta.columnMapping.mode":"id"`,
		`{"name":"x","type":"integer","nullable":true,"metadata":{"delta.columnMapping.id":1,"delta.columnMapping.physicalName":"x"}}`))
	if got, err := latestRows(t, table); err == nil || !strings.Contains(err.Error(), "field ids") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestValuesAreCastOnlyWhenNothingIsLost(t *testing.T) {
	for _, tt := range []struct {
		stored, typ string
		want        string // "": it must be an error
	}{
		{"cast(5 as tinyint)", `"long"`, "5"},
		{"cast(5 as bigint)", `"integer"`, "5"},
		{"cast(5000000000 as bigint)", `"integer"`, ""},
		{"cast(5 as int)", `"decimal(12,2)"`, "5.00"},
		{"cast(5 as int)", `"double"`, "5"},
		{"cast(1.5 as float)", `"double"`, "1.5"},
		{"cast(1.25 as double)", `"float"`, ""},
		{"cast(5 as bigint)", `"double"`, ""},
		{"cast(1.25 as decimal(5,2))", `"decimal(10,4)"`, "1.2500"},
		{"cast(1.25 as decimal(5,2))", `"decimal(5,1)"`, ""},
		{"cast(123.25 as decimal(5,2))", `"decimal(4,2)"`, ""},
		{"cast(1.25 as decimal(5,2))", `"double"`, ""},
		{"cast(1.5 as double)", `"long"`, ""},
		{"date '2024-02-29'", `"timestamp_ntz"`, "2024-02-29 00:00:00 +0000 UTC"},
		{"timestamp '2024-02-29 01:02:03'", `"date"`, ""},
		{"timestamp '2024-02-29 01:02:03'", `"timestamp"`, "2024-02-29 01:02:03 +0000 UTC"},
		{"cast(-1 as int)", `"date"`, "1969-12-31 00:00:00 +0000 UTC"},
		{"'5'", `"integer"`, ""},
		{"5", `"string"`, ""},
		{"'a'", `"binary"`, "[97]"},
		{"from_hex('c3a4')", `"string"`, "ä"},
		{"true", `"integer"`, ""},
		{"{'x': 1}", `"integer"`, ""},
		{"[1]", `{"type":"array","elementType":"long","containsNull":true}`, "[1]"},
		{"[1.5]", `{"type":"array","elementType":"long","containsNull":true}`, ""},
		{"{'X': 1}", `{"type":"struct","fields":[{"name":"x","type":"long","nullable":true,"metadata":{}},{"name":"y","type":"string","nullable":true,"metadata":{}}]}`, "map[x:1 y:<nil>]"},
		{"map {1: 2}", `{"type":"map","keyType":"long","valueType":"string","valueContainsNull":true}`, ""},
		{"map {1: 2}", `{"type":"map","keyType":"long","valueType":"long","valueContainsNull":true}`, "[[1 2]]"},
		{"5", `"void"`, "<nil>"},
	} {
		table, _ := foreignTable(t, "select "+tt.stored+" as x")
		goOn(t, table, metadata(t, "", `{"name":"x","type":`+tt.typ+`,"nullable":true,"metadata":{}}`))
		got, err := latestRows(t, table)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%s read as %s: %q", tt.stored, tt.typ, got)
		case tt.want != "" && (err != nil || len(got) != 1 || got[0] != tt.want):
			t.Errorf("%s read as %s: %q, %v, want %q", tt.stored, tt.typ, got, err, tt.want)
		}
	}
}

func TestMapsWithKeysOfAnyTypeAreFetched(t *testing.T) {
	e := open(t)
	defer e.Close()
	for _, tt := range []struct{ sql, want string }{
		{"map {[1, 2]: 'a', []: null}", "[[[1 2] a] [[] <nil>]]"},
		{"map {{'x': 1}: map {encode('k'): 2}}", "[[map[x:1] [[[107] 2]]]]"},
		{"map {1.5::double: 1}", "[[1.5 1]]"},
		{"[{'m': map {map {1: 2}: 3}}, null]", "[map[m:[[[[1 2]] 3]]] <nil>]"},
		{"cast(null as map(blob, integer))", "<nil>"},
		{"map {1: 'a'}", "[[1 a]]"},
	} {
		rows, err := query(t, e, "select "+tt.sql+" as m")
		if err != nil || fmt.Sprint(rows[0][0]) != tt.want {
			t.Errorf("%s: %v, %v, want %s", tt.sql, rows, err, tt.want)
		}
	}
}
