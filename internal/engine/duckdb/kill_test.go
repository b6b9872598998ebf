package duckdb_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/miniotest"
	"launchlake/internal/objstore/s3"
)

// TestAKilledProcessLeavesTheTableAsBeforeOrAsAfter kills a process with SIGKILL again and again, at random instants of mixed work.
// When it is killed is counted in its own calls of the store, so that the number of kills is the same on any machine.
func TestAKilledProcessLeavesTheTableAsBeforeOrAsAfter(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	onFolder, onMinIO := 30, 10
	if soak() {
		onFolder, onMinIO = 1000, 200
	}
	t.Run("folder", func(t *testing.T) {
		properties := map[string]string{"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true"}
		newKiller(t, place{Folder: t.TempDir(), Work: t.TempDir()}, seed, properties).kill(onFolder)
	})
	t.Run("minio", func(t *testing.T) {
		env, url := miniotest.Bucket(t)
		for name, value := range env {
			if strings.HasPrefix(name, "AWS_") {
				t.Setenv(name, value)
			}
		}
		at := place{Bucket: strings.TrimPrefix(url, "s3://"), S3: s3.Options{Endpoint: env["S3_ENDPOINT"], PathStyle: true}, Work: t.TempDir()}
		properties := map[string]string{"delta.checkpointPolicy": "v2", "delta.enableInCommitTimestamps": "true"}
		newKiller(t, at, seed+1, properties).kill(onMinIO)
	})
}

// soak says that the long form of a test is wanted.
func soak() bool { return os.Getenv("LAKE_TEST_SOAK") == "1" }

// killer gives orders to victims, kills them, and keeps account of what the table must hold.
type killer struct {
	t      *testing.T
	place  place
	random *rand.Rand
	table  *delta.Table
	engine *duckdb.Engine

	rows    contentsByID                   // when all orders before the current one are done
	applied bool                           // the current one was seen to be done, though nobody said so
	now     order                          // the current one
	past    map[delta.Version]contentsByID // versions that can be restored
	nextID  int64
	did     map[string]int // orders done by kind
}

func newKiller(t *testing.T, p place, seed uint64, properties map[string]string) *killer {
	t.Helper()
	store, err := p.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{
		t: t, place: p, random: rand.New(rand.NewPCG(seed, 0)), table: delta.Open(store), engine: open(t),
		rows: contentsByID{}, past: map[delta.Version]contentsByID{}, did: map[string]int{},
	}
	t.Cleanup(func() { _ = k.engine.Close() })
	properties["delta.checkpointInterval"] = "5"
	if _, err := k.table.Create(t.Context(), delta.Metadata{Schema: victimSchema, Configuration: properties}); err != nil {
		t.Fatal(err)
	}
	k.past[0] = contentsByID{}
	k.nextOrder()
	return k
}

// kill kills so many victims, and looks at the table after each.
func (k *killer) kill(times int) {
	for n := range times {
		k.killOne()
		k.look(n%10 == 9 || n == times-1)
		if k.t.Failed() {
			k.t.Fatalf("after %d kills, at order %d, %s", n+1, k.now.Number, k.now.Kind)
		}
	}
	k.t.Logf("%d kills during %v", times, k.did)
}

// mostCalls is how many begins and ends of calls of the store a victim lives through at most; most orders have fewer.
const mostCalls = 80

// killOne starts a victim, gives it orders, and kills it after a random number of its calls and a random moment.
func (k *killer) killOne() {
	where, err := json.Marshal(k.place)
	if err != nil {
		k.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	victim := exec.Command(self)
	victim.Env = append(os.Environ(), victimVariable+"="+string(where))
	var stderr strings.Builder
	victim.Stderr = &stderr
	orders, err := victim.StdinPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	said, err := victim.StdoutPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.command(orders, said)
	_ = victim.Process.Kill()
	// What the victim said before it died counts: an order that it called done is done.
	for rest := bufio.NewScanner(said); rest.Scan(); {
		if rest.Text() == sayDone {
			k.done()
		}
	}
	_ = victim.Wait()
	if stderr.Len() > 0 {
		k.t.Errorf("the victim says: %s", stderr.String())
	}
}

// command gives orders until the moment has come to kill.
func (k *killer) command(orders io.Writer, said io.Reader) {
	give := json.NewEncoder(orders)
	if err := give.Encode(k.now); err != nil {
		k.t.Fatal(err)
	}
	lines := bufio.NewScanner(oneByOne{said})
	for calls := k.random.IntN(mostCalls); calls > 0 && lines.Scan(); {
		switch lines.Text() {
		case sayCall:
			calls--
		case sayDone:
			k.done()
			if err := give.Encode(k.now); err != nil {
				k.t.Errorf("give an order: %v", err)
				return
			}
		}
	}
	time.Sleep(time.Duration(k.random.Int64N(int64(2 * time.Millisecond))))
}

// oneByOne gives a scanner no more than it asks for by a line, so that what comes later can be read by another.
type oneByOne struct{ io.Reader }

func (r oneByOne) Read(p []byte) (int, error) { return r.Reader.Read(p[:1]) }

// done takes the current order as carried out and chooses the next.
func (k *killer) done() {
	k.did[k.now.Kind]++
	k.rows = k.now.after(k.rows)
	switch k.now.Kind {
	case "vacuum", "clean-log":
		clear(k.past)
	}
	k.applied = false
	k.nextOrder()
}

func (o order) after(rows contentsByID) contentsByID {
	if change := works[o.Kind].rows; change != nil {
		return change(rows, o)
	}
	return rows
}

func (k *killer) nextOrder() {
	kinds := slices.DeleteFunc(slices.Sorted(maps.Keys(works)), func(kind string) bool { return kind == overwritePartitions })
	k.now = order{Number: k.now.Number + 1, Kind: kinds[k.random.IntN(len(kinds))], Rows: contentsByID{}}
	switch k.now.Kind {
	case "append", "overwrite":
		k.newRows()
	case "delete", "update":
		k.now.Digit = k.random.Int64N(10)
	case "replace":
		k.now.Digit = k.random.Int64N(10)
		for range 1 + k.random.IntN(3) {
			k.nextID += 20
			k.now.Rows[k.nextID-k.nextID%10+k.now.Digit] = fmt.Sprint("replaced ", k.now.Number)
		}
		k.nextID += 10
	case "merge":
		k.newRows()
		for id := range k.rows {
			if k.random.IntN(3) == 0 {
				k.now.Rows[id] = fmt.Sprint("merged ", k.now.Number)
			}
		}
	case "restore":
		if len(k.past) == 0 {
			k.now.Kind = "append"
			k.newRows()
			return
		}
		versions := slices.Sorted(maps.Keys(k.past))
		k.now.Version = versions[k.random.IntN(len(versions))]
		k.now.Rows = k.past[k.now.Version]
	}
}

func (k *killer) newRows() {
	for range 1 + k.random.IntN(20) {
		k.nextID++
		k.now.Rows[k.nextID] = fmt.Sprint(k.now.Kind, " ", k.now.Number)
	}
}

// look compares the table with what it must hold: the rows before the current order or those after it.
func (k *killer) look(deep bool) {
	k.t.Helper()
	s, err := k.table.Snapshot(k.t.Context())
	if err != nil {
		k.t.Fatalf("the table cannot be read any more: %v", err)
	}
	found := k.read(s)
	before, after := k.rows.lines(), k.now.after(k.rows).lines()
	switch {
	case slices.Equal(found, after):
		k.applied = k.applied || !slices.Equal(before, after)
	case k.applied:
		k.t.Errorf("rows that were there are gone (-want +got):\n%s", cmp.Diff(after, found))
	case !slices.Equal(found, before):
		k.t.Errorf("rows as neither before (-before +got):\n%s\nnor after (-after +got):\n%s", cmp.Diff(before, found), cmp.Diff(after, found))
	}
	for finding, err := range k.table.Check(k.t.Context(), delta.CheckOptions{Deep: deep}) {
		k.t.Errorf("the check finds %v, %v", finding, err)
	}
	if !k.deletes() {
		k.past[s.Version()] = k.rows
		if slices.Equal(found, after) {
			k.past[s.Version()] = k.now.after(k.rows)
		}
	}
}

// deletes says that the current order is one after which older versions may be gone.
func (k *killer) deletes() bool { return k.now.Kind == "vacuum" || k.now.Kind == "clean-log" }

func (k *killer) read(s *delta.Snapshot) []string {
	k.t.Helper()
	k.nextID++ // a name is used once
	name := fmt.Sprint("look_", k.nextID)
	if err := k.engine.Bind(k.t.Context(), name, engine.Input{Snapshot: s}); err != nil {
		k.t.Fatalf("the table cannot be read any more: %v", err)
	}
	return rowLines(k.t, k.engine, name)
}

// rowLines gives the rows of the victim's table, each once as often as it is there.
func rowLines(t *testing.T, e *duckdb.Engine, name string) []string {
	t.Helper()
	rows, err := query(t, e, "select id, text from "+name)
	if err != nil {
		t.Fatalf("the table cannot be read any more: %v", err)
	}
	out := []string{}
	for _, row := range rows {
		out = append(out, fmt.Sprintf("%v %v", row[0], row[1]))
	}
	slices.Sort(out)
	return out
}

func (c contentsByID) lines() []string {
	out := []string{}
	for id, text := range c {
		out = append(out, fmt.Sprintf("%v %v", id, text))
	}
	slices.Sort(out)
	return out
}
