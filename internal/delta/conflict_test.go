package delta_test

import (
	"errors"
	"strings"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// act fills a transaction of the conflict matrix. The table holds file "one" with ids 1 to 10 of day 2024-05-01, and file
// "two" with ids 11 to 20 of day 2024-05-02.
type act struct {
	name string
	op   delta.Operation
	do   func(tx *delta.Transaction, one, two, fresh delta.Add)
}

var acts = map[string]act{
	"append": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) { tx.Add(fresh) }},
	"append that read all": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read()
		tx.Add(fresh)
	}},
	"append that read id <= 10": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Le(10))
		tx.Add(fresh)
	}},
	"append that read id = 25": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Eq(25))
		tx.Add(fresh)
	}},
	"overwrite": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read()
		tx.Remove(one, two)
		tx.Add(fresh)
	}},
	"delete one": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Le(10))
		tx.Remove(one)
	}},
	"delete two": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Ge(11), delta.Col("id").Le(20))
		tx.Remove(two)
	}},
	"rewrite one": {op: delta.Operation{Rearrange: true}, do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Le(10))
		tx.Remove(one)
		tx.Add(fresh)
	}},
	"delete a row of one": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Le(10))
		tx.DeleteRows(one, rowSet(3))
	}},
	"delete another row of one": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Le(10))
		tx.DeleteRows(one, rowSet(4))
	}},
	"delete a row of two": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.Read(delta.Col("id").Eq(12))
		tx.DeleteRows(two, rowSet(1))
	}},
	"set property": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		tx.SetConfiguration("delta.checkpointInterval", "7")
	}},
	"set schema": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		more := *eventSchema
		more.Fields = append(more.Fields[:3:3], delta.Field{Name: "more", Type: delta.Long, Nullable: true})
		tx.SetSchema(&more)
	}},
	"upgrade the protocol": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) {
		more := *eventSchema
		more.Fields = append(more.Fields[:3:3], delta.Field{Name: "local", Type: delta.TimestampNTZ, Nullable: true})
		tx.SetSchema(&more)
	}},
	"app a to 5": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) { tx.SetTransaction("a", 5) }},
	"app a to 6": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) { tx.SetTransaction("a", 6) }},
	"app b to 5": {do: func(tx *delta.Transaction, one, two, fresh delta.Add) { tx.SetTransaction("b", 5) }},
}

func TestConflictMatrix(t *testing.T) {
	const (
		goes    = "" // behind the winner
		applied = "already applied"
	)
	for _, tt := range []struct {
		winner, loser string
		want          string
		weaker        string // with WriteSerializable, where it differs
	}{
		{"append", "append", goes, ""},
		{"append", "append that read all", "it added", goes},
		{"append", "append that read id <= 10", goes, ""},
		{"append", "append that read id = 25", "it added", goes},
		{"append", "overwrite", "it added", goes},
		{"append", "delete one", goes, ""},
		{"append", "rewrite one", goes, ""},
		{"append", "set property", goes, ""},
		{"append", "set schema", goes, ""},
		{"append that read all", "append", goes, ""},
		{"append that read all", "append that read all", "it added", "it added"},
		{"append that read all", "append that read id = 25", "it added", "it added"},
		{"overwrite", "append", goes, ""},
		{"overwrite", "overwrite", "it added", "it added"},
		{"overwrite", "delete one", "it removed", "it removed"},
		{"overwrite", "append that read id <= 10", "it removed", "it removed"},
		{"overwrite", "rewrite one", "it removed", "it removed"},
		{"delete one", "append", goes, ""},
		{"delete one", "append that read all", "it removed", "it removed"},
		{"delete one", "delete one", "it removed", "it removed"},
		{"delete one", "delete two", goes, ""},
		{"delete one", "overwrite", "it removed", "it removed"},
		{"delete one", "rewrite one", "it removed", "it removed"},
		{"delete a row of one", "append", goes, ""},
		{"delete a row of one", "append that read id = 25", goes, ""},
		{"delete a row of one", "append that read id <= 10", "it added", "it added"},
		{"delete a row of one", "delete a row of two", goes, ""},
		{"delete a row of one", "delete another row of one", "it added", "it added"},
		{"delete a row of one", "delete one", "it added", "it added"},
		{"delete a row of one", "rewrite one", "it removed", "it removed"},
		{"delete one", "delete a row of one", "it removed", "it removed"},
		{"rewrite one", "delete a row of one", "it removed", "it removed"},
		{"append", "delete a row of one", goes, ""},
		{"rewrite one", "append", goes, ""},
		{"rewrite one", "append that read id = 25", goes, ""},
		{"rewrite one", "delete one", "it removed", "it removed"},
		{"rewrite one", "delete two", goes, ""},
		{"rewrite one", "rewrite one", "it removed", "it removed"},
		{"set property", "append", "metadata", "metadata"},
		{"set property", "rewrite one", "metadata", "metadata"},
		{"set property", "set property", "metadata", "metadata"},
		{"set schema", "append", "metadata", "metadata"},
		{"set schema", "app a to 5", "metadata", "metadata"},
		{"upgrade the protocol", "append", "metadata", "metadata"},
		{"upgrade the protocol", "upgrade the protocol", "protocol", "protocol"},
		{"app a to 5", "app a to 5", applied, applied},
		{"app a to 6", "app a to 5", applied, applied},
		{"app a to 5", "app a to 6", "it moved application", "it moved application"},
		{"app a to 5", "app b to 5", goes, ""},
		{"app a to 5", "append", goes, ""},
		{"app a to 5", "overwrite", goes, ""},
	} {
		t.Run(tt.winner+", then "+tt.loser, func(t *testing.T) {
			checkConflict(t, "Serializable", acts[tt.winner], acts[tt.loser], tt.want)
			checkConflict(t, "WriteSerializable", acts[tt.winner], acts[tt.loser], tt.weaker)
		})
	}
}

func checkConflict(t *testing.T, isolation string, winner, loser act, want string) {
	t.Helper()
	if winner.do == nil || loser.do == nil {
		t.Fatal("the matrix names an act that there is not")
	}
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: eventSchema, PartitionColumns: []string{"day"},
		Configuration: map[string]string{"delta.isolationLevel": isolation, "delta.enableDeletionVectors": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	one, two := eventFile(t, store, "2024-05-01", 1, 10), eventFile(t, store, "2024-05-02", 11, 20)
	s = appendFile(t, s, one, two)
	commit := func(a act) (*delta.Snapshot, error) {
		tx := s.Begin(a.op)
		a.do(tx, one, two, eventFile(t, store, "2024-05-03", 21, 30))
		return tx.Commit(t.Context())
	}
	if _, err := commit(winner); err != nil {
		t.Fatalf("%s: the winner: %v", isolation, err)
	}
	after, err := commit(loser)
	var conflict *delta.ConflictError
	switch {
	case want == "":
		if err != nil || after.Version() != 3 {
			t.Errorf("%s: got version %v, %v; want version 3", isolation, after, err)
		}
	case want == "already applied":
		if !errors.Is(err, delta.ErrAlreadyApplied) {
			t.Errorf("%s: got %v, want ErrAlreadyApplied", isolation, err)
		}
	case !errors.As(err, &conflict) || conflict.Version != 2 || !strings.Contains(conflict.Reason, want):
		t.Errorf("%s: got %v, want a conflict with version 2: %q", isolation, err, want)
	}
}

func TestAConflictIsFoundHoweverManyCommitsLieBetween(t *testing.T) {
	store := objstore.NewMemory()
	s := createEvents(t, store)
	one := eventFile(t, store, "2024-05-01", 1, 10)
	s = appendFile(t, s, one)
	slow := s.Begin(delta.Operation{Name: "DELETE"})
	slow.Read(delta.Col("id").Le(10))
	slow.Remove(one)
	for i := range 3 {
		s = appendFile(t, s, eventFile(t, store, "2024-05-02", int64(100+i), int64(100+i)))
	}
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	tx.Remove(one)
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := slow.Commit(t.Context())
	var conflict *delta.ConflictError
	if !errors.As(err, &conflict) || conflict.Version != 5 {
		t.Errorf("got %v, want a conflict with version 5", err)
	}
}
