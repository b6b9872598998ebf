package connect

import (
	"context"
	"fmt"
	"time"
)

// silenceLimit is how long a server that tells of progress may say nothing. It tells every few seconds of a running statement, so by then
// it hangs, or the line is dead without either end having been told.
const silenceLimit = 5 * time.Minute

// watch ends a call that the server has fallen silent in, while somebody waits for it.
type watch struct {
	client *Client
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// watched gives the context of a call, which is the caller's to end by stop.
func (c *Client) watched(ctx context.Context) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{client: c, cancel: cancel}
	w.timer = time.AfterFunc(c.silence, w.silent)
	return ctx, w
}

// wait is called before a message is waited for, heard when it has come.
func (w *watch) wait()  { w.timer.Reset(w.client.silence) }
func (w *watch) heard() { w.timer.Stop() }

// silent waits on with a server that has not told of any progress yet: it may not know how, or be told not to.
func (w *watch) silent() {
	if w.client.talks.Load() {
		w.cancel(&silence{fmt.Errorf("%w: %s has said nothing for %s", ErrUnavailable, w.client.remote, w.client.silence)})
	}
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// silence is the error of a call that was ended by its watch. What the call began may go on at the server.
type silence struct{ error }

func (s *silence) Unwrap() error { return s.error }
