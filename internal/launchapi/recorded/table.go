package recorded

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed data/*.tsv
var files embed.FS

// none stands for an absent value in a column that is never empty, same for the value of net.
const (
	none = "-"
	same = "="
)

// catalog is the embedded data, read once.
type catalog struct {
	providers map[string]*provider
	vehicles  map[string]*vehicle
	pads      map[string]*pad
	programs  map[string]*programKind
	first     []launch // state 1, oldest net first
	changed   []launch // versions of state 2 that differ from state 1, oldest last_updated first
	outdated  []launch // versions between the two states
}

// launch is one version of a launch: a line of launches.tsv, changes.tsv or outdated.tsv.
type launch struct {
	id, designator       string
	net, opens, closes   time.Time
	precision            string
	vehicle              *vehicle
	provider             *provider
	pad                  *pad
	mission, kind, orbit string
	status, reason       string
	programs             []*programKind
	updated              time.Time
	number               int // of the launch in the recording, from 1; the same in every state
}

var load = sync.OnceValues(func() (*catalog, error) {
	c := &catalog{}
	if err := c.readDimensions(); err != nil {
		return nil, err
	}
	numbers := map[string]int{}
	for name, into := range map[string]*[]launch{
		"launches": &c.first, "changes": &c.changed, "outdated": &c.outdated,
	} {
		lines, err := read(name)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			*into = append(*into, c.launch(l))
			if l.err != nil {
				return nil, l.err
			}
		}
	}
	for _, list := range [][]launch{c.first, c.changed, c.outdated} {
		for i := range list {
			if numbers[list[i].id] == 0 {
				numbers[list[i].id] = len(numbers) + 1
			}
			list[i].number = numbers[list[i].id]
		}
	}
	return c, nil
})

func (c *catalog) launch(l *line) launch {
	net := l.time("net")
	out := launch{
		id: l.text("id"), designator: l.optional("designator"), net: net, precision: l.text("precision"),
		opens: net, closes: net,
		vehicle: pick(l, "vehicle", c.vehicles), provider: pick(l, "provider", c.providers), pad: pick(l, "pad", c.pads),
		mission: l.text("mission"), kind: l.text("type"), orbit: l.text("orbit"),
		status: l.text("status"), reason: l.cells["failreason"],
	}
	if l.cells["window_start"] != same {
		out.opens = l.time("window_start")
	}
	if l.cells["window_end"] != same {
		out.closes = l.time("window_end")
	}
	for _, key := range splitList(l.cells["programs"]) {
		program, ok := c.programs[key]
		l.check(ok, "programs", key)
		out.programs = append(out.programs, program)
	}
	if out.id == none {
		out.id = madeID(out.designator)
	}
	if l.cells["last_updated"] == none {
		out.updated = madeUpdate(out.id, out.net)
	} else {
		out.updated = l.time("last_updated")
	}
	_, status := statuses[out.status]
	l.check(status, "status", out.status)
	_, orbit := orbits[out.orbit]
	l.check(orbit, "orbit", out.orbit)
	_, precision := precisions[out.precision]
	l.check(precision, "precision", out.precision)
	return out
}

// line is a row of a table by column name. It remembers its first error.
type line struct {
	where string
	cells map[string]string
	err   error
}

// read splits a table into lines. A table is UTF-8 with a header, cells are parted by tabs, nothing is quoted.
func read(name string) ([]*line, error) {
	path := "data/" + name + ".tsv"
	text, err := files.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the recording: %w", err)
	}
	rows := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	columns := strings.Split(rows[0], "\t")
	var lines []*line
	for i, row := range rows[1:] {
		cells := strings.Split(row, "\t")
		where := fmt.Sprintf("%s:%d", path, i+2)
		if len(cells) != len(columns) {
			return nil, fmt.Errorf("%s: %d cells for %d columns", where, len(cells), len(columns))
		}
		l := &line{where: where, cells: make(map[string]string, len(cells))}
		for at, cell := range cells {
			l.cells[columns[at]] = cell
		}
		lines = append(lines, l)
	}
	return lines, nil
}

func (l *line) check(ok bool, column, value string) {
	if !ok && l.err == nil {
		l.err = fmt.Errorf("%s: %s: %q is not known", l.where, column, value)
	}
}

func (l *line) text(column string) string {
	l.check(l.cells[column] != "", column, "")
	return l.cells[column]
}

func (l *line) optional(column string) string {
	if l.cells[column] == none {
		return ""
	}
	return l.cells[column]
}

func (l *line) time(column string) time.Time {
	at, err := time.Parse(time.RFC3339, l.cells[column])
	l.check(err == nil, column, l.cells[column])
	return at
}

func (l *line) integer(column string) int {
	n, err := strconv.Atoi(l.cells[column])
	l.check(err == nil, column, l.cells[column])
	return n
}

// number is nil for an empty cell.
func (l *line) number(column string) *float64 {
	if l.cells[column] == "" {
		return nil
	}
	f, err := strconv.ParseFloat(l.cells[column], 64)
	l.check(err == nil, column, l.cells[column])
	return &f
}

func pick[T any](l *line, column string, from map[string]*T) *T {
	found, ok := from[l.cells[column]]
	l.check(ok, column, l.cells[column])
	return found
}

func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
