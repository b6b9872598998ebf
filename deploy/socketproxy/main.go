// Command socketproxy stands between Airflow and the Docker engine and lets through what DockerOperator needs to run
// launchlake's tasks, and nothing else.
//
// A request passes when a rule names its method and path. A container can be created only from the task images, on the
// tasks' network, confined (read-only, no capabilities, no new privileges, limits for memory and processes) and without
// anything of the host mounted. All other requests for a container pass only if it was created this way. There is no
// time limit on a connection: a task may be silent for hours.
//
// It does not make the engine's socket harmless: who can run a task image can use what that image can reach.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kelseyhightower/envconfig"
)

type config struct {
	Listen  string   `envconfig:"LISTEN" default:":2375" desc:"address to listen on"`
	Socket  string   `envconfig:"DOCKER_SOCKET" default:"/var/run/docker.sock" desc:"the engine's socket"`
	Network string   `envconfig:"TASK_NETWORK" required:"true" desc:"the network that containers are created on"`
	Images  []string `envconfig:"TASK_IMAGES" required:"true" desc:"prefixes of the images that may run, such as launchlake/"`
	Pull    bool     `envconfig:"PULL" default:"false" desc:"true: these images may be pulled"`
}

const (
	headerLimit   = 10 * time.Second
	healthTimeout = 5 * time.Second
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
	if err := run(ctx, c, log, os.Args[1:]); err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

// run serves, or with the argument "healthcheck" asks the proxy that serves here whether the engine answers.
func run(ctx context.Context, c config, log *slog.Logger, args []string) error {
	if len(args) == 1 && args[0] == "healthcheck" {
		return healthcheck(ctx, c.Listen)
	}
	if len(args) > 0 {
		return fmt.Errorf("unknown argument %q", args[0])
	}
	server := newServer(c, log)
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	log.Info("listening", "address", c.Listen, "network", c.Network, "images", c.Images)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newServer has no timeout but that for a request's headers: logs are followed for as long as a task runs.
func newServer(c config, log *slog.Logger) *http.Server {
	return &http.Server{Addr: c.Listen, Handler: newProxy(c, log), ReadHeaderTimeout: headerLimit}
}

func healthcheck(ctx context.Context, listen string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+listen+"/_ping", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the engine's ping: %s", response.Status)
	}
	return nil
}
