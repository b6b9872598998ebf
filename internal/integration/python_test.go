package integration_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// python returns a Python interpreter that has the packages of requirements.txt. The environment is made on first use
// in the user's cache folder, under a name that holds the hash of the requirements, and shared by later runs.
func python(t *testing.T) string {
	t.Helper()
	interpreter, err := pythonEnvironment()
	if err != nil {
		if strings.Contains(os.Getenv("LAKE_TEST_REQUIRE"), "deltars") {
			t.Fatalf("LAKE_TEST_REQUIRE names deltars: %v", err)
		}
		t.Skipf("needs Python 3 with delta-rs and DuckDB: %v", err)
	}
	return interpreter
}

var pythonEnvironment = sync.OnceValues(func() (string, error) {
	requirements, err := os.ReadFile("requirements.txt")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(requirements)
	folder := filepath.Join(cache, "launchlake", "python-"+hex.EncodeToString(hash[:6]))
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	unlock, err := lockFile(folder + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	interpreter := filepath.Join(folder, "bin", "python")
	complete := filepath.Join(folder, "complete")
	if _, err := os.Stat(complete); err == nil {
		return interpreter, nil
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", folder},
		{interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return interpreter, os.WriteFile(complete, nil, 0o644)
})

// lockFile waits for the exclusive lock of a file: test processes of several packages may want the environment at once.
func lockFile(path string) (unlock func(), err error) {
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
