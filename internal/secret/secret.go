// Package secret has a text that does not show itself: tokens and addresses that hold one.
//
// It hides a value, not what was made of it: texts put together elsewhere are cleaned by [launchlake/internal/task].
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted stands for what is hidden.
const Redacted = "REDACTED"

// Text prints, logs and marshals as "REDACTED" (as nothing when it is empty), whatever the verb or format. Its content is
// had by [Text.Reveal] alone.
type Text string

// Reveal returns the content.
func (s Text) Reveal() string { return string(s) }

// String implements [fmt.Stringer].
func (s Text) String() string {
	if s == "" {
		return ""
	}
	return Redacted
}

// Format implements [fmt.Formatter]: no verb shows the content, not even a wrong one.
func (s Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements [slog.LogValuer].
func (s Text) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements [encoding.TextMarshaler], and with it JSON and YAML.
func (s Text) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]: the secret is the text as it is.
func (s *Text) UnmarshalText(text []byte) error {
	*s = Text(text)
	return nil
}
