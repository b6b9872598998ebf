package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// Tags of files that were ordered together, by Spark's names.
const (
	cubeTag    = "ZCUBE_ID"
	orderTag   = "ZCUBE_ZORDER_BY"
	curveTag   = "ZCUBE_ZORDER_CURVE"
	zOrderName = "zorder"
)

// curveBits is how many bits a place on the curve has: as many as a BIGINT holds.
const curveBits = 62

// mostZOrder is how many columns a curve can go through.
const mostZOrder = 8

// mostRankBits bounds the ranks of one column: finer than the files can be is of no use.
const mostRankBits = 16

func (r *rearrangement) checkZOrder() error {
	if n := len(r.options.ZOrder); n > mostZOrder {
		return fmt.Errorf("order by %d columns: more than %d leave nothing near to anything", n, mostZOrder)
	}
	for i, name := range r.options.ZOrder {
		f, ok := r.snapshot.Schema().Field(name)
		switch {
		case !ok:
			return fmt.Errorf("order by %s: the table has no such column", name)
		case slices.Contains(r.snapshot.Metadata().PartitionColumns, name):
			return fmt.Errorf("order by %s: it is a partition column, which separates files anyway", name)
		case slices.Contains(r.options.ZOrder[:i], name):
			return fmt.Errorf("order by %s: it is named twice", name)
		}
		switch f.Type.(type) {
		case *delta.Struct, *delta.Array, *delta.Map:
			return fmt.Errorf("order by %s: a %s has no order", name, f.Type)
		}
	}
	return nil
}

func (r *rearrangement) zOrderTags() map[string]string {
	if len(r.options.ZOrder) == 0 {
		return nil
	}
	if r.cube == "" {
		r.cube = uuid.NewString()
	}
	return map[string]string{cubeTag: r.cube, orderTag: r.zOrderText(), curveTag: zOrderName}
}

func (r *rearrangement) zOrderText() string {
	text, _ := json.Marshal(r.options.ZOrder) // strings always encode
	return string(text)
}

// wholePartition takes all files of a partition, unless they were ordered together by the same columns before.
func (r *rearrangement) wholePartition(files []delta.Add) []bin {
	cube := files[0].Tags[cubeTag]
	ordered := cube != "" && !slices.ContainsFunc(files, func(f delta.Add) bool {
		return f.Tags[cubeTag] != cube || f.Tags[orderTag] != r.zOrderText()
	})
	if ordered {
		return nil
	}
	var all bin
	for _, f := range files {
		all.put(f)
	}
	return []bin{all}
}

// copyOrdered writes rows along a Z-order curve, cut into files of about the target size. The rows themselves are never sorted by the
// columns: DuckDB makes one zero of the two when it sorts by them.
func (r *rearrangement) copyOrdered(ctx context.Context, l layout, rows string, b bin) ([]written, error) {
	e := r.engine
	table, places := e.name("rows"), e.name("places")
	defer e.drop(ctx, table)
	defer e.drop(ctx, places)
	if err := e.Define(ctx, table, fmt.Sprintf("SELECT %s FROM (%s)", r.dataColumns(), rows), engine.Once); err != nil {
		return nil, err
	}
	pieces := max(1, (b.bytes+r.target-1)/r.target)
	ranks, curve := zCurve(r.options.ZOrder)
	query := fmt.Sprintf("SELECT _id, _place, ntile(%d) OVER (ORDER BY _place) AS _piece FROM (SELECT _id, %s AS _place FROM (SELECT data.rowid AS _id, %s FROM %s AS data))",
		pieces, curve, ranks, table)
	if err := e.Define(ctx, places, query, engine.Once); err != nil {
		return nil, err
	}
	var files []written
	for i := range pieces {
		piece := fmt.Sprintf("SELECT %s FROM %s AS data JOIN %s AS places ON data.rowid = places._id WHERE places._piece = %d ORDER BY places._place",
			r.dataColumns("data"), table, places, i+1)
		one, err := e.copyRows(ctx, l.query(piece, l.Stored()), l.fieldIDs())
		if err != nil {
			return nil, err
		}
		files = append(files, one...)
	}
	return files, nil
}

// zCurve gives the SQL of each column's rank among the rows of data, and that of the place that the ranks have on the curve: the bits of all
// ranks, taken in turns.
func zCurve(columns []string) (ranks, curve string) {
	bits := min(mostRankBits, curveBits/len(columns))
	var rankCells, bitCells []string
	for j, name := range columns {
		rank := fmt.Sprintf("_rank_%d", j)
		rankCells = append(rankCells, fmt.Sprintf("CAST(floor(percent_rank() OVER (ORDER BY data.%s NULLS FIRST) * %d) AS BIGINT) AS %s",
			quoteName(name), int64(1)<<bits-1, rank))
		for i := range bits {
			bitCells = append(bitCells, fmt.Sprintf("(((%s >> %d) & 1) << %d)", rank, i, i*len(columns)+j))
		}
	}
	return strings.Join(rankCells, ", "), strings.Join(bitCells, " + ")
}
