package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

const ownNetwork = "launchlake-tasks"

// engine is a Docker engine that knows two containers and remembers what reached it.
type engine struct {
	requests []string
	body     []byte
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case r.URL.Path == "/containers/own/json":
		fmt.Fprintf(w, `{"Config":{"Labels":{"launchlake":"task","launchlake.network":%q}}}`, ownNetwork)
		return
	case r.URL.Path == "/containers/postgres/json":
		fmt.Fprint(w, `{"Config":{"Labels":{}}}`)
		return
	case r.URL.Path == "/containers/other/json":
		fmt.Fprint(w, `{"Config":{"Labels":{"launchlake":"task","launchlake.network":"another"}}}`)
		return
	case strings.HasPrefix(path, "/containers/gone/"):
		w.WriteHeader(http.StatusNotFound)
		return
	}
	e.requests = append(e.requests, r.Method+" "+path)
	e.body, _ = io.ReadAll(r.Body)
	fmt.Fprint(w, "engine")
}

// serve starts a proxy before the engine and returns its address.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	docker := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	docker.Start()
	t.Cleanup(docker.Close)
	c := config{Socket: socket, Network: ownNetwork, Images: []string{"launchlake/", "registry:5000/launchlake/"}}
	front := httptest.NewServer(newServer(c, slog.New(slog.DiscardHandler)).Handler)
	t.Cleanup(front.Close)
	return front.URL
}

func do(t *testing.T, method, url string, body any) (int, string) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

const ownFilter = `?filters={"label":["launchlake=task","launchlake.network=launchlake-tasks"]}`

func TestOnlyWhatATaskNeedsReachesTheEngine(t *testing.T) {
	docker := &engine{}
	url := serve(t, docker)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/_ping", 200},
		{"GET", "/v1.41/version", 200},
		{"GET", "/v1.41/containers/json" + ownFilter, 200},
		{"POST", "/v1.41/containers/own/start", 200},
		{"POST", "/containers/own/stop", 200},
		{"GET", "/v1.41/containers/own/logs", 200},
		{"DELETE", "/v1.41/containers/own", 200},
		{"POST", "/containers/gone/stop", 404},

		{"GET", "/v1.41/containers/json", 403},
		{"GET", `/v1.41/containers/json?filters={"label":["launchlake=task"]}`, 403},
		{"GET", "/v1.41/containers/postgres/json", 403},
		{"GET", "/v1.41/containers/postgres/logs", 403},
		{"GET", "/v1.41/containers/other/logs", 403},
		{"DELETE", "/v1.41/containers/postgres", 403},
		{"POST", "/v1.41/containers/postgres/stop", 403},
		{"POST", "/v1.41/containers/own/exec", 403},
		{"POST", "/v1.41/containers/own/update", 403},
		{"POST", "/v1.41/containers/own/kill", 403},
		{"POST", "/v1.41/containers/own/wait", 403},
		{"GET", "/v1.41/containers/own/archive", 403},
		{"PUT", "/v1.41/containers/own/archive", 403},
		{"POST", "/v1.41/containers/prune", 403},
		{"GET", "/v1.41/containers/own%2F..%2Fpostgres/json", 403},
		{"GET", "/v1.41/containers/../secrets", 403},
		{"GET", "/info", 403},
		{"GET", "/v1.41/volumes", 403},
		{"GET", "/v1.41/secrets", 403},
		{"POST", "/v1.41/build", 403},
		{"POST", "/v1.41/images/create?fromImage=launchlake/ingest", 403},
		{"GET", "/v1.41/events", 403},
	} {
		docker.requests = nil
		got, text := do(t, tt.method, url+tt.path, nil)
		reached := len(docker.requests) > 0
		if got != tt.want || reached != (tt.want == 200) {
			t.Errorf("%s %s: %d %s, reached the engine: %v; want %d", tt.method, tt.path, got, text, reached, tt.want)
		}
	}
}

// task is a container as the operator asks for it.
func task() map[string]any {
	return map[string]any{
		"Image":  "launchlake/ingest:dev",
		"Env":    []string{"A=b"},
		"User":   "",
		"Labels": map[string]any{"launchlake": "task", "launchlake.network": ownNetwork},
		"HostConfig": map[string]any{
			"NetworkMode": ownNetwork, "ReadonlyRootfs": true, "CapDrop": []string{"ALL"}, "Memory": 1 << 28,
			"SecurityOpt": []string{"no-new-privileges"}, "PidsLimit": 256, "MemorySwap": 1 << 28, "NanoCpus": 1000000000,
			"Mounts":    []any{map[string]any{"Type": "volume", "Target": "/tmp", "Source": nil, "ReadOnly": false}},
			"LogConfig": map[string]any{"Type": "json-file", "Config": map[string]any{"max-size": "20m"}},
		},
	}
}

func TestATaskIsCreated(t *testing.T) {
	docker := &engine{}
	url := serve(t, docker)
	if got, text := do(t, "POST", url+"/v1.41/containers/create?name=x", task()); got != 200 {
		t.Fatalf("create: %d %s", got, text)
	}
	var reached map[string]any
	if err := json.Unmarshal(docker.body, &reached); err != nil {
		t.Fatalf("the engine got %q: %v", docker.body, err)
	}
	if reached["Image"] != "launchlake/ingest:dev" {
		t.Errorf("the engine got the image %v", reached["Image"])
	}
}

func TestAContainerThatIsNoConfinedTaskIsNotCreated(t *testing.T) {
	host := func(field string, value any) func(map[string]any) {
		return func(spec map[string]any) { spec["HostConfig"].(map[string]any)[field] = value }
	}
	top := func(field string, value any) func(map[string]any) {
		return func(spec map[string]any) { spec[field] = value }
	}
	mount := func(m map[string]any) func(map[string]any) { return host("Mounts", []any{m}) }
	for name, change := range map[string]func(map[string]any){
		"another image":            top("Image", "alpine"),
		"an image by its id":       top("Image", "sha256:0123"),
		"root":                     top("User", "0"),
		"another entry point":      top("Entrypoint", []string{"sh"}),
		"another spelling":         top("hostconfig", map[string]any{"Privileged": true}),
		"no labels":                top("Labels", nil),
		"another network's label":  top("Labels", map[string]any{"launchlake": "task", "launchlake.network": "x"}),
		"further networks":         top("NetworkingConfig", map[string]any{"EndpointsConfig": map[string]any{"host": nil}}),
		"privileged":               host("Privileged", true),
		"the host's network":       host("NetworkMode", "host"),
		"the host's processes":     host("PidMode", "host"),
		"a bind":                   host("Binds", []string{"/:/host"}),
		"a device":                 host("Devices", []any{map[string]any{"PathOnHost": "/dev/sda"}}),
		"a capability":             host("CapAdd", []string{"SYS_ADMIN"}),
		"all its capabilities":     host("CapDrop", nil),
		"new privileges":           host("SecurityOpt", nil),
		"no seccomp":               host("SecurityOpt", []string{"no-new-privileges", "seccomp=unconfined"}),
		"a writable root":          host("ReadonlyRootfs", false),
		"no limit for memory":      host("Memory", 0),
		"no limit for processes":   host("PidsLimit", -1),
		"another log":              host("LogConfig", map[string]any{"Type": "syslog"}),
		"another cgroup":           host("CgroupParent", "/"),
		"volumes of a container":   host("VolumesFrom", []string{"postgres"}),
		"a mounted folder":         mount(map[string]any{"Type": "bind", "Source": "/", "Target": "/host"}),
		"a named volume":           mount(map[string]any{"Type": "volume", "Source": "pgdata", "Target": "/x"}),
		"a volume that is a mount": mount(map[string]any{"Type": "volume", "Target": "/x", "VolumeOptions": map[string]any{"DriverConfig": map[string]any{"Options": map[string]any{"device": "/"}}}}),
	} {
		docker := &engine{}
		url := serve(t, docker)
		spec := task()
		change(spec)
		if got, text := do(t, "POST", url+"/v1.41/containers/create", spec); got != http.StatusForbidden || docker.body != nil {
			t.Errorf("%s: %d %s, want 403 and nothing at the engine", name, got, text)
		}
	}
}

func TestWhatTheEngineGetsIsWhatWasChecked(t *testing.T) {
	docker := &engine{}
	url := serve(t, docker)
	good, err := json.Marshal(task()["HostConfig"])
	if err != nil {
		t.Fatal(err)
	}
	rest := task()
	maps.DeleteFunc(rest, func(field string, _ any) bool { return field == "HostConfig" })
	head, err := json.Marshal(rest)
	if err != nil {
		t.Fatal(err)
	}
	// Decoders that fill a struct merge two values of one field.
	twice := fmt.Sprintf(`%s,"HostConfig":{"Privileged":true},"HostConfig":%s}`, strings.TrimSuffix(string(head), "}"), good)
	if got, text := do(t, "POST", url+"/containers/create", json.RawMessage(twice)); got != 200 {
		t.Fatalf("create: %d %s", got, text)
	}
	if strings.Contains(string(docker.body), "Privileged") {
		t.Errorf("the engine got %s", docker.body)
	}
}

func TestALogIsPassedOnLineByLineHoweverLongItIsSilent(t *testing.T) {
	proceed := make(chan struct{})
	docker := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/json") {
			(&engine{}).ServeHTTP(w, r)
			return
		}
		fmt.Fprintln(w, "first")
		w.(http.Flusher).Flush()
		<-proceed
		fmt.Fprintln(w, "second")
	})
	url := serve(t, docker)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/containers/own/logs?follow=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	line := make([]byte, len("first\n"))
	if _, err := io.ReadFull(response.Body, line); err != nil || string(line) != "first\n" {
		t.Fatalf("the first line before the second: %q, %v", line, err)
	}
	close(proceed)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "second\n" {
		t.Errorf("the rest: %q, %v", rest, err)
	}
}

func TestTheServerHasNoTimeLimitThatCutsASilentTask(t *testing.T) {
	server := newServer(config{}, slog.New(slog.DiscardHandler))
	if server.ReadTimeout != 0 || server.WriteTimeout != 0 || server.IdleTimeout != 0 {
		t.Errorf("read %s, write %s, idle %s; want none", server.ReadTimeout, server.WriteTimeout, server.IdleTimeout)
	}
}

func TestHealthcheckTellsWhetherTheEngineAnswers(t *testing.T) {
	url := serve(t, &engine{})
	address := url[strings.LastIndex(url, ":"):]
	if err := healthcheck(t.Context(), address); err != nil {
		t.Errorf("with an engine: %v", err)
	}
	c := config{Socket: filepath.Join(t.TempDir(), "none.sock"), Network: ownNetwork}
	front := httptest.NewServer(newProxy(c, slog.New(slog.DiscardHandler)))
	defer front.Close()
	if err := healthcheck(t.Context(), front.URL[strings.LastIndex(front.URL, ":"):]); err == nil {
		t.Error("without an engine: no error")
	}
}
