package delta_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xitongsys/parquet-go/reader"
	"github.com/xitongsys/parquet-go/source"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

const everyTen = 10

func TestACheckpointComesEveryTenCommitsAndIsWhatReadersStartFrom(t *testing.T) {
	store := objstore.NewMemory()
	s := createEvents(t, store)
	var first delta.Add
	for i := range int64(2*everyTen + 3) {
		f := eventFile(t, store, "2024-05-01", i, i)
		if i == 0 {
			first = f
		}
		s = appendFile(t, s, f)
	}
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	tx.Remove(first)
	tx.SetTransaction("app", 1)
	s, err := tx.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var checkpoints []string
	for info, err := range store.List(t.Context(), "_delta_log/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(info.Key, "checkpoint") {
			checkpoints = append(checkpoints, info.Key)
		}
	}
	want := []string{"_delta_log/00000000000000000010.checkpoint.parquet", "_delta_log/00000000000000000020.checkpoint.parquet", "_delta_log/_last_checkpoint"}
	if diff := cmp.Diff(want, checkpoints); diff != "" {
		t.Errorf("checkpoints (-want +got):\n%s", diff)
	}
	hint, err := objstore.ReadAll(t.Context(), store, "_delta_log/_last_checkpoint")
	if err != nil || !strings.HasPrefix(string(hint), `{"version":20,"size":22,`) || !strings.HasSuffix(string(hint), `"}`) {
		t.Errorf("_last_checkpoint is %s, %v", hint, err)
	}
	// A reader asks for the checkpoint and the commits behind it, and for nothing else.
	counting := storetest.NewFaulty(store)
	read, err := delta.Open(counting).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(paths(t, s), paths(t, read)); diff != "" {
		t.Errorf("files (-written +read):\n%s", diff)
	}
	if v, ok := read.AppVersion("app"); v != 1 || !ok || read.Version() != 24 {
		t.Errorf("version %d, progress %d", read.Version(), v)
	}
	var got []string
	for _, c := range counting.Calls() {
		got = append(got, fmt.Sprint(c.Op, " ", strings.TrimPrefix(c.Key, "_delta_log/000000000000000000")))
	}
	slices.Sort(got)
	wantCalls := []string{"get 20.checkpoint.parquet", "get 21.json", "get 22.json", "get 23.json", "get 24.json", "get _delta_log/_last_checkpoint", "list _delta_log/"}
	if diff := cmp.Diff(wantCalls, got); diff != "" {
		t.Errorf("calls of the store (-want +got):\n%s", diff)
	}
}

func TestACheckpointForgetsExpiredTombstonesOnly(t *testing.T) {
	clock := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	store := objstore.NewMemory()
	table := delta.OpenWith(store, delta.Options{Now: func() time.Time { return clock }})
	s, err := table.Create(t.Context(), delta.Metadata{Schema: plainTable.Schema, Configuration: map[string]string{
		"delta.deletedFileRetentionDuration": "interval 2 days", "delta.checkpointInterval": "1000"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		f := delta.Add{Path: fmt.Sprint("file ", i)}
		s = appendFile(t, s, f)
		tx := s.Begin(delta.Operation{Name: "DELETE"})
		tx.Remove(f)
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(24 * time.Hour)
	}
	if err := table.Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	rows := xitongRows(t, store, "_delta_log/00000000000000000008.checkpoint.parquet", "remove", "path")
	if diff := cmp.Diff([]string{"file%203"}, rows); diff != "" {
		t.Errorf("tombstones (-want +got):\n%s", diff)
	}
}

func TestACheckpointThatCannotBeWrittenHarmsNoCommit(t *testing.T) {
	store := objstore.NewMemory()
	if _, err := delta.Open(store).Create(t.Context(), plainTable); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.Write, Key: "checkpoint", Err: errors.New("disk full")})
	s, err := delta.OpenWith(faulty, delta.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		s = appendFile(t, s, delta.Add{Path: fmt.Sprint(i)})
	}
	if s.Version() != 5 || faulty.Fired() == 0 || !strings.Contains(log.String(), "disk full") {
		t.Errorf("version %d, %d faults, log %q", s.Version(), faulty.Fired(), log.String())
	}
}

func TestAnIndependentReaderFindsTheSameInACheckpoint(t *testing.T) {
	store := objstore.NewMemory()
	s := createEvents(t, store)
	var want []string
	for i := range int64(3) {
		f := eventFile(t, store, "2024-05-01", i, i+5)
		s = appendFile(t, s, f)
		want = append(want, f.Path)
	}
	slices.Sort(want)
	if err := delta.Open(store).Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	key := "_delta_log/00000000000000000003.checkpoint.parquet"
	for _, tt := range []struct {
		column []string
		want   []string
	}{
		{[]string{"add", "path"}, want},
		{[]string{"add", "partitionValues", "key_value", "key"}, []string{"day", "day", "day"}},
		{[]string{"add", "partitionValues", "key_value", "value"}, []string{"2024-05-01", "2024-05-01", "2024-05-01"}},
		{[]string{"add", "partitionValues_parsed", "day"}, []string{"19844", "19844", "19844"}},
		{[]string{"add", "dataChange"}, []string{"false", "false", "false"}},
		{[]string{"add", "stats_parsed", "numRecords"}, []string{"6", "6", "6"}},
		{[]string{"protocol", "minReaderVersion"}, []string{"1"}},
		{[]string{"metaData", "partitionColumns", "list", "element"}, []string{"day"}},
		{[]string{"metaData", "id"}, []string{s.Metadata().ID}},
	} {
		if diff := cmp.Diff(tt.want, xitongRows(t, store, key, tt.column...)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.column, diff)
		}
	}
	ids := xitongRows(t, store, key, "add", "stats_parsed", "minValues", "id")
	slices.Sort(ids)
	if diff := cmp.Diff([]string{"0", "1", "2"}, ids); diff != "" {
		t.Errorf("least ids (-want +got):\n%s", diff)
	}
}

// xitongRows reads a column with a Parquet library that is not the one that wrote it; nulls are left out.
func xitongRows(t *testing.T, store objstore.Store, key string, column ...string) []string {
	t.Helper()
	data, err := objstore.ReadAll(t.Context(), store, key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := reader.NewParquetColumnReader(&memoryFile{bytes.NewReader(data), data}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.ReadStop()
	path := r.SchemaHandler.GetRootExName() + "\x01" + strings.Join(column, "\x01")
	values, _, _, err := r.ReadColumnByPath(path, r.GetNumRows())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range values {
		if v != nil {
			out = append(out, fmt.Sprint(v))
		}
	}
	return out
}

// memoryFile is a file for the other library to read.
type memoryFile struct {
	*bytes.Reader
	data []byte
}

func (f *memoryFile) Open(string) (source.ParquetFile, error) {
	return &memoryFile{bytes.NewReader(f.data), f.data}, nil
}
func (f *memoryFile) Create(string) (source.ParquetFile, error) { return nil, errors.ErrUnsupported }
func (f *memoryFile) Write([]byte) (int, error)                 { return 0, io.ErrShortWrite }
func (f *memoryFile) Close() error                              { return nil }
