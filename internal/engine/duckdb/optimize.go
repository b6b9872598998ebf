package duckdb

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

var _ engine.Optimizer = (*Engine)(nil)

const defaultTargetBytes = 128 << 20

// Optimize implements [engine.Optimizer].
func (e *Engine) Optimize(ctx context.Context, t *delta.Table, o engine.OptimizeOptions) (engine.Optimized, error) {
	var done engine.Optimized
	err := publication.Retry(func() (err error) {
		done, err = e.optimize(ctx, t, o)
		return err
	})
	if err != nil {
		return done, fmt.Errorf("optimize table: %w", err)
	}
	return done, nil
}

func (e *Engine) optimize(ctx context.Context, t *delta.Table, o engine.OptimizeOptions) (engine.Optimized, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return engine.Optimized{}, err
	}
	done := engine.Optimized{Before: s.Version(), After: s.Version()}
	if err := s.CheckWrite(); err != nil {
		return done, err
	}
	r := &rearrangement{publishing: publishing{engine: e, out: engine.Output{Table: t}}, snapshot: s, options: o}
	if r.target, err = targetBytes(s, o.TargetBytes); err != nil {
		return done, err
	}
	if err := r.checkZOrder(); err != nil {
		return done, err
	}
	bins, err := r.bins()
	if err != nil || len(bins) == 0 {
		return done, err
	}
	for i, b := range bins {
		if err := r.rewrite(ctx, b); err != nil {
			publication.Discard(ctx, t, r.add)
			return done, err
		}
		if o.Progress != nil {
			o.Progress(i+1, len(bins))
		}
	}
	return r.commitAll(ctx, done)
}

// targetBytes is the size of the files to be.
func targetBytes(s *delta.Snapshot, asked int64) (int64, error) {
	switch text := s.Metadata().Configuration["delta.targetFileSize"]; {
	case asked < 0:
		return 0, fmt.Errorf("target size %d is negative", asked)
	case asked > 0:
		return asked, nil
	case text != "":
		return parseBytes(text)
	}
	return defaultTargetBytes, nil
}

// parseBytes reads "134217728", "100mb", "1g".
func parseBytes(text string) (int64, error) {
	digits := strings.TrimRight(strings.ToLower(strings.TrimSpace(text)), "bkmgt")
	factor := int64(1)
	switch strings.ToLower(text)[len(digits):] {
	case "", "b":
	case "k", "kb":
		factor = 1 << 10
	case "m", "mb":
		factor = 1 << 20
	case "g", "gb":
		factor = 1 << 30
	default:
		return 0, fmt.Errorf("delta.targetFileSize %q is no size", text)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > (1<<50)/factor {
		return 0, fmt.Errorf("delta.targetFileSize %q is no size", text)
	}
	return n * factor, nil
}

// rearrangement is one Optimize on one snapshot.
type rearrangement struct {
	publishing
	snapshot *delta.Snapshot
	options  engine.OptimizeOptions
	target   int64
	add      []delta.Add
	remove   []delta.Add
	cube     string // names the files that are ordered together; "" before there are any
}

// bin is data files of one partition that are written anew together.
type bin struct {
	files []delta.Add
	bytes int64
}

func (b *bin) put(f delta.Add) {
	b.files = append(b.files, f)
	b.bytes += f.Size
}

// bins decides which files are written anew.
func (r *rearrangement) bins() ([]bin, error) {
	partitions := map[string][]delta.Add{}
	for f, err := range r.snapshot.Files(r.options.Where...) {
		if err != nil {
			return nil, err
		}
		folder := delta.PartitionPath(r.snapshot.Metadata().PartitionColumns, f.PartitionValues)
		partitions[folder] = append(partitions[folder], f)
	}
	var bins []bin
	for _, folder := range slices.Sorted(maps.Keys(partitions)) {
		files := partitions[folder]
		if len(r.options.ZOrder) > 0 {
			bins = append(bins, r.wholePartition(files)...)
		} else {
			bins = append(bins, r.pack(files)...)
		}
	}
	return bins, nil
}

// pack puts small files, and those to be purged, together, neighbours in time first, for what came together is read together. Each bin becomes
// one file, so the number of files only falls, and packing again comes to an end.
func (r *rearrangement) pack(files []delta.Add) []bin {
	small := slices.DeleteFunc(slices.Clone(files), func(f delta.Add) bool { return f.Size >= r.target*3/4 && !r.purges(f) })
	slices.SortStableFunc(small, func(a, b delta.Add) int {
		return cmp.Or(a.ModificationTime.Compare(b.ModificationTime), strings.Compare(a.Path, b.Path))
	})
	var bins []bin
	var open bin
	for _, f := range small {
		if len(open.files) > 0 && open.bytes+f.Size > r.target {
			bins, open = append(bins, open), bin{}
		}
		open.put(f)
	}
	bins = append(bins, open)
	return slices.DeleteFunc(bins, func(b bin) bool { return len(b.files) < 2 && !slices.ContainsFunc(b.files, r.purges) })
}

// purges is whether a file is to be written again for its deleted rows alone.
func (r *rearrangement) purges(f delta.Add) bool {
	if !r.options.Purge || f.DeletionVector == nil {
		return false
	}
	known := f.Stats != nil && f.Stats.NumRecords > 0
	return !known || float64(f.DeletionVector.Cardinality) >= r.options.PurgeFraction*float64(f.Stats.NumRecords)
}

// rewrite writes the rows of a bin into new files and stores them.
func (r *rearrangement) rewrite(ctx context.Context, b bin) error {
	inputs := make([]engine.File, len(b.files))
	for i, f := range b.files {
		inputs[i] = engine.File{Add: f}
	}
	rows, err := r.engine.scanQuery(ctx, scan{snapshot: r.snapshot, files: inputs})
	if err != nil {
		return err
	}
	defer r.engine.files.forget(r.snapshot, b.files)
	var want int64
	if err := r.engine.db.QueryRowContext(ctx, "SELECT count(*) FROM ("+rows+")").Scan(&want); err != nil {
		return fmt.Errorf("count rows: %w", queryError(ctx, err))
	}
	l := layoutOf(r.snapshot, r.snapshot.Schema())
	var files []written
	if len(r.options.ZOrder) > 0 {
		files, err = r.copyOrdered(ctx, l, rows, b)
	} else {
		files, err = r.engine.copyRows(ctx, l.query("SELECT "+r.dataColumns()+" FROM ("+rows+")", l.Stored()), l.fieldIDs())
	}
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	for _, f := range files {
		want -= f.rows
	}
	if want != 0 {
		return fmt.Errorf("the new files have %d rows less than the old ones", want)
	}
	r.remove = append(r.remove, b.files...)
	return r.storeAll(ctx, l, b, files)
}

func (r *rearrangement) storeAll(ctx context.Context, l layout, b bin, files []written) error {
	tags := r.zOrderTags()
	for _, f := range files {
		add, err := r.describeIn(ctx, l, b.files[0].PartitionValues, f)
		if err != nil {
			return fmt.Errorf("write data files: %w", err)
		}
		add.Tags = tags
		r.add = append(r.add, add)
		if err := r.store(ctx, add.Path, f.path); err != nil {
			return err
		}
	}
	return nil
}

// dataColumns are the columns that data files hold, of a relation when one is named.
func (r *rearrangement) dataColumns(of ...string) string {
	var names []string
	for _, f := range r.snapshot.Schema().Fields {
		if !slices.Contains(r.snapshot.Metadata().PartitionColumns, f.Name) {
			names = append(names, strings.Join(append(of[:len(of):len(of)], quoteName(f.Name)), "."))
		}
	}
	return join(names)
}

func (r *rearrangement) commitAll(ctx context.Context, done engine.Optimized) (engine.Optimized, error) {
	for _, f := range r.remove {
		done.BytesRemoved += f.Size
	}
	for _, f := range r.add {
		done.BytesAdded += f.Size
	}
	done.FilesAdded, done.FilesRemoved, done.Rows = len(r.add), len(r.remove), publication.Records(r.add)
	zOrder, err := json.Marshal(append([]string{}, r.options.ZOrder...))
	if err != nil {
		return done, err
	}
	tx := r.snapshot.Begin(delta.Operation{
		Name: "OPTIMIZE", Rearrange: true, UserMetadata: r.options.UserMetadata,
		Parameters: map[string]string{"predicate": "[]", "zOrderBy": string(zOrder), "targetFileSize": strconv.FormatInt(r.target, 10)},
		Metrics: map[string]int64{
			"numAddedFiles": int64(done.FilesAdded), "numAddedBytes": done.BytesAdded,
			"numRemovedFiles": int64(done.FilesRemoved), "numRemovedBytes": done.BytesRemoved,
		},
	})
	tx.Remove(r.remove...)
	tx.Add(r.add...)
	after, err := tx.Commit(ctx)
	if err != nil {
		publication.DiscardAfter(ctx, r.out.Table, err, r.add)
		return engine.Optimized{Before: done.Before, After: done.Before}, err
	}
	done.After = after.Version()
	return done, nil
}
