package delta

import "context"

// CompactionOf gives the text of a compaction of commits, which nothing but tests writes.
func (t *Table) CompactionOf(ctx context.Context, first, last Version) ([]byte, error) {
	l, err := t.list(ctx, first)
	if err != nil {
		return nil, err
	}
	infos, err := l.commitRange(first, last)
	if err != nil {
		return nil, err
	}
	sum, domains := newLedger(), map[string]domainAction{}
	for c, err := range t.commitFiles(ctx, infos) {
		if err != nil {
			return nil, err
		}
		sum.commit(c)
		for _, d := range c.domains {
			domains[d.Domain] = d
		}
	}
	lines := []logLine{}
	if sum.protocol != nil {
		lines = append(lines, logLine{Protocol: sum.protocol})
	}
	if sum.metadata != nil {
		lines = append(lines, logLine{Metadata: sum.metadata})
	}
	for _, txn := range sum.txns {
		lines = append(lines, logLine{Txn: &txn})
	}
	for _, d := range domains {
		lines = append(lines, logLine{Domain: &d})
	}
	for _, key := range sortedKeys(sum.files) {
		lines = append(lines, logLine{Add: sum.files[key]})
	}
	for _, key := range sortedKeys(sum.tombstones) {
		lines = append(lines, logLine{Remove: sum.tombstones[key]})
	}
	var text []byte
	for _, line := range lines {
		if text, err = appendLine(text, line); err != nil {
			return nil, err
		}
	}
	return text, nil
}
