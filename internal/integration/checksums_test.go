package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"launchlake/internal/delta"
)

// TestSparkAndWeAgreeOnTheChecksumsOfVersions lets Spark hold our version checksums against the log, and us those that Spark writes on
// top of ours, each computed from the one before.
func TestSparkAndWeAgreeOnTheChecksumsOfVersions(t *testing.T) {
	kind := writtenKind{properties: map[string]string{
		"delta.enableDeletionVectors": "true", "delta.enableInCommitTimestamps": "true", "delta.checkpointInterval": "6",
	}}
	path := t.TempDir()
	kind.write(t, path)
	ours := setDomain(t, path)
	for v := ours; v >= 0; v -= 3 { // Spark takes seconds for each
		if err := sparkValidates(t, path, v); err != nil {
			t.Errorf("our checksum of version %d: %v", v, err)
		}
	}
	table := "delta.`" + path + "`"
	// Spark replays the log before and after each of its commits, and refuses what is not so.
	const verify = "spark.databricks.delta.incremental.commit.verify"
	spark(t).do(t, "sql", arguments{"text": "SET " + verify + " = true"}, nil)
	t.Cleanup(func() { spark(t).do(t, "sql", arguments{"text": "RESET " + verify}, nil) })
	for _, statement := range []string{
		"DELETE FROM " + table + " WHERE id % 11 = 2",
		"INSERT INTO " + table + " (id, name) VALUES (1001, 'spark'), (1002, NULL)",
		"UPDATE " + table + " SET name = 'updated' WHERE id % 13 = 1",
		"ALTER TABLE " + table + " SET TBLPROPERTIES ('some.property' = 'value')",
	} {
		spark(t).do(t, "sql", arguments{"text": statement}, nil)
	}
	appendOurs(t, path)
	latest := latestVersion(t, path)
	for v := range latest + 1 {
		if _, err := os.Stat(checksumPath(path, v)); err != nil {
			t.Errorf("version %d of %d, of which %d are ours: %v", v, latest, ours, err)
		}
	}
	if found := check(t, path); len(found) > 0 {
		t.Errorf("the check finds %v", found)
	}
	if head, err := openTable(t, path).Head(t.Context()); err != nil || len(head.Domains()) != 1 || head.Domains()[0] != ourDomain {
		t.Errorf("behind Spark's commits and its checkpoint there is %v, %v", head, err)
	}
	if err := sparkValidates(t, path, latest); err != nil {
		t.Errorf("our checksum behind Spark's: %v", err)
	}
	falsify(t, checksumPath(path, latest))
	if err := sparkValidates(t, path, latest); err == nil || !strings.Contains(err.Error(), "Number of files") {
		t.Errorf("Spark says of a false checksum: %v", err)
	}
	if found := check(t, path); len(found) != 1 || found[0].Kind != delta.FalseChecksum {
		t.Errorf("the check finds %v", found)
	}
}

func checksumPath(path string, v delta.Version) string {
	return filepath.Join(path, "_delta_log", fmt.Sprintf("%020d.crc", v))
}

const ourDomain = "org.example.launches"

// setDomain commits a metadata domain and the progress of an application.
func setDomain(t *testing.T, path string) delta.Version {
	t.Helper()
	s, err := openTable(t, path).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin(delta.Operation{Name: "TEST"})
	tx.SetDomain(ourDomain, `{"a":"b"}`)
	tx.SetTransaction("app", 1)
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Version()
}

// appendOurs commits a row of ours.
func appendOurs(t *testing.T, path string) {
	t.Helper()
	o := operation{kind: "append", path: path, columns: []string{"id", "name"}, rows: []map[string]any{{"id": int64(2001), "name": "ours"}}}
	if err := newOurPlayer(t).play(t, o); err != nil {
		t.Fatal(err)
	}
}

// sparkValidates lets Spark compare a version's checksum with the log.
func sparkValidates(t *testing.T, path string, v delta.Version) error {
	t.Helper()
	return spark(t).try("validate", arguments{"path": path, "version": v}, nil)
}

func falsify(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const member = `"numFiles":`
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), member, member+"1", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// check looks for damage in a table.
func check(t *testing.T, path string) (found []delta.Finding) {
	t.Helper()
	for f, err := range openTable(t, path).Check(t.Context(), delta.CheckOptions{Deep: true}) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, f)
	}
	return found
}
