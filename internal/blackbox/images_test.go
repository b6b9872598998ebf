package blackbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/testcontainers/testcontainers-go"
)

// needDocker skips the test where no Docker engine answers, or fails it where LAKE_TEST_REQUIRE names docker.
func needDocker(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "buildx", "version").CombinedOutput()
	if err == nil {
		out, err = exec.CommandContext(t.Context(), "docker", "info", "--format", "{{.ServerVersion}}").CombinedOutput()
	}
	if err == nil {
		return
	}
	if strings.Contains(os.Getenv("LAKE_TEST_REQUIRE"), "docker") {
		t.Fatalf("LAKE_TEST_REQUIRE names docker: %v\n%s", err, out)
	}
	t.Skipf("needs a Docker engine with buildx: %v", err)
}

var (
	building sync.Mutex
	built    = map[string]error{}
)

// image builds one target of the Dockerfile, or MinIO's image, and gives its tag. Builds are cached by the engine.
func image(t *testing.T, target string) string {
	t.Helper()
	needDocker(t)
	tag := "launchlake-test/" + target + ":latest"
	building.Lock()
	defer building.Unlock()
	err, done := built[target]
	if !done {
		err = build(t.Context(), target, tag)
		built[target] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

func build(ctx context.Context, target, tag string) error {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	args := []string{"buildx", "build", "--quiet", "--load", "--tag", tag}
	if target == "minio" {
		args = append(args, filepath.Join(root, "deploy", "minio"))
	} else {
		args = append(args, "--target", target, root)
	}
	if out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build the image %s: %w\n%s", target, err, out)
	}
	return nil
}

// inspected is what the engine tells of an image.
type inspected struct {
	Size   int64
	Config struct {
		User       string
		Entrypoint []string
		Labels     map[string]string
		Env        []string
	}
}

func inspect(t *testing.T, tag string) inspected {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "image", "inspect", tag).Output()
	if err != nil {
		t.Fatalf("inspect %s: %v", tag, err)
	}
	var found []inspected
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	return found[0]
}

const megabyte = 1_000_000

func TestImagesAreSmallAndHoldOneProgram(t *testing.T) {
	for target, limit := range map[string]int64{"ingest": 25, "refine": 80, "aggregate": 80, "lake": 80} {
		t.Run(target, func(t *testing.T) {
			found := inspect(t, image(t, target))
			t.Logf("%.1f MB", float64(found.Size)/megabyte)
			if found.Size > limit*megabyte {
				t.Errorf("%.1f MB, want %d MB at most", float64(found.Size)/megabyte, limit)
			}
			if found.Config.User != "nonroot" && found.Config.User != "65532" {
				t.Errorf("runs as %q", found.Config.User)
			}
			if got := strings.Join(found.Config.Entrypoint, " "); got != "/"+target {
				t.Errorf("entry point %q", got)
			}
			for _, label := range []string{"title", "description", "version", "revision", "licenses"} {
				if found.Config.Labels["org.opencontainers.image."+label] == "" {
					t.Errorf("no label %s", label)
				}
			}
		})
	}
}

func TestAnImageHasNoShell(t *testing.T) {
	tag := image(t, "ingest")
	c, err := testcontainers.Run(t.Context(), tag, testcontainers.WithEntrypoint("/bin/sh", "-c", "true"))
	testcontainers.CleanupContainer(t, c)
	if err == nil {
		t.Error("a shell was started")
	}
}

func TestAnImageTellsItsVersion(t *testing.T) {
	for _, target := range []string{"ingest", "refine", "aggregate", "lake"} {
		if done := start(t, target, nil, "--version").wait(t); done.code != 0 || !strings.Contains(done.output, "dev") {
			t.Errorf("%s --version: exit code %d\n%s", target, done.code, done.output)
		}
	}
}
