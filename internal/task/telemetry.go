package task

import (
	"context"
	"log/slog"
	"os"
	"time"

	"launchlake/internal/otlp"
)

// The collector gets little time, and hardly any when a signal ended the task.
const (
	telemetryLimit            = 2 * time.Second
	telemetryLimitInterrupted = 300 * time.Millisecond
)

// newExporter is nil where the environment names no collector.
func newExporter() (*otlp.Exporter, error) {
	exporter, err := otlp.FromEnvironment(os.Getenv)
	return exporter, Fail(BadConfig, err)
}

// tell sends a run to the collector. What goes wrong there is logged and changes nothing for the task.
func tell(log *slog.Logger, exporter *otlp.Exporter, result Result, start time.Time) {
	limit := telemetryLimit
	if result.Status == StatusInterrupted {
		limit = telemetryLimitInterrupted
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := exporter.Send(ctx, runOf(result, start)); err != nil {
		log.Warn("the OpenTelemetry collector was not told of this run", "error", err)
	}
}

// runOf says a result in OpenTelemetry's words. Only what needs an operator counts as an error.
func runOf(result Result, start time.Time) otlp.Run {
	run := otlp.Run{
		Name:  result.Task,
		Start: start,
		End:   start.Add(time.Duration(result.Seconds * float64(time.Second))),
		Attributes: []otlp.Attribute{
			{Key: "launchlake.run_id", Value: result.RunID},
			{Key: "launchlake.status", Value: string(result.Status)},
			{Key: "launchlake.exit_code", Value: int64(result.code)},
			{Key: "service.version", Value: Build().Version},
		},
	}
	if result.Status == StatusFailed || result.Status == StatusContractBroken {
		run.Error = result.Error
	}
	task := otlp.Attribute{Key: "task", Value: result.Task}
	run.Gauges = []otlp.Gauge{
		{Name: "launchlake.task.duration", Unit: "s", Value: result.Seconds, Attributes: []otlp.Attribute{task}},
		{Name: "launchlake.task.exit_code", Unit: "1", Value: int64(result.code), Attributes: []otlp.Attribute{task}},
		{Name: "launchlake.source.requests", Unit: "{request}", Value: int64(result.Requests), Attributes: []otlp.Attribute{task}},
		{Name: "launchlake.source.bytes", Unit: "By", Value: result.Bytes, Attributes: []otlp.Attribute{task}},
	}
	for _, t := range result.Tables {
		attributes := []otlp.Attribute{task, {Key: "table", Value: t.Name}}
		run.Attributes = append(run.Attributes, otlp.Attribute{Key: "launchlake.version." + t.Name, Value: t.Version})
		for _, g := range []otlp.Gauge{
			{Name: "launchlake.table.version", Unit: "1", Value: t.Version},
			{Name: "launchlake.table.rows_in", Unit: "{row}", Value: t.RowsIn},
			{Name: "launchlake.table.rows_out", Unit: "{row}", Value: t.RowsOut},
			{Name: "launchlake.table.rows_updated", Unit: "{row}", Value: t.RowsUpdated},
			{Name: "launchlake.table.quarantined", Unit: "{row}", Value: t.Quarantined},
		} {
			g.Attributes = attributes
			run.Gauges = append(run.Gauges, g)
		}
	}
	return run
}
