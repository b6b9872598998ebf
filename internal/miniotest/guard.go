package miniotest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// A guard is the test program itself, started again with guardVariable set. It ends MinIO when the test process is
// gone, also if that was killed: the pipe that is its standard input then closes.
const (
	guardVariable = "MINIOTEST_GUARD"
	logName       = "minio.log"
)

func init() {
	what := os.Getenv(guardVariable)
	if what == "" {
		return
	}
	// An interrupt from the terminal reaches the guard too; it has to stay until the end.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	var err error
	switch what {
	case guardProcess:
		err = guardTheProcess(os.Args[1:])
	case guardContainer:
		err = guardTheContainer(os.Args[1])
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// lifelines are the write ends of the guards' pipes. The end of this process closes them; held here, the garbage
// collector does not.
var lifelines []io.Closer

// startGuard starts a guard that lives as long as this process. The channel is closed if it ends before.
func startGuard(what string, arguments ...string) (ended <-chan struct{}, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	guard := exec.Command(self, arguments...)
	guard.Env = append(os.Environ(), guardVariable+"="+what)
	lifeline, err := guard.StdinPipe()
	if err != nil {
		return nil, err
	}
	lifelines = append(lifelines, lifeline)
	if err := guard.Start(); err != nil {
		return nil, fmt.Errorf("start the guard of MinIO: %w", err)
	}
	done := make(chan struct{})
	go func() {
		_ = guard.Wait()
		close(done)
	}()
	return done, nil
}

func guardTheProcess(arguments []string) error {
	program, data, address, user, password := arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]
	log, err := os.Create(filepath.Join(data, logName))
	if err != nil {
		return err
	}
	minio := exec.Command(program, "server", "--address", address, "--certs-dir", filepath.Join(data, "certs"), filepath.Join(data, "buckets"))
	minio.Env = []string{"MINIO_ROOT_USER=" + user, "MINIO_ROOT_PASSWORD=" + password, "MINIO_BROWSER=off", "HOME=" + data}
	minio.Stdout, minio.Stderr = log, log
	if err := minio.Start(); err != nil {
		return err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- minio.Wait() }()
	select {
	case err := <-stopped:
		return err // the test process reads the log and clears up
	case <-testEnd():
	}
	_ = minio.Process.Kill()
	<-stopped
	return os.RemoveAll(data)
}

func guardTheContainer(id string) error {
	<-testEnd()
	ctx := context.Background()
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	_, err = engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return err
}

// testEnd is closed when the test process is gone.
func testEnd() <-chan struct{} {
	end := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(end)
	}()
	return end
}
