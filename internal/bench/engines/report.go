package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"text/tabwriter"

	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/lake"
)

// show prints the figures of the sizes that are done.
func show(launches []int, all map[string][]figure) {
	const mega = 1e6
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "launches\tengine\twall s\tprogram cpu s\tprogram peak MB\tJVM cpu s\tJVM peak MB\t")
	for i, n := range launches {
		for _, name := range []string{duckDB, spark} {
			f := all[name][i]
			fmt.Fprintf(w, "%d\t%s\t%.1f\t%.1f\t%.0f\t%.1f\t%.0f\t\n", n, name, f.wall.Seconds(), f.cpu.Seconds(), float64(f.program)/mega,
				f.jvmCPU.Seconds(), float64(f.jvm)/mega)
		}
	}
	_ = w.Flush()
}

// breakEven says from which size on Spark is the faster one. Beyond the greatest size measured it goes on in a straight line through the last two.
func breakEven(launches []int, all map[string][]figure) string {
	wall := func(engine string, i int) float64 { return all[engine][i].wall.Seconds() }
	for i, n := range launches {
		if wall(spark, i) <= wall(duckDB, i) {
			return fmt.Sprintf("break-even: Spark is the faster one at %d launches", n)
		}
	}
	last := len(launches) - 1
	if last == 0 {
		return "break-even: above the size measured; two sizes tell where"
	}
	more := float64(launches[last] - launches[last-1])
	slope := func(engine string) float64 { return (wall(engine, last) - wall(engine, last-1)) / more }
	gain := slope(duckDB) - slope(spark)
	if gain <= 0 {
		return fmt.Sprintf("break-even: none on this machine: per further launch Spark takes %.0f µs, DuckDB %.0f µs", slope(spark)*1e6, slope(duckDB)*1e6)
	}
	at := float64(launches[last]) + (wall(spark, last)-wall(duckDB, last))/gain
	return fmt.Sprintf("break-even: at about %.1g launches, if both go on as between the last two sizes", math.Round(at))
}

// compare fails when a Silver or Gold table of two lakes differs in a row. When a row was put into quarantine is left out.
func compare(ctx context.Context, first, second string) error {
	a, err := lake.Open(ctx, lake.Config{URL: first})
	if err != nil {
		return err
	}
	b, err := lake.Open(ctx, lake.Config{URL: second})
	if err != nil {
		return err
	}
	names, err := a.Tables(ctx)
	if err != nil {
		return err
	}
	e, err := duckdb.Open(ctx, duckdb.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	var different []error
	for i, name := range names {
		if strings.HasPrefix(name, "bronze/") {
			continue
		}
		if err := compareTable(ctx, e, fmt.Sprint("t", i), name, a, b); err != nil {
			different = append(different, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(different...)
}

func compareTable(ctx context.Context, e engine.Engine, relation, name string, a, b *lake.Lake) error {
	var columns []string
	for i, l := range []*lake.Lake{a, b} {
		s, err := l.Table(name).Snapshot(ctx)
		if err != nil {
			return err
		}
		if err := e.Bind(ctx, fmt.Sprint(relation, "_", i), engine.Input{Snapshot: s}); err != nil {
			return err
		}
		columns = columns[:0]
		for _, f := range s.Schema().Fields {
			if f.Name != "quarantined_at" {
				columns = append(columns, `"`+f.Name+`"`)
			}
		}
	}
	cells := strings.Join(columns, ", ")
	rows, err := e.Query(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %[1]s_0), (SELECT count(*) FROM (SELECT %[2]s FROM %[1]s_0 EXCEPT ALL SELECT %[2]s FROM %[1]s_1)), "+
		"(SELECT count(*) FROM (SELECT %[2]s FROM %[1]s_1 EXCEPT ALL SELECT %[2]s FROM %[1]s_0))", relation, cells))
	if err != nil {
		return err
	}
	for row, err := range rows.All {
		if err != nil {
			return err
		}
		if missing, more := row[1].(int64), row[2].(int64); missing+more > 0 {
			return fmt.Errorf("%d rows are of %s only, %d of %s only", missing, duckDB, more, spark)
		}
		fmt.Printf("%s: %d rows, equal\n", name, row[0])
	}
	return nil
}
