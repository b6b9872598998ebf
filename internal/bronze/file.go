package bronze

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"

	"launchlake/internal/delta"
)

const fileExtension = "zstd.parquet"

// dataFile is a data file being written in memory: rows are encoded and compressed as they come, and can be read back.
type dataFile struct {
	day     string                      // the partition, as the log spells it
	content *bytes.Buffer               // nil when forgotten
	writer  *parquet.GenericWriter[row] // nil when complete
	group   group                       // the rows that come next
	stats   *delta.StatsCollector
	rows    int64
	odd     int64
	key     string // where it is stored; "" when it is not

	// Once started the file is written by a goroutine until it is complete; then only day is to be looked at.
	queue   chan share
	outcome chan error // of the rows of the queue
}

func newDataFile(day string) *dataFile {
	f := &dataFile{day: day, content: contents.Get().(*bytes.Buffer), stats: delta.NewStats(fileSchema())}
	f.writer = parquet.NewGenericWriter[row](f.content,
		parquet.Compression(compression),
		// The writer looks at this when it has got all of a group: that is a page, however small. It reserves memory by it.
		parquet.PageBufferSize(4<<10),
		// Bounds of documents help nobody and would hold whole documents.
		parquet.SkipPageBounds("raw"), parquet.SkipPageStatistics("raw"),
		// Readers older than the second version of pages are still about.
		parquet.DataPageVersion(1),
	)
	return f
}

// contents are those of files that were forgotten: one that grows in fresh memory is copied, and the memory touched, several times over.
var contents = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// forget ends the use of a file that is stored.
func (f *dataFile) forget() {
	f.content.Reset()
	contents.Put(f.content)
	f.content = nil
}

// write adds rows. They are referred to until release is called, which may be at a later write.
func (f *dataFile) write(rows []row, release func()) error {
	for len(rows) > 0 {
		run := 1
		for run < len(rows) && rows[run].RequestURL == rows[0].RequestURL {
			run++ // of one page, whose rows share what they tell of it
		}
		f.observe(rows[:run])
		if err := f.group.add(rows[:run], f.writer); err != nil {
			return err
		}
		rows = rows[run:]
	}
	f.group.whenWritten(release)
	return nil
}

// share is rows to write, and whom to tell that it is done.
type share struct {
	rows    []row
	release func()
}

// queued is how many pages' rows may wait for the encoder: about a row group's, so that the next ones are read while it compresses those
// before, and it finds enough to go on with.
const queued = 10

// start lets rows be written beside what reads the next ones.
func (f *dataFile) start() {
	f.queue, f.outcome = make(chan share, queued), make(chan error, 1)
	go func() {
		var failed error
		for s := range f.queue {
			if failed == nil {
				failed = f.write(s.rows, s.release)
			}
		}
		f.outcome <- failed
	}()
}

// observe takes rows of one page into the statistics.
func (f *dataFile) observe(rows []row) {
	count := int64(len(rows))
	f.rows += count
	var (
		ids       bounds[string]
		updated   bounds[time.Time]
		sums      bounds[hash]
		positions bounds[int32]
	)
	for i := range rows {
		r := &rows[i]
		f.stats.ObserveRow()
		ids.take(r.ID, cmp.Compare)
		updated.take(r.LastUpdated, time.Time.Compare)
		sums.take(&r.sum, hash.compare)
		positions.take(r.Position, cmp.Compare)
		if r.Defect != nil {
			f.odd++
			f.stats.Observe("defect", *r.Defect)
		}
	}
	ids.tell(f.stats, "id", func(id string) any { return id })
	updated.tell(f.stats, "last_updated", func(at time.Time) any { return at })
	sums.tell(f.stats, "sha256", func(sum hash) any { return sum.String() })
	positions.tell(f.stats, "position", func(n int32) any { return int64(n) })
	page := &rows[0]
	f.stats.ObserveRun("raw", page.Raw, count) // it has no bounds
	f.stats.ObserveRun("request_url", valueOrNull(page.RequestURL), count)
	f.stats.ObserveRun("http_status", integerOrNull(page.HTTPStatus), count)
	f.stats.ObserveRun("page", integerOrNull(page.Page), count)
	f.stats.ObserveRun("fetched_at", valueOrNull(page.FetchedAt), count)
	f.stats.ObserveRun("api_version", valueOrNull(page.APIVersion), count)
	f.stats.ObserveRun("run_id", valueOrNull(page.RunID), count)
}

// bounds are the least and the greatest of the values of a column. The collector would compare, and convert, each of them.
type bounds[T any] struct {
	least, greatest *T
	values          int64
}

// take adds a value, unless it is null.
func (b *bounds[T]) take(value *T, compare func(T, T) int) {
	if value == nil {
		return
	}
	if b.values++; b.values == 1 {
		b.least, b.greatest = value, value
	} else if compare(*value, *b.least) < 0 {
		b.least = value
	} else if compare(*value, *b.greatest) > 0 {
		b.greatest = value
	}
}

// tell has the collector count all values that were taken, and compare those that it must.
func (b *bounds[T]) tell(stats *delta.StatsCollector, column string, as func(T) any) {
	if b.values == 0 {
		return
	}
	stats.ObserveRun(column, as(*b.least), b.values-1)
	stats.Observe(column, as(*b.greatest))
}

// valueOrNull avoids the pointer that is nil within an interface that is not.
func valueOrNull[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}

func integerOrNull(v *int32) any {
	if v == nil {
		return nil
	}
	return int64(*v)
}

// complete ends the writing, and says what became of the rows of the queue.
func (f *dataFile) complete() error {
	if f.writer == nil {
		return nil
	}
	var failed error
	if f.queue != nil {
		close(f.queue)
		failed = <-f.outcome
	}
	if failed == nil {
		failed = f.group.writeTo(f.writer)
	}
	err := f.writer.Close()
	f.writer, f.group = nil, group{}
	if failed == nil && err != nil {
		failed = fmt.Errorf("encode rows as Parquet: %w", err)
	}
	return failed
}

// partition gives the partition values of the file.
func (f *dataFile) partition() map[string]*string {
	day := f.day
	return map[string]*string{partitionColumn: &day}
}

// newKey makes a key for the complete file.
func (f *dataFile) newKey() string {
	return path.Join(delta.PartitionPath([]string{partitionColumn}, f.partition()), delta.NewDataFileName(fileExtension))
}

// add is the action that puts the stored file into the table.
func (f *dataFile) add(stored time.Time) delta.Add {
	return delta.Add{
		Path:             f.key,
		PartitionValues:  f.partition(),
		Size:             int64(f.content.Len()),
		ModificationTime: stored,
		DataChange:       true,
		Stats:            f.stats.Stats(),
	}
}

// without gives the file without the rows whose hash is in the set; the file itself when none is. The file must be
// complete.
func (f *dataFile) without(known set) (*dataFile, error) {
	reader := parquet.NewGenericReader[row](bytes.NewReader(f.content.Bytes()))
	defer reader.Close()
	rest := newDataFile(f.day)
	for {
		buffer := make([]row, 64)
		n, readErr := reader.Read(buffer)
		kept := buffer[:0]
		for _, r := range buffer[:n] {
			var ok bool
			if r.sum, ok = parseHash([]byte(r.SHA256)); !ok {
				return nil, fmt.Errorf("read encoded rows back: %q is no hash", r.SHA256)
			}
			if !known[r.sum] {
				r.Raw = bytes.Clone(r.Raw) // it is the reader's
				kept = append(kept, r)
			}
		}
		if err := rest.write(kept, func() {}); err != nil {
			return nil, err
		}
		if errors.Is(readErr, io.EOF) {
			break
		}
		if readErr != nil {
			return nil, fmt.Errorf("read encoded rows back: %w", readErr)
		}
	}
	if rest.rows == f.rows {
		return f, nil
	}
	return rest, rest.complete()
}
