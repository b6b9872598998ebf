package task

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kelseyhightower/envconfig"
)

func TestHelpNamesEveryVariableWithDefaultAndMeaning(t *testing.T) {
	setEnvironment(t, nil)
	got := runJob(t, process{args: []string{"--help"}}, nil)
	if got.code != Done || got.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", got.code, got.stderr)
	}
	words := strings.Join(strings.Fields(got.stdout), " ")
	var asEnvconfigSeesIt bytes.Buffer
	err := envconfig.Usagef("", &sampleConfig{}, &asEnvconfigSeesIt,
		"{{range .}}{{usage_key .}}\t{{if usage_required .}}required{{else}}{{usage_default .}}{{end}}\t{{usage_description .}}\n{{end}}")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(asEnvconfigSeesIt.String()), "\n")
	if len(rows) != reflect.TypeFor[Common]().NumField()+reflect.TypeFor[sampleConfig]().NumField()-1 {
		t.Errorf("envconfig sees the variables %q", rows)
	}
	for _, row := range rows {
		if row = strings.Join(strings.Fields(row), " "); !strings.Contains(words, row) {
			t.Errorf("no row %q in the help:\n%s", row, got.stdout)
		}
	}
	for _, want := range []string{"AWS_ACCESS_KEY_ID", " 75 ", " 99 ", "does a test's work"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %q in the help:\n%s", want, got.stdout)
		}
	}
	for line := range strings.SplitSeq(got.stdout, "\n") {
		if utf8.RuneCountInString(line) > 112 {
			t.Errorf("line is too long for a terminal: %q", line)
		}
	}
}

func TestVersionTellsReleaseCommitAndGo(t *testing.T) {
	got := runJob(t, process{args: []string{"--version"}}, nil)
	if got.code != Done || !strings.HasPrefix(got.stdout, "sample ") || !strings.Contains(got.stdout, "go1.") {
		t.Errorf("exit code %d, stdout %q", got.code, got.stdout)
	}
}

func TestConfigWithoutCommonIsAMistakeOfTheProgrammer(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	run(Job{Name: "x", Config: &struct{ A string }{}, Run: func(context.Context) (Result, error) {
		return Result{}, nil
	}}, process{})
}
