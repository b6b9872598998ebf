package publication

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// published tells the table's history what was done, in Spark's words.
func published(out engine.Output, c *Change) delta.Operation {
	op := delta.Operation{Name: "WRITE", UserMetadata: out.UserMetadata, Metrics: map[string]int64{
		"numFiles":      int64(len(c.Add)),
		"numOutputRows": Records(c.Add),
	}}
	switch out.Mode {
	case engine.Append:
		op.Parameters = map[string]string{"mode": "Append"}
	case engine.Overwrite:
		op.Parameters = map[string]string{"mode": "Overwrite"}
		if out.Where != "" {
			op.Parameters["predicate"] = out.Where
		}
	case engine.OverwritePartitions:
		op.Parameters = map[string]string{"mode": "Overwrite", "isDynamicPartitionOverwrite": "true"}
	case engine.Merge:
		op.Name, op.Parameters = "MERGE", mergeParameters(out)
		maps.Copy(op.Metrics, c.mergeMetrics())
	}
	return op
}

// MergeCounts are the rows of a merge.
type MergeCounts struct {
	Source  int64 // of the query, without tombstones
	Known   int64 // of these, that match a row of the table
	Updated int64 // of these, that replace it
	Deleted int64 // of the table, that a tombstone removes
	Pruned  int64 // of the table, that no row of the query matches
}

// CountMerge notes what a merge does to rows.
func (c *Change) CountMerge(n MergeCounts) {
	c.merged = n
	c.Counts.Inserted, c.Counts.Updated = n.Source-n.Known, n.Updated
	c.Counts.Unchanged, c.Counts.Deleted = n.Known-n.Updated, n.Deleted+n.Pruned
}

// Changes is whether any row comes or goes.
func (n MergeCounts) Changes() bool { return n.Source-n.Known+n.Updated+n.Deleted+n.Pruned > 0 }

func (c *Change) mergeMetrics() map[string]int64 {
	n := c.merged
	added, removed := c.bytes()
	return map[string]int64{
		"numSourceRows":                          n.Source,
		"numTargetRowsInserted":                  n.Source - n.Known,
		"numTargetRowsUpdated":                   n.Updated,
		"numTargetRowsDeleted":                   n.Deleted + n.Pruned,
		"numTargetRowsMatchedUpdated":            n.Updated,
		"numTargetRowsMatchedDeleted":            n.Deleted,
		"numTargetRowsNotMatchedBySourceUpdated": 0,
		"numTargetRowsNotMatchedBySourceDeleted": n.Pruned,
		"numTargetRowsCopied":                    Records(c.Add) - c.Counts.Inserted - c.Counts.Updated,
		"numTargetFilesAdded":                    int64(len(c.Add)),
		"numTargetFilesRemoved":                  int64(len(c.Remove)),
		"numTargetBytesAdded":                    added,
		"numTargetBytesRemoved":                  removed,
		"numTargetChangeFilesAdded":              int64(len(c.Told)),
		"numTargetDeletionVectorsAdded":          c.vectors.added,
		"numTargetDeletionVectorsUpdated":        c.vectors.updated,
		"numTargetDeletionVectorsRemoved":        c.vectors.removed,
	}
}

// mergeParameters are the clauses of a merge, in Spark's words.
func mergeParameters(out engine.Output) map[string]string {
	clause := func(action, condition string) map[string]string {
		c := map[string]string{"actionType": action}
		if condition != "" {
			c["predicate"] = condition
		}
		return c
	}
	matched, missing, unmatched := []map[string]string{}, []map[string]string{}, []map[string]string{}
	switch {
	case out.Tombstone != "":
		tombstone := "source." + out.Tombstone
		matched = append(matched, clause("delete", fmt.Sprintf("(%s) AND (%s)", tombstone, out.Newer)), clause("update", out.Newer))
		missing = append(missing, clause("insert", "NOT "+tombstone))
	case out.Newer != "":
		matched, missing = append(matched, clause("update", out.Newer)), append(missing, clause("insert", ""))
	default:
		missing = append(missing, clause("insert", ""))
	}
	if out.Prune != "" {
		unmatched = append(unmatched, clause("delete", out.Prune))
	}
	keys := make([]string, len(out.Keys))
	for i, key := range out.Keys {
		name := `"` + strings.ReplaceAll(key, `"`, `""`) + `"`
		keys[i] = fmt.Sprintf("target.%[1]s = source.%[1]s", name)
	}
	return map[string]string{
		"predicate": jsonText([]string{strings.Join(keys, " AND ")}), "matchedPredicates": jsonText(matched),
		"notMatchedPredicates": jsonText(missing), "notMatchedBySourcePredicates": jsonText(unmatched),
	}
}

// edited tells the table's history of an edit, in Spark's words.
func edited(e engine.Edit, update bool, c *Change) delta.Operation {
	added, removed := c.bytes()
	op := delta.Operation{
		Name: "DELETE", UserMetadata: e.UserMetadata,
		Parameters: map[string]string{"predicate": jsonText([]string{e.Where})},
		Metrics: map[string]int64{
			"numAddedFiles": int64(len(c.Add)), "numAddedBytes": added, "numRemovedFiles": int64(len(c.Remove)), "numRemovedBytes": removed,
			"numCopiedRows": Records(c.Add) - c.Counts.Updated, "numAddedChangeFiles": int64(len(c.Told)),
			"numDeletionVectorsAdded": c.vectors.added, "numDeletionVectorsUpdated": c.vectors.updated, "numDeletionVectorsRemoved": c.vectors.removed,
		},
	}
	if update {
		op.Name, op.Metrics["numUpdatedRows"] = "UPDATE", c.Counts.Updated
	} else {
		op.Metrics["numDeletedRows"] = c.Counts.Deleted
	}
	return op
}

func jsonText(v any) string {
	text, _ := json.Marshal(v) // lists of texts and of maps of them always encode
	return string(text)
}
