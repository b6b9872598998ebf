// Package engine runs SQL over snapshots of Delta tables and publishes what the SQL yields.
//
// An [Engine] is opened for one piece of work. [Input] binds rows of tables, or JSON documents parsed by a list of
// [Column], to names that SQL can use; [Output] says into which table a query's rows go, and which
// [Progress] is committed with them. The dialect is what DuckDB and Spark SQL both understand; where they
// differ an engine defines a function of Spark's name and meaning.
//
// The layers (silver, gold) know this package only. Package engine/duckdb runs in the process; an engine that
// steers a cluster fits behind the same interface, for no rows pass through it on their way to a table.
package engine
