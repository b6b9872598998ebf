package delta

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"launchlake/internal/objstore"
)

func FuzzLastCheckpoint(f *testing.F) {
	for _, seed := range []string{`{"version":10,"size":3}`, `{"version":-1}`, `{"version":99999999999999999999}`, `{"version":null,"parts":1e9}`, `[]`, ``, "{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		store := objstore.NewMemory()
		if err := store.Put(t.Context(), lastCheckpointKey, strings.NewReader(string(text))); err != nil {
			t.Fatal(err)
		}
		table := Open(store)
		if _, err := table.Create(t.Context(), Metadata{Schema: &Schema{Fields: []Field{{Name: "n", Type: Long}}}}); err != nil {
			t.Fatalf("a table with the hint %q cannot be made: %v", text, err)
		}
		for _, table := range []*Table{table, Open(store)} {
			if s, err := table.Snapshot(t.Context()); err != nil || s.Version() != 0 {
				t.Errorf("with the hint %q the table is %v, %v", text, s, err)
			}
		}
		for c, err := range table.History(t.Context()) {
			if err != nil || c.Version != 0 {
				t.Errorf("with the hint %q the history has %v, %v", text, c, err)
			}
		}
	})
}

func FuzzJSONCheckpoint(f *testing.F) {
	for _, seed := range []string{
		`{"checkpointMetadata":{"version":1}}` + "\n" + `{"sidecar":{"path":"x.parquet","sizeInBytes":9,"modificationTime":1}}`,
		`{"add":{"path":"a","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}`, `{"sidecar":null}`, `{"sidecar":{"path":"../../x"}}`,
		`{"sidecar":{"path":"x","sizeInBytes":-1}}`, "", "{", "\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		store := objstore.NewMemory()
		key := versionPrefix(3) + ".checkpoint.01234567-89ab-cdef-0123-456789abcdef.json"
		if err := store.Put(t.Context(), key, strings.NewReader(string(text))); err != nil {
			t.Fatal(err)
		}
		c := &checkpointFiles{version: 3, kind: v2Checkpoint, files: []objstore.Info{{Key: key, Size: int64(len(text))}}}
		_, _, _ = Open(store).readLedger(t.Context(), c)
	})
}

func FuzzLogName(f *testing.F) {
	for _, seed := range []string{
		"00000000000000000001.json", "00000000000000000001.checkpoint.parquet", "00000000000000000001.checkpoint.0000000001.0000000002.parquet",
		"00000000000000000001.checkpoint.01234567-89ab-cdef-0123-456789abcdef.json", "99999999999999999999.json", "_last_checkpoint",
		"00000000000000000001.checkpoint.9999999999.9999999999.parquet", "00000000000000000001.00000000000000000009.compacted.json", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		switch file := parseLogName(logPrefix + name); {
		case file.version < 0:
			t.Errorf("%q is version %d", name, file.version)
		case file.kind == commitLogFile && commitKey(file.version) != logPrefix+name, file.kind == classicCheckpoint && checkpointKey(file.version) != logPrefix+name:
			t.Errorf("%q is %+v", name, file)
		case file.kind == otherFile && file != (logFile{}):
			t.Errorf("%q is nothing and %+v", name, file)
		}
	})
}

// FuzzPackedFiles puts what a commit says of files into a packed list, and takes it out again.
func FuzzPackedFiles(f *testing.F) {
	for _, seed := range []string{
		`{"add":{"path":"a%20b","partitionValues":{"x":null,"y":""},"size":-1,"modificationTime":1,"dataChange":true,"stats":"{}","tags":{"a":null}}}`,
		`{"add":{"path":"a","deletionVector":{"storageType":"u","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1,"offset":4},"baseRowId":7,"clusteringProvider":""}}`,
		`{"remove":{"path":"a","partitionValues":{},"size":9,"extendedFileMetadata":true}}`,
		`{"remove":{"path":"a","deletionVector":{"storageType":"u","pathOrInlineDv":"x","offset":-1}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseCommit(1, text)
		if err != nil {
			return
		}
		adds, removes := addList{}.with(c.adds, nil), removeList{}.with(c.removes, nil)
		adds.pack()
		removes.pack()
		if got := slices.Collect(adds.all()); len(c.adds) > 0 && !reflect.DeepEqual(got, c.adds) {
			t.Errorf("added %+v, and got %+v", c.adds, got)
		}
		if got := slices.Collect(removes.all()); len(c.removes) > 0 && !reflect.DeepEqual(got, c.removes) {
			t.Errorf("removed %+v, and got %+v", c.removes, got)
		}
	})
}
