package duckdb

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
)

// written is a data file that DuckDB wrote.
type written struct {
	path       string // local
	rows       int64
	statistics map[string]map[string]string // by column as DuckDB quotes it, by its name in the file
	partition  map[string]*string           // by column, by its name in the file, as DuckDB casts it to text
}

// rowGroupBytes bounds what a writer holds in memory.
const rowGroupBytes = "16MB"

// copyOut writes the rows of a query into local files; without rows there are none. Besides the table's columns they may have others.
func (p *publishing) copyOut(ctx context.Context, l layout, query string, others ...delta.Field) ([]written, error) {
	options := fmt.Sprintf(", FILE_SIZE_BYTES %d", p.engine.options.FileBytes)
	if len(l.PartitionColumns) > 0 {
		// Names of files of their own: null and the text by which folders spell null share a folder.
		options = ", PARTITION_BY (" + l.partitionNames() + "), FILENAME_PATTERN '{uuid}'"
	}
	return p.engine.copyRows(ctx, l.query(query, slices.Concat(l.Schema.Fields, others)), l.fieldIDs()+options)
}

// copyRows writes the rows of a query, whose columns have their names in data files, into one local file, or several when the options
// say so.
func (e *Engine) copyRows(ctx context.Context, query, options string) ([]written, error) {
	to := filepath.Join(e.folder, "out", e.name("write"))
	options = fmt.Sprintf("FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE_BYTES '%s', RETURN_STATS%s", rowGroupBytes, options)
	var files []written
	err := e.run(ctx, fmt.Sprintf("COPY (%s) TO %s (%s)", query, quote(to), options), func(result mapping.Result) {
		for chunk := range chunks(result) {
			files = append(files, writtenFiles(chunk)...)
		}
	})
	return files, err
}

// writtenFiles reads what RETURN_STATS says, a row a file: its path, how many rows and bytes it has, and bytes of its footer, its statistics and
// its partition. A file without rows is left out.
func writtenFiles(chunk mapping.DataChunk) (files []written) {
	column := func(i mapping.IdxT) mapping.Vector { return mapping.DataChunkGetVector(chunk, i) }
	n := int(mapping.DataChunkGetSize(chunk))
	paths, counts := readTexts(column(0), n), readCells[uint64](column(1), n)
	columns, partitions := readMaps(column(4), n), readMaps(column(5), n)
	facts := readMaps(columns.values, columns.entries)
	texts, values := readTexts(facts.values, facts.entries), readTexts(partitions.values, partitions.entries)
	for row, count := range counts {
		if count == 0 {
			continue
		}
		path, _ := paths.at(row)
		file := written{path: string(path), rows: int64(count), statistics: map[string]map[string]string{}, partition: map[string]*string{}}
		for place, name := range columns.at(row) {
			known := map[string]string{}
			for i, fact := range facts.at(place) {
				if text, ok := texts.at(i); ok {
					known[fact] = string(text)
				}
			}
			file.statistics[name] = known
		}
		for i, name := range partitions.at(row) {
			file.partition[name] = nil
			if text, ok := values.at(i); ok {
				value := string(text)
				file.partition[name] = &value
			}
		}
		files = append(files, file)
	}
	return files
}

// write runs a query, stores its rows as data files of the table, and gives the actions that add them. After an error
// the files stored so far are given too.
func (p *publishing) write(ctx context.Context, s *delta.Snapshot, schema *delta.Schema, query string) ([]delta.Add, error) {
	l := layoutOf(s, schema)
	files, err := p.copyOut(ctx, l, query)
	if err != nil {
		return nil, fmt.Errorf("write data files: %w", err)
	}
	return p.upload(ctx, l, files)
}

// upload stores files that were written here, once their rows are what the table asks for.
func (p *publishing) upload(ctx context.Context, l layout, files []written) ([]delta.Add, error) {
	if err := p.enforce(ctx, l, files); err != nil {
		return nil, err
	}
	adds := make([]delta.Add, len(files))
	for i, file := range files {
		add, err := p.describe(ctx, l, file)
		if err != nil {
			return nil, fmt.Errorf("write data files: %w", err)
		}
		adds[i] = add
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetches)
	for i, file := range files {
		group.Go(func() error { return p.store(ctx, adds[i].Path, file.path) })
	}
	return adds, group.Wait()
}

// describe makes the action that adds a file, not yet stored.
func (p *publishing) describe(ctx context.Context, l layout, file written) (delta.Add, error) {
	values, err := l.partitionValues(file.partition)
	if err != nil {
		return delta.Add{}, err
	}
	return p.describeIn(ctx, l, values, file)
}

// describeIn makes the action that adds a file of a partition.
func (p *publishing) describeIn(ctx context.Context, l layout, values map[string]*string, file written) (delta.Add, error) {
	info, err := os.Stat(file.path)
	if err != nil {
		return delta.Add{}, err
	}
	if err := p.engine.addMissing(ctx, l, file); err != nil {
		return delta.Add{}, err
	}
	stats, err := fileStats(l, file)
	if err != nil {
		return delta.Add{}, err
	}
	return delta.Add{
		Path:             path.Join(delta.PartitionPath(l.PartitionColumns, values), delta.NewDataFileName("zstd.parquet")),
		PartitionValues:  values,
		Size:             info.Size(),
		ModificationTime: p.engine.options.Now().UTC(),
		DataChange:       true,
		Stats:            stats,
	}, nil
}

func (p *publishing) store(ctx context.Context, key, local string) error {
	file, err := os.Open(local)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := p.out.Table.Store().Put(ctx, key, file); err != nil {
		return fmt.Errorf("store data file %s: %w", key, err)
	}
	_ = os.Remove(local)
	return nil
}

func (l layout) partitionValues(texts map[string]*string) (map[string]*string, error) {
	values := map[string]*string{}
	for _, name := range l.PartitionColumns {
		field, _ := l.Schema.Field(name)
		text, ok := texts[l.PhysicalName(field)]
		if !ok {
			return nil, fmt.Errorf("DuckDB gave no value of partition column %s", name)
		}
		if text == nil {
			values[name] = nil
			continue
		}
		value, err := parseText(field.Type, *text)
		if err == nil {
			values[name], err = delta.FormatPartitionValue(field.Type, value)
		}
		if err != nil {
			return nil, fmt.Errorf("partition column %s: %w", name, err)
		}
	}
	return values, nil
}

func join(parts []string) string { return strings.Join(parts, ", ") }
