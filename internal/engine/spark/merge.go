package spark

import (
	"context"
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
	"launchlake/internal/engine/spark/connect"
)

// merging is one merge on one snapshot.
type merging struct {
	*publishing
	snapshot *delta.Snapshot
	change   *publication.Change
	layout   layout

	// Relations that are kept while it works: the query's rows; and the table's rows that one of these matches, or that are
	// pruned, as their place, the keys, _fate and _dead, which is whether the match is a tombstone; "" when there can be none.
	source, matched string
}

// What becomes of a row of the table. They sort so that the greatest of a source row's counts.
const (
	fateStay   = "stay"   // the source row that matches it is not newer
	fateUpdate = "update" // it is replaced by the source row
	fateDelete = "delete" // the source row is a tombstone
	fatePrune  = "prune"  // no source row matches it
)

// merge replaces the rows that have a newer one, removes those of tombstones and adds those whose keys are not there.
func (p *publishing) merge(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	m := &merging{publishing: p, snapshot: s, change: c, layout: layoutOf(s, c.SchemaOf(s))}
	query, err := p.fill(m.layout)
	if err != nil {
		return err
	}
	var release func()
	if m.source, release, err = p.engine.keep(ctx, "source", query); err != nil {
		return err
	}
	defer release()
	var counts publication.MergeCounts
	rows, err := m.countSource(ctx, &counts)
	if err != nil {
		return err
	}
	if s.NumFiles() > 0 && (rows > 0 || m.out.Prune != "") {
		if release, err = m.match(ctx, &counts); err != nil {
			return err
		}
		defer release()
	}
	if c.CountMerge(counts); !counts.Changes() {
		return nil
	}
	return m.write(ctx)
}

// match finds the rows of the table that change.
func (m *merging) match(ctx context.Context, counts *publication.MergeCounts) (release func(), err error) {
	target, err := m.engine.placedQuery(ctx, m.snapshot)
	if err != nil {
		return nil, err
	}
	if m.matched, release, err = m.engine.keep(ctx, "matched", m.matchQuery(target)); err != nil {
		return nil, err
	}
	if err := m.countMatched(ctx, counts); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// keep computes a query once, under a name of the engine's own, until it is released.
func (e *Engine) keep(ctx context.Context, what, query string) (name string, release func(), err error) {
	kept, err := e.client.Keep(ctx, connect.SQL(query))
	if err != nil {
		return "", nil, err
	}
	name = e.name(what)
	release = func() { _ = e.client.Release(context.WithoutCancel(ctx), kept) }
	if err := e.client.View(ctx, name, kept.Relation); err != nil {
		release()
		return "", nil, err
	}
	return name, release, nil
}

func (m *merging) sameKeys() string {
	var equal []string
	for _, key := range quoteNames(m.out.Keys) {
		equal = append(equal, fmt.Sprintf("target.%[1]s = source.%[1]s", key))
	}
	return strings.Join(equal, " AND ")
}

// tombstone is the SQL condition that a source row is a tombstone.
func (m *merging) tombstone() string {
	if m.out.Tombstone == "" {
		return "false"
	}
	return fmt.Sprintf("coalesce(source.%s, false)", quoteName(m.out.Tombstone))
}

// matchQuery pairs rows with equal keys: where the table's lies, and what becomes of it.
func (m *merging) matchQuery(target string) string {
	newer := "false"
	if m.out.Newer != "" {
		newer = m.out.Newer
	}
	var keys, none []string
	for _, key := range quoteNames(m.out.Keys) {
		keys, none = append(keys, "source."+key), append(none, "NULL")
	}
	query := fmt.Sprintf("SELECT %s, target.%s, target.%s, %s AS _dead, CASE WHEN (%s\n) THEN CASE WHEN %[4]s THEN %[6]s ELSE %[7]s END ELSE %[8]s END AS _fate\nFROM %[9]s AS target JOIN %[10]s AS source ON %[11]s",
		join(keys), uriColumn, rowColumn, m.tombstone(), newer, quote(fateDelete), quote(fateUpdate), quote(fateStay), target, m.source, m.sameKeys())
	if m.out.Prune != "" {
		query += fmt.Sprintf("\nUNION ALL\nSELECT %s, %s, %s, false, %s FROM %s AS target LEFT ANTI JOIN %s AS source ON %s WHERE (%s\n)",
			join(none), uriColumn, rowColumn, quote(fatePrune), target, m.source, m.sameKeys(), m.out.Prune)
	}
	return query
}

// countSource counts the source's rows, tombstones among them. It refuses a source that has a key twice: which row should win is for the
// query to say.
func (m *merging) countSource(ctx context.Context, n *publication.MergeCounts) (rows int64, err error) {
	keys := quoteNames(m.out.Keys)
	var texts []string
	for _, key := range keys {
		texts = append(texts, "CAST("+key+" AS STRING)")
	}
	found, err := m.engine.rows(ctx, fmt.Sprintf(`SELECT coalesce(sum(n), 0), coalesce(sum(kept), 0), coalesce(max(same), 0), max_by(key, same)
		FROM (SELECT concat_ws(', ', %s) AS key, count(*) AS n, count_if(NOT %s) AS kept, CASE WHEN %s IS NOT NULL THEN count(*) END AS same FROM %s AS source GROUP BY %s)`,
		join(texts), m.tombstone(), strings.Join(keys, " IS NOT NULL AND "), m.source, join(keys)))
	if err != nil {
		return 0, err
	}
	if same := found[0][2].(int64); same > 1 {
		return 0, fmt.Errorf("merge: the query gives key %s %d times", found[0][3], same)
	}
	n.Source = found[0][1].(int64)
	return found[0][0].(int64), nil
}

// countMatched counts what becomes of the table's rows. Those that are pruned have no key.
func (m *merging) countMatched(ctx context.Context, n *publication.MergeCounts) error {
	rows, err := m.engine.rows(ctx, fmt.Sprintf(`SELECT count_if(fate <> 'prune' AND NOT dead), count_if(fate = 'update'), coalesce(sum(deleted), 0), coalesce(sum(pruned), 0)
		FROM (SELECT max(_fate) AS fate, bool_or(_dead) AS dead, count_if(_fate = 'delete') AS deleted, count_if(_fate = 'prune') AS pruned FROM %s GROUP BY %s)`,
		m.matched, join(quoteNames(m.out.Keys))))
	if err != nil {
		return err
	}
	for i, into := range []*int64{&n.Known, &n.Updated, &n.Deleted, &n.Pruned} {
		*into = rows[0][i].(int64)
	}
	return nil
}

// sourceRows gives the SQL of those rows of the source that match, or do not, a row of the table with one of some fates.
func (m *merging) sourceRows(not string, more string, fates ...string) string {
	quoted := make([]string, len(fates))
	for i, fate := range fates {
		quoted[i] = quote(fate)
	}
	return fmt.Sprintf("SELECT %s%s FROM %s AS source WHERE NOT %s AND %s EXISTS (SELECT 1 FROM %s AS target WHERE _fate IN (%s) AND %s)",
		columnList(m.layout.Schema), more, m.source, m.tombstone(), not, m.matched, join(quoted), m.sameKeys())
}

// write takes the rows that go out of their files and writes those that come.
func (m *merging) write(ctx context.Context) error {
	c := m.change
	if m.matched == "" { // all rows are new
		var err error
		c.Add, err = m.publishing.write(ctx, m.layout, rebalanced(fmt.Sprintf("SELECT %s FROM %s AS source WHERE NOT %s", columnList(m.layout.Schema), m.source, m.tombstone())))
		return err
	}
	places := fmt.Sprintf("(SELECT * FROM %s WHERE _fate <> %s)", m.matched, quote(fateStay))
	kept, err := m.takeOut(ctx, m.snapshot, c, places)
	if err != nil {
		return err
	}
	query := m.sourceRows("NOT", "", fateStay, fateDelete)
	if kept != "" {
		query += unionAll + kept
	}
	if c.Counts.Inserted+c.Counts.Updated > 0 || kept != "" {
		if c.Add, err = m.publishing.write(ctx, m.layout, rebalanced(query)); err != nil {
			return err
		}
	}
	if !m.snapshot.ChangeDataFeedEnabled() || c.Counts.Updated == 0 && (c.Counts.Deleted == 0 || c.Rewritten == 0) {
		return nil
	}
	changes, err := m.changeRows(ctx)
	if err != nil {
		return err
	}
	c.Told, err = m.tell(ctx, m.layout, changes)
	return err
}

// changeRows gives the SQL of what the merge does to the rows.
func (m *merging) changeRows(ctx context.Context) (string, error) {
	rows, err := m.engine.filesQuery(ctx, m.snapshot, m.change.Touched(), scanned{place: true})
	if err != nil {
		return "", err
	}
	old, err := oldCells(m.snapshot, m.layout.Schema)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`SELECT %s, CASE gone._fate WHEN 'update' THEN 'update_preimage' ELSE 'delete' END AS %s
		FROM (%s) AS target JOIN (SELECT %s, %s, _fate FROM %s WHERE _fate <> 'stay') AS gone USING (%[4]s, %[5]s)`,
		old, engine.ChangeType, rows, uriColumn, rowColumn, m.matched) +
		unionAll + m.sourceRows("", ", 'update_postimage'", fateUpdate) +
		unionAll + m.sourceRows("NOT", ", 'insert'", fateStay, fateUpdate, fateDelete), nil
}
