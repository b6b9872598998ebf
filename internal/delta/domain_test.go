package delta_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

func domains(h *delta.Head) map[string]string {
	out := map[string]string{}
	for _, name := range h.Domains() {
		out[name], _ = h.Domain(name)
	}
	return out
}

func TestDomainsAreSetReplacedRemovedAndKept(t *testing.T) {
	for _, policy := range []string{"classic", "v2"} {
		t.Run(policy, func(t *testing.T) {
			store := objstore.NewMemory()
			s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: plainTable.Schema,
				Configuration: map[string]string{"delta.checkpointPolicy": policy, "delta.checkpointInterval": "3"}})
			if err != nil {
				t.Fatal(err)
			}
			commit := func(change func(tx *delta.Transaction)) {
				t.Helper()
				tx := s.Begin(delta.Operation{Name: "TEST"})
				change(tx)
				if s, err = tx.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			commit(func(tx *delta.Transaction) {
				tx.SetDomain("org.example.a", `{"x":"é"}`)
				tx.SetDomain("org.example.b", "")
			})
			commit(func(tx *delta.Transaction) { tx.SetDomain("org.example.b", "two") })
			commit(func(tx *delta.Transaction) {
				tx.RemoveDomain("org.example.a")
				tx.SetDomain("org.example.c", "three")
			})
			grow(t, store, 4) // a checkpoint, and commits behind it
			for v, want := range []map[string]string{
				{}, {"org.example.a": `{"x":"é"}`, "org.example.b": ""}, {"org.example.a": `{"x":"é"}`, "org.example.b": "two"},
				{"org.example.b": "two", "org.example.c": "three"}, 7: {"org.example.b": "two", "org.example.c": "three"},
			} {
				if want == nil {
					continue
				}
				at, err := delta.Open(store).SnapshotAt(t.Context(), delta.Version(v))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, domains(&at.Head)); diff != "" {
					t.Errorf("version %d (-want +got):\n%s", v, diff)
				}
			}
			text, err := objstore.ReadAll(t.Context(), store, "_delta_log/00000000000000000003.json")
			if err != nil || !strings.Contains(string(text), `{"domainMetadata":{"domain":"org.example.a","configuration":"{\"x\":\"é\"}","removed":true}}`) {
				t.Errorf("the tombstone does not tell what was there: %s, %v", text, err)
			}
			if p := s.Protocol(); p.MinWriterVersion != 7 || !slices.Contains(p.WriterFeatures, "domainMetadata") || policy == "classic" && p.MinReaderVersion != 1 {
				t.Errorf("the protocol is %+v", p)
			}
			isCleanLog(t, store, 7)
		})
	}
}

func TestDomainsThatAreNotTheCallersAreRefused(t *testing.T) {
	s := createEvents(t, objstore.NewMemory())
	for name, change := range map[string]func(tx *delta.Transaction){
		"set of a feature":    func(tx *delta.Transaction) { tx.SetDomain("delta.rowTracking", "{}") },
		"remove of a feature": func(tx *delta.Transaction) { tx.RemoveDomain("delta.clustering") },
		"no name":             func(tx *delta.Transaction) { tx.SetDomain("", "x") },
		"not there":           func(tx *delta.Transaction) { tx.RemoveDomain("org.example") },
	} {
		tx := s.Begin(delta.Operation{Name: "TEST"})
		change(tx)
		if after, err := tx.Commit(t.Context()); err == nil {
			t.Errorf("%s: got version %d", name, after.Version())
		}
	}
}

// TestDomainsOfFeaturesAreKeptAndTheirTablesAreNotWritten plays engines that keep row ids and clustering columns in domains of their own.
func TestDomainsOfFeaturesAreKeptAndTheirTablesAreNotWritten(t *testing.T) {
	for _, tt := range []struct {
		name, domain string
		features     string
		refused      string
	}{
		{"row tracking", "delta.rowTracking", `"domainMetadata","rowTracking"`, "rowTracking"},
		{"clustering", "delta.clustering", `"clustering","domainMetadata"`, "clustering"},
		{"liquid", "delta.liquid", `"domainMetadata","liquid"`, "liquid"},
		{"a feature that was dropped", "delta.rowTracking", `"domainMetadata"`, ""},
		{"another engine's", "com.example", `"domainMetadata"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := objstore.NewMemory()
			grow(t, store, 1)
			overwrite(t, store, "_delta_log/00000000000000000002.json", fmt.Sprintf(
				`{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":[%s]}}`+"\n"+
					`{"domainMetadata":{"domain":%q,"configuration":"{\"n\":1}","removed":false}}`, tt.features, tt.domain))
			s, err := delta.Open(store).Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tx := s.Begin(delta.Operation{Name: "WRITE"})
			tx.Add(delta.Add{Path: "more", Stats: &delta.Stats{NumRecords: 1}})
			after, err := tx.Commit(t.Context())
			if tt.refused != "" {
				var unsupported *delta.UnsupportedError
				if !errors.As(err, &unsupported) || !slices.Contains(unsupported.Features, tt.refused) {
					t.Errorf("got %v, want an UnsupportedError that names %s", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := after.Table().Checkpoint(t.Context(), after); err != nil {
				t.Fatal(err)
			}
			grow(t, store, 2)
			again, err := delta.Open(store).Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{tt.domain: `{"n":1}`}, domains(&again.Head)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			isCleanLog(t, store, 5)
		})
	}
}
