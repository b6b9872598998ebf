package bronze

import "time"

// batch is what the next commit will add: a data file for each partition, or more when rows were dropped meanwhile.
type batch struct {
	files []*dataFile
	pages int
	begun time.Time // when the first page came
	bytes int64     // of the records
	stale []string
}

// due tells whether it is time to commit.
func (b *batch) due(o Options) bool {
	return b.pages >= o.BatchPages || b.bytes >= o.BatchBytes || o.Now().Sub(b.begun) >= o.BatchAge
}

// write adds rows of one day, which are referred to until release is called.
func (b *batch) write(day string, rows []row, release func()) {
	if len(rows) == 0 {
		release()
		return
	}
	for i := range rows {
		b.bytes += int64(len(rows[i].Raw))
	}
	b.fileOf(day).queue <- share{rows, release}
}

// fileOf is the file that rows of a day go to.
func (b *batch) fileOf(day string) *dataFile {
	for _, file := range b.files {
		if file.day == day && file.writer != nil {
			return file
		}
	}
	file := newDataFile(day)
	file.start()
	b.files = append(b.files, file)
	return file
}

// complete ends the writing of all files.
func (b *batch) complete() error {
	for _, file := range b.files {
		if err := file.complete(); err != nil {
			return err
		}
	}
	return nil
}

// abandon ends the writing of files that will not be committed.
func (b *batch) abandon() { _ = b.complete() }

// drop takes the rows out whose hash is in the set, and counts them. Files that were stored with them are stale then.
func (b *batch) drop(known set) (dropped int64, err error) {
	if len(known) == 0 || len(b.files) == 0 {
		return 0, nil
	}
	if err := b.complete(); err != nil {
		return 0, err
	}
	var files []*dataFile
	for _, file := range b.files {
		rest, err := file.without(known)
		if err != nil {
			return 0, err
		}
		if rest != file && file.key != "" {
			b.stale = append(b.stale, file.key)
		}
		dropped += file.rows - rest.rows
		if rest.rows > 0 {
			files = append(files, rest)
		}
	}
	b.files = files
	return dropped, nil
}
