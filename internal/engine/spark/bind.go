package spark

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/spark/connect"
)

// Bind implements [engine.Engine].
func (e *Engine) Bind(ctx context.Context, name string, in engine.Input) error {
	if err := e.bind(ctx, name, in); err != nil {
		return fmt.Errorf("bind %s: %w", name, classified(err))
	}
	return nil
}

func (e *Engine) bind(ctx context.Context, name string, in engine.Input) error {
	switch {
	case in.Changes != nil && (in.Snapshot != nil || in.Files != nil):
		return errors.New("a snapshot and changes are given at once")
	case in.Changes != nil:
		return errors.New("the changes of a table cannot be bound on Spark yet: use ENGINE=duckdb")
	case in.Files == nil:
		r, err := e.snapshotRelation(in.Snapshot)
		if err != nil {
			return err
		}
		return e.define(ctx, name, r, engine.EachTime)
	}
	query, err := e.filesQuery(ctx, in.Snapshot, in.Files, scanned{version: true})
	if err != nil {
		return err
	}
	return e.define(ctx, name, connect.SQL(query), engine.EachTime)
}

// location is where Spark finds a table.
func (e *Engine) location(t *delta.Table) (string, error) {
	url := t.Location()
	if url == "" {
		return "", errors.New("the table has no URL by which Spark could find it: it needs a lake on a folder or on S3")
	}
	return strings.TrimRight(e.options.Locate(url), "/"), nil
}

// snapshotRelation is the rows of a snapshot, as Spark's Delta reader gives them.
func (e *Engine) snapshotRelation(s *delta.Snapshot) (connect.Relation, error) {
	location, err := e.location(s.Table())
	if err != nil {
		return connect.Relation{}, err
	}
	return connect.Read(connect.Source{
		Format:  "delta",
		Options: map[string]string{"versionAsOf": strconv.FormatInt(int64(s.Version()), 10)},
		Paths:   []string{location},
	}), nil
}

// snapshotQuery is the SQL of the same, in which a file's _metadata can be asked for.
func (e *Engine) snapshotQuery(s *delta.Snapshot) (string, error) {
	location, err := e.location(s.Table())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("delta.%s VERSION AS OF %d", quoteName(location), s.Version()), nil
}

// placedQuery is the SQL of a snapshot's rows with the address of the file that each lies in, a subquery.
func (e *Engine) placedQuery(s *delta.Snapshot) (string, error) {
	rows, err := e.snapshotQuery(s)
	return fmt.Sprintf("(SELECT *, %s AS %s FROM %s)", fileAddress, uriColumn, rows), err
}

// uriColumn is the address of a row's file.
const uriColumn = "_uri"

// fileAddress is what Spark says of it. Its readers write file:/ or file:///.
const fileAddress = "regexp_replace(_metadata.file_path, '^file:/+', 'file:///')"

// scanned says which columns a scan of files has besides the table's.
type scanned struct {
	version bool // engine.CommitVersion
	path    bool // pathColumn
}

// pathColumn is the path of the row's file in the table.
const pathColumn = "_path"

// filesQuery gives the SQL that reads data files of a snapshot.
//
// Spark's Delta reader cannot be told which files to read, so plain files are read as Parquet, with what the log says of
// them joined to each row by its file. Files with deletion vectors and tables with mapped columns are read
// by the Delta reader at the snapshot's version, all of it; the join leaves the files that are asked for.
func (e *Engine) filesQuery(ctx context.Context, s *delta.Snapshot, files []engine.File, with scanned) (string, error) {
	if len(files) == 0 {
		return nothing(s.Schema(), with)
	}
	location, err := e.location(s.Table())
	if err != nil {
		return "", err
	}
	metadata := s.Metadata()
	plain := metadata.ColumnMapping() == delta.MapNone && !slices.ContainsFunc(files, func(f engine.File) bool { return f.DeletionVector != nil })
	source := e.name("files")
	partitions := metadata.PartitionColumns
	if plain {
		err = e.parquetView(ctx, source, s, location, files)
	} else {
		source, err = e.placedQuery(s)
		partitions = nil
	}
	if err != nil {
		return "", err
	}
	facts, err := fileFacts(location, metadata.Schema, partitions, files)
	if err != nil {
		return "", err
	}
	var cells []string
	for _, f := range metadata.Schema.Fields {
		from := "_data"
		if slices.Contains(partitions, f.Name) {
			from = "_facts"
		}
		cells = append(cells, from+"."+quoteName(f.Name))
	}
	if with.version {
		cells = append(cells, "_facts."+engine.CommitVersion)
	}
	if with.path {
		cells = append(cells, "_facts."+pathColumn)
	}
	columns := append([]string{uriColumn, pathColumn, engine.CommitVersion}, quoteNames(partitions)...)
	joined := fmt.Sprintf("%s AS _data LEFT JOIN (VALUES %s) AS _facts(%s) ON _data.%[4]s = _facts.%[4]s", source, strings.Join(facts, ",\n"), join(columns), uriColumn)
	wanted := "_facts." + uriColumn + " IS NOT NULL"
	if plain { // no other files are read: a row of an unknown one would be lost without a word
		wanted = fmt.Sprintf("CASE WHEN %s THEN true ELSE raise_error(concat('a data file is not among those asked for: ', _data.%s)) END", wanted, uriColumn)
	}
	return fmt.Sprintf("SELECT /*+ BROADCAST(_facts) */ %s FROM %s WHERE %s", join(cells), joined, wanted), nil
}

// parquetView names the rows of Parquet files, with the columns that they hold of the table.
func (e *Engine) parquetView(ctx context.Context, name string, s *delta.Snapshot, location string, files []engine.File) error {
	var columns []string
	for _, f := range s.Schema().Fields {
		if slices.Contains(s.Metadata().PartitionColumns, f.Name) {
			continue
		}
		t, err := sqlType(f.Type)
		if err != nil {
			return fmt.Errorf("column %s: %w", f.Name, err)
		}
		columns = append(columns, quoteName(f.Name)+" "+t)
	}
	source := connect.Source{
		Format: "parquet",
		Schema: join(columns),
		// Folders are not columns here, and file names no patterns.
		Options: map[string]string{"recursiveFileLookup": "true", "__globPaths__": "false"},
	}
	for _, f := range files {
		key, err := s.Table().FileKey(f.Path)
		if err != nil {
			return err
		}
		source.Paths = append(source.Paths, location+"/"+key)
	}
	return e.client.View(ctx, name, connect.Read(source).Select("*", fileAddress+" AS "+uriColumn))
}

// fileFacts spells what the log says of files as rows of VALUES.
func fileFacts(location string, schema *delta.Schema, partitions []string, files []engine.File) ([]string, error) {
	rows := make([]string, len(files))
	for i, f := range files {
		version := "CAST(NULL AS BIGINT)"
		if f.Version != nil {
			version = fmt.Sprintf("%dL", *f.Version)
		}
		cells := []string{quote(fileURI(location, f.Path)), quote(f.Path), version}
		for _, name := range partitions {
			field, _ := schema.Field(name)
			cell, err := literal(field.Type, f.PartitionValues[name])
			if err != nil {
				return nil, fmt.Errorf("column %s of file %s: %w", name, f.Path, err)
			}
			cells = append(cells, cell)
		}
		rows[i] = "(" + join(cells) + ")"
	}
	return rows, nil
}

// literal spells a partition value.
func literal(t delta.Type, value *string) (string, error) {
	name, err := sqlType(t)
	if err != nil {
		return "", err
	}
	if value == nil || *value == "" {
		return "CAST(NULL AS " + name + ")", nil
	}
	if _, err := delta.ParsePartitionValue(t, value); err != nil {
		return "", err
	}
	return fmt.Sprintf("CAST(%s AS %s)", quote(*value), name), nil
}

// nothing gives the columns of a scan without rows.
func nothing(schema *delta.Schema, with scanned) (string, error) {
	var cells []string
	for _, f := range schema.Fields {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", fmt.Errorf("column %s: %w", f.Name, err)
		}
		cells = append(cells, fmt.Sprintf("CAST(NULL AS %s) AS %s", t, quoteName(f.Name)))
	}
	if with.version {
		cells = append(cells, "CAST(NULL AS BIGINT) AS "+engine.CommitVersion)
	}
	if with.path {
		cells = append(cells, "CAST(NULL AS STRING) AS "+pathColumn)
	}
	return "SELECT " + join(cells) + " WHERE false", nil
}

// fileURI spells the address of a file as Spark's _metadata.file_path does.
func fileURI(location, key string) string {
	path := location + "/" + key
	scheme, rest, ok := strings.Cut(path, "://")
	if !ok {
		return escaped(path)
	}
	return scheme + "://" + escaped(rest)
}

// escaped escapes a path as java.net.URI does.
func escaped(path string) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80, strings.IndexByte("/-_.!~'()*,;:$&+=@", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
