package main

import (
	"bufio"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// writeRows prints rows in one of the formats table, json and csv.
func writeRows(out io.Writer, rows *engine.Rows, format string) error {
	buffered := bufio.NewWriter(out)
	var err error
	switch format {
	case "json":
		err = writeRowsJSON(buffered, rows)
	case "csv":
		err = writeRowsCSV(buffered, rows)
	default:
		err = writeRowsTable(buffered, rows)
	}
	if err != nil {
		return err
	}
	return buffered.Flush()
}

func writeRowsJSON(out io.Writer, rows *engine.Rows) error {
	var line []byte
	for row, err := range rows.All {
		if err != nil {
			return err
		}
		line = append(line[:0], '{')
		for i, field := range rows.Schema.Fields {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(appendText(line, field.Name), ':')
			line = appendValue(line, field.Type, row[i])
		}
		if _, err := out.Write(append(line, '}', '\n')); err != nil {
			return err
		}
	}
	return nil
}

const (
	momentForm  = "2006-01-02T15:04:05.000000"
	instantForm = momentForm + "Z"
	dateForm    = "2006-01-02"
)

// appendValue writes a value so that nothing of it is lost: whole numbers exactly, decimals as text, floats that JSON
// has no number for as "NaN", "Infinity", "-Infinity" and "-0.0", binary in base64, maps as lists of pairs.
func appendValue(b []byte, t delta.Type, value any) []byte {
	switch value := value.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, value)
	case int64:
		return strconv.AppendInt(b, value, 10)
	case float64:
		return appendFloat(b, t, value)
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), value), '"')
	case time.Time:
		return append(value.AppendFormat(append(b, '"'), timeForm(t)), '"')
	case []any:
		return appendList(b, t, value)
	case map[string]any:
		return appendStruct(b, t, value)
	case [][2]any:
		return appendMap(b, t, value)
	}
	return appendText(b, fmt.Sprint(value))
}

func timeForm(t delta.Type) string {
	switch t {
	case delta.Date:
		return dateForm
	case delta.TimestampNTZ:
		return momentForm
	}
	return instantForm
}

func appendText(b []byte, text string) []byte {
	var quoted strings.Builder
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return append(b, strings.TrimSuffix(quoted.String(), "\n")...)
}

func appendFloat(b []byte, t delta.Type, value float64) []byte {
	switch {
	case math.IsNaN(value):
		return append(b, `"NaN"`...)
	case math.IsInf(value, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(value, -1):
		return append(b, `"-Infinity"`...)
	case value == 0 && math.Signbit(value):
		return append(b, `"-0.0"`...)
	}
	bits := 64
	if t == delta.Float {
		bits = 32
	}
	return strconv.AppendFloat(b, value, 'g', -1, bits)
}

func appendList(b []byte, t delta.Type, list []any) []byte {
	var element delta.Type
	if array, ok := t.(*delta.Array); ok {
		element = array.Element
	}
	b = append(b, '[')
	for i, value := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, element, value)
	}
	return append(b, ']')
}

func appendStruct(b []byte, t delta.Type, members map[string]any) []byte {
	b = append(b, '{')
	if s, ok := t.(*delta.Struct); ok {
		for i, field := range s.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, field.Name), ':')
			b = appendValue(b, field.Type, members[field.Name])
		}
	}
	return append(b, '}')
}

func appendMap(b []byte, t delta.Type, pairs [][2]any) []byte {
	var key, value delta.Type
	if m, ok := t.(*delta.Map); ok {
		key, value = m.Key, m.Value
	}
	b = append(b, '[')
	for i, pair := range pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendValue(append(b, '['), key, pair[0]), ',')
		b = append(appendValue(b, value, pair[1]), ']')
	}
	return append(b, ']')
}

// cell writes a value for people, and for CSV: text as it is, the rest as in JSON, null as nothing.
func cell(t delta.Type, value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case time.Time:
		text := value.Format(timeForm(t))
		return strings.Replace(text, ".000000", "", 1)
	case float64:
		return string(appendFloat(nil, t, value))
	}
	text := string(appendValue(nil, t, value))
	return strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
}

func writeRowsCSV(out io.Writer, rows *engine.Rows) error {
	w := csv.NewWriter(out)
	if err := w.Write(columnNames(rows)); err != nil {
		return err
	}
	for row, err := range rows.All {
		if err != nil {
			return err
		}
		if err := w.Write(cells(rows, row)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// longestCell keeps a raw record from breaking the table; the other formats give values whole.
const longestCell = 60

func writeRowsTable(out io.Writer, rows *engine.Rows) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(columnNames(rows), "\t")))
	n := 0
	for row, err := range rows.All {
		if err != nil {
			return err
		}
		shown := cells(rows, row)
		for i, field := range rows.Schema.Fields {
			shown[i] = forTable(field.Type, row[i], shown[i])
		}
		fmt.Fprintln(w, strings.Join(shown, "\t"))
		n++
	}
	if n == 0 {
		fmt.Fprintln(w, "(no rows)")
	}
	return w.Flush()
}

// forTable makes a cell short and keeps it on its line.
func forTable(t delta.Type, value any, text string) string {
	if number, ok := value.(float64); ok && number != math.Trunc(number) {
		return strconv.FormatFloat(number, 'g', 4, 64)
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
	if short := []rune(text); len(short) > longestCell {
		return string(short[:longestCell-1]) + "…"
	}
	return text
}

func columnNames(rows *engine.Rows) []string {
	names := make([]string, len(rows.Schema.Fields))
	for i, field := range rows.Schema.Fields {
		names[i] = field.Name
	}
	return names
}

func cells(rows *engine.Rows, row []any) []string {
	shown := make([]string, len(row))
	for i, field := range rows.Schema.Fields {
		shown[i] = cell(field.Type, row[i])
	}
	return shown
}
