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
	enginetest.Run(t, enginetest.Lab{Open: open, Store: dir, Slow: true,
		Understands: []string{"soundex(s) = 'A100'", "s > 5", "uuid()", "rand()"}, // all of Spark's own SQL
	})
}
