package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/rawjson"
)

// api serves the pages' launches over HTTP, in a process of its own: a process begins with the peak memory of the one that
// starts it, so the one that starts the tools must be small.
type api struct {
	url     string
	process *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
}

func startAPI(in *input) (*api, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	folders := []string{in.pages()}
	for _, k := range in.changes {
		folders = append(folders, in.changed(k))
	}
	a := &api{process: exec.Command(self, "-serve", strings.Join(folders, ","))}
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
	if a.url, err = a.stdout.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("start the API: %w", err)
	}
	a.url = strings.TrimSpace(a.url)
	return a, nil
}

// show makes the server serve the launches, and with them the i-th of the changes; 0: none.
func (a *api) show(i int) error {
	if _, err := fmt.Fprintln(a.stdin, i); err != nil {
		return err
	}
	_, err := a.stdout.ReadString('\n')
	return err
}

func (a *api) stop() error {
	if err := a.stdin.Close(); err != nil {
		return err
	}
	return a.process.Wait()
}

// serve is the server's process: it ends with its input.
func serve(folders []string, in io.Reader, out io.Writer) error {
	var states [][]json.RawMessage
	for i, folder := range folders {
		records, err := readPages(folder)
		if err != nil {
			return err
		}
		if i > 0 {
			records = slices.Concat(states[0], records)
		}
		states = append(states, records)
	}
	server, err := launchapitest.New(launchapitest.Options{States: states})
	if err != nil {
		return err
	}
	defer server.Close()
	if err := server.Index(); err != nil {
		return err
	}
	fmt.Fprintln(out, server.URL())
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		i, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		server.SetState(i)
		if err := server.Index(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	return lines.Err()
}

// readPages gives the records of a folder of pages. The files are mapped into memory, so that the system may drop what is
// not being served: together they may be larger than the machine's memory.
func readPages(folder string) ([]json.RawMessage, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var records []json.RawMessage
	for _, name := range names {
		page, err := mapFile(name)
		if err != nil {
			return nil, err
		}
		for member, value := range rawjson.Members(page) {
			if string(member) != "results" {
				continue
			}
			for raw := range rawjson.Elements(value) {
				records = append(records, raw)
			}
		}
	}
	return records, nil
}

// mapFile maps a file for as long as the process lives.
func mapFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	content, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s into memory: %w", name, err)
	}
	return content, nil
}
