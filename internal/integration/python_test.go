package integration_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// python returns a Python interpreter that has delta-rs and DuckDB.
func python(t *testing.T) string { return require(t, "deltars", deltarsEnvironment) }

// pythonWithSpark returns a Python interpreter that has Spark, which needs Java too.
func pythonWithSpark(t *testing.T) string { return require(t, "spark", sparkEnvironment) }

var (
	deltarsEnvironment = sync.OnceValues(func() (string, error) { return pythonEnvironment("requirements.txt") })
	sparkEnvironment   = sync.OnceValues(func() (string, error) {
		if out, err := exec.Command("java", "-version").CombinedOutput(); err != nil {
			return "", fmt.Errorf("java -version: %w\n%s", err, out)
		}
		return pythonEnvironment("requirements-spark.txt")
	})
)

// require skips the test when the environment cannot be had, or fails it where LAKE_TEST_REQUIRE names it.
func require(t *testing.T, name string, environment func() (string, error)) string {
	t.Helper()
	interpreter, err := environment()
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("LAKE_TEST_REQUIRE"), ","), name) {
			t.Fatalf("LAKE_TEST_REQUIRE names %s: %v", name, err)
		}
		t.Skipf("needs %s: %v", name, err)
	}
	return interpreter
}

// pythonEnvironment makes an environment with the packages of a file. It is made on first use in the user's cache folder,
// under a name that holds the hash of the file, and shared by later runs.
func pythonEnvironment(file string) (interpreter string, err error) {
	requirements, err := os.ReadFile(file)
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
	interpreter = filepath.Join(folder, "bin", "python")
	complete := filepath.Join(folder, "complete")
	if _, err := os.Stat(complete); err == nil {
		return interpreter, nil
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
