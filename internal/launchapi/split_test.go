package launchapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/rawjson"
)

func BenchmarkSplitPage(b *testing.B) {
	record := fmt.Sprintf(`{"id":"e3df2ecd-c239-472f-95e4-2b89b4f75800","name":"Sputnik","net":"1957-10-04T19:28:34Z","n":[%s1],"text":%q}`,
		strings.Repeat(`{"a":1.5,"b":null,"c":"short text","d":[true,false]},`, 40), strings.Repeat("some words of a description ", 60))
	body := []byte(`{"count":100,"next":null,"previous":null,"results":[` + strings.Repeat(record+",", 99) + record + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		page, err := splitPage(body, new(rawjson.Walker))
		if err != nil || len(page.results) != 100 {
			b.Fatal(len(page.results), err)
		}
	}
}

func FuzzSplitPage(f *testing.F) {
	for _, seed := range []string{
		`{"count":2,"next":"http://x/?offset=2","previous":null,"results":[{"id":"a"},{"id":"b","n":[1,[2]]}]}`,
		` { "results" : [ 1 , "a\"]\\" , null , -1.5e3 , [ ] , { } ] , "next" : null } `,
		`{"results":[],"results":[true],"count":"x"}`, `{"result\u0073":["\ud800"]}`, "{\"results\":[\"\xff\"]}",
		`{"results":{}}`, `[]`, `null`, `{"results":[`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > 10_000 {
			t.Skip("deeper than encoding/json reads")
		}
		before := bytes.Clone(body)
		page, err := splitPage(body, new(rawjson.Walker))
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		var oracle map[string]json.RawMessage
		var results []json.RawMessage
		isPage := json.Unmarshal(body, &oracle) == nil && json.Unmarshal(oracle["results"], &results) == nil && results != nil
		if err != nil {
			if isPage && !strings.Contains(err.Error(), "next is neither") {
				t.Fatalf("refused a page: %v", err)
			}
			return
		}
		if !isPage || len(results) != len(page.results) {
			t.Fatalf("%d results, encoding/json finds %d", len(page.results), len(results))
		}
		for i, r := range page.results {
			if !bytes.Equal(r, results[i]) {
				t.Fatalf("result %d is %q, encoding/json finds %q", i, r, results[i])
			}
			var key Key
			for name, value := range rawjson.Members(r) {
				key.take(name, value)
			}
			if diff := cmp.Diff(key, page.keys[i]); diff != "" {
				t.Fatalf("key of result %d (-its members +got):\n%s", i, diff)
			}
		}
	})
}
