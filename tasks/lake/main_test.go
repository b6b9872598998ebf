package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/lake"
	"launchlake/internal/task"
)

// execute runs a command line against an environment of its own.
func execute(t *testing.T, environment map[string]string, args ...string) (string, *session, error) {
	t.Helper()
	for _, name := range []string{"LAKE_URL", "S3_ENDPOINT", "S3_PATH_STYLE"} {
		t.Setenv(name, "") // restores it afterwards
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
	var out strings.Builder
	s := &session{ctx: t.Context(), config: lake.Config{URL: "./lake"}, out: &out, log: io.Discard}
	root := newRoot(s)
	root.SetArgs(args)
	err := root.Execute()
	return out.String(), s, err
}

func TestWrongCommandLinesAreBadConfigAndSayWhatIsWrongAndWhereToLook(t *testing.T) {
	for line, want := range map[string]string{
		"":                             "a command is missing; see `lake --help`",
		"catt":                         "unknown command \"catt\", did you mean cat?; see `lake --help`",
		"help nope":                    "unknown command \"nope\"; see `lake --help`",
		"completion":                   "unknown command \"completion\"; see `lake --help`",
		"cat":                          "TABLE is missing; see `lake cat --help`",
		"cat a b":                      "unexpected argument \"b\"; see `lake cat --help`",
		"tables a":                     "unexpected argument \"a\"; see `lake tables --help`",
		"cat a --nope":                 "unknown flag: --nope; see `lake cat --help`",
		"cat a --version":              "flag needs an argument: --version; see `lake cat --help`",
		"cat a --version 1 --as-of 2":  "--version and --as-of cannot be used together; see `lake cat --help`",
		"cat a --as-of 2 --changes 1:": "--as-of and --changes cannot be used together; see `lake cat --help`",
		"tables --format csv":          "invalid argument \"csv\" for \"--format\" flag: must be one of table, json; see `lake tables --help`",
		"cat a --limit ten":            "invalid argument \"ten\" for \"--limit\" flag: must be a whole number; see `lake cat --help`",
		"optimize a --partition b":     "invalid argument \"b\" for \"--partition\" flag: must be COLUMN=VALUE; see `lake optimize --help`",
		"vacuum a --retention 5x": "invalid argument \"5x\" for \"--retention\" flag: time: unknown unit \"x\" in duration \"5x\"; " +
			"see `lake vacuum --help`",
		"vacuum":         "name the tables, or all of the lake by --all",
		"vacuum a --all": "name the tables, or all of the lake by --all",
	} {
		out, _, err := execute(t, nil, strings.Fields(line)...)
		if err == nil || err.Error() != want || task.CodeOf(err) != task.BadConfig || out != "" {
			t.Errorf("lake %s: %v (exit code %d, output %q), want %s", line, err, task.CodeOf(err), out, want)
		}
	}
}

func TestTheLakeComesFromTheCommandLineBeforeTheEnvironment(t *testing.T) {
	folder := t.TempDir()
	given, other := filepath.Join(folder, "given"), filepath.Join(folder, "other")
	for name, tt := range map[string]struct {
		environment map[string]string
		args        []string
		want        lake.Config
	}{
		"neither": {nil, nil, lake.Config{URL: "./lake"}},
		"environment": {map[string]string{"LAKE_URL": other, "S3_ENDPOINT": "http://minio", "S3_PATH_STYLE": "true"}, nil,
			lake.Config{URL: other, S3Endpoint: "http://minio", S3PathStyle: true}},
		"both": {map[string]string{"LAKE_URL": other, "S3_ENDPOINT": "http://minio", "S3_PATH_STYLE": "true"},
			[]string{"--lake", given, "--s3-endpoint=http://other", "--s3-path-style=false"},
			lake.Config{URL: given, S3Endpoint: "http://other"}},
	} {
		_, s, err := execute(t, tt.environment, append([]string{"version"}, tt.args...)...)
		if diff := cmp.Diff(tt.want, s.config); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if _, _, err := execute(t, map[string]string{"S3_PATH_STYLE": "maybe"}, "tables"); task.CodeOf(err) != task.BadConfig {
		t.Errorf("S3_PATH_STYLE=maybe: %v", err)
	}
}

func TestTheVersionIsACommandAndAFlag(t *testing.T) {
	want := fmt.Sprintln("lake", task.Build())
	for _, argument := range []string{"version", "--version"} {
		if out, _, err := execute(t, nil, argument); err != nil || out != want {
			t.Errorf("lake %s: %q, %v, want %q", argument, out, err, want)
		}
	}
}

func TestFlagsOfListsAndPairsAddUp(t *testing.T) {
	cmd := newOptimizeCommand(&session{})
	columns, pairs := []string(nil), map[string]string(nil)
	flags := cmd.Flags()
	addList(flags, &columns, "list", "A,B", "")
	addPairs(flags, &pairs, "pair", "A=B", "")
	if err := cmd.ParseFlags([]string{"--list", `a,b\,c`, "--list=d", "--pair", "k=v,w", "--pair", "l=x=y"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b,c", "d"}, columns); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"k": "v,w", "l": "x=y"}, pairs); diff != "" {
		t.Error(diff)
	}
}
