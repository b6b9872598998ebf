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

// merge replaces the rows that have a newer one and adds those whose keys are not there. Only files that hold a replaced
// row are written again.
type merge struct {
	*publishing
	keys  []string
	newer string

	source, matched string // relations that are kept while it works
}

func (m *merge) work(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	schema := c.SchemaOf(s)
	query, err := m.fill(s.Metadata(), schema)
	if err != nil {
		return err
	}
	var release func()
	if m.source, release, err = m.engine.keep(ctx, "source", query); err != nil {
		return err
	}
	defer release()
	if err := m.checkKeys(ctx); err != nil {
		return err
	}
	target, err := m.engine.placedQuery(s)
	if err != nil {
		return err
	}
	if m.matched, release, err = m.engine.keep(ctx, "matched", m.matchQuery(target)); err != nil {
		return err
	}
	defer release()
	counts, err := m.count(ctx)
	if c.CountMerge(counts); err != nil || !counts.Changes() {
		return err
	}
	kept, err := m.keptRows(ctx, s, schema, c)
	if err != nil {
		return err
	}
	fresh := fmt.Sprintf("SELECT %s FROM %s AS source WHERE NOT EXISTS (SELECT 1 FROM %s AS target WHERE NOT target._replaced AND %s)",
		columnList(schema), m.source, m.matched, m.sameKeys())
	if c.Add, err = m.write(ctx, s, schema, rebalanced(fresh+kept)); err != nil {
		return err
	}
	return nil
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

func (m *merge) sameKeys() string {
	var equal []string
	for _, key := range quoteNames(m.keys) {
		equal = append(equal, fmt.Sprintf("target.%[1]s = source.%[1]s", key))
	}
	return strings.Join(equal, " AND ")
}

func (m *merge) replaces() string {
	if m.newer == "" {
		return "false"
	}
	return "coalesce((" + m.newer + "), false)"
}

// matchQuery pairs rows with equal keys: the keys, the file of the table's row, and whether it is replaced.
func (m *merge) matchQuery(target string) string {
	var keys []string
	for _, key := range quoteNames(m.keys) {
		keys = append(keys, "source."+key)
	}
	return fmt.Sprintf("SELECT %s, target.%s, %s AS _replaced FROM %s AS target JOIN %s AS source ON %s",
		join(keys), uriColumn, m.replaces(), target, m.source, m.sameKeys())
}

// checkKeys refuses a source that has a key twice: which row should win is for the query to say.
func (m *merge) checkKeys(ctx context.Context) error {
	keys := quoteNames(m.keys)
	var texts []string
	for _, key := range keys {
		texts = append(texts, "CAST("+key+" AS STRING)")
	}
	rows, err := m.engine.rows(ctx, fmt.Sprintf("SELECT concat_ws(', ', %s), count(*) FROM %s WHERE %s IS NOT NULL GROUP BY %s HAVING count(*) > 1 LIMIT 1",
		join(texts), m.source, strings.Join(keys, " IS NOT NULL AND "), join(keys)))
	if err == nil && len(rows) > 0 {
		err = fmt.Errorf("merge: the query gives key %s %d times", rows[0][0], rows[0][1])
	}
	return err
}

func (m *merge) count(ctx context.Context) (n publication.MergeCounts, err error) {
	keys := join(quoteNames(m.keys))
	rows, err := m.engine.rows(ctx, fmt.Sprintf(`SELECT (SELECT count(*) FROM %s), count(*), count(CASE WHEN replaced THEN 1 END)
		FROM (SELECT %s, bool_or(_replaced) AS replaced FROM %s GROUP BY %[2]s)`, m.source, keys, m.matched))
	if err != nil {
		return n, err
	}
	return publication.MergeCounts{Source: rows[0][0].(int64), Known: rows[0][1].(int64), Updated: rows[0][2].(int64)}, nil
}

// keptRows notes the files to write again for removal, and gives the SQL that adds their other rows.
func (m *merge) keptRows(ctx context.Context, s *delta.Snapshot, schema *delta.Schema, c *publication.Change) (string, error) {
	rows, err := m.engine.rows(ctx, fmt.Sprintf("SELECT DISTINCT %s FROM %s WHERE _replaced", uriColumn, m.matched))
	if err != nil || len(rows) == 0 {
		return "", err
	}
	touched := map[string]bool{}
	for _, row := range rows {
		touched[row[0].(string)] = true
	}
	location, err := m.engine.location(m.table)
	if err != nil {
		return "", err
	}
	var again []engine.File
	for add, err := range s.Files() {
		if err != nil {
			return "", err
		}
		if touched[fileURI(location, add.Path)] {
			again = append(again, engine.File{Add: add})
			c.TakeAway(add)
		}
	}
	if len(again) != len(touched) {
		return "", fmt.Errorf("merge: Spark names %d files of the table, of which the log knows %d: one is %s", len(touched), len(again), rows[0][0])
	}
	target, err := m.engine.filesQuery(ctx, s, again, scanned{})
	if err != nil {
		return "", err
	}
	cells := columnList(s.Schema())
	for _, f := range schema.Fields[len(s.Schema().Fields):] {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", err
		}
		cells += fmt.Sprintf(", CAST(NULL AS %s)", t)
	}
	return fmt.Sprintf("\nUNION ALL\nSELECT %s FROM (%s) AS target WHERE NOT EXISTS (SELECT 1 FROM %s AS source WHERE %s AND %s)",
		cells, target, m.source, m.sameKeys(), m.replaces()), nil
}
