package rawjson_test

import (
	"bytes"
	"strings"
	"testing"

	"launchlake/internal/rawjson"
)

var projected = [][]rawjson.Step{
	{{Key: "a"}}, {{Key: "a"}, {Key: "b"}}, {{Key: "a"}, {Index: 1}}, {{Key: "list"}, {Index: 0}, {Key: "b"}}, {{Key: "list"}, {Index: 2}}, {{Index: 1}, {Index: 0}},
}

// lookup finds the value of a path by the package's iterators.
func lookup(text []byte, path []rawjson.Step) []byte {
	for _, step := range path {
		var found []byte
		if step.Key != "" {
			for name, value := range rawjson.Members(text) {
				if found == nil && string(name) == step.Key {
					found = value
				}
			}
		} else {
			n := 0
			for element := range rawjson.Elements(text) {
				if n == step.Index {
					found = element
				}
				n++
			}
		}
		if found == nil {
			return nil
		}
		text = found
	}
	return text
}

func FuzzFind(f *testing.F) {
	for _, text := range []string{
		`{"a":{"b":1,"b":2},"list":[{"b":null},2,[3]],"a":3}`, ` { "a" : [ 1 , { "b" : 2 } ] } `, `[0,[1,2]]`, `{"\u0061":"escaped","list":{"0":1}}`, `{"x":{"a":1},"a":"\ud83d\ude00 \" \\ \/"}`,
		`{"a":1.5e-3,"list":[]}`, `{"a":1}}`, `{"a":1,}`, `[1 2]`, `{"a"}`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":tru}`, `"a`, `"\`, `"\u12`, `{"a":"\ud800"}`, `{"a":"` + strings.Repeat("x", 50) + "\n\"}", "", " ",
		`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,"list":[[[{"a":{}}]]]}`, `[[]]]`, `[}`, `{]`, "\x00", `nul`, `{"a":"` + strings.Repeat("é", 20) + `"}`,
	} {
		f.Add([]byte(text))
	}
	finder := rawjson.NewProjection(projected).Finder()
	f.Fuzz(func(t *testing.T, text []byte) {
		_, valid := rawjson.Valid(text)
		found, ok := finder.Find(text)
		if ok != valid && (ok || !bytes.Contains(bytes.ToLower(text), []byte(`\ud`))) {
			t.Fatalf("%q: found %v, valid %v", text, ok, valid)
		}
		if !ok {
			return
		}
		for i, path := range projected {
			if want := lookup(text, path); !bytes.Equal(bytes.TrimSpace(found[i]), bytes.TrimSpace(want)) || (found[i] == nil) != (want == nil) {
				t.Errorf("%q, path %v: found %q, want %q", text, path, found[i], want)
			}
		}
	})
}

func TestHalvesOfSurrogatesDoNotStandAlone(t *testing.T) {
	finder := rawjson.NewProjection(nil).Finder()
	for text, want := range map[string]bool{
		`"\ud83d\ude00"`: true, `"\uD83D\uDE00"`: true, `"\ud7ff\ue000"`: true,
		`"\ud83d"`: false, `"\ude00"`: false, `"\ud83d\ud83d"`: false, `"\ud83dx"`: false, `"\ud83d\n"`: false, `"\ud83d\u0041"`: false,
	} {
		if _, ok := finder.Find([]byte(text)); ok != want {
			t.Errorf("%s: %v", text, ok)
		}
	}
}

func TestTextsAreUnescaped(t *testing.T) {
	for text, want := range map[string]string{
		`""`: "", `"a"`: "a", `"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t", `"\u0041\u00e9\ud83d\ude00\u0000"`: "Aé😀\x00", `"é😀"`: "é😀",
	} {
		if got := rawjson.AppendText(nil, []byte(text)); string(got) != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	text := []byte(`{"id":"0b","name":"` + strings.Repeat("a name ", 10) + `","unknown":[` + strings.Repeat(`{"url":"https://example.org/some/where","id":12,"flag":true},`, 50) + `null],"a":{"b":12.5,"c":{"d":[1,2,3]}},"list":[{"b":1},2,3]}`)
	finder := rawjson.NewProjection(projected).Finder()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, ok := finder.Find(text); !ok {
			b.Fatal("not found")
		}
	}
}
