package miniotest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	pollInterval = 50 * time.Millisecond
	portTries    = 3
	guardProcess = "process"
)

// startProcess runs MinIO as a process with a data folder of its own.
func (s *server) startProcess(ctx context.Context) error {
	program, err := buildProgram(ctx)
	if err != nil {
		return err
	}
	// A port that was free a moment ago can be taken when MinIO asks for it.
	for range portTries {
		if err = s.tryProcess(ctx, program); err == nil {
			return nil
		}
	}
	return err
}

func (s *server) tryProcess(ctx context.Context, program string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "miniotest-")
	if err != nil {
		return err
	}
	ended, err := startGuard(guardProcess, program, data, address, s.user, s.password)
	if err != nil {
		_ = os.RemoveAll(data)
		return err
	}
	s.endpoint = "http://" + address
	if err := s.waitReady(ctx, ended); err != nil {
		output, _ := os.ReadFile(filepath.Join(data, logName))
		_ = os.RemoveAll(data)
		return fmt.Errorf("%w; MinIO says: %.2000s", err, output)
	}
	return nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func (s *server) waitReady(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint+readyPath, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			return errors.New("MinIO ended")
		case <-ctx.Done():
			return fmt.Errorf("MinIO at %s is not ready in %v: %w", s.endpoint, readyTimeout, err)
		case <-time.After(pollInterval):
		}
	}
}

// buildProgram returns the path of MinIO's program for the version that deploy/minio names, built if need be.
func buildProgram(ctx context.Context) (string, error) {
	module, err := findModule()
	if err != nil {
		return "", err
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	program := filepath.Join(cache, "minio-"+module.sum)
	unlock, err := lock("program")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	partial := program + ".partial"
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", partial, "github.com/minio/minio")
	build.Dir = module.path
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build MinIO in %s: %w: %.2000s", module.path, err, output)
	}
	return program, os.Rename(partial, program)
}

// module is the Go module that pins MinIO.
type module struct {
	path string
	sum  string // of the files that say what is built
}

// findModule looks for deploy/minio from the working directory upward: go test runs in the folder of the package.
func findModule() (module, error) {
	folder, err := os.Getwd()
	if err != nil {
		return module{}, err
	}
	for {
		path := filepath.Join(folder, "deploy", "minio")
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
			sum, err := sumFiles(path, "go.mod", "go.sum", "Dockerfile")
			return module{path: path, sum: sum}, err
		}
		if folder == filepath.Dir(folder) {
			return module{}, errors.New("no deploy/minio in a folder above the test")
		}
		folder = filepath.Dir(folder)
	}
}

func sumFiles(folder string, names ...string) (string, error) {
	sum := sha256.New()
	for _, name := range names {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func cacheFolder() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	folder := filepath.Join(base, "launchlake")
	return folder, os.MkdirAll(folder, 0o755)
}
