package delta_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// headText is what a head says.
func headText(h *delta.Head) map[string]any {
	domains := map[string]string{}
	for _, name := range h.Domains() {
		domains[name], _ = h.Domain(name)
	}
	m := h.Metadata()
	return map[string]any{
		"version": h.Version(), "time": h.Timestamp(), "progress": h.AppVersions(), "domains": domains, "protocol": h.Protocol(),
		"id": m.ID, "configuration": m.Configuration, "partition columns": m.PartitionColumns, "columns": len(m.Schema.Fields),
	}
}

func TestAHeadIsThatOfTheSnapshot(t *testing.T) {
	for name, make := range map[string]func(*testing.T, objstore.Store) *delta.Table{
		"commits only":       func(t *testing.T, s objstore.Store) *delta.Table { grow(t, s, 4); return delta.Open(s) },
		"classic checkpoint": func(t *testing.T, s objstore.Store) *delta.Table { grow(t, s, 12); return delta.Open(s) },
		"v2 checkpoint":      func(t *testing.T, s objstore.Store) *delta.Table { return v2Table(t, s, 5) },
	} {
		t.Run(name, func(t *testing.T) {
			store := objstore.NewMemory()
			make(t, store)
			head, err := delta.Open(store).Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want, err := delta.Open(store).Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(headText(&want.Head), headText(head)); diff != "" {
				t.Errorf("(-snapshot +head):\n%s", diff)
			}
			got, err := head.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asText(t, want), asText(t, got)); diff != "" {
				t.Errorf("completed (-snapshot +head's):\n%s", diff)
			}
			at, err := delta.Open(store).HeadAt(t.Context(), 2)
			if err != nil || at.Version() != 2 {
				t.Errorf("head of version 2: %v, %v", at, err)
			}
		})
	}
}

// TestAHeadCostsTheSameHoweverManyFilesThereAre holds the number of requests by which a run finds that there is nothing to do.
func TestAHeadCostsTheSameHoweverManyFilesThereAre(t *testing.T) {
	memory := objstore.NewMemory()
	grow(t, memory, 203)
	read := func(want map[string]int) {
		t.Helper()
		store := &watched{Store: memory}
		head, err := delta.Open(store).Head(t.Context())
		if err != nil || head.Version() != 203 {
			t.Fatalf("%v, %v", head, err)
		}
		if asked, listed := store.since(); cmp.Diff(want, asked) != "" || listed > 10 {
			t.Errorf("a head is read by listing %d names and (-want +got):\n%s", listed, cmp.Diff(want, asked))
		}
	}
	read(map[string]int{"get hint": 1, "list": 1, "get checksum": 1, "get commit": 1})
	// Without a checksum, as other writers leave it, the log is read.
	if err := memory.Delete(t.Context(), "_delta_log/00000000000000000203.crc"); err != nil {
		t.Fatal(err)
	}
	read(map[string]int{"get hint": 1, "list": 1, "get checkpoint": 1, "get commit": 3})
}

func TestAHeadBelievesNoChecksumOfAnotherCommit(t *testing.T) {
	store := objstore.NewMemory()
	grow(t, store, 3)
	want, err := delta.Open(store).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const key = "_delta_log/00000000000000000003.crc"
	for _, text := range []string{
		`{"txnId":"another","tableSizeBytes":0,"numFiles":0,"numMetadata":1,"numProtocol":1,"setTransactions":[{"appId":"x","version":1}],"domainMetadata":[],` +
			`"metadata":{"id":"y","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{}},` +
			`"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`,
		`{"txnId":"another"}`, `{`, ``,
	} {
		if err := store.Put(t.Context(), key, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		got, err := delta.Open(store).Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(headText(want), headText(got)); diff != "" {
			t.Errorf("with checksum %.30q (-want +got):\n%s", text, diff)
		}
	}
}
