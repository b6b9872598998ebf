package otlp

import (
	"strconv"
	"time"
)

// The messages of OTLP in their JSON form: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
type (
	object = map[string]any
	list   = []any
)

const (
	scopeName    = "launchlake"
	kindInternal = 1
	statusOK     = 1
	statusError  = 2

	traceIDSize = 16
	spanIDSize  = 8
)

func (e *Exporter) traces(r Run) object {
	status := object{"code": statusOK}
	if r.Error != "" {
		status = object{"code": statusError, "message": r.Error}
	}
	trace := e.trace
	if trace == "" {
		trace = randomID(traceIDSize)
	}
	span := object{
		"traceId":           trace,
		"spanId":            randomID(spanIDSize),
		"name":              r.Name,
		"kind":              kindInternal,
		"startTimeUnixNano": nanoseconds(r.Start),
		"endTimeUnixNano":   nanoseconds(r.End),
		"attributes":        attributes(r.Attributes),
		"status":            status,
	}
	if e.parent != "" {
		span["parentSpanId"] = e.parent
	}
	return object{"resourceSpans": list{object{
		"resource":   e.resourceObject(),
		"scopeSpans": list{object{"scope": object{"name": scopeName}, "spans": list{span}}},
	}}}
}

func (e *Exporter) metrics(r Run) object {
	metrics := list{}
	for _, g := range r.Gauges {
		point := object{"timeUnixNano": nanoseconds(r.End), "attributes": attributes(g.Attributes)}
		switch v := g.Value.(type) {
		case int64:
			point["asInt"] = strconv.FormatInt(v, 10)
		default:
			point["asDouble"] = v
		}
		metrics = append(metrics, object{"name": g.Name, "unit": g.Unit, "gauge": object{"dataPoints": list{point}}})
	}
	return object{"resourceMetrics": list{object{
		"resource":     e.resourceObject(),
		"scopeMetrics": list{object{"scope": object{"name": scopeName}, "metrics": metrics}},
	}}}
}

func (e *Exporter) resourceObject() object { return object{"attributes": attributes(e.resource)} }

func attributes(given []Attribute) list {
	found := list{}
	for _, a := range given {
		found = append(found, object{"key": a.Key, "value": value(a.Value)})
	}
	return found
}

// value is an AnyValue. 64-bit integers are decimal strings in protobuf's JSON.
func value(v any) object {
	switch v := v.(type) {
	case int64:
		return object{"intValue": strconv.FormatInt(v, 10)}
	case float64:
		return object{"doubleValue": v}
	case bool:
		return object{"boolValue": v}
	default:
		return object{"stringValue": v}
	}
}

func nanoseconds(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
