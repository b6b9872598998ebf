package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"

	"launchlake/internal/task"
)

// tool does the work.
type tool interface {
	// run brings a folder of pages, which is the i-th of the API's changes (0: the launches), into a lake.
	run(lake string, in *input, pages string, i int) (figure, error)
}

// ours is the three binaries, one after the other.
type ours struct {
	bin     string
	api     *api
	vectors bool // Silver uses deletion vectors, once the launches are in
	// steps are the figures of each binary in each step, by its number.
	steps []map[string][]figure
}

func newOurs(s settings, api *api, steps int) *ours {
	o := &ours{bin: s.bin, api: api, vectors: s.vectors}
	for range steps {
		o.steps = append(o.steps, map[string][]figure{})
	}
	return o
}

const oursName = "launchlake"

var binaries = []string{"ingest", "refine", "aggregate"}

func (o *ours) run(lake string, _ *input, _ string, i int) (figure, error) {
	if err := o.api.show(i); err != nil {
		return figure{}, err
	}
	env := []string{"LAKE_URL=file://" + lake, "SOURCE_URL=" + o.api.url, "LOG_LEVEL=warn", "LOG_FORMAT=json"}
	var all figure
	for _, name := range binaries {
		f, err := run(env, []int{int(task.NothingNew)}, filepath.Join(o.bin, name))
		if err != nil {
			return figure{}, err
		}
		all.seconds += f.seconds
		all.cpu += f.cpu
		all.peak = max(all.peak, f.peak)
		o.steps[i][name] = append(o.steps[i][name], f)
	}
	if o.vectors && i == wholeRun {
		return all, o.useVectors(lake)
	}
	return all, nil
}

func (o *ours) useVectors(lake string) error {
	out, err := exec.Command(filepath.Join(o.bin, "lake"), "--lake", lake, "properties", "silver/launches", "delta.enableDeletionVectors=true").CombinedOutput()
	if err != nil {
		return fmt.Errorf("have Silver use deletion vectors: %w\n%s", err, out)
	}
	return nil
}

// peer is a Python script that does the same.
type peer struct {
	name         string // on the command line
	title        string
	script       string
	requirements string
	java         bool // whether it needs Java
}

var peers = []peer{
	{name: "duckdb", title: "DuckDB + delta-rs", script: "duckdb_deltars.py", requirements: "requirements.txt"},
	{name: "polars", title: "polars + delta-rs", script: "polars_deltars.py", requirements: "requirements.txt"},
	{name: "spark", title: "Spark + Delta", script: "spark_delta.py", requirements: "requirements-spark.txt", java: true},
}

func toolNames() []string {
	names := []string{oursName}
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

func titleOf(name string) string {
	if i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name }); i >= 0 {
		return peers[i].title
	}
	return name
}

// python is a peer with its interpreter.
type python struct {
	peer
	interpreter string
	scripts     string // folder
}

func (p *python) run(lake string, in *input, pages string, _ int) (figure, error) {
	return run(nil, nil, p.interpreter, filepath.Join(p.scripts, p.script), in.folder, pages, lake)
}

func findPeer(name string) (peer, error) {
	i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
	if i < 0 {
		return peer{}, fmt.Errorf("no tool is called %q; there are %v", name, toolNames())
	}
	return peers[i], nil
}
