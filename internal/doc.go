// Package internal is the map of launchlake's packages; architecture_test.go holds the code to it.
//
//	tasks/ingest  tasks/refine  tasks/aggregate   tasks/lake       the binaries: wiring only
//	     |             |              |               |
//	task/ingest   task/refine   task/aggregate  <-----+            a job each: environment in, result out
//	     |             |              |
//	  bronze        silver          gold                           what a layer means
//	     |          |    \          /
//	     |     contract   engine  <------ engine/duckdb            columns and rules; SQL over tables
//	     |          |       |                  |
//	     +--------- delta --+------------------+                   the table format
//	                  |
//	              objstore  <------------ objstore/s3              immutable objects under keys
//
// Beside them stand task (the process boundary), lake (which table lies where), launchapi (the source) and rawjson (JSON
// as bytes). Only engine/duckdb and what wires it link DuckDB's library.
package internal
