// Package engine runs SQL over snapshots of Delta tables and publishes what the SQL yields.
//
// An [Engine] is opened for one piece of work. [Input] binds rows of a table, and [Documents] binds JSON documents
// parsed by a list of [Column], to names that SQL can use; [Output] says into which table a query's rows go, and which
// [Progress] is committed with them. The dialect is what DuckDB and Spark SQL both understand; where they
// differ an engine defines a function of Spark's name and meaning.
//
// The layers (silver, gold) know this package only. Package engine/duckdb runs in the process; an engine that
// steers a cluster fits behind the same interface, for no rows pass through it on their way to a table. What every engine
// promises is checked by one suite, package enginetest.
package engine

import (
	"context"

	"launchlake/internal/delta"
)

// Engine is one session: names bound or defined stay until Close, and a name is used once. A name may have a layer before
// it, as in gold.pad_activity. Methods must not be called concurrently, but for Publish,
// which may run beside others of its kind that go into other tables. When ctx ends the running statement is cancelled.
// A table is read as it was when its snapshot was taken, whatever others commit meanwhile.
type Engine interface {
	// Bind gives rows of a table a name: the table's columns in the schema's order, with the schema's types. With
	// Input.Files given it has one column more, [CommitVersion]; with Input.Changes three, [ChangeType], [CommitVersion] and
	// [CommitTimestamp].
	Bind(ctx context.Context, name string, in Input) error

	// Parse gives the rows of a relation, with their documents parsed, a name: the relation's columns but for the
	// document, then [Parsed] and [WrongTypes], then the columns asked for. A document never makes a query fail, whatever
	// it holds. Documents are parsed whenever the name is used: who needs the rows more than once defines a query over
	// them that is run [Once].
	Parse(ctx context.Context, name string, d Documents) error

	// Define gives the rows of a query a name.
	Define(ctx context.Context, name, query string, when Evaluation) error

	// Query gives the rows of a query to the program. The query is ended when All is.
	Query(ctx context.Context, query string) (*Rows, error)

	// Publish puts the rows of a query into a table, in one commit that also holds the progress. When the table has that
	// progress already nothing is written. When another writer commits meanwhile the work is done again on the table as it
	// then is. After an error the table holds either all of it, progress included, or nothing: doing it again is safe.
	//
	// Columns of the table that the query does not give are generated, or have their default. Rows that break a constraint of
	// the table are a *[delta.ConstraintError]; a constraint that cannot be evaluated is an error before anything is written.
	Publish(ctx context.Context, query string, out Output) (Published, error)

	// Close ends the session and removes what it kept.
	Close() error
}

// Evaluation says when a defined query is run.
type Evaluation int

const (
	EachTime Evaluation = iota // whenever the name is used
	Once                       // when it is defined; its rows are kept until Close
)

// Input is rows of a table: those of a snapshot, or those that commits changed.
type Input struct {
	Snapshot *delta.Snapshot
	Files    []File         // the files to read, of this table and schema; nil: all live ones
	Changes  *delta.Changes // given alone
	// Where, unless empty, is the SQL condition that the rows of a snapshot fulfil. Files whose partition values or statistics show that
	// they have no such rows are not read.
	Where string
}

// File is a data file with the commit that brought it.
type File struct {
	delta.Add
	Version *delta.Version // nil when it is not known any more
}

// Columns that an engine adds to those of the tables.
const (
	// CommitVersion (long) is the version of the table that brought the row; null when it is not known.
	CommitVersion = "_commit_version"
	// CommitTimestamp (timestamp) is when that version was committed.
	CommitTimestamp = "_commit_timestamp"
	// ChangeType (string) is what the commit did to the row: insert, delete, update_preimage or update_postimage.
	ChangeType = "_change_type"
	// Parsed (boolean) is whether the document is a JSON object; false too for rows that were skipped.
	Parsed = "_parsed"
	// WrongTypes (array<string>) names the columns whose value is present in the document but is none of the column's
	// type. The column is then null.
	WrongTypes = "_wrong_types"
)

// Documents says how to parse the JSON documents of a relation.
type Documents struct {
	From     string // the relation
	Document string // its column that holds the documents, binary (UTF-8) or string
	Skip     string // SQL condition over the relation: such rows are kept but their document is not looked at; "": none
	Columns  []Column
}

// Column is a value to take out of each document.
//
// Paths are like $.pad.id, $.families[0].name or $.program[*].name, of which the last holds at most one [*]. The first path
// that holds a value other than null counts; a path that an earlier one goes on from does not count when it holds an
// object ($.type after $.type.name). [*] gives an array column its elements; into a string they are joined by commas.
//
// Type is string, long, integer, short, byte, double, float, boolean, timestamp, date or array<string>. Values in quotes
// serve for numbers and booleans too, when they are spelled as in JSON, and numbers and booleans for strings. Numbers
// with a fraction are no integers; NaN and infinity are no numbers; zero has no sign: -0.0 is read as 0.0, since data files of some
// engines do not tell the two apart. Timestamps and dates are ISO 8601; a timestamp without an offset is UTC.
type Column struct {
	Name  string
	Type  delta.Type
	Paths []string
}
