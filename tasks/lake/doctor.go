package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/lake"
	"launchlake/internal/launchapi"
	"launchlake/internal/task"
	"launchlake/internal/task/ingest"
)

type doctorCommand struct {
	JSON bool
}

func newDoctorCommand(s *session) *cobra.Command {
	var c doctorCommand
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, store, source and tables, and say what to do.",
		Args:  exactly(),
		RunE:  func(*cobra.Command, []string) error { return c.Run(s) },
	}
	addSwitch(cmd.Flags(), &c.JSON, "json", "Print an object a check.")
	return cmd
}

// finding is the outcome of one check.
type finding struct {
	Check  string        `json:"check"`
	OK     bool          `json:"ok"`
	Detail string        `json:"detail"`
	Advice string        `json:"advice,omitempty"` // what to do; only when it is not OK
	Code   task.ExitCode `json:"exit_code"`
}

func (c doctorCommand) Run(s *session) error {
	var findings []finding
	findings = append(findings, checkConfiguration(s))
	if findings[0].OK {
		findings = append(findings, checkStore(s)...)
		findings = append(findings, checkSource(s))
	}
	if c.JSON {
		if err := writeJSONLines(s.out, findings); err != nil {
			return err
		}
	} else if err := writeFindings(s.out, findings); err != nil {
		return err
	}
	for _, f := range findings {
		if !f.OK {
			return task.Fail(f.Code, fmt.Errorf("%s is not well: %s", f.Check, f.Detail))
		}
	}
	return nil
}

func writeFindings(out io.Writer, findings []finding) error {
	for _, f := range findings {
		mark := "ok  "
		if !f.OK {
			mark = "FAIL"
		}
		if _, err := fmt.Fprintf(out, "%s  %-14s %s\n", mark, f.Check, f.Detail); err != nil {
			return err
		}
		if f.Advice != "" {
			if _, err := fmt.Fprintf(out, "      %-14s %s\n", "", "-> "+f.Advice); err != nil {
				return err
			}
		}
	}
	return nil
}

func good(check, detail string) finding { return finding{Check: check, OK: true, Detail: detail} }

func bad(check string, err error, advice string) finding {
	return finding{Check: check, Detail: err.Error(), Advice: advice, Code: task.CodeOf(err)}
}

func checkConfiguration(s *session) finding {
	var source ingest.Config
	var sql engineEnvironment
	for _, config := range []any{&source, &sql} {
		if err := loadConfig(s, config); err != nil {
			return bad("configuration", err, "correct the variable; `ingest --help` and `refine --help` list them all")
		}
	}
	return good("configuration", fmt.Sprintf("lake %s, source %s", task.RedactURL(s.config.URL), task.RedactURL(source.SourceURL)))
}

// checkStore looks at the store and at every table in it.
func checkStore(s *session) []finding {
	l, err := lake.Open(s.ctx, s.config)
	if err == nil {
		err = l.Probe(s.ctx)
	}
	if err != nil {
		return []finding{bad("store", err, storeAdvice(task.CodeOf(err)))}
	}
	findings := []finding{good("store", "exactly one of racing writers wins, and listings show what was written"), checkClock(s, l)}
	names, err := l.Tables(s.ctx)
	if err != nil {
		return append(findings, bad("tables", err, storeAdvice(task.CodeOf(err))))
	}
	if len(names) == 0 {
		return append(findings, good("tables", "none yet"))
	}
	for _, name := range names {
		findings = append(findings, checkTable(s, l, name))
	}
	return findings
}

// clockLimit is the difference between clocks from which times in tables mislead.
const clockLimit = time.Minute

func checkClock(s *session, l *lake.Lake) finding {
	ahead, err := l.Skew(s.ctx)
	switch {
	case err != nil:
		return bad("clock", err, storeAdvice(task.CodeOf(err)))
	case ahead.Abs() > clockLimit:
		return bad("clock", fmt.Errorf("the store's clock and this machine's are %s apart", ahead.Abs().Round(time.Second)),
			"set the clocks by NTP: versions are dated by the one, retention is counted by the other")
	}
	return good("clock", "the store's and this machine's agree")
}

// checkTable looks for damage as `lake fsck` does, and tells the first.
func checkTable(s *session, l *lake.Lake, name string) finding {
	t := l.Table(name)
	snapshot, err := t.Snapshot(s.ctx)
	if err != nil {
		return bad(name, err, "the table cannot be read: `lake history "+name+"` shows its last good commits")
	}
	for found, err := range t.Check(s.ctx, delta.CheckOptions{}) {
		if err != nil {
			return bad(name, err, storeAdvice(task.CodeOf(err)))
		}
		return bad(name, fmt.Errorf("%s: %s: %s", found.Kind, found.Key, found.Detail), found.Advice()+" (`lake fsck "+name+"` lists all)")
	}
	return good(name, fmt.Sprintf("version %d, %d files, sound", snapshot.Version(), snapshot.NumFiles()))
}

func storeAdvice(code task.ExitCode) string {
	switch code {
	case task.NoPermission:
		return "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the folder's permissions): the lake must be readable and writable"
	case task.Unavailable:
		return "check that the bucket or folder exists, and S3_ENDPOINT and S3_PATH_STYLE for a service that is not AWS's"
	}
	return "check LAKE_URL"
}

func checkSource(s *session) finding {
	var c ingest.Config
	if err := loadConfig(s, &c); err != nil {
		return bad("source", err, "correct the variable")
	}
	client, closeSource, err := c.OpenSource(s.ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return bad("source", err, "check SOURCE_URL")
	}
	defer closeSource()
	budget, err := client.Throttle(s.ctx)
	if errors.Is(err, launchapi.ErrBudgetUnknown) {
		// Only a page tells whether this is the launch API at all.
		for _, err = range client.Pages(s.ctx, launchapi.Query{Limit: 1}) {
			break
		}
		if err == nil {
			return good("source", "answers; it does not tell its request budget")
		}
	}
	switch {
	case err == nil:
		return good("source", fmt.Sprintf("answers; %d of %d requests left", budget.Left(), budget.Limit))
	case errors.Is(err, launchapi.ErrUnauthorized):
		return bad("source", task.Fail(task.NoPermission, err), "check LL2_TOKEN")
	}
	return bad("source", task.Fail(task.Unavailable, err),
		"check SOURCE_URL and the network, and whether https://thespacedevs.com says that the API is down")
}
