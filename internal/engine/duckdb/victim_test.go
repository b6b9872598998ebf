package duckdb_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/s3"
)

// An order is one piece of work for a victim, the process that is killed. Given again it changes nothing more.
type order struct {
	Number  int64
	Kind    string
	Rows    contentsByID  // to append, to merge, or to put in place of all
	Version delta.Version // to go back to
	Digit   int64         // that the ids of the rows to delete, to update or to replace end with
}

// contentsByID are the rows of the victim's table.
type contentsByID map[int64]string

// works are what a victim can be told to do: what it does, and what the rows are then.
var works = map[string]struct {
	do   func(ctx context.Context, e *duckdb.Engine, table *delta.Table, o order) error
	rows func(before contentsByID, o order) contentsByID // nil: as before
}{
	"append":    {publishRows(engine.Append), mergedRows},
	"overwrite": {publishRows(engine.Overwrite), func(_ contentsByID, o order) contentsByID { return o.Rows }},
	"merge":     {publishRows(engine.Merge), mergedRows},
	"replace": {func(ctx context.Context, e *duckdb.Engine, table *delta.Table, o order) error {
		_, err := e.Publish(ctx, o.query(), engine.Output{Table: table, Mode: engine.Overwrite, Where: o.condition(), Progress: o.progress()})
		return err
	}, func(before contentsByID, o order) contentsByID { return mergedRows(o.without(before), o) }},
	overwritePartitions: {publishRows(engine.OverwritePartitions), func(before contentsByID, o order) contentsByID {
		after := maps.Clone(before)
		maps.DeleteFunc(after, func(_ int64, text string) bool { return slices.Contains(slices.Collect(maps.Values(o.Rows)), text) })
		return mergedRows(after, o)
	}},
	"domain": {do: func(ctx context.Context, _ *duckdb.Engine, table *delta.Table, o order) error {
		s, err := table.Snapshot(ctx)
		if err != nil {
			return err
		}
		tx := s.Begin(delta.Operation{Name: "SET DOMAIN"})
		tx.SetDomain("org.example.victim", fmt.Sprint(o.Number))
		_, err = tx.Commit(ctx)
		return err
	}},
	"delete": {func(ctx context.Context, e *duckdb.Engine, table *delta.Table, o order) error {
		_, err := e.Delete(ctx, o.edit(table))
		return err
	}, func(before contentsByID, o order) contentsByID { return o.without(before) }},
	"update": {func(ctx context.Context, e *duckdb.Engine, table *delta.Table, o order) error {
		_, err := e.Update(ctx, o.edit(table), []engine.Assignment{{Column: "text", Value: fmt.Sprintf("'updated %d'", o.Number)}})
		return err
	}, func(before contentsByID, o order) contentsByID {
		after := maps.Clone(before)
		for id := range after {
			if id%10 == o.Digit {
				after[id] = fmt.Sprint("updated ", o.Number)
			}
		}
		return after
	}},
	"purge": {do: func(ctx context.Context, e *duckdb.Engine, table *delta.Table, _ order) error {
		_, err := e.Optimize(ctx, table, engine.OptimizeOptions{Purge: true})
		return err
	}},
	"alter": {do: func(ctx context.Context, _ *duckdb.Engine, table *delta.Table, o order) error {
		_, err := table.Alter(ctx, delta.CommentColumn{Column: "text", Comment: fmt.Sprint("comment ", o.Number)})
		return err
	}},
	"optimize": {do: func(ctx context.Context, e *duckdb.Engine, table *delta.Table, o order) error {
		_, err := e.Optimize(ctx, table, engine.OptimizeOptions{})
		return err
	}},
	"z-order": {do: func(ctx context.Context, e *duckdb.Engine, table *delta.Table, o order) error {
		_, err := e.Optimize(ctx, table, engine.OptimizeOptions{ZOrder: []string{"id", "text"}})
		return err
	}},
	"checkpoint": {do: func(ctx context.Context, _ *duckdb.Engine, table *delta.Table, _ order) error {
		s, err := table.Snapshot(ctx)
		if err != nil {
			return err
		}
		return table.Checkpoint(ctx, s)
	}},
	"vacuum": {do: func(ctx context.Context, _ *duckdb.Engine, table *delta.Table, _ order) error {
		_, err := table.Vacuum(ctx, delta.VacuumOptions{Retention: time.Nanosecond, ShortRetention: true})
		return err
	}},
	"clean-log": {do: func(ctx context.Context, _ *duckdb.Engine, table *delta.Table, _ order) error {
		nextYear := func() time.Time { return time.Now().AddDate(1, 0, 0) }
		_, err := delta.OpenWith(table.Store(), delta.Options{Now: nextYear}).CleanLog(ctx, delta.CleanLogOptions{})
		return err
	}},
	"restore": {do: func(ctx context.Context, _ *duckdb.Engine, table *delta.Table, o order) error {
		_, err := table.Restore(ctx, o.Version, delta.RestoreOptions{})
		return err
	}, rows: func(_ contentsByID, o order) contentsByID { return o.Rows }},
}

// overwritePartitions is work for partitioned tables only.
const overwritePartitions = "overwrite partitions"

// edit chooses the rows to delete or to update.
func (o order) edit(table *delta.Table) engine.Edit {
	return engine.Edit{Table: table, Where: o.condition(), Progress: o.progress()}
}

func (o order) condition() string { return fmt.Sprintf("id %% 10 = %d", o.Digit) }

// without leaves out the rows that meet the condition.
func (o order) without(before contentsByID) contentsByID {
	after := maps.Clone(before)
	maps.DeleteFunc(after, func(id int64, _ string) bool { return id%10 == o.Digit })
	return after
}

func (o order) progress() []engine.Progress {
	return []engine.Progress{{AppID: "victim", Version: o.Number}}
}

func mergedRows(before contentsByID, o order) contentsByID {
	after := maps.Clone(before)
	maps.Copy(after, o.Rows)
	return after
}

var victimSchema = &delta.Schema{Fields: []delta.Field{
	{Name: "id", Type: delta.Long, Nullable: true}, {Name: "text", Type: delta.String, Nullable: true},
}}

func publishRows(mode engine.Mode) func(context.Context, *duckdb.Engine, *delta.Table, order) error {
	return func(ctx context.Context, e *duckdb.Engine, table *delta.Table, o order) error {
		out := engine.Output{
			Table: table, Mode: mode, Schema: victimSchema,
			Progress: o.progress(),
		}
		if mode == engine.Merge {
			out.Keys, out.Newer = []string{"id"}, "source.text <> target.text"
		}
		_, err := e.Publish(ctx, o.query(), out)
		return err
	}
}

// query gives the order's rows.
func (o order) query() string {
	var rows []string
	for _, id := range slices.Sorted(maps.Keys(o.Rows)) {
		rows = append(rows, fmt.Sprintf("(%d, '%s')", id, o.Rows[id]))
	}
	return "select * from (values " + strings.Join(rows, ", ") + ") as t(id, text)"
}

// A place is where the victim's table lies.
type place struct {
	Folder string
	Bucket string
	S3     s3.Options
	Work   string // folder of the engine
}

func (p place) store(ctx context.Context) (objstore.Store, error) {
	if p.Bucket != "" {
		return s3.Open(ctx, p.Bucket, "table", p.S3)
	}
	return objstore.NewDir(p.Folder)
}

// victimVariable makes a process of this test's program a victim; it holds the place as JSON.
const victimVariable = "DUCKDB_TEST_VICTIM"

func TestMain(m *testing.M) {
	if text := os.Getenv(victimVariable); text != "" {
		if err := runVictim(context.Background(), text, os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// What a victim says, a line each: that it begins or ends a call of the store, and that an order is carried out.
const (
	sayCall = "call"
	sayDone = "done"
)

// runVictim carries out the orders that come in.
func runVictim(ctx context.Context, text string, orders io.Reader) error {
	var p place
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	store, err := p.store(ctx)
	if err != nil {
		return err
	}
	e, err := duckdb.Open(ctx, duckdb.Options{Folder: p.Work, Threads: 2})
	if err != nil {
		return err
	}
	table := delta.Open(telling{store})
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		if err := works[o.Kind].do(ctx, e, table, o); err != nil {
			return fmt.Errorf("order %d, %s: %w", o.Number, o.Kind, err)
		}
		if _, err := fmt.Println(sayDone); err != nil {
			return err
		}
	}
	return e.Close()
}

// telling is a store that says when a call begins and when it ends.
type telling struct{ objstore.Store }

func tell() { _, _ = os.Stdout.WriteString(sayCall + "\n") }

func (s telling) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	tell()
	defer tell()
	return s.Store.Get(ctx, key, offset, length)
}

func (s telling) Put(ctx context.Context, key string, body io.Reader) error {
	tell()
	defer tell()
	return s.Store.Put(ctx, key, body)
}

func (s telling) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	tell()
	defer tell()
	return s.Store.PutIfAbsent(ctx, key, body)
}

func (s telling) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	tell()
	return s.Store.List(ctx, prefix, after)
}

func (s telling) Delete(ctx context.Context, key string) error {
	tell()
	defer tell()
	return s.Store.Delete(ctx, key)
}
