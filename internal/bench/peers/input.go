package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"unicode/utf8"

	"launchlake/internal/contract"
	"launchlake/internal/gold"
	"launchlake/internal/launchapi/recorded"
)

// pageSize is how many launches the API serves at once.
const pageSize = 100

// input is the files that all tools read: the launches and each number of changes as folders of pages, the contract, and
// the SQL of the Gold tables.
type input struct {
	folder  string
	bytes   int64 // of the launches
	changes []int
}

func (in *input) pages() string         { return filepath.Join(in.folder, "launches") }
func (in *input) changed(k int) string  { return filepath.Join(in.folder, fmt.Sprintf("changes-%d", k)) }
func (in *input) contract() string      { return filepath.Join(in.folder, "contract.json") }
func (in *input) model(m string) string { return filepath.Join(in.folder, "gold", m+".sql") }

func makeInput(folder string, launches int, changes []int) (*input, error) {
	in := &input{folder: folder, changes: changes}
	if err := os.MkdirAll(filepath.Join(folder, "gold"), 0o755); err != nil {
		return nil, err
	}
	var err error
	if in.bytes, err = writePages(in.pages(), recorded.Generate(launches, seed)); err != nil {
		return nil, err
	}
	for _, k := range changes {
		if _, err := writePages(in.changed(k), recorded.GenerateChanges(launches, k, seed)); err != nil {
			return nil, err
		}
	}
	return in, in.writeWork()
}

// writePages writes records as the API serves them, a file a page. Those that are not UTF-8 are left out: of a page with such
// bytes the readers of the peers refuse all.
func writePages(folder string, records iter.Seq[json.RawMessage]) (size int64, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, err
	}
	var page []json.RawMessage
	number := 0
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		err := writePage(filepath.Join(folder, fmt.Sprintf("%06d.json", number)), page)
		page, number = page[:0], number+1
		return err
	}
	for raw := range records {
		if !utf8.Valid(raw) {
			continue
		}
		size += int64(len(raw))
		if page = append(page, raw); len(page) == pageSize {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	return size, flush()
}

func writePage(name string, records []json.RawMessage) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	io.WriteString(w, `{"count":null,"next":null,"previous":null,"results":[`)
	for i, raw := range records {
		if i > 0 {
			w.WriteByte(',')
		}
		w.Write(raw)
	}
	io.WriteString(w, "]}")
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// writeWork says what is to be done in a form that all tools can read.
func (in *input) writeWork() error {
	launches, err := contract.Load("launches")
	if err != nil {
		return err
	}
	type column struct {
		Name, Type, Origin, Logic string
		Paths                     []string
	}
	var columns []column
	for _, c := range launches.Columns {
		columns = append(columns, column{c.Name, c.Type.String(), c.Origin, c.Logic, c.Paths})
	}
	text, err := json.MarshalIndent(map[string]any{"columns": columns, "rules": launches.Rules}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(in.contract(), text, 0o644); err != nil {
		return err
	}
	models, err := gold.Models()
	if err != nil {
		return err
	}
	for _, m := range models {
		if err := os.WriteFile(in.model(m.Name), []byte(m.SQL), 0o644); err != nil {
			return err
		}
	}
	return nil
}
