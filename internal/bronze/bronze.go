// Package bronze keeps what a launch API served, byte for byte, in an append-only Delta table.
//
// A [Source] yields [Page] values; [Ingest] is one pass over it: every result of a page becomes one row, with the exact
// bytes, where they came from, and their hash. Rows are committed in batches, one while the next is read, each in one commit
// together with the watermark: how far in the order of last_updated the table is complete. A pass asks the source for everything from
// the watermark on and drops what the table already has, by hash. So a pass that was killed, or that ran out of its
// request budget, is resumed by the next one, and no row is lost or doubled.
//
// The package decodes no more of a record than its id and last_updated, and rejects none: what is no JSON object is
// kept with the name of its [Defect]. It knows neither the API nor its budget.
package bronze

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"time"

	"launchlake/internal/delta"
)

// Source is a collection that can be read in the order of last_updated.
type Source interface {
	// Pages yields the records whose last_updated is not before since, oldest first, as pages; all records when since
	// is zero. Where a page ends the next continues without a gap; a record may come twice. An error ends the sequence:
	// what was yielded before it is complete up to its last record.
	Pages(ctx context.Context, since time.Time) iter.Seq2[Page, error]
}

// Page is one answer of a source.
type Page struct {
	URL        string // as requested; must not hold secrets
	Status     int    // of HTTP
	APIVersion string
	FetchedAt  time.Time
	ServerTime time.Time // when it was served, by the source's clock; zero: unknown
	Bytes      int64     // size of the answer
	First      int       // place of the first result in the answer
	Results    []json.RawMessage
	// Keys are those of the Results, each at its result's place, when the source has seen that all of them are JSON; nil
	// when it did not look.
	Keys []Key
	// Release is called, from any goroutine, when nothing refers to Results and Keys any more; never, when the pass fails. nil: nobody
	// wants to know.
	Release func()
}

// Key is what a record is known and ordered by: the JSON text of these members, nil where it has none, and of the last
// where a name comes twice.
type Key struct{ ID, LastUpdated []byte }

// Defaults of [Options].
const (
	DefaultOverlap    = 12 * time.Hour
	DefaultBatchBytes = 32 << 20
	DefaultBatchPages = 100
	DefaultBatchAge   = 10 * time.Second
)

// Options of [Ingest]. The zero value works.
type Options struct {
	// Overlap is how far behind the source's clock the watermark stays: records newer than that are asked for again by
	// the next pass, for sources show some late. 0: DefaultOverlap.
	Overlap    time.Duration
	BatchBytes int64 // commit after this many bytes of records; 0: DefaultBatchBytes
	BatchPages int   // commit after this many pages; 0: DefaultBatchPages
	// BatchAge is how long a page may wait for its commit while others come, so that little is asked for again after a
	// death, however slow the source is. 0: DefaultBatchAge.
	BatchAge time.Duration
	RunID    string // kept with every row
	// Sweep reads the whole source and not only what is new by last_updated: sources change some fields without a word.
	Sweep bool

	// BeforeCreate is called before the first request when the table does not exist yet; an error ends the pass.
	BeforeCreate func(context.Context) error
	Now          func() time.Time // nil: time.Now
	Logger       *slog.Logger     // told of commits and of progress; nil: silent
}

// Result is what a pass did; after an error, what it did until then.
type Result struct {
	VersionBefore delta.Version // NoVersion when there was no table
	Version       delta.Version // NoVersion when there still is none
	Watermark     time.Time     // zero: none yet

	Pages      int   // that the source served
	Bytes      int64 // of these pages
	RowsRead   int64
	RowsNew    int64 // committed
	RowsKnown  int64 // dropped: the table had the same bytes
	RowsOdd    int64 // of the new ones those with a defect
	FilesAdded int64
	Commits    int64
}

// NoVersion is the version of a table that does not exist.
const NoVersion delta.Version = -1

// AppID is the application whose transaction version in the table's log is the watermark, in seconds since 1970.
const AppID = "ingest:launches"

// Ingest brings what is new at the source into the table, which it creates when there is none.
//
// When ctx ends, or the source fails or runs out of its budget, the rows read so far are still committed, within a few
// seconds; then the source's error is returned. Passes may run side by side: each row gets in once.
func Ingest(ctx context.Context, source Source, table *delta.Table, o Options) (Result, error) {
	p, err := newPass(ctx, table, o.withDefaults())
	if err != nil {
		return p.result, err
	}
	err = p.run(ctx, source)
	return p.result, err
}

func (o Options) withDefaults() Options {
	if o.Overlap == 0 {
		o.Overlap = DefaultOverlap
	}
	if o.BatchBytes == 0 {
		o.BatchBytes = DefaultBatchBytes
	}
	if o.BatchPages == 0 {
		o.BatchPages = DefaultBatchPages
	}
	if o.BatchAge == 0 {
		o.BatchAge = DefaultBatchAge
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
