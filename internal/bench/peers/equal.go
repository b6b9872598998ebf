package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"launchlake/internal/contract"
	"launchlake/internal/gold"
)

// compared is a table that all tools must make alike.
type compared struct {
	path     string
	columns  []string // nil: all
	distinct bool     // rows that come again do not count
}

// comparedTables are Bronze as far as it says which bytes came, once each, for launchlake keeps no bytes twice; Silver without the version of Bronze, which is each tool's own; the quarantine as far as it tells what was wrong with
// which bytes; and Gold.
func comparedTables() ([]compared, error) {
	launches, err := contract.Load("launches")
	if err != nil {
		return nil, err
	}
	var columns []string
	for _, c := range launches.Columns {
		if c.Origin != "version" {
			columns = append(columns, c.Name)
		}
	}
	tables := []compared{
		{path: "bronze/launches", columns: []string{"id", "sha256", "last_updated"}, distinct: true},
		{path: "silver/launches", columns: columns},
		{path: "silver/launches_quarantine", columns: []string{"id", "rules", "messages", "sha256", "last_updated"}},
	}
	models, err := gold.Models()
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		tables = append(tables, compared{path: "gold/" + m.Name})
	}
	return tables, nil
}

// content is a table's rows, whatever their order: how many, and the sum of their hashes.
type content struct {
	Rows int
	Sum  big.Int

	seen map[[sha256.Size]byte]bool // nil: all rows count
}

func (c *content) add(row []byte) {
	hash := sha256.Sum256(row)
	if c.seen[hash] {
		return
	}
	if c.seen != nil {
		c.seen[hash] = true
	}
	c.Rows++
	c.Sum.Add(&c.Sum, new(big.Int).SetBytes(hash[:]))
}

func (c *content) equal(d *content) bool { return c.Rows == d.Rows && c.Sum.Cmp(&d.Sum) == 0 }

// contents reads the compared tables of a lake, in a process of its own as the API is one.
func contents(bin, lake string) (all []content, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(self, "-bin", bin, "-contents", lake)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("read the tables of %s: %w", lake, err)
	}
	return all, json.Unmarshal(out, &all)
}

// printContents is that process: it writes the contents of all tables as JSON.
func printContents(bin, lake string, out io.Writer) error {
	tables, err := comparedTables()
	if err != nil {
		return err
	}
	all := make([]content, len(tables))
	for i, t := range tables {
		if t.distinct {
			all[i].seen = map[[sha256.Size]byte]bool{}
		}
		if err := readRows(bin, lake, t, all[i].add); err != nil {
			return err
		}
	}
	return json.NewEncoder(out).Encode(all)
}

// readRows gives each row as canonical JSON: numbers with a fraction to twelve digits, for engines add and divide in their own order.
func readRows(bin, lake string, t compared, row func([]byte)) error {
	arguments := []string{"cat", filepath.Join(lake, t.path)}
	if t.columns != nil {
		arguments = append(arguments, "--columns", strings.Join(t.columns, ","))
	}
	c := exec.Command(filepath.Join(bin, "lake"), arguments...)
	var failure bytes.Buffer
	c.Stderr = &failure
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break // the process says whether it was the end
		}
		canonical, err := canonical(line)
		if err != nil {
			return fmt.Errorf("row of %s: %w", t.path, err)
		}
		row(canonical)
	}
	if err := c.Wait(); err != nil {
		return fmt.Errorf("read %s of %s: %w\n%s", t.path, lake, err, failure.String())
	}
	return nil
}

func canonical(line []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	var row map[string]any
	if err := decoder.Decode(&row); err != nil {
		return nil, err
	}
	for name, value := range row {
		if n, ok := value.(json.Number); ok && strings.ContainsAny(n.String(), ".eE") {
			f, err := n.Float64()
			if err != nil {
				return nil, err
			}
			row[name] = strconv.FormatFloat(f, 'g', 12, 64)
		} else if ok {
			row[name] = n.String() // a whole number may be spelled as a float's
		}
	}
	return json.Marshal(row)
}

// differences compares the tables of two lakes whose contents differ, and shows some rows that only one has.
func differences(bin, want, got string, t compared) (string, error) {
	var rows [2][]string
	for i, lake := range []string{want, got} {
		if err := readRows(bin, lake, t, func(row []byte) { rows[i] = append(rows[i], string(row)) }); err != nil {
			return "", err
		}
		slices.Sort(rows[i])
	}
	const shown = 3
	return fmt.Sprintf("%s: %d rows, and %d of launchlake\n%s\n%s", t.path, len(rows[1]), len(rows[0]),
		only("launchlake", rows[0], rows[1], shown), only("the peer", rows[1], rows[0], shown)), nil
}

// only lists the first rows of a that b has not.
func only(who string, a, b []string, most int) string {
	have := map[string]int{}
	for _, row := range b {
		have[row]++
	}
	var found []string
	for _, row := range a {
		if have[row]--; have[row] < 0 && len(found) < most {
			found = append(found, "  "+row)
		}
	}
	return "only " + who + " has:\n" + strings.Join(found, "\n")
}
