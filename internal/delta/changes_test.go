package delta

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/objstore"
)

const (
	feedProtocol = `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","columnMapping","typeWidening"],"writerFeatures":["deletionVectors","changeDataFeed","columnMapping","typeWidening"]}}`
	feedOn       = `"delta.enableChangeDataFeed":"true"`
)

// feedMetadata gives a metaData action with columns such as `"id":long`.
func feedMetadata(configuration, partitionColumn string, columns ...string) string {
	var fields []string
	for _, c := range columns {
		name, typ, _ := strings.Cut(c, ":")
		fields = append(fields, fmt.Sprintf(`{\"name\":\"%s\",\"type\":\"%s\",\"nullable\":true,\"metadata\":{}}`, name, typ))
	}
	if partitionColumn != "" {
		partitionColumn = `"` + partitionColumn + `"`
	}
	return fmt.Sprintf(`{"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[%s]}","partitionColumns":[%s],"configuration":{%s}}}`,
		strings.Join(fields, ","), partitionColumn, configuration)
}

func feedFile(action, path, vector, more string) string {
	if vector != "" {
		vector = fmt.Sprintf(`,"deletionVector":{"storageType":"i","pathOrInlineDv":"%s","sizeInBytes":1,"cardinality":1}`, vector)
	}
	return fmt.Sprintf(`{"%s":{"path":"%s","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true%s%s}}`, action, path, vector, more)
}

// feedTable stores commits, one a second from the start of 2026 on.
func feedTable(t *testing.T, commits ...string) *Table {
	t.Helper()
	store := objstore.NewMemory()
	for v, text := range commits {
		at := time.Date(2026, 1, 1, 0, 0, v, 0, time.UTC)
		text = fmt.Sprintf(`{"commitInfo":{"inCommitTimestamp":%d}}`, at.UnixMilli()) + "\n" + text
		if err := store.PutIfAbsent(t.Context(), commitKey(Version(v)), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return Open(store)
}

func changesText(t *testing.T, c *Changes) []string {
	t.Helper()
	var lines []string
	for f, err := range c.Files(t.Context()) {
		if err != nil {
			return append(lines, "error: "+err.Error())
		}
		line := fmt.Sprintf("%d %s %s", f.Version, f.Type, f.Path)
		if f.Within != nil {
			line += " within " + f.Within.PathOrInlineDv
		}
		if f.DeletionVector != nil {
			line += " but " + f.DeletionVector.PathOrInlineDv
		}
		lines = append(lines, line)
	}
	return lines
}

func lines(text ...string) string { return strings.Join(text, "\n") }

func TestChangesAreWhatCommitsDidToTheRows(t *testing.T) {
	start := lines(feedProtocol, feedMetadata(feedOn, "", "id:long"))
	for _, tt := range []struct {
		name, commit string
		want         []string
	}{
		{"an added file", feedFile("add", "a", "", ""), []string{"1 insert a"}},
		{"an added file without some rows", feedFile("add", "a", "x", ""), []string{"1 insert a but x"}},
		{"a removed file", feedFile("remove", "a", "", ""), []string{"1 delete a"}},
		{"a removed file without some rows", feedFile("remove", "a", "x", ""), []string{"1 delete a but x"}},
		{"the first deleted rows", lines(feedFile("remove", "a", "", ""), feedFile("add", "a", "x", "")), []string{"1 delete a within x"}},
		{"more deleted rows, and restored ones", lines(feedFile("add", "a", "y", ""), feedFile("remove", "a", "x", "")),
			[]string{"1 insert a within x but y", "1 delete a within y but x"}},
		{"all rows restored", lines(feedFile("remove", "a", "x", ""), feedFile("add", "a", "", "")), []string{"1 insert a within x"}},
		{"another file instead", lines(feedFile("remove", "a", "", ""), feedFile("add", "b", "", "")), []string{"1 insert b", "1 delete a"}},
		{"files of changes", lines(feedFile("cdc", "_change_data/c%20d", "", ""), feedFile("remove", "a", "", ""), feedFile("add", "b", "", "")),
			[]string{"1  _change_data/c d"}},
		{"rows in other files", lines(`{"remove":{"path":"a","dataChange":false}}`, `{"add":{"path":"b","partitionValues":{},"size":1,"modificationTime":1,"dataChange":false}}`), nil},
		{"nothing", `{"txn":{"appId":"a","version":1}}`, nil},
	} {
		c, err := feedTable(t, start, tt.commit).Changes(t.Context(), 1, 1)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, changesText(t, c)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestChangesThatAreNotOnRecordAreErrors(t *testing.T) {
	start := lines(feedProtocol, feedMetadata(feedOn, "", "id:long", "s:string"))
	add := feedFile("add", "a", "", "")
	noChangeData := func(err error) bool { return errors.Is(err, ErrNoChangeData) }
	noVersion := func(err error) bool { _, ok := errors.AsType[*VersionError](err); return ok }
	for _, tt := range []struct {
		name     string
		table    *Table
		from, to Version
		is       func(error) bool
	}{
		{"never enabled", feedTable(t, lines(feedProtocol, feedMetadata("", "", "id:long"))), 0, 0, noChangeData},
		{"enabled later", feedTable(t, lines(feedProtocol, feedMetadata("", "", "id:long")), feedMetadata(feedOn, "", "id:long")), 0, 1, noChangeData},
		{"off meanwhile", feedTable(t, start, feedMetadata("", "", "id:long"), feedMetadata(feedOn, "", "id:long"), add), 0, 3, noChangeData},
		{"behind the latest", feedTable(t, start), 1, 2, noVersion},
		{"before the first", feedTable(t, start), -1, 0, noVersion},
		{"backwards", feedTable(t, start, add), 1, 0, noVersion},
		{"a column went away", feedTable(t, start, feedMetadata(feedOn, "", "id:long")), 0, 1, func(err error) bool { return err != nil }},
		{"a column became narrower", feedTable(t, start, feedMetadata(feedOn, "", "id:integer", "s:string")), 0, 1, func(err error) bool { return err != nil }},
		{"other partitions", feedTable(t, start, feedMetadata(feedOn, "s", "id:long", "s:string")), 0, 1, func(err error) bool { return err != nil }},
	} {
		if _, err := tt.table.Changes(t.Context(), tt.from, tt.to); !tt.is(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	partitioned := feedTable(t, lines(feedProtocol, feedMetadata(feedOn, "s", "id:long", "s:string")), `{"remove":{"path":"a","dataChange":true}}`)
	c, err := partitioned.Changes(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := changesText(t, c); len(got) != 1 || !strings.Contains(got[0], "without partition values") {
		t.Errorf("a file of an unknown partition: %q", got)
	}
}

func TestChangedRowsHaveTheColumnsOfNowWhenThoseServe(t *testing.T) {
	start := lines(feedProtocol, feedMetadata(feedOn, "", "id:integer"))
	wider, other := feedMetadata(feedOn, "", "id:long", "s:string"), feedMetadata(feedOn, "", "x:string")
	for _, tt := range []struct {
		name    string
		commits []string
		to      Version
		want    string
	}{
		{"columns were added", []string{start, wider}, 0, "struct<id:long,s:string>"},
		{"columns were replaced behind the range", []string{start, wider, other}, 1, "struct<id:long,s:string>"},
		{"the whole range", []string{start, wider}, math.MaxInt64, "struct<id:long,s:string>"},
	} {
		c, err := feedTable(t, tt.commits...).Changes(t.Context(), 0, tt.to)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := c.Snapshot().Schema().String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestChangesBetweenMomentsAreThoseOfTheCommitsOfThatTime(t *testing.T) {
	ict := feedOn + `,"delta.enableInCommitTimestamps":"true"`
	protocol := `{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["changeDataFeed","inCommitTimestamp"]}}`
	table := feedTable(t, lines(protocol, feedMetadata(ict, "", "id:long")),
		feedFile("add", "a", "", ""), feedFile("add", "b", "", ""), feedFile("add", "c", "", ""))
	at := func(milliseconds int) time.Time {
		return time.Date(2026, 1, 1, 0, 0, 0, milliseconds*int(time.Millisecond), time.UTC)
	}
	for _, tt := range []struct {
		from, to time.Time
		want     []string
		bad      bool
	}{
		{from: at(1000), to: at(2000), want: []string{"1 insert a", "2 insert b"}},
		{from: at(1001), to: at(2999), want: []string{"2 insert b"}},
		{from: at(-5000), to: at(1000), want: []string{"1 insert a"}},
		{from: at(2500), to: at(90_000), want: []string{"3 insert c"}},
		{from: at(3001), to: at(90_000), bad: true},
		{from: at(1001), to: at(1999), bad: true},
		{from: at(2000), to: at(1000), bad: true},
		{from: at(-2000), to: at(-1000), bad: true},
	} {
		c, err := table.ChangesBetween(t.Context(), tt.from, tt.to)
		if (err != nil) != tt.bad {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(tt.want, changesText(t, c)); diff != "" {
			t.Errorf("%s to %s (-want +got):\n%s", tt.from, tt.to, diff)
		}
	}
}
