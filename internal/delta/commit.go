package delta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"time"

	"launchlake/internal/objstore"
)

// ErrUnknownOutcome: the store took the commit or not, and could not be asked which. Open the table again and look, best by
// AppVersion of the application that the transaction set.
var ErrUnknownOutcome = errors.New("outcome of the commit unknown")

// NotCommitted is whether an error of Commit says for certain that the transaction is not in the table, so that nobody needs the files
// that were stored for it.
func NotCommitted(err error) bool { return err != nil && !errors.Is(err, ErrUnknownOutcome) }

const (
	defaultCommitAttempts = 1000 // one of many busy writers has bad luck for long: each attempt is as likely as theirs
	storeAttempts         = 10   // for one version, when the store fails without saying what is wrong
	firstPause            = 10 * time.Millisecond
	longestPause          = 2 * time.Second        // between attempts that the store failed
	longestWait           = 100 * time.Millisecond // between attempts that other writers were faster than
	lastLook              = 5 * time.Second        // to find out what became of a commit when ctx has ended
)

// commit puts the transaction behind the newest commit, as often as others come before it.
func (p *prepared) commit(ctx context.Context) (*Snapshot, error) {
	attempts := p.table.options.CommitAttempts
	if attempts == 0 {
		attempts = defaultCommitAttempts
	}
	for attempt := range attempts {
		own, body, err := p.build()
		if err != nil {
			return nil, err
		}
		winner, err := p.table.putCommit(ctx, own.version, body, p.info.TxnID)
		if err != nil {
			return nil, err
		}
		if winner == nil {
			return p.finish(ctx, own)
		}
		// The pause comes before the look at what the others have done, so that the next attempt follows that at once.
		if err := pause(ctx, attempt+1, longestWait); err != nil {
			return nil, err
		}
		if err := p.rebase(ctx, winner); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("other writers were first %d times: %w", attempts, &ConflictError{Version: p.version() - 1, Reason: "too many concurrent commits"})
}

func (p *prepared) version() Version {
	if p.base == nil {
		return 0
	}
	return p.base.Version() + 1
}

// build gives the commit as text and as readers see it.
func (p *prepared) build() (*commitFile, []byte, error) {
	now := p.table.now()
	p.info.Timestamp = now.UnixMilli()
	p.info.InCommitTimestamp = nil
	metadata := p.metadata
	if p.inCommitTimestamps() {
		at := now.UnixMilli()
		if p.base != nil {
			at = max(at, p.base.timestamp.UnixMilli()+1)
		}
		p.info.InCommitTimestamp = &at
		metadata = p.enabledInCommit(at)
	}
	info, err := marshalInfo(p.info)
	if err != nil {
		return nil, nil, err
	}
	lines := []logLine{{CommitInfo: info}}
	if p.protocol != nil {
		lines = append(lines, logLine{Protocol: p.protocol})
	}
	if metadata != nil {
		lines = append(lines, logLine{Metadata: metadata})
	}
	for i := range p.txns {
		lines = append(lines, logLine{Txn: &p.txns[i]})
	}
	for i := range p.domains {
		lines = append(lines, logLine{Domain: &p.domains[i]})
	}
	for _, r := range p.removes {
		lines = append(lines, logLine{Remove: r})
	}
	for _, a := range p.adds {
		lines = append(lines, logLine{Add: a})
	}
	for _, c := range p.changes {
		lines = append(lines, logLine{CDC: c})
	}
	var body []byte
	for _, l := range lines {
		if body, err = appendLine(body, l); err != nil {
			return nil, nil, fmt.Errorf("encode the commit: %w", err)
		}
	}
	own, err := parseCommit(p.version(), body)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the commit: %w", err)
	}
	own.modTime = now
	return own, body, nil
}

// inCommitTimestamps is whether the commit has a time of its own.
func (p *prepared) inCommitTimestamps() bool {
	if p.base == nil || p.metadata != nil {
		return p.afterCommit.enabled(inCommitTimestampsProperty)
	}
	return p.base.inCommitTimestamps()
}

// enabledInCommit gives the metadata of the commit, with its version and time when it is the first that has a time of its own.
func (p *prepared) enabledInCommit(at int64) *metadataAction {
	if p.metadata == nil || p.base == nil || p.base.inCommitTimestamps() {
		return p.metadata
	}
	m := *p.metadata
	m.Configuration = withText(m.Configuration, enablementVersionProperty, fmt.Sprint(p.version()))
	m.Configuration[enablementTimestampProperty] = fmt.Sprint(at)
	return &m
}

// rebase takes in the winner and all commits behind it.
func (p *prepared) rebase(ctx context.Context, winner *commitFile) error {
	for winner != nil {
		if p.base == nil {
			return &ConflictError{Version: winner.version, Reason: "the table was created meanwhile"}
		}
		if err := p.conflict(winner); err != nil {
			return err
		}
		next, err := p.base.after(winner)
		if err != nil {
			return err
		}
		if winner.protocol != nil {
			if err := next.protocol.checkWrite(next.usage()); err != nil {
				return err
			}
		}
		if err := p.checkEnforced(&p.base.metadata, &next.metadata); err != nil {
			return err
		}
		p.base = next
		winner, err = p.table.readCommit(ctx, p.version())
		if err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}

func (c *commitFile) addsVectors() bool {
	return slices.ContainsFunc(c.adds, func(a *addAction) bool { return a.DeletionVector != nil })
}

// after gives the snapshot behind one more commit.
func (s *Snapshot) after(c *commitFile) (*Snapshot, error) {
	if c.metadata == nil && c.protocol == nil && !c.addsVectors() {
		next := *s // what was checked holds on
		next.state = s.state.after(c)
		next.timestamp, next.end = c.modTime.UTC(), c.mark
		if next.inCommitTimestamps() {
			next.timestamp = inCommitTimestamp(c, next.timestamp)
		}
		return &next, nil
	}
	next, err := s.table.newSnapshot(s.state.after(c), c.modTime)
	if err != nil {
		return nil, err
	}
	next.end = c.mark
	if next.inCommitTimestamps() {
		next.timestamp = inCommitTimestamp(c, next.timestamp)
	}
	return next, nil
}

// finish gives the snapshot at the commit, which is in the log, and writes what follows a commit.
func (p *prepared) finish(ctx context.Context, own *commitFile) (*Snapshot, error) {
	s, err := p.done(own)
	if err != nil {
		return nil, fmt.Errorf("version %d is in the log, and cannot be read: %w: %w", own.version, ErrUnknownOutcome, err)
	}
	p.table.putChecksum(ctx, s, p.info.TxnID)
	p.table.checkpointAfterCommit(ctx, s)
	return s, nil
}

func (p *prepared) done(own *commitFile) (*Snapshot, error) {
	if p.base != nil {
		return p.base.after(own)
	}
	r := newReconciler(own.version)
	r.commit(own)
	s, err := p.table.newSnapshot(r.finish(), own.modTime)
	if err == nil && s.inCommitTimestamps() {
		s.timestamp = inCommitTimestamp(own, s.timestamp)
	}
	return s, err
}

// putCommit stores a commit as one version, and finds out what happened when the store does not say: nil, nil when the commit is
// in the log as that version; the commit that is there instead when another writer was first.
func (t *Table) putCommit(ctx context.Context, v Version, body []byte, txnID string) (*commitFile, error) {
	var err error
	var doubt error // ErrUnknownOutcome from the moment on that a request may still be under way to the store
	for attempt := range storeAttempts {
		if e := pause(ctx, attempt, longestPause); e != nil {
			return nil, putFailed(v, doubt, errors.Join(e, err))
		}
		if err = t.store.PutIfAbsent(ctx, commitKey(v), body); err == nil {
			return nil, nil
		}
		if errors.Is(err, objstore.ErrNotStored) && !errors.Is(err, fs.ErrExist) {
			if errors.Is(err, objstore.ErrDenied) || ctx.Err() != nil {
				return nil, putFailed(v, doubt, err)
			}
			t.logRetry(ctx, v, err)
			continue // the store is away for a moment, or asks to try again
		}
		there, lookErr := t.lookBack(ctx, v)
		switch {
		case lookErr != nil:
			return nil, putFailed(v, ErrUnknownOutcome, errors.Join(err, lookErr))
		case there == nil:
			doubt = ErrUnknownOutcome
			t.logRetry(ctx, v, err)
		case parseCommitInfo(there.info).TxnID == txnID:
			return nil, nil
		default:
			return there, nil
		}
	}
	return nil, putFailed(v, doubt, fmt.Errorf("tried %d times: %w", storeAttempts, err))
}

func putFailed(v Version, doubt, err error) error {
	if doubt != nil {
		return fmt.Errorf("store version %d: %w: %w", v, doubt, err)
	}
	return fmt.Errorf("store version %d: %w", v, err)
}

// lookBack reads the commit of a version; nil when there is none. It goes on for a moment when ctx has ended: the caller must
// know what became of its commit.
func (t *Table) lookBack(ctx context.Context, v Version) (*commitFile, error) {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastLook)
		defer cancel()
	}
	var err error
	for attempt := range storeAttempts {
		if e := pause(ctx, attempt, longestPause); e != nil {
			return nil, errors.Join(e, err)
		}
		var c *commitFile
		c, err = t.readCommit(ctx, v)
		var corrupt *CorruptError
		switch {
		case err == nil:
			c.modTime = t.now()
			return c, nil
		case isMissing(err):
			return nil, nil
		case errors.As(err, &corrupt), errors.Is(err, objstore.ErrDenied):
			return nil, err
		}
	}
	return nil, err
}

// pause waits before a repeated attempt: up to twice as long each time, at random, so that writers that met once do not meet
// again.
func pause(ctx context.Context, attempt int, most time.Duration) error {
	if attempt == 0 {
		return nil
	}
	timer := time.NewTimer(rand.N(min(most, firstPause<<min(attempt, 16))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
