package delta_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// deed is a transaction as an engine makes it. The table holds files of ids 1 to 10 on the first, and 11 to 20 on the second of May; new
// makes another file.
type deed struct {
	letter, name string
	op           delta.Operation
	do           func(tx *delta.Transaction, first, second delta.Add, new func(day string, from, to int64) delta.Add)
}

type newFile = func(day string, from, to int64) delta.Add

var deeds = []deed{
	{"A", "append", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, new newFile) { tx.Add(new("2024-05-03", 21, 30)) }},
	{"B", "append to the first", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, new newFile) { tx.Add(new("2024-05-01", 5, 6)) }},
	{"R", "append what was read of all", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, new newFile) {
		tx.Read()
		tx.Add(new("2024-05-03", 21, 30))
	}},
	{"U", "update or merge ids up to 10", delta.Operation{}, func(tx *delta.Transaction, first, _ delta.Add, new newFile) {
		tx.Read(delta.Col("id").Le(10))
		tx.Remove(first)
		tx.Add(new("2024-05-01", 1, 10))
	}},
	{"V", "delete id 3 by a vector", delta.Operation{}, func(tx *delta.Transaction, first, _ delta.Add, _ newFile) {
		tx.Read(delta.Col("id").Eq(3))
		tx.DeleteRows(first, rowSet(2))
	}},
	{"D", "delete the second", delta.Operation{}, func(tx *delta.Transaction, _, second delta.Add, _ newFile) {
		tx.Read(delta.Col("id").Gt(10), delta.Col("id").Le(20))
		tx.Remove(second)
	}},
	{"W", "overwrite", delta.Operation{}, func(tx *delta.Transaction, first, second delta.Add, new newFile) {
		tx.Read()
		tx.Remove(first, second)
		tx.Add(new("2024-05-03", 21, 30))
	}},
	{"P", "replace where day is the first", delta.Operation{}, func(tx *delta.Transaction, first, _ delta.Add, new newFile) {
		tx.Read(inMay(1))
		tx.Remove(first)
		tx.Add(new("2024-05-01", 1, 4))
	}},
	{"Q", "replace where day is the third", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, new newFile) {
		tx.Read(inMay(3))
		tx.Add(new("2024-05-03", 21, 30))
	}},
	{"O", "optimize the first", delta.Operation{Rearrange: true}, func(tx *delta.Transaction, first, _ delta.Add, new newFile) {
		tx.Remove(first)
		tx.Add(new("2024-05-01", 1, 10))
	}},
	{"S", "set a property", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, _ newFile) {
		tx.SetConfiguration("delta.checkpointInterval", "7")
	}},
	{"C", "add a constraint", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, _ newFile) {
		tx.SetConstraint("small", "id < 1000")
		tx.Enforced(delta.Constraint{Rule: delta.CheckRule, Name: "small", Expression: "id < 1000"})
	}},
	{"X", "upgrade the protocol", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, _ newFile) {
		tx.SetConfiguration("delta.enableInCommitTimestamps", "true")
	}},
	{"L", "set domain l", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, _ newFile) { tx.SetDomain("l", "one") }},
	{"M", "remove domain m", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, _ newFile) { tx.RemoveDomain("m") }},
	{"T", "move application a", delta.Operation{}, func(tx *delta.Transaction, _, _ delta.Add, _ newFile) { tx.SetTransaction("a", 5) }},
}

// foreign are commits that only other engines make, and that do no more than raise the protocol by a feature: one that is served here, one that
// is not.
var foreign = []struct{ letter, feature string }{{"F", "invariants"}, {"G", "futureFeature"}}

func inMay(day int) delta.Predicate {
	return delta.Col("day").Eq(time.Date(2024, 5, day, 0, 0, 0, 0, time.UTC))
}

// TestIsolation holds every pair of deeds that begin at one version against Delta's documented conflicts: a row for the winner, a column for
// the one that comes second. It goes on behind the winner (.), or has a conflict: with files added (a), with files removed (r), over
// the metadata (m), the protocol (p) or a metadata domain (d); or it finds its own work done (t), or a table that is not to be written here (u).
//
// Plain appends (A, B) have no conflict but over metadata. To the others they matter when they may hold rows that were read, which
// WriteSerializable lets pass, except for who changes what the rows must meet (C). An optimize (O) only minds who removes its files.
func TestIsolation(t *testing.T) {
	for _, tt := range []struct{ level, want string }{
		{"Serializable", `
   A B R U V D W P Q O S C X L M T
A  . . a . . . a . a . . a . . . .
B  . . a a . . a a . . . a . . . .
R  . . a . . . a . a . . a . . . .
U  . . a a a . a a . r . a . . . .
V  . . a a a . a a . r . a . . . .
D  . . r . . r r . . . . r . . . .
W  . . a r r r a r a r . a . . . .
P  . . a a a . a a . r . a . . . .
Q  . . a . . . a . a . . a . . . .
O  . . r r r . r r . r . r . . . .
S  m m m m m m m m m m m m m m m m
C  m m m m m m m m m m m p p m m m
X  m m m m m m m m m m m p p m m m
L  . . . . . . . . . . . . . d . .
M  . . . . . . . . . . . . . . d .
T  . . . . . . . . . . . . . . . t
F  . . . . . . . . . . . p p . . .
G  u u u u u u u u u u u p p u u u
`},
		{"WriteSerializable", `
   A B R U V D W P Q O S C X L M T
A  . . . . . . . . . . . a . . . .
B  . . . . . . . . . . . a . . . .
R  . . a . . . a . a . . a . . . .
U  . . a a a . a a . r . a . . . .
V  . . a a a . a a . r . a . . . .
D  . . r . . r r . . . . r . . . .
W  . . a r r r a r a r . a . . . .
P  . . a a a . a a . r . a . . . .
Q  . . a . . . a . a . . a . . . .
O  . . r r r . r r . r . r . . . .
S  m m m m m m m m m m m m m m m m
C  m m m m m m m m m m m p p m m m
X  m m m m m m m m m m m p p m m m
L  . . . . . . . . . . . . . d . .
M  . . . . . . . . . . . . . . d .
T  . . . . . . . . . . . . . . . t
F  . . . . . . . . . . . p p . . .
G  u u u u u u u u u u u p p u u u
`},
	} {
		grid := "\n  "
		for _, loser := range deeds {
			grid += " " + loser.letter
		}
		for _, winner := range deeds {
			grid += "\n" + winner.letter + " "
			for _, loser := range deeds {
				grid += " " + meet(t, tt.level, winner, loser)
			}
		}
		for _, winner := range foreign {
			grid += "\n" + winner.letter + " "
			for _, loser := range deeds {
				grid += " " + meetForeign(t, tt.level, winner.feature, loser)
			}
		}
		if diff := cmp.Diff(tt.want, grid+"\n"); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", tt.level, diff)
		}
	}
}

// meet lets two transactions begin at one version, and tells what becomes of the second.
func meet(t *testing.T, level string, winner, loser deed) string {
	t.Helper()
	m := newMeeting(t, level)
	if err := m.commit(t, winner); err != nil {
		t.Fatalf("%s: %s: %v", level, winner.name, err)
	}
	return outcome(t, m.commit(t, loser), level+": "+winner.name+", then "+loser.name)
}

// meetForeign is meet with a winner that raises the protocol by a feature.
func meetForeign(t *testing.T, level, feature string, loser deed) string {
	t.Helper()
	m := newMeeting(t, level)
	p := m.began.Protocol()
	text, err := json.Marshal(map[string]any{"protocol": map[string]any{"minReaderVersion": p.MinReaderVersion, "minWriterVersion": p.MinWriterVersion,
		"readerFeatures": p.ReaderFeatures, "writerFeatures": append(slices.Clone(p.WriterFeatures), feature)}})
	if err == nil {
		err = m.store.PutIfAbsent(t.Context(), fmt.Sprintf("_delta_log/%020d.json", m.began.Version()+1), text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return outcome(t, m.commit(t, loser), level+": "+feature+", then "+loser.name)
}

// meeting is a table on which transactions begin at one version.
type meeting struct {
	store         *objstore.Memory
	began         *delta.Snapshot
	first, second delta.Add
}

func newMeeting(t *testing.T, level string) *meeting {
	t.Helper()
	m := &meeting{store: objstore.NewMemory()}
	s, err := delta.Open(m.store).Create(t.Context(), delta.Metadata{Schema: eventSchema, PartitionColumns: []string{"day"},
		Configuration: map[string]string{"delta.isolationLevel": level, "delta.enableDeletionVectors": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	m.first, m.second = eventFile(t, m.store, "2024-05-01", 1, 10), eventFile(t, m.store, "2024-05-02", 11, 20)
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.Add(m.first, m.second)
	tx.SetDomain("m", "one")
	if m.began, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *meeting) commit(t *testing.T, d deed) error {
	tx := m.began.Begin(d.op)
	d.do(tx, m.first, m.second, func(day string, from, to int64) delta.Add { return eventFile(t, m.store, day, from, to) })
	_, err := tx.Commit(t.Context())
	return err
}

// outcome is the letter of what became of a transaction.
func outcome(t *testing.T, err error, what string) string {
	t.Helper()
	var conflict *delta.ConflictError
	var unsupported *delta.UnsupportedError
	switch {
	case err == nil:
		return "."
	case errors.As(err, &unsupported):
		return "u"
	case errors.Is(err, delta.ErrAlreadyApplied):
		return "t"
	case !errors.As(err, &conflict):
		t.Errorf("%s: %v", what, err)
		return "?"
	}
	for reason, letter := range map[string]string{"it added": "a", "it removed": "r", "metadata domain": "d", "table's metadata": "m", "protocol": "p"} {
		if strings.Contains(conflict.Reason, reason) {
			return letter
		}
	}
	return "?"
}

// TestWhatIsReadIsWhatTheCommitFinds lets transactions overlap at random: whatever a transaction read when it began must be there
// unchanged right before its own version, or it may not be committed.
func TestWhatIsReadIsWhatTheCommitFinds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 2))
	store := objstore.NewMemory()
	table := delta.Open(store)
	createEvents(t, store)
	read := func(s *delta.Snapshot, p delta.Predicate) (found []delta.Add) {
		for add, err := range s.Files(p) {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, add)
		}
		return found
	}
	type open struct {
		tx    *delta.Transaction
		began *delta.Snapshot
		reads delta.Predicate
	}
	var pending []open
	committed, conflicts := 0, 0
	for range 400 {
		if len(pending) < 4 {
			s, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			from := int64(r.IntN(60))
			o := open{s.Begin(delta.Operation{Name: "TEST"}), s, delta.And(delta.Col("id").Ge(from), delta.Col("id").Le(from+int64(r.IntN(20))))}
			o.tx.Read(o.reads)
			if files := read(s, o.reads); len(files) > 0 && r.IntN(2) == 0 {
				o.tx.Remove(files[r.IntN(len(files))])
			}
			at := int64(r.IntN(60))
			o.tx.Add(eventFile(t, store, "2024-05-01", at, at+int64(r.IntN(5))))
			pending = append(pending, o)
			continue
		}
		i := r.IntN(len(pending))
		o := pending[i]
		pending = slices.Delete(pending, i, i+1)
		after, err := o.tx.Commit(t.Context())
		if _, conflict := errors.AsType[*delta.ConflictError](err); conflict {
			conflicts++
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		committed++
		before, err := table.SnapshotAt(t.Context(), after.Version()-1)
		if err != nil {
			t.Fatal(err)
		}
		paths := func(files []delta.Add) (out []string) {
			for _, f := range files {
				out = append(out, f.Path)
			}
			return out
		}
		if diff := cmp.Diff(paths(read(o.began, o.reads)), paths(read(before, o.reads))); diff != "" {
			t.Fatalf("seed %d: version %d, begun at %d, read %s (-then +now):\n%s", seed, after.Version(), o.began.Version(), o.reads, diff)
		}
	}
	if committed == 0 || conflicts == 0 {
		t.Errorf("seed %d: %d commits, %d conflicts: the test tests nothing", seed, committed, conflicts)
	}
}
