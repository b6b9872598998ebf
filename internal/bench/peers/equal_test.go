package main

import "testing"

func contentOf(t *testing.T, lines ...string) content {
	t.Helper()
	var c content
	for _, line := range lines {
		row, err := canonical([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		c.add(row)
	}
	return c
}

func TestContentsAreEqualWhateverTheOrderOfRowsAndTheSpellingOfNumbers(t *testing.T) {
	want := contentOf(t, `{"id":"a","rate":0.1,"n":[1]}`, `{"id":"b","rate":3,"n":null}`, `{"id":"b","rate":3,"n":null}`)
	for _, c := range []struct {
		name  string
		got   content
		equal bool
	}{
		{"another order", contentOf(t, `{"id":"b","rate":3,"n":null}`, `{"id":"a","rate":0.1,"n":[1]}`, `{"id":"b","rate":3,"n":null}`), true},
		{"a float's spelling", contentOf(t, `{"rate":0.10000000000000002,"id":"a","n":[1]}`, `{"id":"b","rate":3.0,"n":null}`, `{"id":"b","rate":3,"n":null}`), true},
		{"one row less", contentOf(t, `{"id":"a","rate":0.1,"n":[1]}`, `{"id":"b","rate":3,"n":null}`), false},
		{"another row twice", contentOf(t, `{"id":"a","rate":0.1,"n":[1]}`, `{"id":"a","rate":0.1,"n":[1]}`, `{"id":"b","rate":3,"n":null}`), false},
		{"another value", contentOf(t, `{"id":"a","rate":0.1001,"n":[1]}`, `{"id":"b","rate":3,"n":null}`, `{"id":"b","rate":3,"n":null}`), false},
		{"text for a null", contentOf(t, `{"id":"a","rate":0.1,"n":[1]}`, `{"id":"b","rate":3,"n":"null"}`, `{"id":"b","rate":3,"n":null}`), false},
	} {
		if c.got.equal(&want) != c.equal {
			t.Errorf("%s: equal is %v", c.name, !c.equal)
		}
	}
}

func TestRowsThatComeAgainDoNotCountWhereTablesAreSets(t *testing.T) {
	add := func(c content, rows ...string) *content {
		for _, row := range rows {
			c.add([]byte(row))
		}
		return &c
	}
	set := func() content { return content{seen: map[[32]byte]bool{}} }
	if !add(set(), "a", "b", "a").equal(add(set(), "b", "a")) {
		t.Error("a row that came again counted")
	}
	if add(set(), "a", "b").equal(add(set(), "a", "c")) {
		t.Error("other rows are equal")
	}
}
