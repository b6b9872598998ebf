package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/secret"
	"launchlake/internal/task"
)

// Config is the environment of the task.
type Config struct {
	task.Common
	SourceURL      string        `envconfig:"SOURCE_URL" default:"sample:" desc:"the launch API, such as https://ll.thespacedevs.com/2.3.0; sample: is the built-in recorded one"`
	SampleState    int           `envconfig:"SAMPLE_STATE" default:"1" desc:"which of its two states the recorded API is in: 1, or 2, some days later"`
	Token          secret.Text   `envconfig:"LL2_TOKEN" desc:"key of the API; anonymous callers have 15 requests an hour"`
	Overlap        time.Duration `envconfig:"OVERLAP" default:"12h" desc:"how much before its last pass a pass asks for again, for the API shows some changes late"`
	Sweep          bool          `envconfig:"SWEEP" default:"false" desc:"true: read the whole API and not only what is new by last_updated; it changes some fields without a word, so do it weekly"`
	BatchPages     int           `envconfig:"BATCH_PAGES" default:"100" desc:"commit after this many pages of 100 launches; after 10 seconds in any case"`
	BatchBytes     int64         `envconfig:"BATCH_BYTES" default:"33554432" desc:"commit after this many bytes of launches, if that is sooner"`
	RequestTimeout time.Duration `envconfig:"REQUEST_TIMEOUT" default:"90s" desc:"how long one answer of the API may take"`
	RequestRetries int           `envconfig:"REQUEST_RETRIES" default:"3" desc:"how often a request is sent again when the API fails"`
	UserAgent      string        `envconfig:"USER_AGENT" default:"launchlake" desc:"how the task names itself to the API, whose makers ask for it"`
}

const sampleScheme = "sample:"

// Validate checks what the types of the variables do not say.
func (c *Config) Validate() error {
	switch {
	case c.SampleState < 1 || c.SampleState > recorded.States:
		return task.BadValue("SAMPLE_STATE", strconv.Itoa(c.SampleState), fmt.Sprintf("between 1 and %d", recorded.States))
	case c.Overlap < time.Second:
		return task.BadValue("OVERLAP", c.Overlap.String(), "at least 1s")
	case c.BatchPages < 1:
		return task.BadValue("BATCH_PAGES", strconv.Itoa(c.BatchPages), "at least 1")
	case c.BatchBytes < 1:
		return task.BadValue("BATCH_BYTES", strconv.FormatInt(c.BatchBytes, 10), "at least 1")
	case c.RequestTimeout < time.Second:
		return task.BadValue("REQUEST_TIMEOUT", c.RequestTimeout.String(), "at least 1s")
	case c.RequestRetries < 0:
		return task.BadValue("REQUEST_RETRIES", strconv.Itoa(c.RequestRetries), "at least 0")
	case strings.ContainsAny(c.UserAgent, "\r\n"):
		return task.BadValue("USER_AGENT", c.UserAgent, "one line")
	case strings.ContainsAny(c.Token.Reveal(), " \r\n\t"):
		return task.BadValue("LL2_TOKEN", c.Token.String(), "a key: it holds white space")
	case c.SourceURL == sampleScheme:
		return nil
	}
	if _, err := c.client(c.SourceURL, nil); err != nil {
		return task.Fail(task.BadConfig, fmt.Errorf("SOURCE_URL: %w, or %s", err, sampleScheme))
	}
	return nil
}

// OpenSource makes the client of the API that the configuration names. The recorded API is served on loopback until
// the returned function is called.
func (c *Config) OpenSource(ctx context.Context, log *slog.Logger) (*launchapi.Client, func(), error) {
	address, closeSource := c.SourceURL, func() {}
	if c.SourceURL == sampleScheme {
		launches, err := recorded.State(c.SampleState)
		if err != nil {
			return nil, nil, fmt.Errorf("read the recorded launches: %w", err)
		}
		server, err := launchapitest.New(launchapitest.Options{
			States:  [][]json.RawMessage{launches},
			Undated: true, // its second state has a launch that lost its date
			// The answers have the dates that they had, so that the same state gives the same lake on any day.
			Now: func() time.Time { return recorded.AsOf(c.SampleState) },
		})
		if err != nil {
			return nil, nil, err
		}
		address, closeSource = server.URL(), server.Close
		log.InfoContext(ctx, "serving the recorded launches", "state", c.SampleState, "launches", len(launches))
	}
	client, err := c.client(address, log)
	if err != nil {
		closeSource()
		return nil, nil, err
	}
	return client, closeSource, nil
}

func (c *Config) client(address string, log *slog.Logger) (*launchapi.Client, error) {
	retries := c.RequestRetries
	if retries == 0 {
		retries = launchapi.NoRetries
	}
	return launchapi.New(address, launchapi.Options{
		Token:     c.Token,
		UserAgent: c.UserAgent,
		Timeout:   c.RequestTimeout,
		Retries:   retries,
		Logger:    log,
	})
}
