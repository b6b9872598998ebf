package bronze

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"sync"
	"time"
	"unicode/utf8"

	"launchlake/internal/rawjson"
)

// row is a row of the table. Its fields are the columns of the data files, in the schema's order; the partition column
// is not among them.
type row struct {
	ID          *string    `parquet:"id,optional"`
	LastUpdated *time.Time `parquet:"last_updated,optional,timestamp(microsecond)"`
	Raw         []byte     `parquet:"raw,plain"`
	SHA256      string     `parquet:"sha256,plain"` // only of a row that was read back
	Defect      *string    `parquet:"defect,optional,dict"`
	RequestURL  *string    `parquet:"request_url,optional,dict"`
	HTTPStatus  *int32     `parquet:"http_status,optional,dict"`
	Page        *int32     `parquet:"page,optional,dict"`
	Position    *int32     `parquet:"position,optional"`
	FetchedAt   *time.Time `parquet:"fetched_at,optional,timestamp(microsecond),dict"`
	APIVersion  *string    `parquet:"api_version,optional,dict"`
	RunID       *string    `parquet:"run_id,optional,dict"`

	sum hash // what the column sha256 spells
}

// Defect says why a record cannot be parsed as a launch.
type Defect string

// The defects of records.
const (
	NotAnObject Defect = "not_an_object" // JSON, but no object
	NotUTF8     Defect = "not_utf8"
	NotJSON     Defect = "not_json"
)

// hash is the SHA-256 of a record's bytes.
type hash [sha256.Size]byte

// String spells a hash as the column sha256 does.
func (h hash) String() string { return hex.EncodeToString(h[:]) }

func (h hash) compare(other hash) int { return bytes.Compare(h[:], other[:]) }

// origin is what the rows of one page have in common.
type origin struct {
	page      int32
	status    int32
	url       string
	version   string
	runID     string
	fetchedAt time.Time
}

// newRow makes the row of a record, which is known to be JSON when its key is given. The row refers to raw.
func newRow(raw []byte, key *Key, position int32, o *origin) row {
	sum := hash(sha256.Sum256(raw))
	r := row{
		Raw: raw, sum: sum,
		RequestURL: &o.url, HTTPStatus: &o.status, Page: &o.page, Position: &position, FetchedAt: &o.fetchedAt,
		APIVersion: textOrNull(&o.version), RunID: textOrNull(&o.runID),
	}
	if defect := defectOf(raw, key != nil); defect != "" {
		text := string(defect)
		r.Defect = &text
	}
	if key == nil {
		key = keyOf(raw)
	}
	r.ID, r.LastUpdated = idOf(key.ID), timeOf(key.LastUpdated)
	return r
}

// keyOf looks for a record's key, as far as it is JSON.
func keyOf(raw []byte) *Key {
	key := new(Key)
	for name, value := range rawjson.Members(raw) {
		switch string(name) {
		case "id":
			key.ID = value
		case "last_updated":
			key.LastUpdated = value
		}
	}
	return key
}

// rowsOf makes the rows of a page's records, on all processors.
func rowsOf(page Page, o *origin) []row {
	rows := make([]row, len(page.Results))
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for share := range workers {
		group.Go(func() {
			for i := share; i < len(rows); i += workers {
				var key *Key
				if page.Keys != nil {
					key = &page.Keys[i]
				}
				rows[i] = newRow(page.Results[i], key, int32(page.First+i), o)
			}
		})
	}
	group.Wait()
	return rows
}

func textOrNull(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

// defectOf looks for a defect; checked is whether raw is known to be JSON.
func defectOf(raw []byte, checked bool) Defect {
	if !checked {
		if _, valid := rawjson.Valid(raw); !valid {
			return NotJSON
		}
	}
	switch {
	case !utf8.Valid(raw):
		return NotUTF8
	case rawjson.Kind(raw) != '{':
		return NotAnObject
	}
	return ""
}

// idOf is a string's content or a number's digits, nil for anything else. Columns of text hold UTF-8 only.
func idOf(value []byte) *string {
	text, ok := rawjson.Text(value)
	if kind := rawjson.Kind(value); kind == '-' || kind >= '0' && kind <= '9' {
		text, ok = string(value), true
	}
	if !ok || !utf8.ValidString(text) {
		return nil
	}
	return &text
}

// timeOf is a time with zone, to the microsecond as tables keep it; nil for anything else.
func timeOf(value []byte) *time.Time {
	text, ok := rawjson.Text(value)
	if !ok {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil
	}
	at = at.UTC().Truncate(time.Microsecond)
	return &at
}
