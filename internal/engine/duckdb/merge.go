package duckdb

import (
	"context"
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

// merging is one merge on one snapshot.
type merging struct {
	*publishing
	snapshot *delta.Snapshot
	change   *publication.Change
	schema   *delta.Schema // that the table will have
	source   string        // relation of the query's rows
	matched  string        // relation of the table's rows that a source row matches, or that are pruned: _source, _fate and place
}

// What becomes of a row of the table.
const (
	fateStay   = "stay"   // the source row that matches it is not newer
	fateUpdate = "update" // it is replaced by the source row
	fateDelete = "delete" // the source row is a tombstone
	fatePrune  = "prune"  // no source row matches it
)

// merge replaces the rows that have a newer one, removes those of tombstones and adds those whose keys are not there.
func (p *publishing) merge(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	if s.NumFiles() == 0 && p.out.Tombstone == "" {
		return p.mergeIntoNothing(ctx, s, c)
	}
	e := p.engine
	m := &merging{publishing: p, snapshot: s, change: c, schema: c.SchemaOf(s), source: e.name("source"), matched: e.name("matched")}
	defer e.drop(ctx, m.source)
	defer e.drop(ctx, m.matched)
	if err := e.Define(ctx, m.source, p.fill(m.schema, p.query), engine.Once); err != nil {
		return err
	}
	if none, err := m.nothingToMerge(ctx); err != nil || none {
		return err
	}
	if err := p.checkKeys(ctx, m.source); err != nil {
		return err
	}
	files, err := m.candidates(ctx)
	if err != nil {
		return err
	}
	target, err := e.scanQuery(ctx, scan{snapshot: s, files: files, place: true})
	if err != nil {
		return err
	}
	if err := e.Define(ctx, m.matched, m.matchQuery(target), engine.Once); err != nil {
		return err
	}
	if some, err := m.count(ctx); err != nil || !some {
		return err
	}
	return m.write(ctx, files)
}

// mergeIntoNothing adds all rows to a table that has none. They are written as the query gives them, and need not be kept to be matched.
func (p *publishing) mergeIntoNothing(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	l := layoutOf(s, c.SchemaOf(s))
	files, err := p.copyOut(ctx, l, p.fill(l.Schema, p.query))
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	if len(files) == 0 {
		c.CountMerge(publication.MergeCounts{})
		return nil
	}
	rows, err := writtenRows(l, files)
	if err != nil {
		return err
	}
	if err := p.checkKeys(ctx, "("+rows+")"); err != nil {
		return err
	}
	var n int64
	for _, file := range files {
		n += file.rows
	}
	c.CountMerge(publication.MergeCounts{Source: n})
	c.Add, err = p.upload(ctx, l, files)
	return err
}

// nothingToMerge is whether the query gives no rows, and the table's stay for it.
func (m *merging) nothingToMerge(ctx context.Context) (bool, error) {
	if m.out.Prune != "" {
		return false, nil
	}
	var some bool
	if err := m.engine.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+m.source+")").Scan(&some); err != nil {
		return false, queryError(ctx, err)
	}
	if !some {
		m.change.Reads = []delta.Predicate{}
		m.change.CountMerge(publication.MergeCounts{})
	}
	return !some, nil
}

// candidates are the files that can hold rows with keys of the source. Only such rows matter to the merge, and to others that write at
// the same time.
func (m *merging) candidates(ctx context.Context) ([]engine.File, error) {
	if m.out.Prune == "" {
		keys, known, err := m.keyRanges(ctx)
		if err != nil {
			return nil, err
		}
		if known {
			m.change.Reads = []delta.Predicate{keys}
		}
	}
	return m.change.Candidates(m.snapshot)
}

// matchQuery pairs rows with equal keys: where the table's lies, and what becomes of it.
func (m *merging) matchQuery(target string) string {
	fate := quote(fateUpdate)
	if m.out.Tombstone != "" {
		fate = fmt.Sprintf("CASE WHEN source.%s THEN %s ELSE %s END", quoteName(m.out.Tombstone), quote(fateDelete), fate)
	}
	newer := m.out.Newer
	if newer == "" {
		newer = "false"
	}
	query := fmt.Sprintf("SELECT source.rowid AS _source, target.%s, target.%s, CASE WHEN (%s\n) THEN %s ELSE %s END AS _fate\nFROM (%s) AS target JOIN %s AS source ON %s",
		fileColumn, rowColumn, newer, fate, quote(fateStay), target, m.source, keyCondition(m.out.Keys))
	if m.out.Prune != "" {
		query += fmt.Sprintf("\nUNION ALL\nSELECT NULL, %s, %s, %s FROM (%s) AS target ANTI JOIN %s AS source ON %s WHERE (%s\n)",
			fileColumn, rowColumn, quote(fatePrune), target, m.source, keyCondition(m.out.Keys), m.out.Prune)
	}
	return query
}

func keyCondition(keys []string) string {
	var equal []string
	for _, key := range keys {
		equal = append(equal, fmt.Sprintf("target.%[1]s = source.%[1]s", quoteName(key)))
	}
	return strings.Join(equal, " AND ")
}

// checkKeys refuses a source that has a key twice: which row should win is for the query to say.
func (p *publishing) checkKeys(ctx context.Context, source string) error {
	quoted := make([]string, len(p.out.Keys))
	for i, key := range p.out.Keys {
		quoted[i] = quoteName(key)
	}
	query := fmt.Sprintf("SELECT concat_ws(', ', %s), count(*) FROM %s WHERE %s IS NOT NULL GROUP BY ALL HAVING count(*) > 1 LIMIT 1",
		join(quoted), source, strings.Join(quoted, " IS NOT NULL AND "))
	rows, err := p.engine.db.QueryContext(ctx, query)
	if err != nil {
		return queryError(ctx, err)
	}
	defer rows.Close()
	if rows.Next() {
		var key string
		var n int64
		if err := rows.Scan(&key, &n); err != nil {
			return err
		}
		return fmt.Errorf("merge: the query gives key %s %d times", key, n)
	}
	return queryError(ctx, rows.Err())
}

// count tells how many rows there are of each kind, and whether any comes or goes.
func (m *merging) count(ctx context.Context) (bool, error) {
	var n publication.MergeCounts
	query := fmt.Sprintf(`SELECT (SELECT count(*) FROM %[1]s WHERE NOT (%[3]s)), count(_source) FILTER (WHERE NOT dead),
			count(*) FILTER (WHERE _fate = 'update'), (SELECT count(*) FROM %[2]s WHERE _fate = 'delete'), (SELECT count(*) FROM %[2]s WHERE _fate = 'prune')
		FROM (SELECT _source, max(_fate) AS _fate, _source IN (SELECT rowid FROM %[1]s WHERE %[3]s) AS dead FROM %[2]s WHERE _source IS NOT NULL GROUP BY _source)`,
		m.source, m.matched, m.tombstone())
	if err := m.engine.db.QueryRowContext(ctx, query).Scan(&n.Source, &n.Known, &n.Updated, &n.Deleted, &n.Pruned); err != nil {
		return false, queryError(ctx, err)
	}
	m.change.CountMerge(n)
	return n.Changes(), nil
}

// tombstone is the SQL condition that a source row is a tombstone.
func (m *merging) tombstone() string {
	if m.out.Tombstone == "" {
		return "false"
	}
	return fmt.Sprintf("coalesce(%s, false)", quoteName(m.out.Tombstone))
}

// write takes the rows that go out of their files and writes those that come.
func (m *merging) write(ctx context.Context, files []engine.File) (err error) {
	c := m.change
	kept, err := m.takeOut(ctx, m.snapshot, c, files, fmt.Sprintf("(SELECT * FROM %s WHERE _fate <> %s)", m.matched, quote(fateStay)))
	if err != nil {
		return err
	}
	fresh := fmt.Sprintf("SELECT %s FROM %s AS source WHERE rowid NOT IN (SELECT _source FROM %s WHERE _fate IN (%s, %s)) AND NOT (%s)",
		columnList(m.schema), m.source, m.matched, quote(fateStay), quote(fateDelete), m.tombstone())
	if c.Add, err = m.publishing.write(ctx, m.snapshot, m.schema, fresh+kept); err != nil {
		return err
	}
	if m.snapshot.ChangeDataFeedEnabled() && (c.Counts.Updated > 0 || c.Counts.Deleted > 0 && c.Rewritten > 0) {
		changes, err := m.changeRows(ctx)
		if err != nil {
			return err
		}
		if c.Told, err = m.tell(ctx, m.snapshot, m.schema, changes); err != nil {
			return err
		}
	}
	return nil
}

// changeRows gives the SQL of what the merge does to the rows.
func (m *merging) changeRows(ctx context.Context) (string, error) {
	rows, err := m.engine.scanQuery(ctx, scan{snapshot: m.snapshot, files: m.change.Touched(), place: true})
	if err != nil {
		return "", err
	}
	old, err := oldCells(m.snapshot, m.schema)
	if err != nil {
		return "", err
	}
	columns := columnList(m.schema)
	return fmt.Sprintf(`SELECT %[1]s, CASE _fate WHEN 'update' THEN 'update_preimage' ELSE 'delete' END AS %[3]s
		FROM (%[4]s) AS target JOIN %[5]s USING (%[6]s, %[7]s) WHERE _fate <> 'stay'
		UNION ALL
		SELECT %[2]s, 'update_postimage' FROM %[8]s WHERE rowid IN (SELECT _source FROM %[5]s WHERE _fate = 'update')
		UNION ALL
		SELECT %[2]s, 'insert' FROM %[8]s WHERE rowid NOT IN (SELECT _source FROM %[5]s WHERE _source IS NOT NULL) AND NOT (%[9]s)`,
		old, columns, quoteName(engine.ChangeType), rows, m.matched, fileColumn, rowColumn, m.source, m.tombstone()), nil
}
