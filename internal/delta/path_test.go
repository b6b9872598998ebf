package delta

import (
	"strings"
	"testing"
)

func TestPathsOfTheLogBecomeKeysInOneSpelling(t *testing.T) {
	for _, tt := range []struct{ name, path, want string }{
		{"plain", "part-0.parquet", "part-0.parquet"},
		{"decoded once", "p=a%252Fb/x%20y.parquet", "p=a%2Fb/x y.parquet"},
		{"percent in a name", "test%25file%25prefix.parquet", "test%file%prefix.parquet"},
		{"a stray percent stays", "50%-off/%zz/%", "50%-off/%zz/%"},
		{"stray and true escapes mixed", "50%-off%20x", "50%-off x"},
		{"letters beyond ASCII", "p=é/ü%C3%A9", "p=é/üé"},
		{"a colon makes no scheme", "time=2024-01-01 10:00:00/x", "time=2024-01-01 10:00:00/x"},
		{"plus stays", "a+b", "a+b"},
		{"absolute file, one slash", "file:/tmp/t/x", "file:///tmp/t/x"},
		{"absolute file, three slashes", "file:///tmp/t/x", "file:///tmp/t/x"},
		{"absolute without scheme", "/tmp/t/x", "file:///tmp/t/x"},
		{"s3a is s3", "s3a://bucket/t/x%20y", "s3://bucket/t/x y"},
		{"other schemes stay", "ABFSS://c@account/t/x", "abfss://c@account/t/x"},
	} {
		if got := decodePath(tt.path); got != tt.want {
			t.Errorf("%s: %q gives %q, want %q", tt.name, tt.path, got, tt.want)
		}
	}
}

func TestKeysSurviveTheLog(t *testing.T) {
	for _, key := range []string{
		"a b", "p=a%2Fb/c", "100%", "%41", "é/日本/🚀", "a:b/c:d", "#?&+=;,@!$'()*~", "[x]{y}|^`<>\"\\", "line\nbreak\x01\x7f",
		"file:///tmp/a b/c", "s3://bucket/a%b",
	} {
		encoded := encodePath(key)
		if got := decodePath(encoded); got != key {
			t.Errorf("%q is written %q and read %q", key, encoded, got)
		}
		if strings.ContainsAny(encoded, " \"<>\\^`{}|[]#?\n") {
			t.Errorf("%q is written %q, which is no URI", key, encoded)
		}
	}
	// Hadoop takes "a" for a scheme in "a:b/c".
	if got := encodePath("a:b/c:d"); got != "a%3Ab/c:d" {
		t.Errorf("a colon in the first segment is written %q", got)
	}
}

func TestPartitionFoldersAreNamedAsHiveDoes(t *testing.T) {
	text := func(s string) *string { return &s }
	values := map[string]*string{"a": text("x/y z%é"), "b": nil, "c": text(""), "d:e": text("2024-01-01")}
	got := PartitionPath([]string{"a", "b", "c", "d:e"}, values)
	want := "a=x%2Fy z%25é/b=__HIVE_DEFAULT_PARTITION__/c=__HIVE_DEFAULT_PARTITION__/d%3Ae=2024-01-01"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := PartitionPath(nil, values); got != "" {
		t.Errorf("without columns: %q", got)
	}
}

func TestDataFileNamesAreUnlikeEachOther(t *testing.T) {
	a, b := NewDataFileName("zstd.parquet"), NewDataFileName(".zstd.parquet")
	if a == b || !strings.HasPrefix(a, "part-") || !strings.HasSuffix(a, "-c000.zstd.parquet") || len(a) != len(b) {
		t.Errorf("got %q and %q", a, b)
	}
}
