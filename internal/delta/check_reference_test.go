package delta

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/objstore"
)

// knownDamage is what is truly wrong with tables of the reference set.
var knownDamage = map[string][]FindingKind{
	"issue_1374":                                     {FalseStatistics},
	"corrupted-last-checkpoint-kernel":               {FalseHint},
	"log_incomplete_multipart":                       {FalseHint},
	"log_last_checkpoint_bad":                        {FalseHint},
	"err_dv_checksum":                                {BrokenFile},
	"err_dv_missing":                                 {MissingFile},
	"err_missing_data_file":                          {MissingFile},
	"delete-re-add-same-file-different-transactions": {MissingFile, MissingFile},                          // a log without data
	"compacted-log-files-table":                      {FalseCompaction, FalseCompaction, FalseCompaction}, // commits put one behind the other
}

func TestTablesOfOtherWritersHaveNoFindingsButTheirOwnDamage(t *testing.T) {
	archives, _ := filepath.Glob(filepath.Join(sharedFolder(t), "delta-tables", "*", "*.tar.gz"))
	if len(archives) == 0 {
		t.Skip("the reference tables (../shared/delta-tables) are not there")
	}
	checked := 0
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".tar.gz")
		t.Run(name, func(t *testing.T) {
			c, store := unpackReference(t, archive)
			var got []FindingKind
			for f, err := range Open(store).Check(t.Context(), CheckOptions{Deep: true}) {
				var unsupported *UnsupportedError
				if errors.As(err, &unsupported) {
					t.Skip(err)
				}
				if err != nil && !c.broken() {
					t.Fatal(err)
				}
				t.Log(f)
				got = append(got, f.Kind)
			}
			if c.broken() && len(got) == 0 {
				t.Error("the table is broken, and nothing was found")
			}
			if diff := cmp.Diff(knownDamage[name], got); diff != "" && !c.broken() {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			checked++
		})
	}
	t.Logf("%d tables checked", checked)
}

func TestAVacuumOfTablesOfOtherWritersLeavesThemWhole(t *testing.T) {
	archives, _ := filepath.Glob(filepath.Join(sharedFolder(t), "delta-tables", "*", "*.tar.gz"))
	if len(archives) == 0 {
		t.Skip("the reference tables (../shared/delta-tables) are not there")
	}
	vacuumed, files := 0, 0
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".tar.gz")
		t.Run(name, func(t *testing.T) {
			_, store := unpackReference(t, archive)
			table := OpenWith(store, Options{Now: func() time.Time { return time.Now().Add(24 * time.Hour) }})
			before := checked(t, table)
			if before == nil || slices.Contains(before, string(UnreadableVersion)) {
				t.Skip("it cannot be read")
			}
			done, err := table.Vacuum(t.Context(), VacuumOptions{Retention: time.Nanosecond, ShortRetention: true})
			var unsupported *UnsupportedError
			if errors.As(err, &unsupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			vacuumed++
			files += done.Files
			if diff := cmp.Diff(before, checked(t, table)); diff != "" {
				t.Errorf("findings (-before +after):\n%s", diff)
			}
			again, err := table.Vacuum(t.Context(), VacuumOptions{Retention: time.Nanosecond, ShortRetention: true})
			if err != nil || again.Files != 0 {
				t.Errorf("a second vacuum deletes %d files, %v", again.Files, err)
			}
		})
	}
	t.Logf("%d tables vacuumed, %d files deleted", vacuumed, files)
}

// checked lists the findings of a table; nil when it cannot be checked.
func checked(t *testing.T, table *Table) []string {
	found := []string{}
	for f, err := range table.Check(t.Context(), CheckOptions{Deep: true}) {
		if err != nil {
			return nil
		}
		found = append(found, string(f.Kind), f.Key)
	}
	return found
}

func TestALogCleanUpOfTablesOfOtherWritersLeavesThemAsTheyAre(t *testing.T) {
	archives, _ := filepath.Glob(filepath.Join(sharedFolder(t), "delta-tables", "*", "*.tar.gz"))
	if len(archives) == 0 {
		t.Skip("the reference tables (../shared/delta-tables) are not there")
	}
	cleaned, files := 0, 0
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".tar.gz")
		t.Run(name, func(t *testing.T) {
			_, store := unpackReference(t, archive)
			table := OpenWith(store, Options{Now: func() time.Time { return time.Now().Add(100 * 365 * 24 * time.Hour) }})
			before, err := table.Snapshot(t.Context())
			if err != nil {
				t.Skip(err)
			}
			lone := sidecarPrefix + "00000000-0000-0000-0000-000000000000.parquet"
			if err := store.Put(t.Context(), lone, strings.NewReader("left by a writer that died")); err != nil {
				t.Fatal(err)
			}
			done, err := table.CleanLog(t.Context(), CleanLogOptions{})
			var unsupported *UnsupportedError
			if errors.As(err, &unsupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			cleaned++
			files += done.Files
			after, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(describeState(t, before), describeState(t, after), cmp.Comparer(sameFloat)); diff != "" {
				t.Errorf("state (-before +after):\n%s", diff)
			}
			if _, err := objstore.ReadAll(t.Context(), store, lone); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a sidecar that no checkpoint names is left, %v", err)
			}
			if again, err := table.CleanLog(t.Context(), CleanLogOptions{}); err != nil || again.Files != 0 {
				t.Errorf("a second clean-up deletes %d files, %v", again.Files, err)
			}
		})
	}
	t.Logf("%d logs cleaned, %d files deleted", cleaned, files)
}
