package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The stack of this test lives beside one that an operator may run here.
const (
	project     = "launchlake-e2e"
	taskNetwork = "launchlake-e2e-tasks"
	airflowPort = "18080"
	minioPort   = "19000"
	consolePort = "19001"
)

// stack is the platform, run by Compose.
type stack struct {
	folder  string // of the repository
	envFile string
	secrets map[string]string // by their names in .env
}

// newStack writes secrets of its own, removes what a run that was broken off left, whose database has other ones, and takes
// the stack down at the test's end.
func newStack(t *testing.T) *stack {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{folder: folder, envFile: filepath.Join(t.TempDir(), "env")}
	command := exec.CommandContext(t.Context(), filepath.Join(folder, "deploy", "env"), s.envFile)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("write the secrets: %v\n%s", err, out)
	}
	s.secrets = readEnv(t, s.envFile)
	s.takeDown(t)
	t.Cleanup(func() { s.takeDown(t) })
	return s
}

// takeDown removes everything of the stack. A failed test leaves the services' last lines behind; Spark's are the stacks of its threads.
func (s *stack) takeDown(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if t.Failed() {
		spark, _ := s.compose(ctx, nil, "--profile", "spark", "logs", "--tail", "1000", "--no-color", "spark").CombinedOutput()
		others, _ := s.compose(ctx, nil, "logs", "--tail", "60", "--no-color").CombinedOutput()
		t.Logf("the services' logs:\n%s%s", spark, others)
	}
	for _, id := range containers(ctx, "launchlake.network="+taskNetwork) {
		_ = exec.CommandContext(ctx, "docker", "rm", "--force", "--volumes", id).Run()
	}
	if out, err := s.compose(ctx, nil, "--profile", "spark", "down", "--volumes", "--timeout", "15").CombinedOutput(); err != nil {
		t.Errorf("take the stack down: %v\n%s", err, out)
	}
}

// compose is a command of docker compose for this stack. The variables have precedence over .env.
func (s *stack) compose(ctx context.Context, variables []string, args ...string) *exec.Cmd {
	args = append([]string{"compose", "--env-file", s.envFile, "--profile", "demo"}, args...)
	command := exec.CommandContext(ctx, "docker", args...)
	command.Dir = s.folder
	command.Env = append(os.Environ(),
		"COMPOSE_PROJECT_NAME="+project,
		"LAUNCHLAKE_NETWORK="+taskNetwork,
		"AIRFLOW_PORT="+airflowPort,
		"MINIO_PORT="+minioPort,
		"MINIO_CONSOLE_PORT="+consolePort,
		"SOURCE_URL=http://launchapi:8080/2.3.0",
		// No run but those that the test triggers: Airflow starts the last one that was due.
		"LAUNCHES_SCHEDULE=0 0 29 2 *",
		"MAINTENANCE_SCHEDULE=0 0 29 2 *",
		// Far more than a try takes here, and far less than the test waits for a run.
		"TASK_TIMEOUT_MINUTES=6",
	)
	command.Env = append(command.Env, variables...)
	return command
}

func (s *stack) mustCompose(t *testing.T, variables []string, args ...string) {
	t.Helper()
	out, err := s.compose(t.Context(), variables, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker compose %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// serveLaunches starts the launch API anew with these settings.
func (s *stack) serveLaunches(t *testing.T, variables ...string) {
	t.Helper()
	s.mustCompose(t, variables, "up", "--detach", "--no-deps", "--force-recreate", "launchapi")
}

func readEnv(t *testing.T, file string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			found[name] = value
		}
	}
	return found
}

// containers lists the containers, running or ended, that have all of the labels.
func containers(ctx context.Context, labels ...string) []string {
	return listed(ctx, "--all", labels)
}

// running lists the containers that run and have all of the labels. One that has only been made is not among them: it has done nothing
// yet, so a retry takes a new one in its place.
func running(ctx context.Context, labels ...string) []string {
	return listed(ctx, "--filter=status=running", labels)
}

func listed(ctx context.Context, which string, labels []string) []string {
	args := []string{"ps", which, "--quiet"}
	for _, label := range labels {
		args = append(args, "--filter", "label="+label)
	}
	out, err := exec.CommandContext(ctx, "docker", args...).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}

// waitFor asks again and again until the answer is yes.
func waitFor(t *testing.T, what string, limit time.Duration, yes func() (bool, string)) {
	t.Helper()
	var last string
	for start := time.Now(); time.Since(start) < limit; time.Sleep(300 * time.Millisecond) {
		ok, state := yes()
		if ok {
			return
		}
		last = state
	}
	t.Fatalf("no %s within %s; last: %s", what, limit, last)
}

func describe(states map[string]string) string { return fmt.Sprint(states) }
