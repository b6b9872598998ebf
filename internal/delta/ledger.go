package delta

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
)

// ledger is a state that is carried forward, commit by commit. A state is cheap to share and dear to change; a ledger is the
// other way round.
type ledger struct {
	version    Version
	protocol   *protocolAction
	metadata   *metadataAction
	txns       map[string]txnAction
	domains    map[string]domainAction
	files      map[string]*addAction
	totals     fileTotals // of files
	tombstones map[string]*removeAction
}

func newLedger() *ledger {
	return &ledger{version: noVersion, txns: map[string]txnAction{}, domains: map[string]domainAction{},
		files: map[string]*addAction{}, tombstones: map[string]*removeAction{}}
}

// commit takes in the next commit.
func (l *ledger) commit(c *commitFile) {
	l.version = c.version
	l.take(logLine{Protocol: c.protocol, Metadata: c.metadata})
	for _, r := range c.removes {
		l.drop(r.key())
		l.tombstones[r.key()] = r
	}
	for _, a := range c.adds {
		delete(l.tombstones, a.key())
		l.put(a)
	}
	for i := range c.txns {
		l.take(logLine{Txn: &c.txns[i]})
	}
	for i := range c.domains {
		l.take(logLine{Domain: &c.domains[i]})
	}
}

// put takes in a live file.
func (l *ledger) put(a *addAction) {
	l.drop(a.key())
	l.files[a.key()] = a
	l.totals.add(totalsOf(a))
}

// drop takes a file out that may be live.
func (l *ledger) drop(key string) {
	if a, ok := l.files[key]; ok {
		delete(l.files, key)
		l.totals.subtract(totalsOf(a))
	}
}

// take takes in an action that is about no file.
func (l *ledger) take(line logLine) {
	if line.Protocol != nil {
		l.protocol = line.Protocol
	}
	if line.Metadata != nil {
		l.metadata = line.Metadata
	}
	if line.Txn != nil {
		l.txns[line.Txn.AppID] = *line.Txn
	}
	switch d := line.Domain; {
	case d == nil:
	case d.Removed:
		delete(l.domains, d.Domain)
	default:
		l.domains[d.Domain] = *d
	}
}

// readLedger reads a checkpoint. It names a file that the checkpoint has twice, "" when there is none.
func (t *Table) readLedger(ctx context.Context, c *checkpointFiles) (there *ledger, twice string, err error) {
	there = newLedger()
	there.version = c.version
	var mu sync.Mutex
	err = t.readCheckpoint(ctx, c, allActions, oneAtATime(&mu, func(line logLine) {
		switch {
		case line.Add != nil:
			if there.has(line.Add.key()) {
				twice = line.Add.Path
			}
			there.put(line.Add)
		case line.Remove != nil:
			if there.has(line.Remove.key()) {
				twice = line.Remove.Path
			}
			there.tombstones[line.Remove.key()] = line.Remove
		default:
			there.take(line)
		}
	}))
	if err == nil && (there.protocol == nil || there.metadata == nil) {
		err = &CorruptError{Key: c.files[0].Key, Err: fmt.Errorf("it has no protocol or no metaData")}
	}
	return there, twice, err
}

func (l *ledger) has(key string) bool {
	_, live := l.files[key]
	_, gone := l.tombstones[key]
	return live || gone
}

// differencesShown is how many examples of each kind of difference are told.
const differencesShown = 3

// differences says in which ways a checkpoint written at a time (in milliseconds) is not this ledger. A checkpoint may lack the
// tombstones that had expired, and progress of applications whose retention is limited.
func (l *ledger) differences(there *ledger, writtenAt int64) []string {
	if l.protocol == nil || l.metadata == nil {
		return []string{"the commits before it have no protocol or no metaData"}
	}
	var out []string
	tell := func(format string, keys []string) {
		if len(keys) > 0 {
			slices.Sort(keys)
			out = append(out, fmt.Sprintf(format, len(keys), keys[:min(len(keys), differencesShown)]))
		}
	}
	tell("it lacks %d live files, such as %q", missingFrom(l.files, there.files, nil))
	tell("it has %d files that are not live, such as %q", missingFrom(there.files, l.files, nil))
	tell("it describes %d files otherwise than their commits, such as %q", l.otherwise(there))
	m, err := l.metadata.parse()
	if err == nil {
		expired := writtenAt - m.deletedFileRetention().Milliseconds()
		tell("it lacks %d tombstones that had not expired, such as %q", missingFrom(l.tombstones, there.tombstones,
			func(r *removeAction) bool { return r.DeletionTimestamp <= expired }))
	}
	if !l.metadata.forgetsTxns() {
		tell("it lacks the progress of %d applications, such as %q", missingFrom(l.txns, there.txns, nil))
	}
	for id, txn := range there.txns {
		if txn.Version != l.txns[id].Version {
			out = append(out, fmt.Sprintf("application %q is at version %d in it, and at %d by the commits", id, txn.Version, l.txns[id].Version))
		}
	}
	if !maps.Equal(l.domains, there.domains) {
		out = append(out, "its metadata domains are not those of the commits")
	}
	if !l.protocol.parse().equal(there.protocol.parse()) {
		out = append(out, "its protocol is not that of the commits")
	}
	if !l.metadata.same(there.metadata) {
		out = append(out, "its metadata is not that of the commits")
	}
	return out
}

// missingFrom gives the keys of what one map has, another has not, and nothing excuses.
func missingFrom[V any](have, there map[string]V, excused func(V) bool) []string {
	var out []string
	for k, v := range have {
		if _, ok := there[k]; !ok && (excused == nil || !excused(v)) {
			out = append(out, k)
		}
	}
	return out
}

func (l *ledger) otherwise(there *ledger) []string {
	var out []string
	for k, a := range l.files {
		if b, ok := there.files[k]; ok && (a.Size != b.Size || !samePartition(a.PartitionValues, b.PartitionValues) || !sameCount(a, b)) {
			out = append(out, k)
		}
	}
	return out
}

func samePartition(a, b map[string]*string) bool {
	for k := range a {
		if x, y := partitionValue(a, k), partitionValue(b, k); (x == nil) != (y == nil) || x != nil && *x != *y {
			return false
		}
	}
	return len(a) == len(b)
}

func sameCount(a, b *addAction) bool {
	if a.Stats == b.Stats {
		return true
	}
	x, y := parseStats(a.Stats, nil), parseStats(b.Stats, nil)
	return x == nil || y == nil || x.NumRecords < 0 || y.NumRecords < 0 || x.NumRecords == y.NumRecords
}

// same compares what readers see of the metadata.
func (m *metadataAction) same(other *metadataAction) bool {
	a, errA := m.parse()
	b, errB := other.parse()
	if errA != nil || errB != nil {
		return m.SchemaString == other.SchemaString
	}
	return a.ID == b.ID && a.Name == b.Name && a.Description == b.Description && maps.Equal(a.Configuration, b.Configuration) &&
		slices.Equal(a.PartitionColumns, b.PartitionColumns) && reflect.DeepEqual(a.Schema, b.Schema)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
