package delta_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// A replay test is a text file: comments, then the objects of a log as "-- name --" and their lines, then "-- want --" with
// what the table holds, or how opening it fails. A name may be followed by "crlf" (lines end so), "cut" (the last line has no
// end) or "empty" (no bytes at all). "-- want N --" asks for version N.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/replay/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no replay tests: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			store := objstore.NewMemory()
			asked := 0
			for _, s := range textSections(string(text)) {
				if s.name != "want" {
					if err := store.Put(t.Context(), "_delta_log/"+s.name, strings.NewReader(s.body())); err != nil {
						t.Fatal(err)
					}
					continue
				}
				asked++
				if diff := cmp.Diff(s.lines, tableText(t, store, s.flags)); diff != "" {
					t.Errorf("%s %s (-want +got):\n%s", s.name, s.flags, diff)
				}
			}
			if asked == 0 {
				t.Error("the test wants nothing")
			}
		})
	}
}

type textSection struct {
	name, flags string
	lines       []string
}

func textSections(text string) []textSection {
	var out []textSection
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if header, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(header, " --") {
			name, flags, _ := strings.Cut(strings.TrimSuffix(header, " --"), " ")
			out = append(out, textSection{name: name, flags: flags})
		} else if len(out) > 0 {
			out[len(out)-1].lines = append(out[len(out)-1].lines, line)
		}
	}
	return out
}

func (s textSection) body() string {
	end := "\n"
	if strings.Contains(s.flags, "crlf") {
		end = "\r\n"
	}
	text := strings.Join(s.lines, end) + end
	switch {
	case strings.Contains(s.flags, "empty"):
		return ""
	case strings.Contains(s.flags, "cut"):
		return strings.TrimSuffix(text, end)
	}
	return text
}

// tableText shows a table as replay tests want it: one line a fact.
func tableText(t *testing.T, store objstore.Store, version string) []string {
	t.Helper()
	table := delta.Open(store)
	s, err := table.Snapshot(t.Context())
	if version != "" {
		var v delta.Version
		if _, err := fmt.Sscan(version, &v); err != nil {
			t.Fatal(err)
		}
		s, err = table.SnapshotAt(t.Context(), v)
	}
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	out := []string{fmt.Sprintf("version %d", s.Version())}
	p := s.Protocol()
	out = append(out, fmt.Sprintf("protocol (%d,%d) %v %v", p.MinReaderVersion, p.MinWriterVersion, p.ReaderFeatures, p.WriterFeatures))
	out = append(out, "schema "+s.Schema().String())
	for _, k := range slices.Sorted(maps.Keys(s.Metadata().Configuration)) {
		out = append(out, "property "+k+"="+s.Metadata().Configuration[k])
	}
	apps := s.AppVersions()
	for _, k := range slices.Sorted(maps.Keys(apps)) {
		out = append(out, fmt.Sprintf("app %s=%d", k, apps[k]))
	}
	for _, name := range s.Domains() {
		configuration, _ := s.Domain(name)
		out = append(out, "domain "+name+" "+configuration)
	}
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("file %q size=%d", f.Path, f.Size)
		if v := f.DeletionVector; v != nil {
			line += fmt.Sprintf(" deletes=%d", v.Cardinality)
		}
		for _, k := range slices.Sorted(maps.Keys(f.PartitionValues)) {
			value := "null"
			if v := f.PartitionValues[k]; v != nil {
				value = fmt.Sprintf("%q", *v)
			}
			line += " " + k + "=" + value
		}
		if f.Stats != nil {
			line += fmt.Sprintf(" rows=%d", f.Stats.NumRecords)
		}
		out = append(out, line)
	}
	return out
}

func TestBrokenCommitsAreCorruptAndNotMissing(t *testing.T) {
	for name, body := range map[string]string{"zero bytes": "", "blank": "\n\r\n", "cut": `{"add":{"path":"a","si`, "no action": "[]", "number too large": `{"add":{"path":"a","size":1e400}}`} {
		store := objstore.NewMemory()
		createEvents(t, store)
		if err := store.Put(t.Context(), "_delta_log/00000000000000000001.json", strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		_, err := delta.Open(store).Snapshot(t.Context())
		var corrupt *delta.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Key != "_delta_log/00000000000000000001.json" || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want a CorruptError of the commit", name, err)
		}
	}
}

func TestVersionsAreFoundByTime(t *testing.T) {
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	store := objstore.NewMemory()
	s := createEvents(t, store)
	for i := range int64(4) {
		s = appendFile(t, s, eventFile(t, store, "2024-05-01", i, i))
	}
	// Version 2 has a clock that was behind: it counts as one millisecond after version 1.
	for v, at := range []time.Duration{0, time.Hour, 30 * time.Minute, 2 * time.Hour, 3 * time.Hour} {
		store.SetModTime(fmt.Sprintf("_delta_log/%020d.json", v), noon.Add(at))
	}
	for _, tt := range []struct {
		at   time.Duration
		want delta.Version // -1: outside
	}{
		{-time.Millisecond, -1}, {0, 0}, {59 * time.Minute, 0}, {time.Hour, 1}, {time.Hour + time.Millisecond, 2}, {119 * time.Minute, 2},
		{2 * time.Hour, 3}, {3 * time.Hour, 4}, {3*time.Hour + time.Millisecond, -1},
	} {
		got, err := delta.Open(store).SnapshotAsOf(t.Context(), noon.Add(tt.at))
		var outside *delta.VersionError
		switch {
		case tt.want < 0 && !errors.As(err, &outside):
			t.Errorf("%s: got %v, want a VersionError", tt.at, err)
		case tt.want >= 0 && (err != nil || got.Version() != tt.want):
			t.Errorf("%s: got %v, %v; want version %d", tt.at, got, err, tt.want)
		}
	}
	var times []time.Duration
	for c, err := range delta.Open(store).History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, c.Timestamp.Sub(noon))
	}
	want := []time.Duration{3 * time.Hour, 2 * time.Hour, time.Hour + time.Millisecond, time.Hour, 0}
	if diff := cmp.Diff(want, times); diff != "" {
		t.Errorf("times of the history (-want +got):\n%s", diff)
	}
}

func TestInCommitTimestampsAreKeptGrowing(t *testing.T) {
	store := objstore.NewMemory()
	log := `{"commitInfo":{"inCommitTimestamp":5000,"operation":"CREATE TABLE"}}
{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["inCommitTimestamp"]}}
{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{"delta.enableInCommitTimestamps":"true"}}}
`
	if err := store.Put(t.Context(), "_delta_log/00000000000000000000.json", strings.NewReader(log)); err != nil {
		t.Fatal(err)
	}
	clock := time.UnixMilli(4000) // behind the table
	s, err := delta.OpenWith(store, delta.Options{Now: func() time.Time { return clock }}).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s = appendFile(t, s, delta.Add{Path: "a"})
	s = appendFile(t, s, delta.Add{Path: "b"})
	clock = time.UnixMilli(9000)
	appendFile(t, s, delta.Add{Path: "c"})
	var got []int64
	for c, err := range delta.Open(store).History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Info.InCommitTimestamp.UnixMilli())
	}
	if diff := cmp.Diff([]int64{9000, 5002, 5001, 5000}, got); diff != "" {
		t.Errorf("in-commit timestamps (-want +got):\n%s", diff)
	}
	for at, want := range map[int64]delta.Version{5000: 0, 5001: 1, 8999: 2, 9000: 3} {
		s, err := delta.Open(store).SnapshotAsOf(t.Context(), time.UnixMilli(at))
		if err != nil || s.Version() != want || s.Timestamp().UnixMilli() > at {
			t.Errorf("at %d: got version %v, %v; want %d", at, s, err, want)
		}
	}
}
