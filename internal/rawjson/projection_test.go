package rawjson_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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

// Objects come again in other texts and places, whole, cut off, or with other ends.
func TestAFinderThatHasSeenTextsFindsWhatANewOneFinds(t *testing.T) {
	paths := [][]rawjson.Step{{{Key: "a"}, {Key: "b"}}, {{Key: "a"}, {Key: "c"}, {Key: "d"}}, {{Key: "e"}, {Key: "a"}, {Key: "b"}}, {{Key: "e"}}, {{Key: "a"}, {Key: "c"}}}
	long := strings.Repeat("so that objects begin with the same bytes ", 3)
	objects := []string{
		`{"x":"` + long + `","b":1,"c":{"d":[2,"` + long + `"]}}`, `{"x":"` + long + `","b":1,"c":{"d":[2,"` + long + `"]}, "b":3}`, `{"x":"` + long + `","c":{"d":null,"x":"` + long + `"}}`,
		`{"b":{"x":"` + long + `"}}`, `{"b":"` + strings.Repeat("long", 2000) + `"}`, `{}`, `[1,{"b":1}]`, `null`, `{"x":"` + long + `","b":1,"c":{"d":[2,"` + long + `"]}`, `{"x":"` + long + `","b":tru}`,
	}
	random := rand.New(rand.NewPCG(1, 2))
	any := func() string { return objects[random.IntN(len(objects))] }
	finder := rawjson.NewProjection(paths).Finder()
	for n := range 5000 {
		text := fmt.Sprintf(`{"n":%d,"a":%s,"e":{"a":%s,"y":%d},"a":%s}`, n, any(), any(), n%3, any())
		found, ok := finder.Find([]byte(text))
		want, wantOK := rawjson.NewProjection(paths).Finder().Find([]byte(text))
		if ok != wantOK {
			t.Fatalf("%s: %v, a new finder says %v", text, ok, wantOK)
		}
		for i := range want {
			if !bytes.Equal(found[i], want[i]) || (found[i] == nil) != (want[i] == nil) {
				t.Fatalf("%s, path %v: found %q, a new finder %q", text, paths[i], found[i], want[i])
			}
		}
	}
}

func TestManyKeysAreFoundLikeFew(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 1000} {
		var paths [][]rawjson.Step
		text := []byte(`{"none":0`)
		for i := range n {
			paths = append(paths, []rawjson.Step{{Key: fmt.Sprint("key", i)}}, []rawjson.Step{{Key: fmt.Sprint("key", i)}, {Key: "within"}})
			text = fmt.Appendf(text, `,"key%d":{"within":%[1]d},"kez%[1]d":1`, i)
		}
		text = append(text, '}')
		found, ok := rawjson.NewProjection(paths).Finder().Find(text)
		if !ok {
			t.Fatalf("%d keys: the text is not found valid", n)
		}
		for i, path := range paths {
			if want := lookup(text, path); !bytes.Equal(found[i], want) {
				t.Fatalf("%d keys: %v is %s, want %s", n, path, found[i], want)
			}
		}
	}
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
	text := []byte(`{"id":"00000000","name":"` + strings.Repeat("a name ", 10) + `","unknown":[` + strings.Repeat(`{"url":"https://example.org/some/where","id":12,"flag":true},`, 50) + `null],"a":{"b":12.5,"c":{"d":[1,2,3]}},"list":[{"b":1},2,3]}`)
	finder := rawjson.NewProjection(projected).Finder()
	b.SetBytes(int64(len(text)))
	for n := uint32(0); b.Loop(); n++ {
		copy(text[len(`{"id":"`):], fmt.Sprintf("%08x", n*2654435761)) // no text is there twice, nor are its objects
		if _, ok := finder.Find(text); !ok {
			b.Fatal("not found")
		}
	}
}
