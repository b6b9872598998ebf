package duckdb

import (
	"context"
	"fmt"
	"slices"

	driver "github.com/duckdb/duckdb-go/v2"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
)

// selection is which rows of a file belong to a scan.
type selection struct {
	kind selectionKind
	rows *delta.RowSet
}

type selectionKind int

const (
	allRows  selectionKind = iota
	butThese               // all but those of the set
	onlyThese
)

// join selects the rows by a relation that lists those of the sets.
func (k selectionKind) join() string {
	switch k {
	case butThese:
		return "ANTI JOIN"
	case onlyThese:
		return "SEMI JOIN"
	}
	return ""
}

// selectRows sets which rows of the files count, and makes a relation of the sets, whose name it returns; "" without any.
func (e *Engine) selectRows(ctx context.Context, s scan, files []scannedFile) (string, error) {
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(fetches)
	for i := range files {
		group.Go(func() (err error) {
			files[i].rows, err = s.selection(groupContext, i)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	selective := slices.DeleteFunc(slices.Clone(files), func(f scannedFile) bool { return f.rows.kind == allRows })
	if len(selective) == 0 {
		return "", nil
	}
	if err := e.checkRowNumbers(ctx, s, selective); err != nil {
		return "", err
	}
	table := e.name("rows")
	if err := e.exec(ctx, fmt.Sprintf("CREATE TABLE %s (%s INTEGER, %s BIGINT)", table, numberColumn, rowColumn)); err != nil {
		return "", err
	}
	return table, e.appendRows(ctx, table, selective)
}

func (s scan) selection(ctx context.Context, i int) (selection, error) {
	table := s.snapshot.Table()
	gone, err := table.DeletedRows(ctx, s.files[i].Add)
	if err != nil {
		return selection{}, err
	}
	if s.changes != nil && s.changes[i].Within != nil {
		within := s.files[i].Add
		within.DeletionVector = s.changes[i].Within
		rows, err := table.DeletedRows(ctx, within)
		if err != nil {
			return selection{}, err
		}
		return selection{onlyThese, rows.Minus(gone)}, nil
	}
	if gone.Count() == 0 {
		return selection{}, nil
	}
	return selection{butThese, gone}, nil
}

// checkRowNumbers refuses sets with rows that their file has not.
func (e *Engine) checkRowNumbers(ctx context.Context, s scan, files []scannedFile) error {
	footers, err := e.footers.of(ctx, files)
	if err != nil {
		return err
	}
	for i, f := range files {
		if last := f.rows.rows.Last(); last >= footers[i].rows {
			key := s.files[f.number].Path
			return &delta.CorruptError{Key: key, Err: fmt.Errorf("a deletion vector names row %d, the file has %d", last, footers[i].rows)}
		}
	}
	return nil
}

func (e *Engine) appendRows(ctx context.Context, table string, files []scannedFile) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return queryError(ctx, err)
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		appender, err := driver.NewAppenderFromConn(c.(*driver.Conn), "", table)
		if err != nil {
			return err
		}
		for _, f := range files {
			for row := range f.rows.rows.All() {
				if err := appender.AppendRow(int32(f.number), row); err != nil {
					_ = appender.Close()
					return err
				}
			}
			if err := ctx.Err(); err != nil {
				_ = appender.Close()
				return err
			}
		}
		return appender.Close()
	})
}
