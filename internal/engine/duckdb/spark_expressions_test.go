package duckdb_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine/duckdb/sparksql"
)

// sparkValues are rows and expressions over them, with the values that Spark 4.1 gave, ANSI and in UTC.
type sparkValues struct {
	Rows  string
	Cases []struct {
		Expression string
		Values     []json.RawMessage
	}
}

func TestAnExpressionHasTheValuesThatItHasInSpark(t *testing.T) {
	text, err := os.ReadFile("testdata/spark_expressions.json")
	if err != nil {
		t.Fatal(err)
	}
	var spark sparkValues
	if err := json.Unmarshal(text, &spark); err != nil {
		t.Fatal(err)
	}
	e := open(t)
	defer e.Close()
	schema := &delta.Schema{}
	for _, f := range []struct {
		name string
		typ  delta.Type
	}{
		{"n", delta.Integer}, {"l", delta.Long}, {"i", delta.Integer}, {"h", delta.Short}, {"b", delta.Byte}, {"d", delta.Double}, {"f", delta.Float},
		{"m", delta.Decimal{Precision: 10, Scale: 2}}, {"s", delta.String}, {"y", delta.Boolean}, {"day", delta.Date}, {"t", delta.Timestamp},
		{"w", delta.Decimal{Precision: 18, Scale: 4}},
	} {
		schema.Fields = append(schema.Fields, delta.Field{Name: f.name, Type: f.typ, Nullable: true})
	}
	rows := "(SELECT * REPLACE (CAST(t AS TIMESTAMP WITH TIME ZONE) AS t) FROM (" + spark.Rows + "))"
	for _, c := range spark.Cases {
		x, err := sparksql.Translate(c.Expression, schema, time.Unix(0, 0))
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := query(t, e, fmt.Sprintf("SELECT %s FROM %s ORDER BY n", x.SQL, rows))
		if err != nil {
			t.Errorf("%s: %v", c.Expression, err)
			continue
		}
		for i, want := range c.Values {
			if text := sparkText(t, got[i][0]); text != sparkWant(t, want) {
				t.Errorf("%s of row %d: got %s, Spark has %s", c.Expression, i, text, sparkWant(t, want))
			}
		}
	}
}

func sparkText(t *testing.T, v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		if math.IsNaN(v) {
			return "NaN"
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case delta.DecimalValue:
		return string(v)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.000000")
	case []byte:
		return hex.EncodeToString(v)
	case string, bool, int64:
		return fmt.Sprint(v)
	}
	t.Fatalf("a %T", v)
	return ""
}

// sparkWant reads a value of the recorded form: a JSON value, or an object with its kind where JSON has none.
func sparkWant(t *testing.T, raw json.RawMessage) string {
	var kind struct {
		F, M, T, D, X *string
	}
	if raw[0] != '{' {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if _, ok := v.(float64); ok {
			return string(raw)
		}
		if v == nil {
			return "null"
		}
		return fmt.Sprint(v)
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		t.Fatal(err)
	}
	switch {
	case kind.F != nil:
		v, err := strconv.ParseFloat(*kind.F, 64)
		if err != nil {
			t.Fatal(err)
		}
		return sparkText(t, v)
	case kind.D != nil:
		return *kind.D + " 00:00:00.000000"
	case kind.T != nil:
		return *kind.T
	case kind.M != nil:
		return *kind.M
	}
	return *kind.X
}
