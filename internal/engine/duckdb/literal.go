package duckdb

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"launchlake/internal/delta"
)

// literal spells a value of a type in SQL. Values are Go values as in [delta.ColumnStats].
func literal(t delta.Type, value any) (string, error) {
	sqlName, err := sqlType(t)
	if err != nil {
		return "", err
	}
	var text string
	switch v := value.(type) {
	case nil:
		return "CAST(NULL AS " + sqlName + ")", nil
	case int64:
		text = quote(strconv.FormatInt(v, 10))
	case float64:
		text = quote(floatText(v))
	case string:
		text = quote(v)
	case bool:
		text = quote(strconv.FormatBool(v))
	case delta.DecimalValue:
		text = quote(string(v))
	case []byte:
		return "from_hex('" + hex.EncodeToString(v) + "')", nil
	case time.Time: // as a number, for the text of years before 1 and after 9999 is DuckDB's own
		text = fmt.Sprintf("make_timestamp(%d)", v.UnixMicro())
	default:
		return "", fmt.Errorf("a %T is no value of type %s", value, t)
	}
	return fmt.Sprintf("CAST(%s AS %s)", text, sqlName), nil
}

func floatText(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
