package objstore_test

import (
	"testing"

	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) objstore.Store { return objstore.NewMemory() })
}

func TestDirKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) objstore.Store { return newDir(t, t.TempDir()) })
}

func newDir(t testing.TB, path string) *objstore.Dir {
	t.Helper()
	dir, err := objstore.NewDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
