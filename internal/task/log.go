package task

import (
	"fmt"
	"io"
	"log/slog"
	"os"
)

// LogFormat is the form of the log.
type LogFormat string

// The forms of the log.
const (
	LogAuto LogFormat = "auto" // text on a terminal, JSON elsewhere
	LogJSON LogFormat = "json"
	LogText LogFormat = "text"
)

// UnmarshalText takes the name of a format.
func (f *LogFormat) UnmarshalText(text []byte) error {
	switch name := LogFormat(text); name {
	case LogAuto, LogJSON, LogText:
		*f = name
		return nil
	default:
		return fmt.Errorf("unknown log format %q", text)
	}
}

// NewLogger makes the log of a task as its configuration wants it. What the configuration holds as [launchlake/internal/secret.Text], and what
// looks like one in a URL, is taken out of every line.
func NewLogger(w io.Writer, task string, config any) *slog.Logger {
	return newLogger(w, task, commonOf(config), secretsOf(config))
}

func newLogger(w io.Writer, task string, common *Common, secrets []string) *slog.Logger {
	options := &slog.HandlerOptions{
		Level: common.LogLevel,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			return redactAttr(a, secrets)
		},
	}
	var handler slog.Handler = slog.NewJSONHandler(w, options)
	if common.LogFormat == LogText || common.LogFormat != LogJSON && isTerminal(w) {
		handler = slog.NewTextHandler(w, options)
	}
	return slog.New(handler).With("task", task, "run_id", common.RunID)
}

func redactAttr(a slog.Attr, secrets []string) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(redact(a.Value.String(), secrets))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case slog.Level:
			// keeps its own form
		case error:
			a.Value = slog.StringValue(redact(v.Error(), secrets))
		default:
			a.Value = slog.StringValue(redact(fmt.Sprint(v), secrets))
		}
	}
	return a
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
