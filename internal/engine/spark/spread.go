package spark

import (
	"context"
	"strconv"
	"sync"
)

// spread cuts the work into as many parts as there is input for. A cluster's own number, 200 where nobody sets it, is made for more than most runs
// bring, and each part of each shuffle costs as much as thousands of rows.
type spread struct {
	mu    sync.Mutex // publications run side by side
	most  int64      // the cluster's own number
	parts int64      // as it is set
	bytes int64      // of data files that the session reads
}

const (
	partsProperty = "spark.sql.shuffle.partitions"
	fewestParts   = 2
	partBytes     = 1 << 20 // of compressed data files, which are some ten times as large in memory
)

// expect tells of data files that are going to be read.
func (e *Engine) expect(ctx context.Context, bytes int64) error {
	s := e.spread
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += bytes
	parts := min(fewestParts+s.bytes/partBytes, s.most) // s.most is 0 where nothing is to be set
	if parts == s.parts {
		return nil
	}
	s.parts = parts
	return e.client.Configure(ctx, map[string]string{partsProperty: strconv.FormatInt(parts, 10)})
}

// newSpread asks for the cluster's own number. One that is none, as "auto", stays.
func (e *Engine) newSpread(ctx context.Context) (*spread, error) {
	own, err := e.client.Property(ctx, partsProperty)
	if err != nil {
		return nil, err
	}
	most, err := strconv.ParseInt(own, 10, 64)
	if err != nil {
		most = 0
	}
	return &spread{most: most, parts: most}, nil
}
