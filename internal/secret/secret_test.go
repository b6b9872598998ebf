package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"launchlake/internal/secret"
)

func TestNoVerbFormatOrLogShowsTheContent(t *testing.T) {
	token := secret.Text("t0ken")
	held := struct{ T secret.Text }{token}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&out, verb+verb+verb, token, held, &held)
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("options", "token", token, "held", held, "pointer", &held)
	}
	text, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	if shown := out.String(); strings.Contains(shown, "t0ken") || strings.Contains(shown, "74306b656e") || !strings.Contains(shown, secret.Redacted) {
		t.Error(shown)
	}
}

func TestTheContentIsReadAndRevealedAsItIs(t *testing.T) {
	var held struct{ T secret.Text }
	if err := json.Unmarshal([]byte(`{"T":" t0ken"}`), &held); err != nil || held.T.Reveal() != " t0ken" {
		t.Errorf("%q, %v", held.T.Reveal(), err)
	}
	if none := secret.Text(""); none.String() != "" || none.Reveal() != "" {
		t.Error("the empty secret shows something")
	}
}
