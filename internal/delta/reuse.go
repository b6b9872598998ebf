package delta

import (
	"context"
	"hash/maphash"
	"time"

	"launchlake/internal/objstore"
)

// The latest snapshot that a Table has read is kept. Who asks for the latest again gets it brought up to date by the commits
// that came since, once it is sure that the table is still the same.

// commitMark is by what a commit is known again.
type commitMark struct {
	object objstore.Info // as it was listed; zero: it was not
	sum    uint64        // of its text; 0: it was not read
}

const (
	// lookAgain is the age from which a commit is known by its size and time alone. A younger one may be that of another table, which
	// was made in the same place within the resolution of the store's clock; this one's clock may differ from it by less.
	lookAgain = time.Hour
	// manyCommits is how many new commits are read one by one where there is a new checkpoint.
	manyCommits = 50
)

// sumSeed makes sums that nobody can foresee.
var sumSeed = maphash.MakeSeed()

func sumOf(text []byte) uint64 { return maphash.Bytes(sumSeed, text) }

// refresh brings the last snapshot up to date; nil when there is none, or it cannot be known to be one of the table that is there
// now. What is wrong is then told by opening the table anew.
func (t *Table) refresh(ctx context.Context) *Snapshot {
	s := t.last.Load()
	if s == nil || s.end.object.Key == "" { // else nothing could tell that it is the same table
		return nil
	}
	l, err := t.list(ctx, s.Version())
	if err != nil || !t.isSame(ctx, l.commits[s.Version()], s.end) {
		return nil
	}
	if l.latest == s.Version() {
		return s
	}
	if l.latest-s.Version() > manyCommits && l.checkpointAt(l.latest).isAfter(s.Version()) {
		return nil
	}
	infos, err := l.commitRange(s.Version()+1, l.latest)
	if err != nil {
		return nil
	}
	for c, err := range t.commitFiles(ctx, infos) {
		if err != nil {
			return nil
		}
		if s, err = s.after(c); err != nil {
			return nil
		}
	}
	t.last.Store(s)
	return s
}

func (c *checkpointFiles) isAfter(v Version) bool { return c != nil && c.version > v }

// isSame tells whether a commit is the one that was read before.
func (t *Table) isSame(ctx context.Context, now objstore.Info, before commitMark) bool {
	if now.Key == "" || now.Size != before.object.Size || !now.ModTime.Equal(before.object.ModTime) {
		return false
	}
	if t.now().Sub(now.ModTime) > lookAgain {
		return true
	}
	if before.sum == 0 {
		return false
	}
	c, err := t.readCommit(ctx, parseLogName(now.Key).version)
	return err == nil && c.mark.sum == before.sum
}
