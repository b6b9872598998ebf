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

// publishing is one Publish.
type publishing struct {
	engine *Engine
	out    engine.Output
	table  *delta.Table
	query  string // with the columns of the output's schema
	schema *delta.Schema
}

// footerReads is how many footers are read at once.
const footerReads = 8

// partitionMark begins the names of the folders that Spark sorts rows into.
const partitionMark = "launchlake_partition_"

// write has Spark store the rows of a query as data files of the table, in a folder of their own, and gives the actions
// that add them. After an error the files stored so far are removed.
func (p *publishing) write(ctx context.Context, s *delta.Snapshot, schema *delta.Schema, query string) ([]delta.Add, error) {
	location, err := p.engine.location(p.table)
	if err != nil {
		return nil, err
	}
	folder := "spark-" + uuid.NewString()
	partitions := s.Metadata().PartitionColumns
	w := connect.Write{
		Format: "parquet", Path: location + "/" + folder,
		Options: map[string]string{"compression": "zstd", "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false"},
	}
	for i := range partitions {
		w.PartitionBy = append(w.PartitionBy, fmt.Sprint(partitionMark, i))
	}
	query, err = enforced(s.Metadata(), schema, query)
	if err != nil {
		return nil, err
	}
	if err = p.engine.client.Write(ctx, connect.SQL(foldered(schema, partitions, query)), w); err == nil {
		var adds []delta.Add
		if adds, err = p.describe(ctx, folder, schema, partitions); err == nil {
			return adds, nil
		}
	}
	p.clear(context.WithoutCancel(ctx), folder)
	return nil, fmt.Errorf("write data files: %w", err)
}

// clear removes a folder that no version names. What it cannot remove is found by a vacuum.
func (p *publishing) clear(ctx context.Context, folder string) {
	for info, err := range p.table.Store().List(ctx, folder+"/", "") {
		if err != nil {
			return
		}
		_ = p.table.Store().Delete(ctx, info.Key)
	}
}

// foldered replaces the partition columns of a query by columns that name folders: the values as hexadecimal digits, for
// names that every file system and every zone of letters can hold.
func foldered(schema *delta.Schema, partitions []string, query string) string {
	if len(partitions) == 0 {
		return query
	}
	isPartition := map[string]bool{}
	for _, name := range partitions {
		isPartition[name] = true
	}
	var cells []string
	for _, f := range schema.Fields {
		if !isPartition[f.Name] {
			cells = append(cells, quoteName(f.Name))
		}
	}
	for i, name := range partitions {
		cells = append(cells, fmt.Sprintf("concat('x', hex(CAST(%s AS STRING))) AS %s%d", quoteName(name), partitionMark, i))
	}
	return fmt.Sprintf("SELECT %s FROM (%s)", join(cells), query)
}

// describe makes the actions that add the files of a folder, from their footers. What is in it besides, and files without
// rows, are removed.
func (p *publishing) describe(ctx context.Context, folder string, schema *delta.Schema, partitions []string) ([]delta.Add, error) {
	var files []objstore.Info
	for info, err := range p.table.Store().List(ctx, folder+"/", "") {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(info.Key, ".parquet") || strings.HasPrefix(path.Base(info.Key), ".") {
			_ = p.table.Store().Delete(ctx, info.Key)
			continue
		}
		files = append(files, info)
	}
	adds := make([]delta.Add, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(footerReads)
	for i, info := range files {
		group.Go(func() (err error) {
			adds[i], err = p.describeFile(ctx, info, schema, partitions)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var filled []delta.Add
	for _, add := range adds {
		if add.Stats.NumRecords == 0 {
			_ = p.table.Store().Delete(ctx, add.Path)
			continue
		}
		filled = append(filled, add)
	}
	return filled, nil
}

func (p *publishing) describeFile(ctx context.Context, info objstore.Info, schema *delta.Schema, partitions []string) (delta.Add, error) {
	values, err := partitionValues(info.Key, schema, partitions)
	if err != nil {
		return delta.Add{}, fmt.Errorf("data file %s: %w", info.Key, err)
	}
	stats, err := footerStats(ctx, p.table.Store(), info, schema, partitions)
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
func partitionValues(key string, schema *delta.Schema, partitions []string) (map[string]*string, error) {
	values := map[string]*string{}
	folders := strings.Split(path.Dir(key), "/")[1:]
	if len(folders) != len(partitions) {
		return nil, errors.New("it does not lie in the folders of its partition")
	}
	for i, name := range partitions {
		field, _ := schema.Field(name)
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
