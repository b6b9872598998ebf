package duckdb_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/engine/duckdb/sparksql"
)

// pool holds the values of a column: near each other, and at the ends of what types and statistics can hold.
type pool struct {
	name    string
	typ     delta.Type
	values  []string // DuckDB's SQL
	compare []string // Spark's SQL
}

var longText = strings.Repeat("x", 31)

var pools = []pool{
	{"p", delta.String, texts("a/b", "é=%", " ", `q"'\`, "__HIVE_DEFAULT_PARTITION__", "A", "a"), sparkTexts("a/b", "é=%", " ", `q"'\`, "A", "a", "b")},
	{"at", delta.TimestampNTZ, []string{"timestamp '2024-01-01 00:00:00'", "timestamp '2024-01-01 00:00:00.000001'", "timestamp '0001-01-01 00:00:00'"},
		[]string{"'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000001'", "'2024-01-01'"}},
	{"l", delta.Long, []string{"-9223372036854775808", "-1", "0", "1", "9007199254740993", "9223372036854775807"},
		[]string{"-9223372036854775808", "-1", "0", "1", "2", "9007199254740992L", "9007199254740993", "9223372036854775807", "1.5", "0.5D"}},
	{"b", delta.Byte, []string{"-128", "0", "127"}, []string{"-128", "0", "127", "128", "-1000", "5Y"}},
	{"d", delta.Double, []string{"'nan'", "'-infinity'", "'infinity'", "-0.0", "0.0", "1.5", "-1.5", "1e308"}, []string{"0", "-0.0D", "1.5", "-1.5", "1e308", "2"}},
	{"f", delta.Float, []string{"'nan'", "'-infinity'", "0.1", "-0.0", "16777216"}, []string{"0.1", "0.1F", "0", "16777216D", "-1e30"}},
	{"s", delta.String, texts("", "a", "it's", `\%_`, "é😀", longText, longText+"xy", longText+"x\U0010FFFF", longText+"x\U0010FFFF\U0010FFFFz", longText+"xé", strings.Repeat("ß", 400)),
		sparkTexts("", "a", "it's", "b", longText+"x", longText+"xy", longText+"xz", longText+"x\U0010FFFF", strings.Repeat("ß", 32), strings.Repeat("ß", 401))},
	{"m", delta.Decimal{Precision: 12, Scale: 2}, []string{"-0.01", "0", "0.01", "9999999999.99", "-9999999999.99"}, []string{"0", "0.01", "-0.01", "0.005", "9999999999.99", "1.5D"}},
	{"t", delta.Timestamp, moments("timestamptz"), []string{"'2024-01-01 00:00:00Z'", "'2024-01-01 00:00:00.0005Z'", "'2024-01-01 00:00:00.001Z'", "'2024-01-01'", "DATE '2024-01-01'", "'9999-12-31 23:59:59.999999Z'"}},
	{"u", delta.TimestampNTZ, moments("timestamp"), []string{"'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.0005'", "'2024-01-01 00:00:00.000999'", "'0001-01-01'"}},
	{"day", delta.Date, []string{"date '2024-01-01'", "date '2024-01-02'", "date '0001-01-01'", "date '9999-12-31'"}, []string{"'2024-01-01'", "DATE '2024-01-02'", "'9999-12-31'"}},
	{"y", delta.Boolean, []string{"true", "false"}, []string{"true", "false"}},
	{"g", &delta.Struct{Fields: []delta.Field{{Name: "in.x", Type: delta.Integer, Nullable: true}}}, []string{"{'in.x': 1}", "{'in.x': null}", "{'in.x': 7}"}, nil},
	{"x", delta.Binary, []string{"'a'::blob", `'\xFF'::blob`}, []string{"X'61'", "X'FF'"}},
}

func moments(kind string) []string {
	var out []string
	for _, text := range []string{"2024-01-01 00:00:00", "2024-01-01 00:00:00.0005", "2024-01-01 00:00:00.000999", "2024-01-01 00:00:00.001", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"} {
		out = append(out, kind+" '"+text+"'")
	}
	return out
}

func texts(all ...string) (out []string) {
	for _, text := range all {
		out = append(out, "'"+strings.ReplaceAll(text, "'", "''")+"'")
	}
	return out
}

func sparkTexts(all ...string) (out []string) {
	for _, text := range all {
		out = append(out, "'"+strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text)+"'")
	}
	return out
}

func pick(r *rand.Rand, all []string) string { return all[r.IntN(len(all))] }

// condition makes a condition of Spark SQL.
func condition(r *rand.Rand, depth int) string {
	if depth > 0 {
		switch r.IntN(4) {
		case 0:
			return "(" + condition(r, depth-1) + " AND " + condition(r, depth-1) + ")"
		case 1:
			return "(" + condition(r, depth-1) + " OR " + condition(r, depth-1) + ")"
		case 2:
			return "NOT (" + condition(r, depth-1) + ")"
		}
	}
	c := pools[r.IntN(len(pools))]
	name := c.name
	if name == "g" {
		name, c.compare = "g.`in.x`", []string{"0", "1", "7", "8"}
	}
	switch r.IntN(9) {
	case 0:
		return name + " IS NULL"
	case 1:
		return name + " IS NOT NULL"
	case 2:
		return fmt.Sprintf("%s IN (%s, %s)", name, pick(r, c.compare), pick(r, c.compare))
	case 3:
		return fmt.Sprintf("%s BETWEEN %s AND %s", name, pick(r, c.compare), pick(r, c.compare))
	case 4:
		return pick(r, []string{"length(s) > 20", "l % 2 = 0", "isnan(d)", "y", "NOT y", "s LIKE 'x%'", "d = f", "year(day) > 2000", "p < s", "coalesce(l, 0) = 0"})
	case 5:
		return fmt.Sprintf("%s <=> %s", pick(r, c.compare), name)
	}
	return fmt.Sprintf("%s %s %s", name, pick(r, []string{"=", "<>", "<", "<=", ">", ">="}), pick(r, c.compare))
}

// randomTable makes a table of many small files, some with deletion vectors.
func randomTable(t *testing.T, r *rand.Rand, e *duckdb.Engine) *delta.Snapshot {
	t.Helper()
	m := delta.Metadata{Schema: &delta.Schema{}, Configuration: map[string]string{"delta.enableDeletionVectors": "true"}, PartitionColumns: [][]string{nil, {"p"}, {"at", "p"}}[r.IntN(3)]}
	for _, c := range pools {
		m.Schema.Fields = append(m.Schema.Fields, delta.Field{Name: c.name, Type: c.typ, Nullable: true})
	}
	table := delta.Open(dir(t))
	if _, err := table.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for range 3 + r.IntN(4) {
		var rows []string
		narrow := r.IntN(3) == 0 // files of few values are those that are left out
		for range 1 + r.IntN(6) {
			cells := make([]string, len(pools))
			for i, c := range pools {
				cells[i] = "null"
				if r.IntN(4) > 0 || narrow {
					cells[i] = c.values[0]
					if !narrow {
						cells[i] = pick(r, c.values)
					}
				}
				cells[i] = fmt.Sprintf("CAST(%s AS %s) AS %s", cells[i], sqlName(c.typ), c.name)
			}
			rows = append(rows, "SELECT "+strings.Join(cells, ", "))
		}
		publish(t, e, strings.Join(rows, " UNION ALL "), engine.Output{Table: table, Mode: engine.Append, Schema: m.Schema})
	}
	if _, err := e.Delete(t.Context(), engine.Edit{Table: table, Where: condition(r, 1)}); err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sqlName(typ delta.Type) string {
	switch typ := typ.(type) {
	case delta.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", typ.Precision, typ.Scale)
	case *delta.Struct:
		return `STRUCT("in.x" INTEGER)`
	}
	return map[delta.Type]string{delta.String: "VARCHAR", delta.Long: "BIGINT", delta.Byte: "TINYINT", delta.Double: "DOUBLE", delta.Float: "FLOAT", delta.Timestamp: "TIMESTAMPTZ",
		delta.TimestampNTZ: "TIMESTAMP", delta.Date: "DATE", delta.Boolean: "BOOLEAN", delta.Binary: "BLOB"}[typ]
}

// TestSkippedFilesHoldNoRowOfACondition holds the files that partition values and statistics leave out, and those that they
// say match as a whole, against the rows themselves.
func TestSkippedFilesHoldNoRowOfACondition(t *testing.T) {
	tables, conditions := 4, 60
	if os.Getenv("LAKE_TEST_SOAK") != "" {
		tables, conditions = 200, 300
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	var files, left, whole int
	for range tables {
		e := open(t)
		s := randomTable(t, r, e)
		all := []engine.File{} // of a table without files too
		for add, err := range s.Files() {
			if err != nil {
				t.Fatal(err)
			}
			number := delta.Version(len(all))
			all = append(all, engine.File{Add: add, Version: &number})
		}
		if err := e.Bind(t.Context(), "t", engine.Input{Snapshot: s, Files: all}); err != nil {
			t.Fatal(err)
		}
		for range conditions {
			text := condition(r, 2)
			x, err := sparksql.Condition(text, s.Schema(), time.Unix(0, 0))
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if x.Filter == nil {
				continue
			}
			rows, err := query(t, e, fmt.Sprintf("SELECT _commit_version, count(*), count(*) FILTER (WHERE %s) FROM t GROUP BY ALL", x.SQL))
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, text, err)
			}
			matching, rest, err := s.Matching(x.Filter)
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, text, err)
			}
			var kept []string
			for add, err := range s.Files(x.Filter) {
				if err != nil {
					t.Fatal(err)
				}
				kept = append(kept, add.Path)
			}
			if len(kept) != len(matching)+len(rest) {
				t.Errorf("seed %d: %s: %d files are kept, %d match and %d may", seed, text, len(kept), len(matching), len(rest))
			}
			files, left, whole = files+len(all), left+len(all)-len(kept), whole+len(matching)
			for _, row := range rows {
				file := all[row[0].(int64)]
				n, found := row[1].(int64), row[2].(int64)
				if found > 0 && !slices.Contains(kept, file.Path) {
					t.Errorf("seed %d: %s: a file with %d matching rows was left out: %+v", seed, text, found, file.Stats)
				}
				isWhole := slices.ContainsFunc(matching, func(f delta.Add) bool { return f.Path == file.Path })
				if x.Exact && isWhole && found != n {
					t.Errorf("seed %d: %s: only %d of %d rows of a file match that was said to match as a whole: %+v", seed, text, found, n, file.Stats)
				}
			}
		}
		_ = e.Close()
	}
	if left == 0 || whole == 0 {
		t.Errorf("seed %d: of %d files %d were left out, %d matched as a whole: the test tests nothing", seed, files, left, whole)
	}
	t.Logf("of %d files %d were left out, %d matched as a whole", files, left, whole)
}
