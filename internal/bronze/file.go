package bronze

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"launchlake/internal/delta"
)

const fileExtension = "zstd.parquet"

const (
	pageBytes = 2 << 20 // the more documents a page holds the smaller and cheaper each becomes
	groupRows = 1000    // readers work on row groups side by side
)

// compression is shared by all files, for its encoders hold megabytes of history each.
var compression = zstd.Codec{Level: zstd.SpeedFastest}

// dataFile is a data file being written in memory: rows are encoded and compressed as they come, and can be read back.
type dataFile struct {
	day     string // the partition, as the log spells it
	content bytes.Buffer
	writer  *parquet.GenericWriter[row] // nil when complete
	stats   *delta.StatsCollector
	rows    int64
	odd     int64
	key     string // where it is stored; "" when it is not

	// Once started the file is written by a goroutine until it is complete; then only day is to be looked at.
	queue   chan []row
	outcome chan error // of the rows of the queue
}

func newDataFile(day string) *dataFile {
	f := &dataFile{day: day, stats: delta.NewStats(fileSchema())}
	f.writer = parquet.NewGenericWriter[row](&f.content,
		parquet.Compression(&compression),
		parquet.PageBufferSize(pageBytes), parquet.MaxRowsPerRowGroup(groupRows),
		// Bounds of documents help nobody and would hold whole documents.
		parquet.SkipPageBounds("raw"), parquet.SkipPageStatistics("raw"),
		// Readers older than the second version of pages are still about.
		parquet.DataPageVersion(1),
	)
	return f
}

func (f *dataFile) write(rows []row) error {
	if _, err := f.writer.Write(rows); err != nil {
		return fmt.Errorf("encode rows as Parquet: %w", err)
	}
	for len(rows) > 0 {
		run := 1
		for run < len(rows) && rows[run].RequestURL == rows[0].RequestURL {
			run++ // of one page, whose rows share what they tell of it
		}
		f.observe(rows[:run])
		rows = rows[run:]
	}
	return nil
}

// queued is how many pages' rows may wait for the encoder.
const queued = 2

// start lets rows be written beside what reads the next ones.
func (f *dataFile) start() {
	f.queue, f.outcome = make(chan []row, queued), make(chan error, 1)
	go func() {
		var failed error
		for rows := range f.queue {
			if failed == nil {
				failed = f.write(rows)
			}
		}
		f.outcome <- failed
	}()
}

// observe takes rows of one page into the statistics.
func (f *dataFile) observe(rows []row) {
	count := int64(len(rows))
	f.rows += count
	for i := range rows {
		r := &rows[i]
		if r.Defect != nil {
			f.odd++
		}
		f.stats.ObserveRow()
		f.stats.Observe("id", valueOrNull(r.ID))
		f.stats.Observe("last_updated", valueOrNull(r.LastUpdated))
		f.stats.Observe("sha256", r.SHA256)
		f.stats.Observe("defect", valueOrNull(r.Defect))
		f.stats.Observe("position", integerOrNull(r.Position))
	}
	page := &rows[0]
	f.stats.ObserveRun("raw", page.Raw, count) // it has no bounds
	f.stats.ObserveRun("request_url", valueOrNull(page.RequestURL), count)
	f.stats.ObserveRun("http_status", integerOrNull(page.HTTPStatus), count)
	f.stats.ObserveRun("page", integerOrNull(page.Page), count)
	f.stats.ObserveRun("fetched_at", valueOrNull(page.FetchedAt), count)
	f.stats.ObserveRun("api_version", valueOrNull(page.APIVersion), count)
	f.stats.ObserveRun("run_id", valueOrNull(page.RunID), count)
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
	err := f.writer.Close()
	f.writer = nil
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
	buffer := make([]row, 64)
	for {
		n, readErr := reader.Read(buffer)
		kept := make([]row, 0, n)
		for _, r := range buffer[:n] {
			if sum, ok := parseHash([]byte(r.SHA256)); !ok || !known[sum] {
				kept = append(kept, r)
			}
		}
		if err := rest.write(kept); err != nil {
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
