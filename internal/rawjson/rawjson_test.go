package rawjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/rawjson"
)

func TestMembersAreSlicesOfTheText(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"members in order, twice if twice", `{"b":1,"a":[1,{"c":"}"}],"b":null}`, []string{`b=1`, `a=[1,{"c":"}"}]`, `b=null`}},
		{"spaces", " {\n\"a\" :\t-1.5e3 , \"b\":\r\"x\" } ", []string{`a=-1.5e3`, `b="x"`}},
		{"escaped names", `{"\u0061\"":true}`, []string{`a"=true`}},
		{"quotes and backslashes", `{"a":"\\\" }","b":"\\"}`, []string{`a="\\\" }"`, `b="\\"`}},
		{"no UTF-8", "{\"\xff\":\"\xfe\"}", []string{"\xff=\"\xfe\""}},
		{"an empty object", `{}`, nil},
		{"an array", `[{"a":1}]`, nil},
		{"a scalar", `1`, nil},
		{"nothing", ``, nil},
		{"cut off", `{"a":1,"b"`, []string{`a=1`}},
		{"no value", `{"a":`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for name, value := range rawjson.Members([]byte(test.text)) {
				got = append(got, string(name)+"="+string(value))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
		})
	}
}

func TestElementsAreSlicesOfTheText(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"elements in order", ` [1,"a]", null ,{"b":[]},[[]]] `, []string{`1`, `"a]"`, `null`, `{"b":[]}`, `[[]]`}},
		{"an empty array", `[ ]`, nil},
		{"an object", `{"a":[1]}`, nil},
		{"nothing", ``, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for e := range rawjson.Elements([]byte(test.text)) {
				got = append(got, string(e))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("elements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnElementCannotGrowIntoTheNext(t *testing.T) {
	text := []byte(`[1,2]`)
	for e := range rawjson.Elements(text) {
		_ = append(e, 'x')
	}
	if string(text) != `[1,2]` {
		t.Errorf("the text became %s", text)
	}
}

func TestNestingOfAnyDepthIsValid(t *testing.T) {
	const depth = 1_000_000
	text := strings.Repeat(`[{"a":`, depth) + `1` + strings.Repeat(`}]`, depth)
	if at, ok := rawjson.Valid([]byte(text)); !ok {
		t.Errorf("refused at byte %d of %d", at, len(text))
	}
	if at, ok := rawjson.Valid([]byte(text[:len(text)-1])); ok || at != len(text)-1 {
		t.Errorf("cut off: byte %d of %d, %v", at, len(text), ok)
	}
}

func TestWhereTextGoesWrong(t *testing.T) {
	tests := []struct {
		text string
		at   int
	}{
		{``, 0}, {` `, 1}, {`<p>`, 0}, {`{"a":1,}`, 7}, {`{"a" 1}`, 5}, {`{a:1}`, 1}, {`[1 2]`, 3}, {`[1}`, 2}, {`1 2`, 2},
		{`nul`, 3}, {`nulk`, 3}, {`01`, 1}, {`-`, 1}, {`1.`, 2}, {`1e+`, 3}, {`"a`, 2}, {"\"a\n\"", 2}, {`"\x"`, 2}, {`"\u00g0"`, 5}, {`[`, 1}, {`]`, 0},
	}
	for _, test := range tests {
		if at, ok := rawjson.Valid([]byte(test.text)); ok || at != test.at {
			t.Errorf("%q: byte %d, %v; want byte %d", test.text, at, ok, test.at)
		}
	}
}

var seeds = []string{
	``, `{}`, `[]`, `null`, `-0.5E+3`, `"\u00e9\ud800\/"`, `{"a":[1,{"b":"}\\"}],"a":tRue}`, `[1,2,`, "\"\xff\x00\"", "\"\x7f\xff\"",
	` { "a" : [ ] , "b" : { } } `, `[[[[]]],{}]`, `{"a":1,"a":2}`, `[0,-0,0.0,1e5,12]`, `{"a"}`, `{"a":}`, `[,]`, `tru`, `1.e1`,
}

func FuzzValidAgreesWithEncodingJSON(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > 10_000 {
			t.Skip("deeper than encoding/json reads")
		}
		at, ok := rawjson.Valid(text)
		if ok != json.Valid(text) {
			t.Fatalf("valid: %v at byte %d; encoding/json says %v", ok, at, !ok)
		}
	})
}

func TestStringsOfAnyLengthEndAtTheirQuote(t *testing.T) {
	for length := range 40 {
		for place := range length {
			for _, odd := range []string{`\"`, `\\`, `\u00e9`, "\x1f", "\x00", `"`, "\x7f", "\xff", " ", "!", "#", "[", "]"} {
				filler := strings.Repeat("\xc2\xa2 ]#[!", length)
				text := []byte(`"` + filler[:place] + odd + filler[:length-place] + `"`)
				if _, ok := rawjson.Valid(text); ok != json.Valid(text) {
					t.Errorf("%q: %v, encoding/json says %v", text, ok, !ok)
				}
			}
		}
	}
}

func TestWalkVisitsTheOutermostLevels(t *testing.T) {
	const text = ` {"a":[1,{"b":{"c":null},"\u0062":2}, [ ] ], "d" : "x"} `
	want := []string{
		"2  1", `3 b {"c":null}`, "3 b 2", `2  {"b":{"c":null},"\u0062":2}`, "2  [ ]",
		`1 a [1,{"b":{"c":null},"\u0062":2}, [ ] ]`, `1 d "x"`,
		`0  {"a":[1,{"b":{"c":null},"\u0062":2}, [ ] ], "d" : "x"}`,
	}
	for levels := range 6 {
		var got, wanted []string
		at, ok := rawjson.Walk([]byte(text), levels, func(level int, name, value []byte) {
			got = append(got, fmt.Sprintf("%d %s %s", level, name, value))
		})
		if !ok || at != len(text) {
			t.Errorf("refused at byte %d", at)
		}
		for _, visit := range want {
			if int(visit[0]-'0') < levels {
				wanted = append(wanted, visit)
			}
		}
		if levels > 4 {
			wanted = slices.Insert(wanted, 1, "4 c null")
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%d levels (-want +got):\n%s", levels, diff)
		}
	}
}

// Objects come again in other texts and places, whole, cut off, or with other ends.
func TestAWalkerThatHasSeenTextsVisitsWhatANewOneVisits(t *testing.T) {
	long := strings.Repeat("so that objects begin with the same bytes ", 3)
	objects := []string{
		`{"x":"` + long + `","b":1}`, `{"x":"` + long + `","b":1 }`, `{"x":"` + long + `","b":1`, `{"x":"` + long + `","b":tru}`, `{"x":"` + long + `","b":{}}`,
		`{"inner":{"x":"` + long + `","b":1},"y":[{"x":"` + long + `"},"` + long + `"]}`, `{"b":"` + strings.Repeat("long", 2000) + `"}`, `{}`, `{"x":1}`, `null`, `[]`,
	}
	random := rand.New(rand.NewPCG(1, 2))
	anyOf := func() string { return objects[random.IntN(len(objects))] }
	for levels := range 5 {
		var walker rawjson.Walker
		for n := range 3000 {
			text := []byte(fmt.Sprintf(`{"n":%d,"a":%s,"e":[{"a":%s,"y":{"z":%s}}, %s]}`, n, anyOf(), anyOf(), anyOf(), anyOf()))
			var got, want []string
			visitor := func(to *[]string) func(int, []byte, []byte) {
				return func(level int, name, value []byte) { *to = append(*to, fmt.Sprintf("%d %s %s", level, name, value)) }
			}
			at, ok := walker.Walk(text, levels, visitor(&got))
			wantAt, wantOK := rawjson.Walk(text, levels, visitor(&want))
			if at != wantAt || ok != wantOK || !slices.Equal(got, want) {
				t.Fatalf("%d levels of %s: byte %d %v\n%q\na new one says byte %d %v\n%q", levels, text, at, ok, got, wantAt, wantOK, want)
			}
		}
	}
}

func FuzzPiecesAreThoseOfEncodingJSON(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		members := map[string]string{}
		for name, value := range rawjson.Members(text) {
			members[string(name)] = string(value)
			rawjson.Text(value)
			rawjson.Kind(value)
		}
		var elements [][]byte
		for e := range rawjson.Elements(text) {
			elements = append(elements, e)
		}
		if _, ok := rawjson.Valid(text); ok {
			walked := map[string]string{}
			var cut [][]byte
			rawjson.Walk(text, 2, func(level int, name, value []byte) {
				switch {
				case level == 1 && name != nil:
					walked[string(name)] = string(value)
				case level == 1:
					cut = append(cut, value)
				}
			})
			if diff := cmp.Diff(members, walked); diff != "" {
				t.Fatalf("Walk's members (-Members +Walk):\n%s", diff)
			}
			if diff := cmp.Diff(elements, cut); diff != "" {
				t.Fatalf("Walk's elements (-Elements +Walk):\n%s", diff)
			}
		}
		var array []json.RawMessage
		if json.Unmarshal(text, &array) == nil && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("[")) {
			if fmt.Sprintf("%q", array) != fmt.Sprintf("%q", elements) {
				t.Fatalf("elements %q, encoding/json finds %q", elements, array)
			}
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) == nil && object != nil && !bytes.ContainsAny(text, "\x80\xff\\") {
			for name, value := range object {
				if got, ok := members[name]; strings.ToValidUTF8(name, "") == name && (!ok || got != string(value)) && !strings.Contains(name, "\uFFFD") {
					t.Fatalf("member %q is %q, encoding/json finds %q", name, got, value)
				}
			}
		}
	})
}

func BenchmarkValid(b *testing.B) {
	text := []byte("[" + strings.Repeat(`{"id":"e3df2ecd-c239-472f-95e4-2b89b4f75800","n":[1,2.5,true,null],"text":"some words of a description"},`, 4000) + "1]")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, ok := rawjson.Valid(text); !ok {
			b.Fatal("not valid")
		}
	}
}
