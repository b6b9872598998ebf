package spark

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"launchlake/internal/delta"
)

// goValue gives the value of a row as [engine.Rows] promises it.
func goValue(column arrow.Array, row int) (any, error) {
	if column.IsNull(row) {
		return nil, nil
	}
	switch column := column.(type) {
	case *array.String:
		return cloned(column.Value(row)), nil
	case *array.LargeString:
		return cloned(column.Value(row)), nil
	case *array.Int64:
		return column.Value(row), nil
	case *array.Int32:
		return int64(column.Value(row)), nil
	case *array.Int16:
		return int64(column.Value(row)), nil
	case *array.Int8:
		return int64(column.Value(row)), nil
	case *array.Float64:
		return column.Value(row), nil
	case *array.Float32:
		return float64(column.Value(row)), nil
	case *array.Boolean:
		return column.Value(row), nil
	case *array.Binary:
		return append([]byte{}, column.Value(row)...), nil
	case *array.LargeBinary:
		return append([]byte{}, column.Value(row)...), nil
	case *array.Date32:
		return time.Unix(int64(column.Value(row))*secondsPerDay, 0).UTC(), nil
	case *array.Timestamp:
		return time.UnixMicro(int64(column.Value(row))).UTC(), nil
	case *array.Decimal128:
		return delta.DecimalValue(column.Value(row).ToString(column.DataType().(*arrow.Decimal128Type).Scale)), nil
	case *array.Null:
		return nil, nil
	}
	return goNested(column, row)
}

const secondsPerDay = 24 * 60 * 60

// cloned does not keep the batch alive for the sake of a text.
func cloned(s string) string { return string([]byte(s)) }

func goNested(column arrow.Array, row int) (any, error) {
	switch column := column.(type) {
	case *array.Map: // before List, which it is too
		from, to := column.ValueOffsets(row)
		pairs := make([][2]any, 0, to-from)
		for i := int(from); i < int(to); i++ {
			key, err := goValue(column.Keys(), i)
			if err != nil {
				return nil, err
			}
			value, err := goValue(column.Items(), i)
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, [2]any{key, value})
		}
		return pairs, nil
	case *array.List:
		from, to := column.ValueOffsets(row)
		elements := make([]any, 0, to-from)
		for i := int(from); i < int(to); i++ {
			element, err := goValue(column.ListValues(), i)
			if err != nil {
				return nil, err
			}
			elements = append(elements, element)
		}
		return elements, nil
	case *array.Struct:
		members := map[string]any{}
		for i := range column.NumField() {
			value, err := goValue(column.Field(i), row)
			if err != nil {
				return nil, err
			}
			members[column.DataType().(*arrow.StructType).Field(i).Name] = value
		}
		return members, nil
	}
	return nil, fmt.Errorf("a value of Arrow type %s, which is not known here", column.DataType())
}
