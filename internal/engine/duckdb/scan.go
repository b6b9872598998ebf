package duckdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb/sparksql"
)

// Bind implements [engine.Engine].
func (e *Engine) Bind(ctx context.Context, name string, in engine.Input) error {
	where, filter := e.condition(in)
	scan, err := inputScan(ctx, in, filter)
	if err != nil {
		return fmt.Errorf("bind %s: %w", name, err)
	}
	query, err := e.scanQuery(ctx, scan)
	if err != nil {
		return fmt.Errorf("bind %s: %w", name, err)
	}
	if where != "" {
		query = fmt.Sprintf("SELECT * FROM (%s) AS rows WHERE (%s\n)", query, where)
	}
	return e.Define(ctx, name, query, engine.EachTime)
}

// condition gives the condition of an input as DuckDB's SQL, and what it says to those who choose files. What it does not understand it
// leaves to DuckDB, and no file is left out; double quotes too, for to the one they are about columns and to the other about texts.
func (e *Engine) condition(in engine.Input) (where string, filter []delta.Predicate) {
	if in.Where == "" || in.Snapshot == nil || strings.Contains(in.Where, `"`) {
		return in.Where, nil
	}
	known, err := sparksql.Condition(in.Where, in.Snapshot.Schema(), e.options.Now())
	if err != nil {
		return in.Where, nil
	}
	if known.Filter != nil {
		filter = []delta.Predicate{known.Filter}
	}
	return known.SQL, filter
}

func inputScan(ctx context.Context, in engine.Input, filter []delta.Predicate) (scan, error) {
	if in.Changes != nil {
		if in.Snapshot != nil || in.Files != nil || in.Where != "" {
			return scan{}, errors.New("changes are given, and what is for snapshots too")
		}
		return changesScan(ctx, in.Changes)
	}
	files, err := inputFiles(in, filter)
	return scan{snapshot: in.Snapshot, files: files, version: in.Files != nil}, err
}

func inputFiles(in engine.Input, filter []delta.Predicate) ([]engine.File, error) {
	if in.Files != nil {
		return in.Files, nil
	}
	var files []engine.File
	for add, err := range in.Snapshot.Files(filter...) {
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
	changes  []delta.ChangeFile // one for each file when changed rows are asked for, with the columns of changes
	version  bool               // with the column engine.CommitVersion
	place    bool               // with the columns fileColumn and rowColumn

	constants constants
}

// Columns that say where a row lies: its local file, and its number in it.
const (
	fileColumn = "_file"
	rowColumn  = "_row"
)

// scannedFile is a file of a scan, here.
type scannedFile struct {
	path   string
	number int // in the scan
	rows   selection
}

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
	if err := e.widen(ctx); err != nil {
		return "", err
	}
	files := make([]scannedFile, len(paths))
	for i, path := range paths {
		files[i] = scannedFile{path: path, number: i}
	}
	rows, err := e.selectRows(ctx, s, files)
	if err != nil {
		return "", err
	}
	groups, err := e.groupFiles(ctx, files)
	if err != nil {
		return "", err
	}
	if s.constants, err = e.constants(ctx, s, files, groups); err != nil {
		return "", err
	}
	var parts []string
	for _, g := range groups {
		part, err := s.groupQuery(g, rows)
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
		columns = append(columns, nullColumn(t, f.Name))
	}
	if s.changes != nil {
		columns = append(columns, nullColumn("VARCHAR", engine.ChangeType), nullColumn("BIGINT", engine.CommitVersion),
			nullColumn("TIMESTAMP WITH TIME ZONE", engine.CommitTimestamp))
	}
	if s.version {
		columns = append(columns, nullColumn("BIGINT", engine.CommitVersion))
	}
	if s.place {
		columns = append(columns, nullColumn("VARCHAR", fileColumn), nullColumn("BIGINT", rowColumn))
	}
	return "SELECT " + strings.Join(columns, ", ") + " WHERE false", nil
}

func nullColumn(sqlType, name string) string {
	return fmt.Sprintf("CAST(NULL AS %s) AS %s", sqlType, quoteName(name))
}

// numberColumn is that of a file in its scan.
const numberColumn = "_number"

// constants are columns that are the same for all rows of a file.
type constants struct {
	relation string            // of the files' values; "": values has them, or the scan needs none
	values   map[string]string // in SQL
}

// of gives a column.
func (c constants) of(name string) string {
	if value, ok := c.values[name]; ok {
		return value
	}
	return "c." + quoteName(name)
}

// needsConstants is whether rows of a group must be told which file they come from. To select rows of a file that is alone in its group they
// need not.
func (s scan) needsConstants(g *fileGroup) bool {
	return s.version || s.changes != nil || len(s.snapshot.Metadata().PartitionColumns) > 0 || g.selects != allRows && len(g.files) > 1
}

// constants gives those of files.
func (e *Engine) constants(ctx context.Context, s scan, files []scannedFile, groups []*fileGroup) (constants, error) {
	if !slices.ContainsFunc(groups, s.needsConstants) {
		return constants{}, nil
	}
	partitions := s.snapshot.Metadata().PartitionColumns
	names := append([]string{fileColumn, numberColumn, engine.CommitVersion, engine.CommitTimestamp, engine.ChangeType}, partitions...)
	rows := make([][]string, len(files))
	for i, f := range files {
		rows[i] = append([]string{quote(f.path), fmt.Sprint(f.number)}, s.commitCells(i)...)
		for _, name := range partitions {
			cell, err := partitionCell(s.snapshot.Schema(), name, s.files[i].Add)
			if err != nil {
				return constants{}, fmt.Errorf("data file %s: %w", s.files[i].Path, err)
			}
			rows[i] = append(rows[i], cell)
		}
	}
	if len(files) == 1 || s.listed(groups) {
		return constants{values: listedConstants(names, rows)}, nil
	}
	values, columns := make([]string, len(rows)), make([]string, len(names))
	for i, cells := range rows {
		values[i] = "(" + join(cells) + ")"
	}
	for i, name := range names {
		columns[i] = quoteName(name)
	}
	table := e.name("files")
	query := fmt.Sprintf("SELECT * FROM (VALUES %s) AS f(%s)", strings.Join(values, ",\n"), join(columns))
	return constants{relation: table}, e.Define(ctx, table, query, engine.Once)
}

// mostListed is how many files may have their constants in lists, which are made anew for each vector of rows.
const mostListed = 100

// fileIndexColumn is DuckDB's number of a file among those that it reads.
const fileIndexColumn = "file_index"

// listed is whether constants are looked up in lists, by DuckDB's number of the file. Unlike what a join gives, which is a selection of rows, the
// rows then reach functions as they were read, without a copy of their texts. Where others see the path, conditions on it could have DuckDB read
// fewer files, and number them anew.
func (s scan) listed(groups []*fileGroup) bool {
	return len(s.files) <= mostListed && len(groups) == 1 && !s.place && !groups[0].has(fileIndexColumn)
}

// listedConstants gives the SQL of columns from the cells of each file.
func listedConstants(names []string, rows [][]string) map[string]string {
	values := map[string]string{}
	for column, name := range names {
		if len(rows) == 1 {
			values[name] = rows[0][column]
			continue
		}
		cells := make([]string, len(rows))
		for i := range rows {
			cells[i] = rows[i][column]
		}
		values[name] = fmt.Sprintf("list_extract([%s], CAST(d.%s AS BIGINT) + 1)", join(cells), fileIndexColumn)
	}
	return values
}

// commitCells say which commit a file's rows come from, and what it did to them.
func (s scan) commitCells(i int) []string {
	cells := []string{"CAST(NULL AS BIGINT)", "CAST(NULL AS TIMESTAMP WITH TIME ZONE)", "CAST(NULL AS VARCHAR)"}
	if v := s.files[i].Version; v != nil {
		cells[0] = fmt.Sprintf("CAST(%d AS BIGINT)", *v)
	}
	if s.changes != nil {
		cells[1] = fmt.Sprintf("CAST(make_timestamp(%d) AS TIMESTAMP WITH TIME ZONE)", s.changes[i].Timestamp.UnixMicro())
		if t := s.changes[i].Type; t != "" {
			cells[2] = quote(string(t))
		}
	}
	return cells
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

func (s scan) groupQuery(g *fileGroup, rows string) (string, error) {
	var columns []string
	for _, f := range s.snapshot.Schema().Fields {
		column, err := s.columnOf(g, f)
		if err != nil {
			return "", err
		}
		columns = append(columns, column+" AS "+quoteName(f.Name))
	}
	if s.changes != nil {
		changeType, err := s.changeTypeOf(g)
		if err != nil {
			return "", err
		}
		columns = append(columns, changeType+" AS "+quoteName(engine.ChangeType), s.constant(engine.CommitVersion), s.constant(engine.CommitTimestamp))
	}
	if s.version {
		columns = append(columns, s.constant(engine.CommitVersion))
	}
	if s.place {
		columns = append(columns, "d."+localFileColumn+" AS "+fileColumn, "d.file_row_number AS "+rowColumn)
	}
	query := "SELECT " + strings.Join(columns, ", ") + "\nFROM " + readParquet(g.paths()) + " AS d"
	number := s.constants.of(numberColumn)
	switch {
	case !s.needsConstants(g):
		number = fmt.Sprint(g.files[0].number)
	case s.constants.relation != "":
		query += " JOIN " + s.constants.relation + " AS c ON c." + fileColumn + " = d." + localFileColumn
	}
	if join := g.selects.join(); join != "" {
		query += fmt.Sprintf(" %s %s AS r ON r.%s = %s AND r.%s = d.file_row_number", join, rows, numberColumn, number, rowColumn)
	}
	if (s.place || g.selects != allRows) && g.has("file_row_number") {
		return "", errors.New("a data file has a column file_row_number, by whose name its rows are counted here")
	}
	return query, nil
}

// constant is a column of the scan that is the same for all rows of a file.
func (s scan) constant(name string) string { return s.constants.of(name) + " AS " + quoteName(name) }

// localFileColumn is the column with the path of the local file. No data file has one of that name.
const localFileColumn = `"local file of launchlake"`

func readParquet(paths []string) string {
	return "read_parquet(" + pathList(paths) + ", hive_partitioning = false, union_by_name = false, filename = " + quote(strings.Trim(localFileColumn, `"`)) + ")"
}

func pathList(paths []string) string {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = quote(path)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
