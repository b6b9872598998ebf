//go:build unix && !solaris && !aix

package miniotest

import (
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps the test processes of other packages from making the same thing at the same time.
func lock(name string) (unlock func(), err error) {
	folder, err := cacheFolder()
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(folder, name+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
