package spark_test

import (
	"testing"

	"launchlake/internal/engine"
	"launchlake/internal/engine/enginetest"
	"launchlake/internal/engine/spark"
	"launchlake/internal/objstore"
	"launchlake/internal/sparktest"
)

func open(t *testing.T) engine.Engine {
	t.Helper()
	e, err := spark.Open(t.Context(), sparktest.Remote(t), spark.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func dir(t *testing.T) objstore.Store {
	t.Helper()
	store, err := objstore.NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestSparkKeepsThePromisesOfAnEngine(t *testing.T) {
	const partly = "an overwrite of some rows is left to DuckDB"
	const removes = "a merge that removes rows, or tells its changes, is left to DuckDB"
	enginetest.Run(t, enginetest.Lab{Open: open, Store: dir, Without: map[string]string{
		"an overwrite replaces the rows that a condition names":                      partly,
		"an overwrite refuses rows outside of its condition":                         partly,
		"an overwrite replaces partitions":                                           partly,
		"an overwrite replaces rows in every layout":                                 partly,
		"replaced rows are found in the feed":                                        partly,
		"overwritten rows are found in the feed":                                     removes,
		"merge removes the rows of tombstones":                                       removes,
		"merge prunes rows that the query does not have":                             removes,
		"rows that break a constraint are refused":                                   "not yet",
		"expressions that are not understood are refused before anything is written": "Spark understands all of its own expressions",
	}})
}
