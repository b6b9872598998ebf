// Command launchapi serves the recorded launches as Launch Library 2 does, for demonstrations and tests of the whole
// platform: with its throttle, slowly, in either of its two states, or generated launches in any number.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/kelseyhightower/envconfig"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
)

type config struct {
	Listen         string        `envconfig:"LISTEN" default:":8080" desc:"address to listen on"`
	State          int           `envconfig:"SAMPLE_STATE" default:"1" desc:"which state of the recorded launches: 1, or 2, some days later"`
	Generated      int           `envconfig:"GENERATED" default:"0" desc:"serve this many generated launches instead"`
	Reshaped       bool          `envconfig:"RESHAPED" default:"false" desc:"serve the field net by another name, as an API that changes its shape does"`
	Throttle       int           `envconfig:"THROTTLE" default:"15" desc:"requests a caller has in the window; 0: any number"`
	Used           int           `envconfig:"USED" default:"0" desc:"requests that every caller appears to have sent at the start"`
	ThrottleWindow time.Duration `envconfig:"THROTTLE_WINDOW" default:"1h"`
	Delay          time.Duration `envconfig:"DELAY" default:"0s" desc:"how long each answer takes"`
}

const (
	headerLimit   = 10 * time.Second
	generatorSeed = 1
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	var c config
	if err := envconfig.Process("", &c); err != nil {
		log.Error("configuration", "error", err.Error())
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, c, log); err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

func serve(ctx context.Context, c config, log *slog.Logger) error {
	launches, err := c.launches()
	if err != nil {
		return err
	}
	api, err := launchapitest.New(launchapitest.Options{
		States:   [][]json.RawMessage{launches},
		Throttle: launchapitest.Throttle{Limit: c.Throttle, Window: c.ThrottleWindow},
	})
	if err != nil {
		return err
	}
	defer api.Close()
	if c.Used > 0 {
		api.SetUsed(c.Used)
	}
	if c.Delay > 0 {
		api.BeforeEach(func(int) { time.Sleep(c.Delay) })
	}
	server := &http.Server{Addr: c.Listen, Handler: api, ReadHeaderTimeout: headerLimit}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	log.Info("serving", "address", c.Listen, "launches", len(launches), "throttle", c.Throttle, "delay", c.Delay.String())
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (c config) launches() ([]json.RawMessage, error) {
	if c.Generated > 0 {
		return slices.Collect(recorded.Generate(c.Generated, generatorSeed)), nil
	}
	launches, err := recorded.State(c.State)
	if err != nil {
		return nil, fmt.Errorf("read the recorded launches: %w", err)
	}
	if c.Reshaped {
		for i, launch := range launches {
			launches[i] = bytes.Replace(launch, []byte(`"net":`), []byte(`"net_time":`), 1)
		}
	}
	return launches, nil
}
