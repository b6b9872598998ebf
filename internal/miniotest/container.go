package miniotest

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	port           = "9000/tcp"
	readyPath      = "/minio/health/ready"
	readyTimeout   = 3 * time.Minute
	engineTimeout  = 30 * time.Second
	imageName      = "launchlake/minio"
	guardContainer = "container"
)

// quiet keeps testcontainers from writing what it does between the results of tests.
var quiet tclog.Logger = log.New(io.Discard, "", 0)

// engineAnswers returns nil if there is a Docker engine.
func engineAnswers(ctx context.Context) (err error) {
	// Looking for the engine's socket panics where there is none.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	tclog.SetDefault(quiet)
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return err
	}
	return provider.Health(ctx)
}

// startContainer runs MinIO in a container, of an image that is made if it is not there.
func (s *server) startContainer(ctx context.Context) error {
	module, err := findModule()
	if err != nil {
		return err
	}
	unlock, err := lock("image")
	if err != nil {
		return err
	}
	defer unlock()
	request := testcontainers.ContainerRequest{
		ExposedPorts: []string{port},
		Env:          map[string]string{"MINIO_ROOT_USER": s.user, "MINIO_ROOT_PASSWORD": s.password, "MINIO_BROWSER": "off"},
		WaitingFor:   wait.ForHTTP(readyPath).WithPort(port).WithStartupTimeout(readyTimeout).WithPollInterval(pollInterval),
	}
	if image := imageName + ":" + module.sum; hasImage(ctx, image) {
		request.Image = image
	} else {
		request.FromDockerfile = testcontainers.FromDockerfile{
			Context: module.path, Repo: imageName, Tag: module.sum, KeepImage: true,
		}
	}
	container, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: request, Started: true,
	})
	if container != nil {
		if _, guardErr := startGuard(guardContainer, container.GetContainerID()); guardErr != nil {
			return guardErr
		}
	}
	if err != nil {
		return fmt.Errorf("run MinIO in a container: %w", err)
	}
	s.endpoint, err = container.PortEndpoint(ctx, port, "http")
	return err
}

func hasImage(ctx context.Context, image string) bool {
	client, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return false
	}
	_, err = client.ImageInspect(ctx, image)
	_ = client.Close()
	return err == nil
}
