package duckdb_test

import (
	"testing"

	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/engine/enginetest"
	"launchlake/internal/objstore"
)

func open(t *testing.T) *duckdb.Engine {
	t.Helper()
	return openWith(t, duckdb.Options{Folder: t.TempDir()})
}

func openWith(t *testing.T, o duckdb.Options) *duckdb.Engine {
	t.Helper()
	e, err := duckdb.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func dir(t *testing.T) objstore.Store {
	t.Helper()
	store, err := objstore.NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestDuckDBOnAFolderKeepsThePromisesOfAnEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Lab{Open: func(t *testing.T) engine.Engine { return open(t) }, Store: dir})
}

func TestDuckDBOnARemoteStoreKeepsThePromisesOfAnEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Lab{
		Open:  func(t *testing.T) engine.Engine { return open(t) },
		Store: func(*testing.T) objstore.Store { return objstore.NewMemory() },
	})
}
