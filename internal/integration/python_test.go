package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"launchlake/internal/pythontest"
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

// pythonEnvironment makes an environment with the packages of a file of this folder.
func pythonEnvironment(file string) (interpreter string, err error) {
	requirements, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return pythontest.Environment(requirements)
}
