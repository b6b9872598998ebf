package delta

import "fmt"

// Isolation levels (table property delta.isolationLevel). The first is what tables have that do not say.
const (
	serializable      = "Serializable"
	writeSerializable = "WriteSerializable"
)

func isolation(m *Metadata) string {
	if m.Configuration["delta.isolationLevel"] == writeSerializable {
		return writeSerializable
	}
	return serializable
}

// conflict says why a transaction cannot go on behind a commit that was stored since it began; nil when it can. The order of
// the checks is Spark's.
func (p *prepared) conflict(winner *commitFile) error {
	fail := func(format string, args ...any) error {
		return &ConflictError{Version: winner.version, Reason: fmt.Sprintf(format, args...)}
	}
	if winner.protocol != nil && p.protocol != nil {
		return fail("both change the protocol")
	}
	// Blind appends too: their files were written under the old schema and constraints.
	if winner.metadata != nil {
		return fail("it changed the table's metadata")
	}
	for _, ours := range p.txns {
		for _, theirs := range winner.txns {
			switch {
			case theirs.AppID != ours.AppID:
			case theirs.Version >= ours.Version:
				return fmt.Errorf("application %q went to version %d with commit %d: %w", ours.AppID, theirs.Version, winner.version, ErrAlreadyApplied)
			default:
				return fail("it moved application %q to version %d", theirs.AppID, theirs.Version)
			}
		}
	}
	if name := p.domainConflict(winner); name != "" {
		return fail("it changed the metadata domain %q, which this transaction changes", name)
	}
	if err := p.readConflict(winner, fail); err != nil {
		return err
	}
	removed := map[string]bool{}
	for _, r := range winner.removes {
		removed[r.key()] = true
	}
	for _, r := range p.removes {
		if removed[r.key()] {
			return fail("it removed %s, which this transaction removes", r.Path)
		}
	}
	return nil
}

// readConflict looks for rows that this transaction read, or would have read, among those that the winner changed.
func (p *prepared) readConflict(winner *commitFile, fail func(string, ...any) error) error {
	if len(p.reads) == 0 {
		return nil
	}
	read, err := p.afterCommit.filter([]Predicate{Or(p.reads...)})
	if err != nil {
		return err
	}
	blind := parseCommitInfo(winner.info).IsBlindAppend
	// Rows appended under another schema than the one that this transaction sets are never let through.
	appendsCount := isolation(&p.base.metadata) == serializable || blind == nil || !*blind || p.metadata != nil
	if appendsCount && !p.rearrange {
		for _, a := range winner.adds {
			if a.DataChange && read(a) {
				return fail("it added %s, which may hold rows that this transaction depends on", a.Path)
			}
		}
	}
	live := p.base.state.files.finder()
	for _, r := range winner.removes {
		if a := live.find(r.key()); a != nil && read(a) {
			return fail("it removed %s, which this transaction read", a.Path)
		}
	}
	return nil
}
