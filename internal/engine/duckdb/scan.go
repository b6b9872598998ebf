package duckdb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// Bind implements [engine.Engine].
func (e *Engine) Bind(ctx context.Context, name string, in engine.Input) error {
	files, err := inputFiles(in)
	if err != nil {
		return fmt.Errorf("bind %s: %w", name, err)
	}
	scan := scan{snapshot: in.Snapshot, files: files, version: in.Files != nil}
	query, err := e.scanQuery(ctx, scan)
	if err != nil {
		return fmt.Errorf("bind %s: %w", name, err)
	}
	return e.Define(ctx, name, query, engine.EachTime)
}

func inputFiles(in engine.Input) ([]engine.File, error) {
	if in.Files != nil {
		return in.Files, nil
	}
	var files []engine.File
	for add, err := range in.Snapshot.Files() {
		if err != nil {
			return nil, err
		}
		files = append(files, engine.File{Add: add})
	}
	return files, nil
}

// scan asks for the rows of data files of a table.
type scan struct {
	snapshot *delta.Snapshot
	files    []engine.File
	version  bool // with the column engine.CommitVersion
	place    bool // with the columns fileColumn and rowColumn
}

// Columns that say where a row lies: its local file, and its number in it.
const (
	fileColumn = "_file"
	rowColumn  = "_row"
)

// scanQuery gives the SQL that reads the files. Files with the same columns are read together, for their columns are cast
// to the table's types alike.
func (e *Engine) scanQuery(ctx context.Context, s scan) (string, error) {
	if len(s.files) == 0 {
		return s.nothing()
	}
	adds := make([]delta.Add, len(s.files))
	for i, f := range s.files {
		adds[i] = f.Add
	}
	paths, err := e.files.of(ctx, s.snapshot, adds)
	if err != nil {
		return "", err
	}
	groups, err := e.groupFiles(ctx, paths)
	if err != nil {
		return "", err
	}
	constants, err := e.constants(ctx, s, paths)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, g := range groups {
		part, err := s.groupQuery(g, constants)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\nUNION ALL\n"), nil
}

// nothing gives the columns of the scan without rows.
func (s scan) nothing() (string, error) {
	var columns []string
	for _, f := range s.snapshot.Schema().Fields {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", fmt.Errorf("column %s: %w", f.Name, err)
		}
		columns = append(columns, fmt.Sprintf("CAST(NULL AS %s) AS %s", t, quoteName(f.Name)))
	}
	if s.version {
		columns = append(columns, "CAST(NULL AS BIGINT) AS "+quoteName(engine.CommitVersion))
	}
	if s.place {
		columns = append(columns, "CAST(NULL AS VARCHAR) AS "+fileColumn, "CAST(NULL AS BIGINT) AS "+rowColumn)
	}
	return "SELECT " + strings.Join(columns, ", ") + " WHERE false", nil
}

// fileGroup is data files whose Parquet schemas are equal.
type fileGroup struct {
	paths []string
	types map[string]string // SQL type by column
}

// groupFiles looks at the footers only.
func (e *Engine) groupFiles(ctx context.Context, paths []string) ([]*fileGroup, error) {
	const footer = `SELECT file_name, md5(string_agg(concat_ws(' ', name, type, duckdb_type, num_children, logical_type, converted_type,
		precision, scale, repetition_type), '|' ORDER BY column_id))
		FROM parquet_schema(%s) WHERE column_id > 0 GROUP BY file_name ORDER BY file_name`
	rows, err := e.db.QueryContext(ctx, fmt.Sprintf(footer, pathList(paths)))
	if err != nil {
		return nil, fmt.Errorf("read footers: %w", queryError(ctx, err))
	}
	defer rows.Close()
	bySchema := map[string]*fileGroup{}
	for rows.Next() {
		var path, schema string
		if err := rows.Scan(&path, &schema); err != nil {
			return nil, fmt.Errorf("read footers: %w", err)
		}
		if bySchema[schema] == nil {
			bySchema[schema] = &fileGroup{}
		}
		bySchema[schema].paths = append(bySchema[schema].paths, path)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read footers: %w", queryError(ctx, err))
	}
	var groups []*fileGroup
	for _, schema := range slices.Sorted(maps.Keys(bySchema)) {
		g := bySchema[schema]
		if g.types, err = e.columnTypes(ctx, "SELECT * FROM "+readParquet(g.paths[:1])); err != nil {
			return nil, fmt.Errorf("read columns of a data file: %w", err)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// columnTypes gives the columns of a query with their SQL types.
func (e *Engine) columnTypes(ctx context.Context, query string) (map[string]string, error) {
	rows, err := e.db.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE "+query+")")
	if err != nil {
		return nil, queryError(ctx, err)
	}
	defer rows.Close()
	types := map[string]string{}
	for rows.Next() {
		var name, t string
		if err := rows.Scan(&name, &t); err != nil {
			return nil, err
		}
		types[name] = t
	}
	return types, queryError(ctx, rows.Err())
}

// constants makes a relation of what is the same for all rows of a file, and returns its name, or "" when the scan needs
// none.
func (e *Engine) constants(ctx context.Context, s scan, paths []string) (string, error) {
	partitions := s.snapshot.Metadata().PartitionColumns
	if !s.version && len(partitions) == 0 {
		return "", nil
	}
	values := make([]string, len(s.files))
	for i, f := range s.files {
		cells := []string{quote(paths[i]), "CAST(NULL AS BIGINT)"}
		if f.Version != nil {
			cells[1] = fmt.Sprintf("CAST(%d AS BIGINT)", *f.Version)
		}
		for _, name := range partitions {
			cell, err := partitionCell(s.snapshot.Schema(), name, f.Add)
			if err != nil {
				return "", fmt.Errorf("data file %s: %w", f.Path, err)
			}
			cells = append(cells, cell)
		}
		values[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	columns := []string{fileColumn, quoteName(engine.CommitVersion)}
	for _, name := range partitions {
		columns = append(columns, quoteName(name))
	}
	table := e.name("files")
	query := fmt.Sprintf("SELECT * FROM (VALUES %s) AS f(%s)", strings.Join(values, ",\n"), strings.Join(columns, ", "))
	return table, e.Define(ctx, table, query, engine.Once)
}

func partitionCell(schema *delta.Schema, name string, add delta.Add) (string, error) {
	field, ok := schema.Field(name)
	if !ok {
		return "", fmt.Errorf("partition column %s is not in the schema", name)
	}
	value, err := delta.ParsePartitionValue(field.Type, add.PartitionValues[name])
	if err != nil {
		return "", fmt.Errorf("partition column %s: %w", name, err)
	}
	return literal(field.Type, value)
}

func (s scan) groupQuery(g *fileGroup, constants string) (string, error) {
	var columns []string
	for _, f := range s.snapshot.Schema().Fields {
		column, err := s.columnOf(g, f)
		if err != nil {
			return "", err
		}
		columns = append(columns, column+" AS "+quoteName(f.Name))
	}
	if s.version {
		columns = append(columns, "c."+quoteName(engine.CommitVersion))
	}
	if s.place {
		columns = append(columns, "d.filename AS "+fileColumn, "d.file_row_number AS "+rowColumn)
	}
	query := "SELECT " + strings.Join(columns, ", ") + "\nFROM " + readParquet(g.paths) + " AS d"
	if constants != "" {
		query += " JOIN " + constants + " AS c ON c." + fileColumn + " = d.filename"
	}
	return query, nil
}

// columnOf gives a column of the table from the files of a group: a partition value from the log, whatever the
// file holds; null for what the file lacks; else the file's column, cast when it has another type.
func (s scan) columnOf(g *fileGroup, f delta.Field) (string, error) {
	want, err := sqlType(f.Type)
	if err != nil {
		return "", fmt.Errorf("column %s: %w", f.Name, err)
	}
	if slices.Contains(s.snapshot.Metadata().PartitionColumns, f.Name) {
		return "c." + quoteName(f.Name), nil
	}
	name, have := g.column(f.Name)
	switch {
	case have == "" || f.Type == delta.Void:
		return fmt.Sprintf("CAST(NULL AS %s)", want), nil
	case have == want:
		return "d." + quoteName(name), nil
	default:
		return castColumn(f, "d."+quoteName(name), have, want), nil
	}
}

// column finds a column by its name, or else by a name equal but for case, as Spark does.
func (g *fileGroup) column(name string) (found, sqlType string) {
	if t, ok := g.types[name]; ok {
		return name, t
	}
	for other, t := range g.types {
		if strings.EqualFold(other, name) {
			return other, t
		}
	}
	return "", ""
}

// castColumn casts what other writers store otherwise.
func castColumn(f delta.Field, column, have, want string) string {
	if have == sqlTypes[delta.Binary] && f.Type == delta.String {
		return "decode(" + column + ")" // text that is not marked as such
	}
	return fmt.Sprintf("CAST(%s AS %s)", column, want)
}

func readParquet(paths []string) string {
	return "read_parquet(" + pathList(paths) + ", hive_partitioning = false, union_by_name = false)"
}

func pathList(paths []string) string {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = quote(path)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
