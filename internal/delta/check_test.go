package delta_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// person is a row of the tables of these tests, whose data files are real.
type person struct {
	ID   int64    `parquet:"id"`
	Name *string  `parquet:"name,optional"`
	High *float64 `parquet:"high,optional"`
}

var peopleSchema = &delta.Schema{Fields: []delta.Field{
	{Name: "id", Type: delta.Long},
	{Name: "name", Type: delta.String, Nullable: true},
	{Name: "high", Type: delta.Double, Nullable: true},
}}

func people(first, last int64) []person {
	var out []person
	for id := first; id <= last; id++ {
		p := person{ID: id}
		if id%3 != 0 {
			name, high := fmt.Sprintf("name %d", id), float64(id)/10
			p.Name, p.High = &name, &high
		}
		out = append(out, p)
	}
	return out
}

// peopleFile stores rows and gives the file with true statistics.
func peopleFile(t *testing.T, store objstore.Store, rows []person) delta.Add {
	t.Helper()
	var body bytes.Buffer
	w := parquet.NewGenericWriter[person](&body)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stats := delta.NewStats(peopleSchema)
	for _, p := range rows {
		stats.ObserveRow()
		stats.Observe("id", p.ID)
		if p.Name != nil {
			stats.Observe("name", *p.Name)
			stats.Observe("high", *p.High)
		}
	}
	add := delta.Add{Path: delta.NewDataFileName("parquet"), Size: int64(body.Len()), Stats: stats.Stats()}
	if err := store.Put(t.Context(), add.Path, &body); err != nil {
		t.Fatal(err)
	}
	return add
}

// peopleTable has versions 0 to 12: twelve files of ten people, and a checkpoint at version 10.
func peopleTable(t *testing.T) (*objstore.Memory, *delta.Snapshot) {
	t.Helper()
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: peopleSchema})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(12) {
		tx := s.Begin(delta.Operation{Name: "WRITE"})
		tx.Add(peopleFile(t, store, people(10*i, 10*i+9)))
		tx.SetTransaction("app", i)
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return store, s
}

func findings(t *testing.T, store objstore.Store, o delta.CheckOptions) []delta.Finding {
	t.Helper()
	var out []delta.Finding
	for f, err := range delta.Open(store).Check(t.Context(), o) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Advice() == "" || f.Key == "" || f.Detail == "" {
			t.Errorf("finding %v says not enough", f)
		}
		out = append(out, f)
	}
	return out
}

// isClean fails the test when the table has damage.
func isClean(t *testing.T, store objstore.Store) {
	t.Helper()
	for _, f := range findings(t, store, delta.CheckOptions{Sample: -1}) {
		t.Errorf("the check finds %v", f)
	}
}

const (
	commitSeven   = "_delta_log/00000000000000000007.json"
	commitTwelve  = "_delta_log/00000000000000000012.json"
	checkpointTen = "_delta_log/00000000000000000010.checkpoint.parquet"
	hintKey       = "_delta_log/_last_checkpoint"
)

func replace(t *testing.T, store objstore.Store, key, old, new string) {
	t.Helper()
	text, err := objstore.ReadAll(t.Context(), store, key)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		t.Fatalf("%s has no %q, %v", key, old, err)
	}
	overwrite(t, store, key, strings.Replace(string(text), old, new, 1))
}

func overwrite(t *testing.T, store objstore.Store, key, text string) {
	t.Helper()
	if err := store.Put(t.Context(), key, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, store objstore.Store, key string) {
	t.Helper()
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func firstFile(s *delta.Snapshot) delta.Add {
	for f := range s.Files() {
		return f
	}
	return delta.Add{}
}

var damages = []struct {
	name   string
	damage func(t *testing.T, store objstore.Store, s *delta.Snapshot)
	want   []delta.FindingKind
}{
	{"none", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {}, nil},
	{"a commit is missing before the checkpoint", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		remove(t, store, commitSeven)
	}, []delta.FindingKind{delta.LogGap}},
	{"a commit is missing behind the checkpoint", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		remove(t, store, "_delta_log/00000000000000000011.json")
	}, []delta.FindingKind{delta.LogGap, delta.UnreadableVersion}},
	{"a commit is cut", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		overwrite(t, store, commitSeven, `{"commitInfo":{"ope`)
	}, []delta.FindingKind{delta.BrokenCommit}},
	{"the newest commit is empty", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		overwrite(t, store, commitTwelve, "")
	}, []delta.FindingKind{delta.BrokenCommit, delta.UnreadableVersion}},
	{"a commit was changed behind the checkpoint's back", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, commitSeven, `"add":{"path":"part-`, `"add":{"path":"prat-`)
	}, []delta.FindingKind{delta.FalseCheckpoint, delta.FalseCheckpoint}},
	{"progress was changed behind the checkpoint's back", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, "_delta_log/00000000000000000010.json", `"appId":"app","version":9`, `"appId":"app","version":8`)
	}, []delta.FindingKind{delta.FalseCheckpoint, delta.FalseChecksum}},
	{"the checkpoint is of another table", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		other, _ := peopleTable(t)
		text, err := objstore.ReadAll(t.Context(), other, checkpointTen)
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, store, checkpointTen, string(text))
	}, slices.Concat(slices.Repeat([]delta.FindingKind{delta.FalseCheckpoint}, 3), slices.Repeat([]delta.FindingKind{delta.MissingFile}, 10))},
	{"the checkpoint is cut", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		overwrite(t, store, checkpointTen, "PAR1 and no more")
	}, []delta.FindingKind{delta.BrokenCheckpoint, delta.UnreadableVersion}},
	{"the hint names nothing", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		overwrite(t, store, hintKey, `{"version":12,"size":3}`)
	}, []delta.FindingKind{delta.FalseHint}},
	{"the hint is no JSON", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		overwrite(t, store, hintKey, `{"version`)
	}, []delta.FindingKind{delta.FalseHint}},
	{"the hint is missing", func(t *testing.T, store objstore.Store, s *delta.Snapshot) { remove(t, store, hintKey) }, nil},
	{"the commit of the newest checkpoint is missing", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		for v := 10; v <= 12; v++ {
			remove(t, store, fmt.Sprintf("_delta_log/%020d.json", v))
		}
	}, []delta.FindingKind{delta.LoneCheckpoint}},
	{"a protocol without its features", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, commitTwelve, `{"add"`, `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"writerFeatures":["appendOnly"]}}`+"\n"+`{"add"`)
	}, []delta.FindingKind{delta.FalseChecksum, delta.InvalidProtocol}},
	{"a data file is missing", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		remove(t, store, firstFile(s).Path)
	}, []delta.FindingKind{delta.MissingFile}},
	{"a data file is cut", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		overwrite(t, store, firstFile(s).Path, "PAR1")
	}, []delta.FindingKind{delta.WrongSize}},
	{"a data file holds noise", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		f := firstFile(s)
		overwrite(t, store, f.Path, strings.Repeat("x", int(f.Size)))
	}, []delta.FindingKind{delta.BrokenFile}},
	{"a commit was changed behind its checksum's back", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, commitTwelve, `"size":`, `"size":1`)
	}, []delta.FindingKind{delta.FalseChecksum, delta.WrongSize}},
	{"a checksum is cut", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		overwrite(t, store, "_delta_log/00000000000000000012.crc", `{"txnId":`)
	}, []delta.FindingKind{delta.FalseChecksum}},
	{"a count of rows is false", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, commitTwelve, `\"numRecords\":10`, `\"numRecords\":11`)
	}, []delta.FindingKind{delta.FalseStatistics}},
	{"a minimum is false", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, commitTwelve, `\"minValues\":{\"high\":11.`, `\"minValues\":{\"high\":12.`)
	}, []delta.FindingKind{delta.FalseStatistics}},
	{"a maximum is false", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, commitTwelve, `\"name\":\"name 119\"`, `\"name\":\"name 118\"`)
	}, []delta.FindingKind{delta.FalseStatistics}},
	{"a count of nulls is false", func(t *testing.T, store objstore.Store, s *delta.Snapshot) {
		replace(t, store, commitTwelve, `\"nullCount\":{\"high\":3`, `\"nullCount\":{\"high\":0`)
	}, []delta.FindingKind{delta.FalseStatistics}},
}

func TestPlantedDamageOfEachKindIsFound(t *testing.T) {
	for _, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			store, s := peopleTable(t)
			tt.damage(t, store, s)
			var got []delta.FindingKind
			for _, f := range findings(t, store, delta.CheckOptions{Deep: true}) {
				t.Log(f)
				got = append(got, f.Kind)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnOlderVersionIsCheckedByItsOwnFiles(t *testing.T) {
	store, s := peopleTable(t)
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	var gone delta.Add
	for gone = range s.Files() {
	}
	tx.Remove(gone)
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	remove(t, store, gone.Path)
	if got := findings(t, store, delta.CheckOptions{}); len(got) != 0 {
		t.Errorf("the latest version does not need the file, the check finds %v", got)
	}
	before := s.Version()
	if got := findings(t, store, delta.CheckOptions{Version: &before}); len(got) != 1 || got[0].Kind != delta.MissingFile || got[0].Key != gone.Path {
		t.Errorf("version %d needs %s, the check finds %v", before, gone.Path, got)
	}
}

func TestAStoreThatFailsIsNoFinding(t *testing.T) {
	store, _ := peopleTable(t)
	counting := storetest.NewFaulty(store)
	if got := findings(t, counting, delta.CheckOptions{Deep: true}); len(got) != 0 {
		t.Fatalf("the table is clean, the check finds %v", got)
	}
	for fault := range storetest.Each(counting.Calls(), storetest.Any) {
		fault.Call, fault.Nth = 0, 1 // commits are read side by side: their order is not fixed
		t.Run(fault.String(), func(t *testing.T) {
			failed := false
			for f, err := range delta.Open(storetest.NewFaulty(store, fault)).Check(t.Context(), delta.CheckOptions{Deep: true}) {
				if err == nil {
					t.Errorf("the store failed, and the check finds %v", f)
				}
				failed = failed || errors.Is(err, storetest.ErrInjected)
			}
			// The hint is only a hint, and asked for twice.
			if !failed && fault.Key != hintKey {
				t.Error("the store failed, and the check does not say so")
			}
		})
	}
}

func TestVectorsThatNobodyNeedsAreTold(t *testing.T) {
	store := objstore.NewMemory()
	s, file := tableWithRows(t, store, tableOfRows)
	for _, row := range []int64{0, 1} { // the vector of the first is the tombstone's then
		tx := s.Begin(delta.Operation{Name: "DELETE"})
		tx.DeleteRows(file, rowSet(row))
		var err error
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		file = onlyFile(s)
	}
	const lone = "deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"
	overwrite(t, store, lone, "of a killed writer")
	var told []string
	got := findings(t, store, delta.CheckOptions{Sample: -1, LoneVector: func(info objstore.Info) { told = append(told, info.Key) }})
	if diff := cmp.Diff([]string{lone}, told); diff != "" || len(got) != 0 {
		t.Errorf("findings %v, vectors (-want +got):\n%s", got, diff)
	}
}
