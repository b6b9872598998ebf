package delta

import (
	"cmp"
	"maps"
	"sync"
)

// state is what the actions up to one version add up to (spec: Action Reconciliation). It never changes; a later state
// shares with it what did not change.
type state struct {
	version    Version
	protocol   *protocolAction
	metadata   *metadataAction
	txns       map[string]txnAction
	domains    map[string]domainAction // without removed ones
	files      addList                 // live
	tombstones removeList
}

// after gives the state behind one more commit.
func (s *state) after(c *commitFile) *state {
	next := *s
	next.version = c.version
	next.protocol = cmp.Or(c.protocol, s.protocol)
	next.metadata = cmp.Or(c.metadata, s.metadata)
	if len(c.txns) > 0 {
		next.txns = maps.Clone(s.txns)
		for _, txn := range c.txns {
			next.txns[txn.AppID] = txn
		}
	}
	if len(c.domains) > 0 {
		next.domains = maps.Clone(s.domains)
		for _, d := range c.domains {
			if d.Removed {
				delete(next.domains, d.Domain)
			} else {
				next.domains[d.Domain] = d
			}
		}
	}
	next.files = s.files.with(c.adds, keysOf(c.removes))
	next.tombstones = s.tombstones.with(c.removes, keysOf(c.adds))
	return &next
}

// reconciler adds actions up from the newest to the oldest: the first action that it meets for a thing is the one that
// counts. Only the files named by commits are remembered; those of the checkpoint, which comes last, need not be.
type reconciler struct {
	state
	own         fileBuilders // of the commits
	seen        map[string]bool
	seenDomains map[string]bool
	mu          sync.Mutex // for parts of the checkpoint
	parts       []*checkpointPart
}

// fileBuilders collects the actions on files.
type fileBuilders struct {
	files      listBuilder[addAction, *addAction]
	tombstones listBuilder[removeAction, *removeAction]
}

// checkpointPart collects those of a part of the checkpoint, and such of the commits' as come between them.
type checkpointPart struct {
	fileBuilders
	newFiles      weave[addAction, *addAction]
	newTombstones weave[removeAction, *removeAction]
}

func newReconciler(v Version) *reconciler {
	return &reconciler{
		state:       state{version: v, txns: map[string]txnAction{}, domains: map[string]domainAction{}},
		seen:        map[string]bool{},
		seenDomains: map[string]bool{},
	}
}

// commit takes the actions of the next older commit.
func (r *reconciler) commit(c *commitFile) {
	for _, a := range c.adds {
		if k := a.key(); !r.seen[k] {
			r.seen[k] = true
			r.own.files.add(a)
		}
	}
	for _, d := range c.removes {
		if k := d.key(); !r.seen[k] {
			r.seen[k] = true
			r.own.tombstones.add(d)
		}
	}
	r.rest(logLine{Protocol: c.protocol, Metadata: c.metadata})
	for i := range c.txns {
		r.rest(logLine{Txn: &c.txns[i]})
	}
	for i := range c.domains {
		r.rest(logLine{Domain: &c.domains[i]})
	}
}

// part takes a part of the checkpoint that all commits are behind of. The parts may be taken at the same time.
func (r *reconciler) part() func(logLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.parts) == 0 {
		r.files, r.tombstones = r.own.files.list(), r.own.tombstones.list()
	}
	part := &checkpointPart{}
	part.newFiles.list, part.newTombstones.list = r.files, r.tombstones
	r.parts = append(r.parts, part)
	return func(l logLine) {
		switch {
		case l.Add != nil:
			if k := l.Add.key(); len(r.seen) == 0 || !r.seen[k] {
				part.newFiles.before(k, part.files.add)
				part.files.add(l.Add)
			}
		case l.Remove != nil:
			if k := l.Remove.key(); len(r.seen) == 0 || !r.seen[k] {
				part.newTombstones.before(k, part.tombstones.add)
				part.tombstones.add(l.Remove)
			}
		default:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.rest(l)
		}
	}
}

func (r *reconciler) rest(l logLine) {
	r.state.protocol = cmp.Or(r.state.protocol, l.Protocol)
	r.state.metadata = cmp.Or(r.state.metadata, l.Metadata)
	if t := l.Txn; t != nil {
		if _, newer := r.txns[t.AppID]; !newer {
			r.txns[t.AppID] = *t
		}
	}
	if d := l.Domain; d != nil && !r.seenDomains[d.Domain] {
		r.seenDomains[d.Domain] = true
		if !d.Removed {
			r.domains[d.Domain] = *d
		}
	}
}

// finish gives the state. A file that a broken log adds twice counts once.
func (r *reconciler) finish() *state {
	if len(r.parts) == 0 {
		r.files, r.tombstones = r.own.files.list(), r.own.tombstones.list()
		return &r.state
	}
	var newFiles []*weave[addAction, *addAction]
	var newTombstones []*weave[removeAction, *removeAction]
	for _, part := range r.parts {
		newFiles, newTombstones = append(newFiles, &part.newFiles), append(newTombstones, &part.newTombstones)
	}
	files, tombstones := unwoven(r.files, newFiles), unwoven(r.tombstones, newTombstones)
	for _, part := range r.parts {
		files.take(&part.files)
		tombstones.take(&part.tombstones)
	}
	r.files, r.tombstones = files.list(), tombstones.list()
	return &r.state
}
