package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"launchlake/internal/delta"
)

// fileGroup is data files whose Parquet schemas are equal, and whose rows are selected alike.
type fileGroup struct {
	files   []scannedFile
	selects selectionKind
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
	const footer = `SELECT file_name, md5(string_agg(concat_ws(' ', name, type, duckdb_type, num_children, logical_type, converted_type,
		precision, scale, repetition_type, field_id), '|' ORDER BY column_id))
		FROM parquet_schema(%s) WHERE column_id > 0 GROUP BY file_name ORDER BY file_name`
	schemas := map[string]string{}
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.path
	}
	err := e.scanRows(ctx, fmt.Sprintf(footer, pathList(paths)), func(rows *sql.Rows) error {
		var path, schema string
		err := rows.Scan(&path, &schema)
		schemas[path] = schema
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read footers: %w", err)
	}
	byKind := map[string]*fileGroup{}
	for _, f := range files {
		key := fmt.Sprint(schemas[f.path], f.rows.kind)
		if byKind[key] == nil {
			byKind[key] = &fileGroup{selects: f.rows.kind}
		}
		byKind[key].files = append(byKind[key].files, f)
	}
	var groups []*fileGroup
	for _, key := range slices.Sorted(maps.Keys(byKind)) {
		g := byKind[key]
		if err := e.readFooter(ctx, g); err != nil {
			return nil, fmt.Errorf("read columns of a data file: %w", err)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// readFooter finds out the columns of a group, by one of its files.
func (e *Engine) readFooter(ctx context.Context, g *fileGroup) (err error) {
	one := g.files[:1]
	if g.columns, err = e.describe(ctx, fmt.Sprintf("SELECT * EXCLUDE (%s) FROM %s", localFileColumn, readParquet([]string{one[0].path}))); err != nil {
		return err
	}
	g.footer, err = e.parquetSchema(ctx, one[0].path)
	return err
}

// parquetNode is an element of a Parquet schema.
type parquetNode struct {
	name     string
	id       *int32 // field id
	children []*parquetNode
}

// parquetSchema reads the tree of elements, which the footer gives as a list, parents first.
func (e *Engine) parquetSchema(ctx context.Context, path string) (*parquetNode, error) {
	var list []*parquetNode
	var counts []int
	query := "SELECT name, field_id, coalesce(num_children, 0) FROM parquet_schema(" + pathList([]string{path}) + ") ORDER BY column_id"
	err := e.scanRows(ctx, query, func(rows *sql.Rows) error {
		n, count := &parquetNode{}, 0
		var id sql.Null[int32]
		err := rows.Scan(&n.name, &id, &count)
		if id.Valid {
			n.id = &id.V
		}
		list, counts = append(list, n), append(counts, count)
		return err
	})
	if err != nil {
		return nil, err
	}
	next := 0
	var take func() *parquetNode
	take = func() *parquetNode {
		if next == len(list) {
			return nil
		}
		n, count := list[next], counts[next]
		next++
		for range count {
			if child := take(); child != nil {
				n.children = append(n.children, child)
			}
		}
		return n
	}
	if root := take(); root != nil {
		return root, nil
	}
	return &parquetNode{}, nil
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
