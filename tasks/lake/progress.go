package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progressEvery is how often a line of progress is drawn.
const progressEvery = 200 * time.Millisecond

// progress tells a person who waits how far long work has come: on a terminal one line that is drawn again, elsewhere nothing but
// a line now and then.
type progress struct {
	out      io.Writer
	what     string
	terminal bool
	every    time.Duration
	last     time.Time
	drawn    bool
}

func newProgress(out io.Writer, what string) *progress {
	p := &progress{out: out, what: what, every: 10 * time.Second, last: time.Now()}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.terminal, p.every = true, progressEvery
		}
	}
	return p
}

func (p *progress) step(step string, done, total int) {
	if time.Since(p.last) < p.every {
		return
	}
	p.last = time.Now()
	text := fmt.Sprintf("%s: %s %d of %d", p.what, step, done, total)
	if !p.terminal {
		fmt.Fprintln(p.out, text)
		return
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", text)
	p.drawn = true
}

// clear removes the line, before other output or at the end.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}
