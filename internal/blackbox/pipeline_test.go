package blackbox_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"launchlake/internal/lake"
	"launchlake/internal/launchapi/recorded"
)

func TestThePipelineRunsInItsImages(t *testing.T) {
	w := newWorld(t)
	for _, task := range []string{"ingest", "refine", "aggregate"} {
		if done := start(t, task, w).wait(t); done.code != 0 || done.result.Status != "done" {
			t.Fatalf("%s: exit code %d\n%s", task, done.code, done.output)
		}
	}
	for _, task := range []string{"ingest", "refine", "aggregate"} {
		if done := start(t, task, w).wait(t); done.code != 99 || done.result.Status != "nothing_new" {
			t.Errorf("%s again: exit code %d\n%s", task, done.code, done.output)
		}
	}
	want, err := recorded.Summarize(1)
	if err != nil {
		t.Fatal(err)
	}
	if rows := w.rows(t, "silver/launches"); rows != int64(want.Launches) {
		t.Errorf("silver/launches has %d rows, want %d", rows, want.Launches)
	}
	if rows := w.rows(t, "gold/provider_scorecard"); rows == 0 {
		t.Error("gold/provider_scorecard is empty")
	}
	done := start(t, "lake", w, "query", "select count(*) as launches from silver.launches").wait(t)
	if done.code != 0 || !strings.Contains(done.output, strconv.Itoa(want.Launches)) {
		t.Errorf("lake query: exit code %d\n%s", done.code, done.output)
	}
	if done := start(t, "lake", w, "doctor").wait(t); done.code != 0 {
		t.Errorf("lake doctor: exit code %d\n%s", done.code, done.output)
	}
}

// rows counts the rows of a table in MinIO, from this machine.
func (w *world) rows(t *testing.T, table string) int64 {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", accessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secretKey)
	t.Setenv("AWS_REGION", "us-east-1")
	l, err := lake.Open(t.Context(), lake.Config{URL: "s3://lake", S3Endpoint: w.endpoint, S3PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := l.Table(table).Snapshot(t.Context())
	if err != nil {
		t.Fatalf("read %s: %v", table, err)
	}
	rows, known := snapshot.NumRecords()
	if !known {
		t.Errorf("%s does not tell its rows", table)
	}
	return rows
}

func TestAnImageSaysWhyItCannotWork(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		task    string
		changes map[string]string
		code    int
		says    string
	}{
		"no lake":                {"ingest", map[string]string{"LAKE_URL": ""}, 2, "LAKE_URL"},
		"a number that is none":  {"ingest", map[string]string{"BATCH_PAGES": "many"}, 2, "BATCH_PAGES"},
		"a version that is none": {"refine", map[string]string{"BRONZE_VERSION": "-2"}, 2, "BRONZE_VERSION"},
		"no such server":         {"ingest", map[string]string{"S3_ENDPOINT": "http://nowhere:9000"}, 3, "nowhere"},
		"no such bucket":         {"refine", map[string]string{"LAKE_URL": "s3://another"}, 77, "another"},
		"a wrong key":            {"aggregate", map[string]string{"AWS_SECRET_ACCESS_KEY": "wrong-secret-key"}, 77, ""},
	} {
		t.Run(name, func(t *testing.T) {
			done := startWith(t, tt.task, w, tt.changes).wait(t)
			if done.code != tt.code || done.result.Error == "" || !strings.Contains(done.result.Error, tt.says) {
				t.Errorf("exit code %d, error %q; want %d and %q\n%s", done.code, done.result.Error, tt.code, tt.says, done.output)
			}
			if strings.Contains(done.output, secretKey) || strings.Contains(done.output, "wrong-secret-key") {
				t.Error("the output shows the secret key")
			}
		})
	}
}

func TestAStoppedTaskEndsInTimeAndGoesOnLater(t *testing.T) {
	w := newWorld(t)
	startWith(t, "launchapi", w, map[string]string{"DELAY": "2s", "THROTTLE": "0"})
	slow := map[string]string{"SOURCE_URL": "http://launchapi:8080/2.3.0", "BATCH_PAGES": "1"}
	ingest := startWith(t, "ingest", w, slow)
	time.Sleep(5 * time.Second) // some pages are in
	began, limit := time.Now(), 10*time.Second
	if err := ingest.container.Stop(t.Context(), &limit); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	done := ingest.wait(t)
	if done.code != 143 || done.result.Status != "interrupted" || took > 8500*time.Millisecond {
		t.Fatalf("exit code %d after %s, want 143 within 8 s\n%s", done.code, took, done.output)
	}
	t.Logf("stopped after %s", took.Round(10*time.Millisecond))
	for _, task := range []string{"ingest", "refine"} {
		if done := startWith(t, task, w, slow).wait(t); done.code != 0 {
			t.Fatalf("%s: exit code %d\n%s", task, done.code, done.output)
		}
	}
	want, err := recorded.Summarize(1)
	if err != nil {
		t.Fatal(err)
	}
	if rows := w.rows(t, "silver/launches"); rows != int64(want.Launches) {
		t.Errorf("silver/launches has %d rows, want %d", rows, want.Launches)
	}
}
