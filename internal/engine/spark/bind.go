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
	if err := e.expect(ctx, inputBytes(in)); err != nil {
		return err
	}
	switch {
	case in.Changes != nil && (in.Snapshot != nil || in.Files != nil):
		return errors.New("a snapshot and changes are given at once")
	case in.Changes != nil:
		return e.bindChanges(ctx, name, in.Changes)
	case in.Where != "" && in.Files == nil:
		r, err := e.snapshotRelation(in.Snapshot)
		if err != nil {
			return err
		}
		return e.define(ctx, name, r.Where(in.Where), engine.EachTime)
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
	if in.Where != "" {
		query = fmt.Sprintf("SELECT * FROM (%s) WHERE (%s\n)", query, in.Where)
	}
	return e.define(ctx, name, connect.SQL(query), engine.EachTime)
}

// inputBytes is how large the data files of an input are; 0 for changes, of which this is not known before they are read.
func inputBytes(in engine.Input) (bytes int64) {
	switch {
	case in.Files != nil:
		for _, f := range in.Files {
			bytes += f.Size
		}
	case in.Snapshot != nil:
		bytes = in.Snapshot.SizeInBytes()
	}
	return bytes
}

// bindChanges names the rows of a table's change data feed, as Spark's Delta reader gives them.
func (e *Engine) bindChanges(ctx context.Context, name string, changes *delta.Changes) error {
	at := changes.Snapshot()
	location, err := e.location(at.Table())
	if err != nil {
		return err
	}
	columns := []string{engine.ChangeType, engine.CommitVersion, engine.CommitTimestamp}
	for _, column := range columns {
		if _, ok := at.Schema().Field(column); ok {
			return fmt.Errorf("the table has a column %s, which changes have too", column)
		}
	}
	from, to := changes.Versions()
	source := connect.Source{Format: "delta", Paths: []string{location}, Options: map[string]string{
		"readChangeFeed": "true", "startingVersion": strconv.FormatInt(int64(from), 10), "endingVersion": strconv.FormatInt(int64(to), 10),
	}}
	return e.define(ctx, name, connect.Read(source).Select(append(quoteNames(columnNamesOf(at.Schema())), columns...)...), engine.EachTime)
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

// placedQuery is the SQL of a snapshot's rows with their places, a subquery. Spark's Delta reader tells the numbers of rows only of
// tables that may have deletion vectors; files of others are read as Parquet.
func (e *Engine) placedQuery(ctx context.Context, s *delta.Snapshot) (string, error) {
	if slices.Contains(s.Protocol().ReaderFeatures, "deletionVectors") {
		return e.addressedQuery(s, true)
	}
	metadata := s.Metadata()
	if metadata.ColumnMapping() == delta.MapByID {
		return "", fmt.Errorf("the table finds columns by field ids, and has no deletion vectors: Spark cannot tell where its rows lie; use ENGINE=duckdb: %w", errors.ErrUnsupported)
	}
	files := []engine.File{}
	for add, err := range s.Files() {
		if err != nil {
			return "", err
		}
		files = append(files, engine.File{Add: add})
	}
	rows, err := e.filesQuery(ctx, s, files, scanned{place: true})
	return "(" + rows + ")", err
}

// addressedQuery is the SQL of a snapshot's rows with the address of the file that each lies in, and with its number there where that is
// wanted, a subquery.
func (e *Engine) addressedQuery(s *delta.Snapshot, place bool) (string, error) {
	cells := "*, " + fileAddress + " AS " + uriColumn
	if place {
		cells += ", _metadata.row_index AS " + rowColumn
	}
	rows, err := e.snapshotQuery(s)
	return fmt.Sprintf("(SELECT %s FROM %s)", cells, rows), err
}

// The place of a row: the address of its file, and its number there, from 0, whatever rows a deletion vector deletes.
const (
	uriColumn = "_uri"
	rowColumn = "_row"
)

// fileAddress is what Spark says of it. Its readers write file:/ or file:///.
const fileAddress = "regexp_replace(_metadata.file_path, '^file:/+', 'file:///')"

// scanned says which columns a scan of files has besides the table's.
type scanned struct {
	version bool // engine.CommitVersion
	place   bool // uriColumn and rowColumn
	own     bool // the files are written here, and maybe part of no version
}

// filesQuery gives the SQL that reads data files of a snapshot.
//
// Spark's Delta reader cannot be told which files to read, so plain files are read as Parquet, with what the log says of
// them joined to each row by its file. Files with deletion vectors and tables that find columns by field ids are read
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
	plain := with.own || metadata.ColumnMapping() != delta.MapByID && !slices.ContainsFunc(files, func(f engine.File) bool { return f.DeletionVector != nil })
	source := e.name("files")
	partitions := metadata.PartitionColumns
	if plain {
		err = e.parquetView(ctx, source, s, location, files)
	} else {
		source, err = e.addressedQuery(s, with.place)
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
	if with.place {
		cells = append(cells, "_data."+uriColumn, "_data."+rowColumn)
	}
	columns := append([]string{uriColumn, engine.CommitVersion}, quoteNames(partitions)...)
	joined := fmt.Sprintf("%s AS _data LEFT JOIN (VALUES %s) AS _facts(%s) ON _data.%[4]s = _facts.%[4]s", source, strings.Join(facts, ",\n"), join(columns), uriColumn)
	wanted := "_facts." + uriColumn + " IS NOT NULL"
	if plain { // no other files are read: a row of an unknown one would be lost without a word
		wanted = fmt.Sprintf("CASE WHEN %s THEN true ELSE raise_error(concat('a data file is not among those asked for: ', _data.%s)) END", wanted, uriColumn)
	}
	return fmt.Sprintf("SELECT /*+ BROADCAST(_facts) */ %s FROM %s WHERE %s", join(cells), joined, wanted), nil
}

// parquetView names the rows of Parquet files, with the columns that they hold of the table.
func (e *Engine) parquetView(ctx context.Context, name string, s *delta.Snapshot, location string, files []engine.File) error {
	l := layoutOf(s, s.Schema())
	columns, err := l.declared()
	if err != nil {
		return err
	}
	cells, err := l.logical()
	if err != nil {
		return err
	}
	source := connect.Source{
		Format: "parquet",
		Schema: columns,
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
	return e.client.View(ctx, name, connect.Read(source).Select(append(cells, fileAddress+" AS "+uriColumn, "_metadata.row_index AS "+rowColumn)...))
}

// fileFacts spells what the log says of files as rows of VALUES.
func fileFacts(location string, schema *delta.Schema, partitions []string, files []engine.File) ([]string, error) {
	rows := make([]string, len(files))
	for i, f := range files {
		version := "CAST(NULL AS BIGINT)"
		if f.Version != nil {
			version = fmt.Sprintf("%dL", *f.Version)
		}
		cells := []string{quote(fileURI(location, f.Path)), version}
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
	if with.place {
		cells = append(cells, "CAST(NULL AS STRING) AS "+uriColumn, "CAST(NULL AS BIGINT) AS "+rowColumn)
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
