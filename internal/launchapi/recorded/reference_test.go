package recorded

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reference opens a file of the public reference data that may lie beside the checkout, in ../shared/data.
func reference(t *testing.T, path string) *os.File {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		t.Fatal("no go.mod above the test")
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", "data", path))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the reference data ../shared/data/%s is not there", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// tsv reads lines of tab-separated cells, without the comments.
func tsv(t *testing.T, path string) [][]string {
	t.Helper()
	var out [][]string
	lines := bufio.NewScanner(reference(t, path))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		cells := strings.Split(lines.Text(), "\t")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		out = append(out, cells)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
