package gold

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Model is a Gold table by its query.
type Model struct {
	Name        string // of the table and of the file
	Grain       string // what a row is
	Description string // the grain and the definitions
	Reads       []string
	Comments    map[string]string // by column
	SQL         string            // the file as it is
}

//go:embed *.sql
var files embed.FS

// Models are those of this program: every .sql file of this folder.
func Models() ([]Model, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	var models []Model
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		m, err := ParseModel(strings.TrimSuffix(name, ".sql"), string(text))
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return models, nil
}

var (
	modelName   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	columnLine  = regexp.MustCompile(`^([a-z][a-z0-9_]*): (.+)$`)
	readsPrefix = "reads: "
)

// ParseModel reads a model file. Its head is comment lines: first the grain; "reads:" and the Silver tables that the query
// names, separated by commas; "column: text" for columns that need a word; and whatever definitions a reader needs.
func ParseModel(name, text string) (Model, error) {
	m := Model{Name: name, SQL: text, Comments: map[string]string{}}
	if !modelName.MatchString(name) {
		return m, fmt.Errorf("model %s.sql: the name must be lower-case letters, digits and _", name)
	}
	var description []string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "--")
		if !ok {
			break
		}
		comment = strings.TrimSpace(comment)
		switch column := columnLine.FindStringSubmatch(comment); {
		case strings.HasPrefix(comment, readsPrefix):
			m.Reads = splitNames(strings.TrimPrefix(comment, readsPrefix))
		case column != nil:
			m.Comments[column[1]] = column[2]
		case comment != "":
			description = append(description, comment)
		}
	}
	if len(description) == 0 || !strings.HasPrefix(text, "--") {
		return m, fmt.Errorf("model %s.sql: its first line must be a comment that says what a row is", name)
	}
	if len(m.Reads) == 0 {
		return m, fmt.Errorf("model %s.sql: its head must have a line \"-- reads: \" with the Silver tables that it reads", name)
	}
	m.Grain, m.Description = description[0], strings.Join(description, " ")
	return m, nil
}

func splitNames(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// hash tells whether a table was made by this text of the model.
func (m Model) hash() string {
	sum := sha256.Sum256([]byte(m.SQL))
	return hex.EncodeToString(sum[:])
}

// appID names the progress of the model in its table, for one of the tables that it reads.
func (m Model) appID(input string) string {
	if len(m.Reads) == 1 {
		return "aggregate:" + m.Name
	}
	return "aggregate:" + m.Name + ":" + input
}
