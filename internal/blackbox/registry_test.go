package blackbox_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// The commands are those of deploy/README.md.
func TestAnImageIsTaggedAndPushedToARegistryAndRunsFromThere(t *testing.T) {
	source := image(t, "ingest")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	// The engine speaks plain HTTP to registries on loopback alone.
	target := "localhost" + listener.Addr().String()[strings.LastIndex(listener.Addr().String(), ":"):] + "/launchlake/ingest:1.2.3"
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", target).Run() })
	for _, command := range [][]string{
		{"tag", source, target},
		{"push", "--quiet", target},
		{"image", "rm", target},
		{"run", "--rm", "--network", "none", target, "--version"},
	} {
		out, err := exec.CommandContext(t.Context(), "docker", command...).CombinedOutput()
		if err != nil {
			t.Fatalf("docker %s: %v\n%s", strings.Join(command, " "), err, out)
		}
		t.Logf("docker %s: %s", strings.Join(command, " "), out)
	}
}
