// Package pythontest gives tests Python packages that the machine need not have.
package pythontest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Environment makes an environment with the packages of a requirements file, and gives its interpreter. It is made on first
// use in the user's cache folder, under a name that holds the hash of the file, and shared by later runs.
func Environment(requirements []byte) (interpreter string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(requirements)
	folder := filepath.Join(cache, "launchlake", "python-"+hex.EncodeToString(hash[:6]))
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	unlock, err := Lock(folder + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	interpreter = filepath.Join(folder, "bin", "python")
	complete := filepath.Join(folder, "complete")
	if _, err := os.Stat(complete); err == nil {
		return interpreter, nil
	}
	file := folder + ".txt"
	if err := os.WriteFile(file, requirements, 0o644); err != nil {
		return "", err
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", folder},
		{interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", file},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return interpreter, os.WriteFile(complete, nil, 0o644)
}

// Lock waits for the exclusive lock of a file: test processes of several packages may want the environment at once.
func Lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
