package duckdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
)

// fileGroup is data files whose Parquet schemas are equal, and whose rows are selected alike.
type fileGroup struct {
	files   []scannedFile
	selects selectionKind
	schema  string         // as the footers have it
	columns []resultColumn // of the files
	footer  *parquetNode
}

func (g *fileGroup) paths() []string {
	paths := make([]string, len(g.files))
	for i, f := range g.files {
		paths[i] = f.path
	}
	return paths
}

func (g *fileGroup) has(column string) bool {
	return slices.ContainsFunc(g.columns, func(c resultColumn) bool { return strings.EqualFold(c.name, column) })
}

// groupFiles looks at the footers only.
func (e *Engine) groupFiles(ctx context.Context, files []scannedFile) ([]*fileGroup, error) {
	footers, err := e.footers.of(ctx, files)
	if err != nil {
		return nil, err
	}
	byKind := map[string]*fileGroup{}
	for i, f := range files {
		key := fmt.Sprint(footers[i].schema, f.rows.kind)
		if byKind[key] == nil {
			byKind[key] = &fileGroup{selects: f.rows.kind, schema: footers[i].schema, footer: footers[i].root}
		}
		byKind[key].files = append(byKind[key].files, f)
	}
	var groups []*fileGroup
	for _, key := range slices.Sorted(maps.Keys(byKind)) {
		g := byKind[key]
		if g.columns, err = e.columnsOf(ctx, g.files[0].path, g.schema); err != nil {
			return nil, fmt.Errorf("read columns of a data file: %w", err)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// columnsOf gives the columns that DuckDB reads of a file, and so of all files with its schema.
func (e *Engine) columnsOf(ctx context.Context, path, schema string) ([]resultColumn, error) {
	f := &e.footers
	f.mu.Lock()
	columns, known := f.columns[schema]
	f.mu.Unlock()
	if known {
		return columns, nil
	}
	columns, err := e.describe(ctx, fmt.Sprintf("SELECT * EXCLUDE (%s) FROM %s", localFileColumn, readParquet([]string{path})))
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.columns[schema] = columns
	f.mu.Unlock()
	return columns, nil
}

// footers keeps what the footers of local files say.
type footers struct {
	mu      sync.Mutex
	read    map[string]*footer        // by path
	columns map[string][]resultColumn // as DuckDB reads them, by schema
}

// footer is what matters of a footer.
type footer struct {
	schema string // equal for files of equal schemas
	root   *parquetNode
	rows   int64
}

// of gives the footers of files, in their order.
func (f *footers) of(ctx context.Context, files []scannedFile) ([]*footer, error) {
	all := make([]*footer, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetches)
	for i, file := range files {
		group.Go(func() (err error) {
			if all[i], err = f.one(file.path); err != nil {
				return fmt.Errorf("read the footer of a data file: %w", err)
			}
			return ctx.Err()
		})
	}
	return all, group.Wait()
}

func (f *footers) one(path string) (*footer, error) {
	f.mu.Lock()
	known := f.read[path]
	f.mu.Unlock()
	if known != nil {
		return known, nil
	}
	read, err := readFooter(path)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.read[path] = read
	f.mu.Unlock()
	return read, nil
}

// A Parquet file ends with its footer, the footer's length and a word.
const (
	footerEnd         = "PAR1"
	footerWords int64 = 4 + int64(len(footerEnd))
)

func readFooter(path string) (*footer, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	var end [footerWords]byte
	if _, err := file.ReadAt(end[:], max(info.Size()-footerWords, 0)); err != nil || string(end[4:]) != footerEnd {
		return nil, fmt.Errorf("it is no Parquet file that can be read: it does not end with %s", footerEnd)
	}
	size := int64(binary.LittleEndian.Uint32(end[:4]))
	if size > info.Size()-footerWords {
		return nil, fmt.Errorf("it is no Parquet file that can be read: a footer of %d bytes in a file of %d", size, info.Size())
	}
	text := make([]byte, size)
	if _, err := file.ReadAt(text, info.Size()-footerWords-size); err != nil {
		return nil, err
	}
	var meta struct {
		Schema []schemaElement `thrift:"2,required"`
		Rows   int64           `thrift:"3,required"`
	}
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), text, &meta); err != nil {
		return nil, fmt.Errorf("it is no Parquet file that can be read: %w", err)
	}
	f := &footer{root: parquetSchema(meta.Schema), rows: meta.Rows}
	meta.Rows = 0
	schema, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	f.schema = string(schema)
	return f, err
}

// schemaElement is what a footer says of a column, or of a group of columns.
type schemaElement struct {
	Type        thrift.Null[int32] `thrift:"1,optional"`
	Length      thrift.Null[int32] `thrift:"2,optional"`
	Repetition  thrift.Null[int32] `thrift:"3,optional"`
	Name        string             `thrift:"4,required"`
	Children    thrift.Null[int32] `thrift:"5,optional"`
	Converted   thrift.Null[int32] `thrift:"6,optional"`
	Scale       thrift.Null[int32] `thrift:"7,optional"`
	Precision   thrift.Null[int32] `thrift:"8,optional"`
	FieldID     thrift.Null[int32] `thrift:"9,optional"`
	LogicalType format.LogicalType `thrift:"10,optional"`
}

// parquetNode is an element of a Parquet schema.
type parquetNode struct {
	name     string
	id       *int32 // field id
	children []*parquetNode
}

// parquetSchema makes the tree of elements, which a footer gives as a list, parents first.
func parquetSchema(list []schemaElement) *parquetNode {
	next := 0
	var take func() *parquetNode
	take = func() *parquetNode {
		element := list[next]
		next++
		n := &parquetNode{name: element.Name}
		if id, ok := element.FieldID.Get(); ok {
			n.id = &id
		}
		count, _ := element.Children.Get()
		for range count {
			if next < len(list) {
				n.children = append(n.children, take())
			}
		}
		return n
	}
	if len(list) == 0 {
		return &parquetNode{}
	}
	return take()
}

// child finds a member of a group by its name.
func (n *parquetNode) child(name string) *parquetNode {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// element is that of the values of a list: below a repeated group, unless the repeated group is the element itself.
func (n *parquetNode) element(t delta.Type) *parquetNode {
	repeated := n.only()
	if repeated == nil {
		return n
	}
	only := repeated.only()
	if s, ok := t.(*delta.Struct); ok && only != nil && len(s.Fields) == 1 && s.Fields[0].Name == only.name && len(only.children) == 0 {
		return repeated // a list of structs with one member, in the old form
	}
	if only == nil {
		return repeated
	}
	return only
}

func (n *parquetNode) only() *parquetNode {
	if n == nil || len(n.children) != 1 {
		return nil
	}
	return n.children[0]
}

// entry gives the elements of a map's keys and values.
func (n *parquetNode) entry() (key, value *parquetNode) {
	repeated := n.only()
	if repeated == nil || len(repeated.children) != 2 {
		return nil, nil
	}
	return repeated.children[0], repeated.children[1]
}

func (n *parquetNode) hasID() bool {
	return n != nil && (n.id != nil || slices.ContainsFunc(n.children, (*parquetNode).hasID))
}

func (e *Engine) scanRows(ctx context.Context, query string, take func(*sql.Rows) error) error {
	rows, err := e.db.QueryContext(ctx, query)
	if err != nil {
		return queryError(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return queryError(ctx, rows.Err())
}
