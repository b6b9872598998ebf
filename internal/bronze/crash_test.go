package bronze_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/launchapi"
	"launchlake/internal/objstore"
)

// The variables that make this test's binary a process that ingests once.
const (
	childFolder = "BRONZE_TEST_FOLDER"
	childAPI    = "BRONZE_TEST_API"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		os.Exit(ingestAsChild(folder, os.Getenv(childAPI)))
	}
	os.Exit(m.Run())
}

func ingestAsChild(folder, address string) int {
	store, err := objstore.NewDir(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	client, err := launchapi.New(address, launchapi.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	source := &api{client: client, limit: 20}
	if _, err := bronze.Ingest(context.Background(), source, delta.Open(store), bronze.Options{BatchPages: 2}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestProcessKilledAtAnyInstantIsMadeGoodByTheNext(t *testing.T) {
	if testing.Short() {
		t.Skip("kills dozens of processes")
	}
	records := launches(0, 600)
	api := startAPI(t, apiOptions{}, records...)
	whole := timeOfChild(t, t.TempDir(), api.URL())
	random := rand.New(rand.NewPCG(1, 2))
	folder := t.TempDir()
	for kills := 0; kills < 15; {
		if !runChild(t, folder, api.URL(), 1+time.Duration(random.Int64N(int64(whole)))) {
			kills++
			checkNothingTwice(t, folderTable(t, folder))
			continue
		}
		// It was faster than its killer: the next has less time, and all to do.
		checkRecords(t, folderTable(t, folder), records)
		folder, whole = t.TempDir(), max(whole/2, time.Millisecond)
	}
	if !runChild(t, folder, api.URL(), forAsLongAsItTakes) {
		t.Fatal("the last process did not end")
	}
	checkRecords(t, folderTable(t, folder), records)
}

// forAsLongAsItTakes is for a process that nobody kills.
const forAsLongAsItTakes = time.Hour

func timeOfChild(t *testing.T, folder, address string) time.Duration {
	t.Helper()
	start := time.Now()
	if !runChild(t, folder, address, forAsLongAsItTakes) {
		t.Fatal("a process that nobody killed did not end")
	}
	return time.Since(start)
}

// runChild runs a process that ingests, kills it after a while, and reports whether it had ended by itself.
func runChild(t *testing.T, folder, address string, limit time.Duration) bool {
	t.Helper()
	var stderr bytes.Buffer
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+folder, childAPI+"="+address)
	child.Stderr = &stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killer := time.AfterFunc(limit, func() { _ = child.Process.Kill() })
	err := child.Wait()
	if !killer.Stop() {
		return err == nil
	}
	if err != nil {
		t.Fatalf("the process failed by itself: %v\n%s", err, stderr.String())
	}
	return true
}

func folderTable(t *testing.T, folder string) *delta.Table {
	t.Helper()
	store, err := objstore.NewDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return delta.Open(store)
}
