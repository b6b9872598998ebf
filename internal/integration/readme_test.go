package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"launchlake/internal/task"
)

// readmeBlocks are the README's code blocks of a language.
func readmeBlocks(t *testing.T, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, match[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("the README has no %s", language)
	}
	return blocks
}

// demo is a folder in which the pipeline has run into ./lake, as after `make run`.
func demo(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	runPipeline(t, environment{"LAKE_URL": filepath.Join(folder, "lake")}, task.Done)
	return folder
}

func TestSnippetForPythonPrintsRockets(t *testing.T) {
	interpreter := python(t)
	for _, block := range readmeBlocks(t, "python") {
		if strings.Contains(block, "spark.") {
			continue
		}
		c := exec.CommandContext(t.Context(), interpreter, "-c", block)
		c.Dir = demo(t)
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Falcon 9") {
			t.Errorf("%v\n%s\n%s", err, block, out)
		}
	}
}

// TestSnippetForDuckDBPrintsYears runs the SQL in DuckDB's Python package, whose delta extension comes from PyPI: only the
// line that installs it is left out.
func TestSnippetForDuckDBPrintsYears(t *testing.T) {
	interpreter := python(t)
	blocks := readmeBlocks(t, "sql")
	query, found := strings.CutPrefix(blocks[0], "INSTALL delta; LOAD delta;\n")
	if !found {
		t.Fatalf("the first SQL of the README is not DuckDB's: %s", blocks[0])
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), interpreter, "-c", "import deltars_worker as d, sys; print(d.connect_delta().execute(sys.argv[1]).fetchall())", query)
	c.Dir = demo(t)
	c.Env = append(os.Environ(), "PYTHONPATH="+here)
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "('2026', 92, 87)") {
		t.Errorf("%v\n%s\n%s", err, query, out)
	}
}

// TestCommandsOfTheREADMEWork runs the lines that look around in the lake.
func TestCommandsOfTheREADMEWork(t *testing.T) {
	folder := demo(t)
	runPipeline(t, environment{"LAKE_URL": filepath.Join(folder, "lake"), "SAMPLE_STATE": "2"}, task.Done)
	if err := os.Symlink(binaries, filepath.Join(folder, "bin")); err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, block := range readmeBlocks(t, "sh") {
		for line := range strings.Lines(block) {
			if !strings.HasPrefix(line, "bin/lake ") {
				continue
			}
			commands++
			c := exec.CommandContext(t.Context(), "sh", "-c", line)
			c.Dir = folder
			if out, err := c.CombinedOutput(); err != nil || len(out) == 0 {
				t.Errorf("%s%v\n%s", line, err, out)
			}
		}
	}
	if commands < 5 {
		t.Errorf("the README has only %d commands of lake", commands)
	}
}

// TestTablesOfVariablesInTheREADMEAreComplete compares them with what --help prints.
func TestTablesOfVariablesInTheREADMEAreComplete(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`(?m)^  ([A-Z][A-Z0-9_]+) `)
	for _, name := range []string{"ingest", "refine", "aggregate"} {
		for _, match := range variable.FindAllStringSubmatch(run(t, environment{}, name, "--help").stdout, -1) {
			if match[1] != "VARIABLE" && !strings.HasPrefix(match[1], "AWS_") && !strings.Contains(string(text), "`"+match[1]+"`") {
				t.Errorf("%s --help names %s, the README does not", name, match[1])
			}
		}
	}
}
