package launchapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
)

func TestResultsAreTheExactBytesServed(t *testing.T) {
	odd := []string{
		"{\"id\":\"not UTF-8: \xff\xfe\xc3\",\"name\":\"\x80\"}",
		`{"id":"escapes","text":"\ud800 \u0041 \/ \" \\"}`,
		`{"id":"duplicate names","a":1,"a":2,"id":"b"}`,
		`{ "id" : "spaces" ,` + "\n\t\r " + `"n" : [ 1 , 2 ] }`,
		`{"id":"numbers","a":1.0,"b":1e400,"c":-0,"d":12345678901234567890}`,
		`{"id":"deep","n":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
		`{"id":"long","text":"` + strings.Repeat("é\\\\", 1<<18) + `"}`,
		`{"id":"separators","text":"` + "\u2028\u2029<>&" + `"}`,
		`{}`, `42`, `-0.0`, `"a string, with ] and } and \""`, `null`, `true`, `[]`, `[{"id":"nested"}]`,
	}
	records := make([]json.RawMessage, len(odd))
	for i, text := range odd {
		records[i] = json.RawMessage(text)
	}
	for _, version := range []string{"2.3.0", "2.2.0"} {
		for _, gzip := range []bool{false, true} {
			t.Run(fmt.Sprint(version, " gzip ", gzip), func(t *testing.T) {
				server := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{records}, Gzip: gzip})
				got := read(t, client(t, server.VersionURL(version), launchapi.Options{}), launchapi.Query{})
				if diff := cmp.Diff(odd, got.results()); diff != "" || got.err != nil {
					t.Errorf("results (-want +got):\n%s\nerror: %v", diff, got.err)
				}
			})
		}
	}
}

func TestRealPagesAreCutIntoTheirBytes(t *testing.T) {
	tests := []struct {
		file, version string
		results       int
	}{
		{"v230_launches_normal_limit2_oldest.json", "2.3.0", 2},
		{"v220_upcoming_detailed_limit10_20260720.json", "2.2.0", 10},
		{"v220_upcoming_list_limit10_20260720.json", "2.2.0", 10},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			body := reference(t, "data", "ll2", test.file)
			server := serve(t, nil)
			// The real link leads to the real server; the page is read as the last.
			lone := withoutNext(t, body)
			server.FailAlways(launchapitest.Answer(200, "application/json", string(lone)))
			got := read(t, client(t, server.VersionURL(test.version), launchapi.Options{}), launchapi.Query{})
			if got.err != nil || len(got.results()) != test.results {
				t.Fatalf("%d results, error %v; want %d", len(got.results()), got.err, test.results)
			}
			var oracle struct {
				Count   int
				Results []json.RawMessage
			}
			if err := json.Unmarshal(body, &oracle); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(texts(oracle.Results), got.results()); diff != "" || got.pages[0].Total != oracle.Count {
				t.Errorf("total %d of %d, results (-want +got):\n%s", got.pages[0].Total, oracle.Count, diff)
			}
			rest := body
			for i, r := range got.pages[0].Results {
				at := bytes.Index(rest, r)
				if at < 0 || strings.TrimLeft(string(rest[at+len(r):]), " \n\r\t")[0] != ",]"[min(1, i/(test.results-1))] {
					t.Fatalf("result %d is no whole slice of the file", i)
				}
				rest = rest[at+len(r):]
			}
		})
	}
}

func TestRealRecordsPassThroughServerAndClient(t *testing.T) {
	var page struct{ Results []json.RawMessage }
	if err := json.Unmarshal(reference(t, "data", "ll2", "v220_upcoming_detailed_limit10_20260720.json"), &page); err != nil {
		t.Fatal(err)
	}
	server := serve(t, page.Results)
	got := read(t, client(t, server.VersionURL("2.2.0"), launchapi.Options{}), launchapi.Query{Limit: 4})
	want := map[string]bool{}
	for _, r := range page.Results {
		want[string(r)] = true
	}
	have := map[string]bool{}
	for _, r := range got.results() {
		have[r] = true
	}
	if diff := cmp.Diff(want, have); diff != "" || got.err != nil || len(got.results()) != len(page.Results) {
		t.Errorf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
	}
}

// withoutNext replaces the link's bytes and nothing else.
func withoutNext(t *testing.T, body []byte) []byte {
	t.Helper()
	var link struct{ Next json.RawMessage }
	if err := json.Unmarshal(body, &link); err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(body, link.Next, []byte("null"), 1)
}

// reference reads a public file that lies beside the checkout; without it the test is skipped.
func reference(t *testing.T, path ...string) []byte {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(root, "go.mod")) {
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	file := filepath.Join(append([]string{root, "..", "shared"}, path...)...)
	body, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		t.Skipf("the reference file %s is not beside the checkout", filepath.Join(path...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
