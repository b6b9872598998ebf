package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
)

// api is the server of generated launches, in a process of its own: a process begins with the peak memory of the one that
// starts it, so the one that starts the tasks must be small.
type api struct {
	url     string
	size    sizes
	process *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
}

// sizes are bytes of JSON.
type sizes struct{ All, Changes int64 }

// hello is what the server prints first.
type hello struct {
	URL  string
	Size sizes
}

func startAPI(launches, changes int) (*api, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	a := &api{process: exec.Command(self, "-serve", "-launches", strconv.Itoa(launches), "-changes", strconv.Itoa(changes))}
	a.process.Stderr = os.Stderr
	if a.stdin, err = a.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.stdout = bufio.NewReader(out)
	if err := a.process.Start(); err != nil {
		return nil, err
	}
	line, err := a.stdout.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("start the API: %w", err)
	}
	var h hello
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, fmt.Errorf("start the API: %w", err)
	}
	a.url, a.size = h.URL, h.Size
	return a, nil
}

// change makes the server serve the changes too.
func (a *api) change() error {
	if _, err := fmt.Fprintln(a.stdin); err != nil {
		return err
	}
	_, err := a.stdout.ReadBytes('\n')
	return err
}

func (a *api) stop() error {
	if err := a.stdin.Close(); err != nil {
		return err
	}
	return a.process.Wait()
}

// serve is the server's process: it ends with its input.
func serve(launches, changes int, in io.Reader, out io.Writer) error {
	all := slices.Collect(recorded.Generate(launches, seed))
	changed := slices.Collect(recorded.GenerateChanges(launches, changes, seed))
	server, err := launchapitest.New(launchapitest.Options{States: [][]json.RawMessage{all, slices.Concat(all, changed)}})
	if err != nil {
		return err
	}
	defer server.Close()
	for state := range 2 {
		server.SetState(1 - state)
		if err := server.Index(); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(out).Encode(hello{server.URL(), sizes{total(all), total(changed)}}); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		server.SetState(1)
		fmt.Fprintln(out)
	}
	return lines.Err()
}

func total(all []json.RawMessage) (n int64) {
	for _, raw := range all {
		n += int64(len(raw))
	}
	return n
}
