package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// clientType is how the program names itself to the server.
const clientType = "launchlake"

// Options adjust a Client; the zero value serves.
type Options struct {
	Progress func(Progress) // told now and then what a running statement is doing, of several at once; nil: nobody is
}

// Progress is what the stages of a running statement have done so far.
type Progress struct {
	Stages, StagesDone int64
	Tasks, TasksDone   int64
	InputBytes         int64
}

// Client is a session on a server. Its methods may be called concurrently; statements then run side by side. When a context ends, so does
// the statement on the server.
type Client struct {
	remote  Remote
	options Options
	http    *http.Client
	session string
	silence time.Duration // after which a call is given up
	talks   atomic.Bool   // the server has told of progress
}

// New makes a client. The server learns of it with its first call.
func New(r Remote, o Options) *Client {
	c := &Client{remote: r, options: o, http: &http.Client{Transport: newTransport()}, session: r.session, silence: silenceLimit}
	if c.session == "" {
		c.session = uuid.NewString()
	}
	return c
}

// String gives the server's address.
func (c *Client) String() string { return c.remote.String() }

// request begins a message: each names the session, field 1, and the user, field 2.
func (c *Client) request() message {
	return message{}.text(1, c.session).nested(2, message{}.text(1, c.remote.user).text(2, c.remote.user))
}

// Configure sets properties of the session.
func (c *Client) Configure(ctx context.Context, properties map[string]string) error {
	set := message{}.nested(1, message{}.pairs(1, properties))
	_, err := c.unary(ctx, "Config", c.request().nested(3, set).text(4, clientType))
	return c.explain(ctx, err)
}

// Property gives a property of the session.
func (c *Client) Property(ctx context.Context, name string) (string, error) {
	get := message{}.nested(2, message{}.text(1, name))
	answer, err := c.unary(ctx, "Config", c.request().nested(3, get).text(4, clientType))
	if err != nil {
		return "", c.explain(ctx, err)
	}
	var value string
	err = each(answer, 2, func(f field) error {
		_, value = entry(f.bytes)
		return nil
	})
	return value, err
}

// Version is Spark's.
func (c *Client) Version(ctx context.Context) (string, error) {
	answer, err := c.unary(ctx, "AnalyzePlan", c.request().text(3, clientType).nested(10, message{}))
	if err != nil {
		return "", c.explain(ctx, err)
	}
	var version string
	err = each(answer, 8, func(f field) error {
		return each(f.bytes, 1, func(f field) error { version = string(f.bytes); return nil })
	})
	return version, err
}

// View gives the rows of a relation a name in the session. It fails when the name is taken.
func (c *Client) View(ctx context.Context, name string, r Relation) error {
	view := message{}.nested(1, r.m).text(2, name)
	return c.command(ctx, message{}.nested(3, view), nil)
}

// Kept are rows that the cluster holds until they are released or the session ends.
type Kept struct {
	Relation
	reference message
}

// Keep computes the rows of a relation and holds them in the memory and on the disks of the executors. When an executor
// is lost, what reads them fails.
func (c *Client) Keep(ctx context.Context, r Relation) (Kept, error) {
	level := message{}.flag(1, true).flag(2, true).flag(4, true).number(5, 1) // disk, memory as it is, one copy
	var kept Kept
	err := c.command(ctx, message{}.nested(14, message{}.nested(1, r.m).flag(2, true).flag(3, true).nested(4, level)), func(f field) error {
		if f.number != 19 {
			return nil
		}
		return each(f.bytes, 1, func(f field) error {
			kept = Kept{Relation{message{}.nested(37, f.bytes)}, f.bytes}
			return nil
		})
	})
	if err == nil && kept.m == nil {
		err = errors.New("Spark does not say what it keeps")
	}
	return kept, err
}

// Release lets go of kept rows.
func (c *Client) Release(ctx context.Context, k Kept) error {
	return c.command(ctx, message{}.nested(15, message{}.nested(1, k.reference)), nil)
}

// Write stores the rows of a relation.
func (c *Client) Write(ctx context.Context, r Relation, w Write) error {
	return c.command(ctx, w.command(r), nil)
}

// Run executes a statement for what it does.
func (c *Client) Run(ctx context.Context, statement string) error {
	return c.command(ctx, message{}.nested(5, message{}.text(1, statement).nested(6, SQL(statement).m)), nil)
}

func (c *Client) command(ctx context.Context, command message, take func(field) error) error {
	return c.execute(ctx, message{}.nested(2, command), take)
}

// execute runs a plan to its end and hands the fields of its answers to take.
func (c *Client) execute(ctx context.Context, plan message, take func(field) error) error {
	e, err := c.start(ctx, plan)
	if err != nil {
		return err
	}
	defer e.Close()
	for {
		found, err := e.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range found {
			if take == nil {
				break
			}
			if err := take(f); err != nil {
				return err
			}
		}
	}
}

// releaseTimeout bounds what is asked of the server when there is no time any more.
const releaseTimeout = 3 * time.Second

// Close ends the session; the server forgets what it kept.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	defer c.http.CloseIdleConnections()
	_, err := c.unary(ctx, "ReleaseSession", c.request().text(3, clientType))
	if err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}

// interrupt ends an operation of the session. That it cannot is no reason to fail.
func (c *Client) interrupt(operation string) {
	const byOperation = 3
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	_, _ = c.unary(ctx, "Interrupt", c.request().text(3, clientType).number(4, byOperation).text(6, operation))
}
