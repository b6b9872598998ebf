package task

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// The linker sets these for a release: -ldflags "-X launchlake/internal/task.version=v1.2.3 -X …commit=abc1234".
var version, commit string

// BuildInfo says what this binary was built from.
type BuildInfo struct {
	Version string // of the release, or of the module; "(devel)" when built from a checkout
	Commit  string // "" when unknown
	Go      string // version of Go
}

// Build tells what this binary was built from.
func Build() BuildInfo {
	b := BuildInfo{Version: version, Commit: commit, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		b.Version = cmp.Or(b.Version, "(devel)")
		return b
	}
	b.Version = cmp.Or(b.Version, info.Main.Version, "(devel)")
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && b.Commit == "":
			b.Commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true" && commit == "":
			b.Commit += " with changes"
		}
	}
	return b
}

func (b BuildInfo) String() string {
	return fmt.Sprintf("%s (commit %s, %s %s/%s)",
		b.Version, cmp.Or(b.Commit, "unknown"), b.Go, runtime.GOOS, runtime.GOARCH)
}

// The widths of the help's columns, for a terminal of 110.
const (
	helpName    = 18
	helpDefault = 12
	helpMeaning = 76
)

// awsVariables are the SDK's own; it knows more.
var awsVariables = []variable{
	{name: "AWS_ACCESS_KEY_ID", meaning: "credentials; with AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN"},
	{name: "AWS_PROFILE", meaning: "profile of the shared configuration files, instead of the above"},
	{name: "AWS_REGION", meaning: "region of the bucket"},
}

func writeHelp(w io.Writer, job Job) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s\n\n", job.Name, job.Summary)
	fmt.Fprintf(&b, "It takes no arguments besides --help and --version and is configured by the environment.\n")
	fmt.Fprintf(&b, "A variable that is empty counts as not set.\n\n")
	writeRow(&b, "VARIABLE", "DEFAULT", "MEANING")
	for _, v := range variablesOf(job.Config) {
		preset := v.preset
		if v.required {
			preset = "required"
		}
		writeRow(&b, v.name, preset, v.meaning)
	}
	fmt.Fprintf(&b, "\nFor s3:// lakes also AWS's own variables, read by its SDK, among them:\n\n")
	for _, v := range awsVariables {
		writeRow(&b, v.name, "", v.meaning)
	}
	fmt.Fprintf(&b, "\nThe last line on stdout is the result, one JSON object (%s); the log goes to stderr.\n", resultSchema)
	fmt.Fprintf(&b, "On SIGTERM or SIGINT the task ends within 8 s with all tables valid; the second signal ends it at once.\n\n")
	fmt.Fprintf(&b, "EXIT CODES\n")
	for _, e := range exitMeanings {
		fmt.Fprintf(&b, "%5d  %s\n", e.code, e.meaning)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the help: %w", err)
	}
	return nil
}

// writeRow writes a row of the table, its meaning broken into lines.
func writeRow(b *bytes.Buffer, name, preset, meaning string) {
	for _, line := range wrap(meaning, helpMeaning) {
		// A name or default that is too long for its column pushes the rest of its line to the right.
		text := fmt.Sprintf("  %-*s  %-*s  %s", helpName, name, helpDefault, preset, line)
		fmt.Fprintln(b, strings.TrimRight(text, " "))
		name, preset = "", ""
	}
}

// wrap breaks a text between words into lines of at most width bytes, where words allow it.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
