package bronze_test

import (
	"context"
	"io"
	"sync"
	"testing"

	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

func TestPassesSideBySideTakeEachRecordOnce(t *testing.T) {
	folder, err := objstore.NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]objstore.Store{"memory": objstore.NewMemory(), "folder": folder} {
		t.Run(name, func(t *testing.T) {
			const passes = 4
			var side sync.WaitGroup
			var mu sync.Mutex
			var taken int64
			for i := range passes {
				api := startAPI(t, apiOptions{}, launches(0, 900)...)
				side.Go(func() {
					// Batches of different sizes begin and end at different records.
					result, err := bronze.Ingest(t.Context(), api, delta.Open(store), bronze.Options{BatchPages: i + 1})
					if err != nil {
						t.Errorf("pass %d: %v", i, err)
					}
					if result.RowsNew+result.RowsKnown != result.RowsRead {
						t.Errorf("pass %d: of %d rows %d are new and %d known", i, result.RowsRead, result.RowsNew, result.RowsKnown)
					}
					mu.Lock()
					defer mu.Unlock()
					taken += result.RowsNew
				})
			}
			side.Wait()
			if taken != 900 {
				t.Errorf("the passes took %d rows together", taken)
			}
			table := delta.Open(store)
			checkRecords(t, table, launches(0, 900))
			checkNoOrphans(t, table)
		})
	}
}

func TestPassBehindAnotherDoesNotMoveTheWatermarkBack(t *testing.T) {
	table := memoryTable()
	slow := startAPI(t, apiOptions{}, launches(0, 150)...)
	fast := startAPI(t, apiOptions{}, launches(0, 300)...)
	slow.BeforeEach(func(number int) {
		if number == 2 {
			mustIngest(t, fast, table, bronze.Options{})
		}
	})
	got := mustIngest(t, slow, table, bronze.Options{})
	if got.RowsNew != 0 || got.Watermark.Unix() != launchTime(299) {
		t.Errorf("result %+v", got)
	}
	checkRecords(t, table, launches(0, 300))
}

// gated is a store whose data files wait until the gate is open.
type gated struct {
	objstore.Store
	open chan struct{}
}

func (g gated) Put(ctx context.Context, key string, body io.Reader) error {
	<-g.open
	return g.Store.Put(ctx, key, body)
}

func TestRowsThatAnotherPassHasMeanwhileAreDroppedFromAllBatches(t *testing.T) {
	store := objstore.NewMemory()
	slow := startAPI(t, apiOptions{}, launches(0, 600)...)
	fast := startAPI(t, apiOptions{}, launches(0, 350)...)
	gate := gated{store, make(chan struct{})}
	slow.BeforeEach(func(number int) {
		if number == 4 { // two pages wait for the gate, the third is in the batch behind them
			mustIngest(t, fast, delta.Open(store), bronze.Options{})
			close(gate.open)
		}
	})
	got := mustIngest(t, slow, delta.Open(gate), bronze.Options{BatchPages: 2})
	if got.RowsKnown != 350 || got.RowsNew != 250 || got.Watermark.Unix() != launchTime(599) {
		t.Errorf("result %+v", got)
	}
	checkRecords(t, delta.Open(store), launches(0, 600))
	checkNoOrphans(t, delta.Open(store))
}
