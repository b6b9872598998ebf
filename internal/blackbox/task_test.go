package blackbox_test

import (
	"encoding/json"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

// The user that setup makes for the lake.
const (
	accessKey = "lake-access-key"
	secretKey = "lake-secret-key-of-the-test"
)

// world is a network with a MinIO in it, and a bucket that nobody has used.
type world struct {
	network  *testcontainers.DockerNetwork
	endpoint string // of MinIO, from this machine
}

func newWorld(t *testing.T) *world {
	t.Helper()
	tag := image(t, "minio")
	nw, err := network.New(t.Context())
	testcontainers.CleanupNetwork(t, nw)
	if err != nil {
		t.Fatal(err)
	}
	root := map[string]string{"MINIO_ROOT_USER": "root-user", "MINIO_ROOT_PASSWORD": "root-password"}
	minio, err := testcontainers.Run(t.Context(), tag, network.WithNetwork([]string{"minio"}, nw),
		testcontainers.WithEnv(root), testcontainers.WithExposedPorts("9000/tcp"),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/minio/health/ready").WithPort("9000/tcp").WithStartupTimeout(time.Minute)))
	testcontainers.CleanupContainer(t, minio)
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{"ENDPOINT": "minio:9000", "BUCKET": "lake", "ACCESS_KEY": accessKey, "SECRET_KEY": secretKey}
	maps.Copy(variables, root)
	setup, err := testcontainers.Run(t.Context(), tag, network.WithNetwork(nil, nw), testcontainers.WithEnv(variables),
		testcontainers.WithEntrypoint("/usr/local/bin/setup"), testcontainers.WithCmd("bucket"),
		testcontainers.WithWaitStrategy(wait.ForExit().WithExitTimeout(time.Minute)))
	testcontainers.CleanupContainer(t, setup)
	if done := (&process{setup}).wait(t); err != nil || done.code != 0 {
		t.Fatalf("set MinIO up: %v, exit code %d\n%s", err, done.code, done.output)
	}
	endpoint, err := minio.PortEndpoint(t.Context(), "9000/tcp", "http")
	if err != nil {
		t.Fatal(err)
	}
	return &world{nw, endpoint}
}

// environment is what Airflow gives a task, with changes.
func environment(changes map[string]string) map[string]string {
	variables := map[string]string{
		"LAKE_URL":              "s3://lake",
		"S3_ENDPOINT":           "http://minio:9000",
		"S3_PATH_STYLE":         "true",
		"AWS_REGION":            "us-east-1",
		"AWS_ACCESS_KEY_ID":     accessKey,
		"AWS_SECRET_ACCESS_KEY": secretKey,
		"RUN_ID":                "manual__1",
		"MEMORY_LIMIT":          "400MB",
	}
	maps.Copy(variables, changes)
	return variables
}

// process is a task in its container.
type process struct {
	container *testcontainers.DockerContainer
}

// ended is how a task ended.
type ended struct {
	code   int
	output string
	result result // when the last line is one
}

// result is the part of the result line that these tests look at.
type result struct {
	Schema, Status, Error string
	Tables                []struct {
		Name        string
		Version     int64
		RowsOut     int64 `json:"rows_out"`
		Quarantined int64
	}
}

// start runs a task as confined as LakeTaskOperator does. Without a world it has no network.
func start(t *testing.T, task string, w *world, args ...string) *process {
	t.Helper()
	return startWith(t, task, w, nil, args...)
}

func startWith(t *testing.T, task string, w *world, changes map[string]string, args ...string) *process {
	t.Helper()
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithEnv(environment(changes)),
		testcontainers.WithCmd(args...),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			limit := int64(256)
			host.ReadonlyRootfs = true
			host.CapDrop = []string{"ALL"}
			host.SecurityOpt = []string{"no-new-privileges"}
			host.PidsLimit = &limit
			host.Memory = 768 << 20
			host.Mounts = []mount.Mount{{Type: mount.TypeVolume, Target: "/tmp"}}
			if w == nil {
				host.NetworkMode = "none"
			}
		}),
	}
	if w != nil {
		options = append(options, network.WithNetwork([]string{task}, w.network))
	}
	c, err := testcontainers.Run(t.Context(), image(t, task), options...)
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatalf("start %s: %v", task, err)
	}
	return &process{c}
}

const taskLimit = 2 * time.Minute

func (p *process) wait(t *testing.T) ended {
	t.Helper()
	if err := wait.ForExit().WithExitTimeout(taskLimit).WaitUntilReady(t.Context(), p.container); err != nil {
		t.Fatalf("wait for the task's end: %v", err)
	}
	state, err := p.container.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	logs, err := p.container.Logs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	text, err := io.ReadAll(logs)
	if err != nil {
		t.Fatal(err)
	}
	done := ended{code: state.ExitCode, output: string(text)}
	for line := range strings.Lines(done.output) {
		var r result
		if json.Unmarshal([]byte(line), &r) == nil && r.Schema == "task-result/v1" {
			done.result = r
		}
	}
	return done
}
