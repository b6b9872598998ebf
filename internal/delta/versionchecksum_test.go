package delta_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

func checksumKey(v delta.Version) string { return fmt.Sprintf("_delta_log/%020d.crc", v) }

// readChecksum gives a version's checksum as its text has it; nil when the version has none.
func readChecksum(t *testing.T, store objstore.Store, v delta.Version) map[string]any {
	t.Helper()
	text, err := objstore.ReadAll(t.Context(), store, checksumKey(v))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatalf("checksum of version %d: %v", v, err)
	}
	return c
}

// recount gives the numbers of a version's checksum by looking at every file.
func recount(t *testing.T, s *delta.Snapshot) map[string]any {
	t.Helper()
	var bytes, files, vectors, deleted float64
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		files++
		bytes += float64(f.Size)
		if f.DeletionVector != nil {
			vectors++
			deleted += float64(f.DeletionVector.Cardinality)
		}
	}
	out := map[string]any{"tableSizeBytes": bytes, "numFiles": files, "numMetadata": 1.0, "numProtocol": 1.0}
	if slices.Contains(s.Protocol().WriterFeatures, "deletionVectors") {
		out["numDeletionVectorsOpt"], out["numDeletedRecordsOpt"] = vectors, deleted
	}
	if s.Metadata().Configuration["delta.enableInCommitTimestamps"] == "true" {
		out["inCommitTimestampOpt"] = float64(s.Timestamp().UnixMilli())
	}
	return out
}

// compareChecksums compares the checksum of every version with what the version holds.
func compareChecksums(t *testing.T, store objstore.Store, latest delta.Version) {
	t.Helper()
	for v := range latest + 1 {
		s, err := delta.Open(store).SnapshotAt(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		got := readChecksum(t, store, v)
		want := recount(t, s)
		for _, rest := range []string{"txnId", "metadata", "protocol", "setTransactions", "domainMetadata"} {
			if got[rest] == nil {
				t.Errorf("version %d: the checksum has no %s: %v", v, rest, got)
			}
			want[rest] = got[rest] // the check compares them, below
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %d (-files +checksum):\n%s", v, diff)
		}
	}
	for f, err := range delta.Open(store).Check(t.Context(), delta.CheckOptions{Sample: -1}) {
		if err != nil || f.Kind == delta.FalseChecksum {
			t.Errorf("the check finds %v, %v", f, err)
		}
	}
}

func TestEveryCommitLeavesTheChecksumOfItsVersion(t *testing.T) {
	store := objstore.NewMemory()
	table := delta.Open(store)
	s, file := tableWithRows(t, store, tableOfRows)
	do := func(change func(tx *delta.Transaction)) {
		t.Helper()
		tx := s.Begin(delta.Operation{Name: "TEST"})
		change(tx)
		var err error
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	do(func(tx *delta.Transaction) { tx.DeleteRows(file, rowSet(1)) })
	do(func(tx *delta.Transaction) { tx.DeleteRows(onlyFile(s), rowSet(0)) })
	do(func(tx *delta.Transaction) { tx.SetTransaction("app", 7) })
	do(func(tx *delta.Transaction) { tx.SetConfiguration("delta.enableInCommitTimestamps", "true") })
	grow(t, store, 9)
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do(func(tx *delta.Transaction) { tx.Remove(slices.Collect(files(t, s))[3:6]...) })
	if _, err := table.Restore(t.Context(), 3, delta.RestoreOptions{WithoutGoneFiles: true}); err != nil {
		t.Fatal(err)
	}
	if s, err = table.Alter(t.Context(), delta.AddColumn{Column: "more", Type: delta.String}); err != nil {
		t.Fatal(err)
	}
	compareChecksums(t, store, s.Version())
}

// files yields the files of a snapshot.
func files(t *testing.T, s *delta.Snapshot) func(func(delta.Add) bool) {
	return func(yield func(delta.Add) bool) {
		for f, err := range s.Files() {
			if err != nil {
				t.Fatal(err)
			}
			if !yield(f) {
				return
			}
		}
	}
}

func TestProgressIsLeftOutOfAChecksumThatItWouldMakeLongOrDoubtful(t *testing.T) {
	for _, tt := range []struct {
		name     string
		apps     int
		property string
		want     int // -1: left out
	}{{"none", 0, "", 0}, {"some", 100, "", 100}, {"many", 101, "", -1}, {"that expires", 3, "interval 1 day", -1}} {
		t.Run(tt.name, func(t *testing.T) {
			m := delta.Metadata{Schema: plainTable.Schema, Configuration: map[string]string{}}
			if tt.property != "" {
				m.Configuration["delta.setTransactionRetentionDuration"] = tt.property
			}
			store := objstore.NewMemory()
			s, err := delta.Open(store).Create(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			tx := s.Begin(delta.Operation{Name: "TEST"})
			for i := range tt.apps {
				tx.SetTransaction(fmt.Sprint("app ", i), 1)
			}
			if _, err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			txns, there := readChecksum(t, store, 1)["setTransactions"].([]any)
			if there != (tt.want >= 0) || there && len(txns) != tt.want {
				t.Errorf("%d of them, there: %t; want %d", len(txns), there, tt.want)
			}
			isClean(t, store)
		})
	}
}

func TestAChecksumThatIsThereIsNotOverwritten(t *testing.T) {
	store := objstore.NewMemory()
	grow(t, store, 2)
	overwrite(t, store, checksumKey(3), "theirs")
	grow(t, store, 1)
	if text, err := objstore.ReadAll(t.Context(), store, checksumKey(3)); err != nil || string(text) != "theirs" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestACommitStandsWithoutItsChecksum(t *testing.T) {
	for _, how := range []storetest.How{storetest.Before, storetest.After} {
		for _, kill := range []bool{false, true} {
			store := objstore.NewMemory()
			grow(t, store, 2)
			faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, Key: ".crc", Nth: 1, How: how, Kill: kill})
			grow(t, faulty, 1)
			if got := readChecksum(t, store, 3); (got == nil) != (how == storetest.Before) || faulty.Fired() == 0 {
				t.Errorf("%v: the checksum is %v, %d faults", how, got, faulty.Fired())
			}
			grow(t, store, 1)
			isCleanLog(t, store, 4)
		}
	}
}

// isCleanLog wants a table's log, of files that need not exist, to be without damage up to its latest version.
func isCleanLog(t *testing.T, store objstore.Store, latest delta.Version) {
	t.Helper()
	s, err := delta.Open(store).Snapshot(t.Context())
	if err != nil || s.Version() != latest {
		t.Errorf("got %v, %v; want version %d", s, err, latest)
	}
	for f, err := range delta.Open(store).Check(t.Context(), delta.CheckOptions{Sample: -1}) {
		if err != nil || f.Kind != delta.MissingFile {
			t.Errorf("the check finds %v, %v", f, err)
		}
	}
}

func TestVacuumLeavesChecksumsAlone(t *testing.T) {
	store := objstore.NewMemory()
	grow(t, store, 3)
	before := logNames(t, store)
	own := func(n string) bool { return n == "_last_vacuum_info" }
	for _, lite := range []bool{false, true} {
		if _, err := delta.Open(store).Vacuum(context.Background(), delta.VacuumOptions{Retention: 1, ShortRetention: true, Lite: lite}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, slices.DeleteFunc(logNames(t, store), own)); diff != "" || !slices.ContainsFunc(before, func(n string) bool { return strings.HasSuffix(n, ".crc") }) {
		t.Errorf("the log (-before +after):\n%s", diff)
	}
}

func TestPlantedDamageOfAChecksumIsFound(t *testing.T) {
	for member, replaced := range map[string]string{
		`"txnId":"`:             `"txnId":"x`,
		`"tableSizeBytes":`:     `"tableSizeBytes":1`,
		`"numFiles":`:           `"numFiles":1`,
		`"numMetadata":1`:       `"numMetadata":2`,
		`"numProtocol":1`:       `"numProtocol":0`,
		`"setTransactions":[{`:  `"setTransactions":[{"appId":"other","version":1},{`,
		`"domainMetadata":[`:    `"domainMetadata":[{"domain":"d","configuration":"c","removed":false}`,
		`"id":"`:                `"id":"x`,
		`"minWriterVersion":2`:  `"minWriterVersion":3`,
		`{"txnId"`:              `{"numDeletedRecordsOpt":1,"txnId"`,
		`{"txnId":`:             `{"numDeletionVectorsOpt":1,"txnId":`,
		`{"txnId":"`:            `{"allFiles":[],"txnId":"`,
		`,"numFiles":12`:        `,"numFiles":"twelve"`,
		`"version":11,"lastUpd`: `"version":10,"lastUpd`,
	} {
		t.Run(replaced, func(t *testing.T) {
			store, s := peopleTable(t)
			replace(t, store, checksumKey(s.Version()), member, replaced)
			got := findings(t, store, delta.CheckOptions{Sample: -1})
			if len(got) != 1 || got[0].Kind != delta.FalseChecksum || got[0].Key != checksumKey(s.Version()) {
				t.Errorf("the check finds %v", got)
			}
		})
	}
}
