package objstore_test

import (
	"fmt"
	"testing"
)

func BenchmarkDirPutIfAbsent(b *testing.B) {
	dir := newDir(b, b.TempDir())
	body := make([]byte, 2048)
	for n := range b.N {
		if err := dir.PutIfAbsent(b.Context(), fmt.Sprintf("_delta_log/%020d.json", n), body); err != nil {
			b.Fatal(err)
		}
	}
}
