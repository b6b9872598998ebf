package delta

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzCommit(f *testing.F) {
	for _, seed := range []string{
		`{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["x"],"writerFeatures":[]}}`,
		`{"metaData":{"id":"1","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{}}}`,
		`{"add":{"path":"a%20b","partitionValues":{"x":null},"size":1,"modificationTime":1,"dataChange":true,"stats":"{}","tags":{"a":null}}}` + "\r\n\n",
		`{"add":{"path":"a","deletionVector":{"storageType":"u","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}}` + "\n" + `{"remove":{"path":"a"}}`,
		`{"txn":{"appId":"a","version":1}}`, `{"domainMetadata":{"domain":"d","configuration":"","removed":true}}`,
		`{"commitInfo":{"operationParameters":{"a":[1]},"timestamp":1.5}}`, `{"cdc":{"path":"x"}}`, "", "[]", "{}", "null", `{"add":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseCommit(1, text)
		if err != nil {
			return
		}
		parseCommitInfo(c.info)
		r := newReconciler(1)
		r.commit(c)
		s := r.finish()
		if forward := newReconciler(0).finish().after(c); forward.files.len() != s.files.len() || forward.tombstones.len() != s.tombstones.len() {
			t.Errorf("forward: %d files, %d tombstones; backward: %d, %d", forward.files.len(), forward.tombstones.len(), s.files.len(), s.tombstones.len())
		}
		if s.metadata != nil {
			if m, err := s.metadata.parse(); err == nil {
				for a := range s.files.all() {
					a.public(&m, newStatsReader(slices.Collect(m.Schema.leaves())))
				}
			}
		}
	})
}

func FuzzSchema(f *testing.F) {
	for _, seed := range []string{
		`{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{"k":{"x":[1,2]}}}]}`,
		`{"type":"struct","fields":[{"name":"m","type":{"type":"map","keyType":"string","valueType":{"type":"array","elementType":"decimal(38,10)","containsNull":false},"valueContainsNull":true},"nullable":false}]}`,
		`{"type":"struct","fields":[{"name":"d","type":"decimal"},{"name":"e","type":"decimal( 3 , 1 )"}]}`,
		strings.Repeat(`{"type":"array","elementType":`, 200) + `"long"`, `"string"`, `{"type":"struct"}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseSchema(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSchema(again)
		if err != nil {
			t.Fatalf("%s is written and not read: %v", again, err)
		}
		if third, _ := json.Marshal(back); !bytes.Equal(again, third) {
			t.Errorf("written %s, then %s", again, third)
		}
		_ = (&Metadata{Schema: s}).validate()
		_ = s.String()
	})
}

func FuzzStats(f *testing.F) {
	for _, seed := range []string{
		`{"numRecords":3,"minValues":{"l":1,"st":{"x":"a"}},"maxValues":{"l":2,"st":{"x":"b"}},"nullCount":{"l":0,"st":{"x":1}},"tightBounds":false}`,
		`{"numRecords":1e3,"minValues":{"f":"NaN","d":"+12345-01-01","ts":"2024-01-01T00:00:00.123456789+05:30","dec":1e-5}}`,
		`{"minValues":{"st":null},"nullCount":{"st":5}}`, `null`, `{}`, `[]`,
	} {
		f.Add(seed)
	}
	schema := &Schema{Fields: []Field{{Name: "l", Type: Long}, {Name: "f", Type: Double}, {Name: "d", Type: Date}, {Name: "ts", Type: Timestamp},
		{Name: "dec", Type: Decimal{20, 5}}, {Name: "st", Type: &Struct{Fields: []Field{{Name: "x", Type: String}}}}}}
	leaves := slices.Collect(schema.leaves())
	f.Fuzz(func(t *testing.T, text string) {
		s := parseStats(text, leaves)
		written, err := s.format(leaves)
		if err != nil {
			t.Fatal(err)
		}
		back := parseStats(written, leaves)
		if (s == nil) != (back == nil) {
			t.Fatalf("%q is written %q", text, written)
		}
		for name, c := range s.columnsOrNone() {
			b := back.Columns[name]
			if c.Min != nil && b.Min != nil && compareValues(b.Min, c.Min) > 0 || c.Max != nil && b.Max != nil && compareValues(b.Max, c.Max) < 0 {
				t.Errorf("column %s: bounds %v..%v are written %s and read %v..%v", name, c.Min, c.Max, written, b.Min, b.Max)
			}
		}
	})
}

func (s *Stats) columnsOrNone() map[string]ColumnStats {
	if s == nil {
		return nil
	}
	return s.Columns
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"a%20b", "file:/x", "/x", "s3a://b/k", "a:b/c", "100%", "p=%2525/é", "%zz", "FILE:///"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		key := decodePath(path)
		if back := decodePath(encodePath(key)); back != key {
			t.Errorf("%q is the key %q, which is written %q and read %q", path, key, encodePath(key), back)
		}
	})
}

func FuzzPartitionValue(f *testing.F) {
	for _, seed := range []string{"1", "-0.0", "NaN", "2024-02-29", "2024-02-29 12:34:56.5", "+99999-12-31T23:59:59Z", "1e10", "true", "", "x"} {
		f.Add(seed)
	}
	kinds := []Type{Long, Double, Float, Boolean, Date, Timestamp, TimestampNTZ, String, Binary, Decimal{38, 18}}
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range kinds {
			v, err := ParsePartitionValue(typ, &text)
			if err != nil {
				continue
			}
			written, err := FormatPartitionValue(typ, v)
			if err != nil {
				continue // binary that is no UTF-8
			}
			back, err := ParsePartitionValue(typ, written)
			if err != nil || !cmp.Equal(v, back, cmp.Comparer(sameFloat)) {
				t.Errorf("%s %q is %v, written %v and read %v, %v", typ, text, v, written, back, err)
			}
		}
	})
}

func FuzzInterval(f *testing.F) {
	for _, seed := range []string{"interval 1 week", "INTERVAL '30' DAY", "interval 2 days 3 hours", "interval 1 month", "interval 99999999999 days", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := parseInterval(text); err == nil && d < 0 {
			t.Errorf("%q is %s", text, d)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	m := Metadata{ID: "x", Schema: &Schema{Fields: []Field{{Name: "l", Type: Long}, {Name: "s", Type: String}, {Name: "p", Type: Date}}}, PartitionColumns: []string{"p"}}
	action, err := m.action()
	if err != nil {
		f.Fatal(err)
	}
	day := "2024-01-01"
	s := &Snapshot{Head{metadata: m, state: &state{
		protocol: &protocolAction{MinReaderVersion: 1, MinWriterVersion: 2}, metadata: action,
		files: addList{}.with([]*addAction{{Path: "a", PartitionValues: map[string]*string{"p": &day}, Stats: `{"numRecords":1,"minValues":{"l":1}}`}}, nil),
	}}}
	body, _, err := s.encodeCheckpoint(m.CreatedTime)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:len(body)-9])
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readParquetActions(bytes.NewReader(data), int64(len(data)), allActions, func() func(checkpointLine) { return func(checkpointLine) {} })
	})
}
