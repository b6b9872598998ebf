package delta

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// truth is a value of SQL's logic, worked out row by row in the plainest way: what pruning is held against.
type truth int

const (
	isFalse truth = iota
	isNull
	isTrue
)

func evalRow(p Predicate, row map[string]any) truth {
	switch p := p.(type) {
	case comparison:
		v := row[p.column.name]
		if v == nil || p.value == nil {
			return isNull
		}
		c := compareValues(v, p.value)
		if map[comparator]bool{equal: c == 0, less: c < 0, lessOrEqual: c <= 0, greater: c > 0, greaterOrEqual: c >= 0}[p.op] {
			return isTrue
		}
		return isFalse
	case nullCheck:
		if row[p.column.name] == nil {
			return isTrue
		}
		return isFalse
	case conjunction:
		out := isTrue
		for _, one := range p {
			out = min(out, evalRow(one, row))
		}
		return out
	case disjunction:
		out := isFalse
		for _, one := range p {
			out = max(out, evalRow(one, row))
		}
		return out
	case negation:
		return isTrue - evalRow(p.of, row)
	default:
		panic(fmt.Sprintf("%T", p))
	}
}

// skipColumns are columns of every type, "part" being the partition column.
var skipColumns = []Field{
	{Name: "part", Type: Integer, Nullable: true},
	{Name: "long", Type: Long, Nullable: true},
	{Name: "double", Type: Double, Nullable: true},
	{Name: "float", Type: Float, Nullable: true},
	{Name: "text", Type: String, Nullable: true},
	{Name: "time", Type: Timestamp, Nullable: true},
	{Name: "ntz", Type: TimestampNTZ, Nullable: true},
	{Name: "day", Type: Date, Nullable: true},
	{Name: "price", Type: Decimal{12, 2}, Nullable: true},
	{Name: "flag", Type: Boolean, Nullable: true},
}

// randomValue draws from few values, near to each other and to the limits of what statistics can say.
func randomValue(r *rand.Rand, t Type) any {
	if d, ok := t.(Decimal); ok {
		v, _ := parseDecimal(d, fmt.Sprintf("%d.%02d", r.IntN(5)-2, r.IntN(3)))
		return v
	}
	base := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	switch t {
	case Integer:
		return int64(r.IntN(4))
	case Long:
		return []int64{math.MinInt64, -1, 0, 1, 2, 9007199254740993, math.MaxInt64}[r.IntN(7)]
	case Double, Float:
		v := []float64{math.Inf(-1), -1.5, math.Copysign(0, -1), 0, 0.1, 1e300, math.Inf(1), math.NaN()}[r.IntN(8)]
		if t == Float {
			v = float64(float32(v))
		}
		return v
	case String:
		return strings.Repeat("a", 31+r.IntN(2)) + []string{"", "b", "bb", "é", "\x7f", "\U0010FFFF", "\U0010FFFFz"}[r.IntN(7)]
	case Timestamp, TimestampNTZ:
		return base.Add(time.Duration(r.IntN(4)) * 500 * time.Microsecond)
	case Date:
		return base.AddDate(0, 0, r.IntN(4))
	case Boolean:
		return r.IntN(2) == 0
	}
	panic(t)
}

func randomPredicate(r *rand.Rand, depth int) Predicate {
	if depth > 0 {
		switch r.IntN(4) {
		case 0:
			return And(randomPredicate(r, depth-1), randomPredicate(r, depth-1))
		case 1:
			return Or(randomPredicate(r, depth-1), randomPredicate(r, depth-1))
		case 2:
			return Not(randomPredicate(r, depth-1))
		}
	}
	f := skipColumns[r.IntN(len(skipColumns))]
	c, v := Col(f.Name), randomValue(r, f.Type)
	switch r.IntN(9) {
	case 0:
		return c.Eq(v)
	case 1:
		return c.Lt(v)
	case 2:
		return c.Le(v)
	case 3:
		return c.Gt(v)
	case 4:
		return c.Ge(v)
	case 5:
		return c.In(v, randomValue(r, f.Type), nil)
	case 6:
		return c.IsNull()
	case 7:
		return c.NotNull()
	default:
		return Not(c.Eq(v))
	}
}

// randomFile makes rows and the add action that describes them, as it reads back from the log.
func randomFile(t *testing.T, r *rand.Rand, m *Metadata) ([]map[string]any, *addAction) {
	t.Helper()
	stats := NewStats(&Schema{Fields: skipColumns[1:]})
	var part any
	if r.IntN(5) > 0 {
		part = randomValue(r, Integer)
	}
	var rows []map[string]any
	for range r.IntN(4) {
		row := map[string]any{"part": part}
		stats.ObserveRow()
		for _, f := range skipColumns[1:] {
			if r.IntN(4) > 0 {
				row[f.Name] = randomValue(r, f.Type)
				stats.Observe(f.Name, row[f.Name])
			}
		}
		rows = append(rows, row)
	}
	text, err := FormatPartitionValue(Integer, part)
	if err != nil {
		t.Fatal(err)
	}
	add := Add{Path: "x", PartitionValues: map[string]*string{"part": text}}
	if r.IntN(10) > 0 {
		add.Stats = stats.Stats()
	}
	action, err := add.action(m, m.indexedColumns(), true)
	if err != nil {
		t.Fatal(err)
	}
	line, err := appendLine(nil, logLine{Add: action})
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCommit(0, line)
	if err != nil {
		t.Fatal(err)
	}
	return rows, c.adds[0]
}

func TestPruningNeverLosesARow(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	m := &Metadata{Schema: &Schema{Fields: skipColumns}, PartitionColumns: []string{"part"}}
	pruned, idle := 0, 0
	for range 8000 {
		rows, file := randomFile(t, r, m)
		p := randomPredicate(r, 3)
		keep, err := m.filter([]Predicate{p})
		if err != nil {
			t.Fatal(err)
		}
		matches := false
		for _, row := range rows {
			matches = matches || evalRow(p, row) == isTrue
		}
		kept := keep(file)
		if matches && !kept {
			t.Fatalf("seed %d: the file was left out for %s\nstatistics %s\nrows %v", seed, p, file.Stats, rows)
		}
		if !matches {
			idle++
			if !kept {
				pruned++
			}
		}
	}
	if pruned*4 < idle {
		t.Errorf("of %d files without a matching row only %d were left out", idle, pruned)
	}
}

func TestPredicatesOnWhatIsNotThereAreErrors(t *testing.T) {
	m := &Metadata{Schema: &Schema{Fields: append([]Field{{Name: "list", Type: &Array{Element: Long}}, {Name: "a.b", Type: &Struct{Fields: []Field{{Name: "c", Type: Long}}}}}, skipColumns...)}}
	for _, tt := range []struct {
		p    Predicate
		want string // "": none
	}{
		{Col("nothing").IsNull(), "no column nothing"},
		{And(Col("long").Eq(1), Or(Col("long").Eq("1"))), "a string is no long"},
		{Not(Col("day").Lt(time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC))), "no midnight"},
		{Col("list").Eq(1), "cannot be compared"},
		{Col("price").Ge("1.234"), "no decimal(12,2)"},
		{Col("long").Eq(1.5), "a float64 is no long"},
		{Col("list").NotNull(), ""},
		{Col("`a.b`.c").Eq(uint8(3)), ""},
		{Col("double").Eq(3), ""},
	} {
		_, err := m.filter([]Predicate{tt.p})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.p, err, tt.want)
		}
	}
}

func TestPredicatesAreShownAsSQL(t *testing.T) {
	p := And(Col("a").Eq("it's"), Or(Not(Col("b").Lt(5)), Col("c").IsNull(), Col("d").In(DecimalValue("1.5"), nil)), Col("t").Ge(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)))
	want := `(a = 'it''s') AND ((NOT (b < 5)) OR (c IS NULL) OR ((d = 1.5) OR (d = NULL))) AND (t >= TIMESTAMP '2024-01-01 00:00:00Z')`
	if got := p.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
