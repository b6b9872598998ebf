package bronze

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzRow compares what a row tells of a record with what encoding/json finds in it.
func FuzzRow(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","last_updated":"2026-03-01T10:00:00Z"}`, `{"id":1e5,"id":"x\ud800"}`, `{"\u0069d":[]}`, `null`, `"`, `{"id"`,
		"{\"id\":\"\xff\"}", `{"last_updated":"2026-03-01T24:00:00+14:00"}`, ` [ ] `, `{"a":{"id":"b"},"id":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		r := newRow(raw, nil, 0, new(origin))
		if !bytes.Equal(r.Raw, before) {
			t.Fatalf("raw is %q", r.Raw)
		}
		if r.ID != nil && !utf8.ValidString(*r.ID) {
			t.Errorf("id %q is no UTF-8", *r.ID)
		}
		var members map[string]json.RawMessage
		if !utf8.Valid(raw) || json.Unmarshal(raw, &members) != nil || members == nil {
			return
		}
		checked := newRow(raw, keyOf(raw), 0, new(origin))
		if diff := cmp.Diff(r, checked, cmp.AllowUnexported(row{})); diff != "" {
			t.Errorf("the row of a record whose key is known (-not known +known):\n%s", diff)
		}
		if r.Defect != nil {
			t.Errorf("an object of JSON has the defect %s", *r.Defect)
		}
		var id string
		if member := members["id"]; len(member) > 0 && member[0] == '"' && json.Unmarshal(member, &id) == nil {
			if r.ID == nil || *r.ID != id {
				t.Errorf("id %v, want %q", r.ID, id)
			}
		}
		var updated time.Time
		if member := members["last_updated"]; len(member) > 0 && member[0] == '"' && json.Unmarshal(member, &updated) == nil {
			if r.LastUpdated == nil || !r.LastUpdated.Equal(updated.Truncate(time.Microsecond)) {
				t.Errorf("last_updated %v, want %v", r.LastUpdated, updated)
			}
		}
	})
}
