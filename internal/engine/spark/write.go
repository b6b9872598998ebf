package spark

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/spark/connect"
	"launchlake/internal/objstore"
)

// publishing is one Publish, or one edit. It implements [publication.Work].
type publishing struct {
	engine *Engine
	out    engine.Output
	query  string // with the columns of out.Schema
	edit   *edit  // in place of a query and a mode
}

// footerReads is how many footers are read at once.
const footerReads = 8

// partitionMark begins the names of the folders that Spark sorts rows into.
const partitionMark = "launchlake_partition_"

// write has Spark store the rows of a query as data files of the table, and gives the actions that add them. Rows that break a
// constraint are an error. After an error nothing is left of the files.
func (p *publishing) write(ctx context.Context, l layout, query string) ([]delta.Add, error) {
	checks := rulesOf(l).checks
	files, err := p.store(ctx, l, enforced(checks, query), "")
	if err != nil {
		return nil, fmt.Errorf("write data files: %w", p.engine.explain(ctx, err, checks, l, query))
	}
	adds, err := p.describe(ctx, files, l)
	if err != nil {
		p.discard(ctx, files)
		return nil, fmt.Errorf("write data files: %w", err)
	}
	return adds, nil
}

// store has Spark write the rows of a query, which may have columns besides the table's, into a new folder below a prefix of the table.
// After an error nothing is left of it.
func (p *publishing) store(ctx context.Context, l layout, query, prefix string, others ...string) ([]objstore.Info, error) {
	location, err := p.engine.location(p.out.Table)
	if err != nil {
		return nil, err
	}
	folder := prefix + "spark-" + uuid.NewString()
	w := connect.Write{
		Format: "parquet", Path: location + "/" + folder,
		Options: map[string]string{"compression": "zstd", "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false"},
	}
	for i := range l.PartitionColumns {
		w.PartitionBy = append(w.PartitionBy, fmt.Sprint(partitionMark, i))
	}
	rows, err := l.relation(foldered(l, query, others), append(others, w.PartitionBy...))
	if err != nil {
		return nil, err
	}
	if err = p.engine.client.Write(ctx, rows, w); err == nil {
		var files []objstore.Info
		if files, err = p.listed(ctx, folder); err == nil {
			return files, nil
		}
	}
	p.clear(context.WithoutCancel(ctx), folder)
	return nil, err
}

// listed finds the data files of a folder. What is in it besides is removed.
func (p *publishing) listed(ctx context.Context, folder string) ([]objstore.Info, error) {
	var files []objstore.Info
	for info, err := range p.out.Table.Store().List(ctx, folder+"/", "") {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(info.Key, ".parquet") || strings.HasPrefix(path.Base(info.Key), ".") {
			_ = p.out.Table.Store().Delete(ctx, info.Key)
			continue
		}
		files = append(files, info)
	}
	return files, nil
}

func (p *publishing) discard(ctx context.Context, files []objstore.Info) {
	for _, f := range files {
		_ = p.out.Table.Store().Delete(context.WithoutCancel(ctx), f.Key)
	}
}

// clear removes a folder that no version names. What it cannot remove is found by a vacuum.
func (p *publishing) clear(ctx context.Context, folder string) {
	for info, err := range p.out.Table.Store().List(ctx, folder+"/", "") {
		if err != nil {
			return
		}
		_ = p.out.Table.Store().Delete(ctx, info.Key)
	}
}

// foldered replaces the partition columns of a query by columns that name folders: the values as hexadecimal digits, for
// names that every file system and every zone of letters can hold.
func foldered(l layout, query string, others []string) string {
	if len(l.PartitionColumns) == 0 {
		return query
	}
	var cells []string
	for _, f := range l.Stored() {
		cells = append(cells, quoteName(f.Name))
	}
	cells = append(cells, quoteNames(others)...)
	for i, name := range l.PartitionColumns {
		cells = append(cells, fmt.Sprintf("concat('x', hex(CAST(%s AS STRING))) AS %s%d", quoteName(name), partitionMark, i))
	}
	return fmt.Sprintf("SELECT %s FROM (%s)", join(cells), query)
}

// describe makes the actions that add files, from their footers. Files without rows are removed.
func (p *publishing) describe(ctx context.Context, files []objstore.Info, l layout) ([]delta.Add, error) {
	adds := make([]delta.Add, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(footerReads)
	for i, info := range files {
		group.Go(func() (err error) {
			adds[i], err = p.describeFile(ctx, info, l)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var filled []delta.Add
	for _, add := range adds {
		if add.Stats.NumRecords == 0 {
			_ = p.out.Table.Store().Delete(ctx, add.Path)
			continue
		}
		filled = append(filled, add)
	}
	return filled, nil
}

func (p *publishing) describeFile(ctx context.Context, info objstore.Info, l layout) (delta.Add, error) {
	values, err := l.partitionValues(info.Key)
	if err != nil {
		return delta.Add{}, fmt.Errorf("data file %s: %w", info.Key, err)
	}
	stats, err := footerStats(ctx, p.out.Table.Store(), info, l)
	if err != nil {
		return delta.Add{}, fmt.Errorf("data file %s: %w", info.Key, err)
	}
	return delta.Add{
		Path:             info.Key,
		PartitionValues:  values,
		Size:             info.Size,
		ModificationTime: info.ModTime,
		DataChange:       true,
		Stats:            stats,
	}, nil
}

// partitionValues reads the folders of a file.
func (l layout) partitionValues(key string) (map[string]*string, error) {
	values := map[string]*string{}
	folders := strings.Split(path.Dir(strings.TrimPrefix(key, delta.ChangeDataFolder+"/")), "/")[1:]
	if len(folders) != len(l.PartitionColumns) {
		return nil, errors.New("it does not lie in the folders of its partition")
	}
	for i, name := range l.PartitionColumns {
		field, _ := l.Schema.Field(name)
		text, ok := strings.CutPrefix(folders[i], fmt.Sprint(partitionMark, i, "="))
		digits, some := strings.CutPrefix(text, "x")
		raw, err := hex.DecodeString(digits)
		switch {
		case !ok:
			return nil, fmt.Errorf("folder %q is not that of partition column %s", folders[i], name)
		case !some: // null
			values[name] = nil
			continue
		case err != nil:
			return nil, fmt.Errorf("partition column %s: %w", name, err)
		}
		value, err := delta.ParsePartitionValue(field.Type, new(string(raw)))
		if err == nil {
			values[name], err = delta.FormatPartitionValue(field.Type, value)
		}
		if err != nil {
			return nil, fmt.Errorf("partition column %s: %w", name, err)
		}
	}
	return values, nil
}
