package silver

import (
	"context"
	"fmt"
	"strings"

	"launchlake/internal/contract"
	"launchlake/internal/engine"
)

// count asks in one query what became of the records, which rules were broken how often, and how many rows a newer one replaces.
func (r *refinement) count(ctx context.Context) (Counts, []RuleCount, error) {
	measures := []string{
		"count(*)",
		"count(case when _verdict = 'keep' then 1 end)",
		"count(case when _verdict = 'quarantine' then 1 end)",
		"count(case when _verdict = 'drop' then 1 end)",
	}
	first := len(measures)
	for i := range r.plan.rules {
		measures = append(measures, fmt.Sprintf("count(case when %s then 1 end)", ruleFlag(i)))
	}
	for i, measure := range measures {
		measures[i] = fmt.Sprintf("%s as n%d", measure, i)
	}
	if err := r.engine.Define(ctx, relRepeated, r.plan.repeated(), engine.Once); err != nil {
		return Counts{}, nil, err
	}
	n, err := r.numbers(ctx, fmt.Sprintf("select n.*, s.superseded from (select %s from %s) n cross join (select cast(coalesce(sum(_n - 1), 0) as bigint) as superseded from %s) s",
		strings.Join(measures, ", "), relChecked, relRepeated))
	if err != nil {
		return Counts{}, nil, err
	}
	counts := Counts{Read: n[0], Good: n[1], Quarantined: n[2], Dropped: n[3], Superseded: n[len(n)-1]}
	var rules []RuleCount
	for i, rule := range r.plan.rules {
		rules = append(rules, RuleCount{Rule: rule.Name, Action: rule.Action, Broken: n[first+i]})
	}
	return counts, rules, nil
}

// numbers gives the single row of a query.
func (r *refinement) numbers(ctx context.Context, query string) ([]int64, error) {
	row, err := firstRow(ctx, r.engine, query)
	if err != nil {
		return nil, fmt.Errorf("count records: %w", err)
	}
	numbers := make([]int64, len(row))
	for i, v := range row {
		var ok bool
		if numbers[i], ok = v.(int64); !ok {
			return nil, fmt.Errorf("count records: a count is %v", v)
		}
	}
	return numbers, nil
}

func firstRow(ctx context.Context, e engine.Engine, query string) ([]any, error) {
	rows, err := e.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	for row, err := range rows.All {
		return row, err
	}
	return nil, fmt.Errorf("no rows come of %s", query)
}

// failed is the error of the first rule that must not be broken and was.
func (r *refinement) failed(ctx context.Context, counts []RuleCount) error {
	for i, count := range counts {
		if count.Action != contract.Fail || count.Broken == 0 {
			continue
		}
		row, err := firstRow(ctx, r.engine, fmt.Sprintf("select min(%s) from %s where %s", r.plan.hash, relChecked, ruleFlag(i)))
		if err != nil {
			return err
		}
		return &ContractError{Rule: count.Rule, Message: r.plan.rules[i].Message, Broken: count.Broken, Example: fmt.Sprint(row[0])}
	}
	return nil
}

// exceeded is the error of the first limit that the records broke together, unless that is accepted.
func (r *refinement) exceeded(ctx context.Context, c Counts) error {
	counts := fmt.Sprintf("(select %d as read, %d as good, %d as quarantined, %d as dropped) n", c.Read, c.Good, c.Quarantined, c.Dropped)
	for _, limit := range r.contract.Limits {
		row, err := firstRow(ctx, r.engine, fmt.Sprintf("select coalesce((%s), false) from %s", limit.Expect, counts))
		if err != nil {
			return fmt.Errorf("limit %s: %w", limit.Name, err)
		}
		if row[0] == true {
			continue
		}
		broken := &ContractError{Rule: limit.Name, Message: limit.Message, Broken: c.Quarantined + c.Dropped}
		if r.options.AcceptBroken {
			r.options.Logger.WarnContext(ctx, "limit of the contract broken, and accepted", "limit", limit.Name, "records", broken.Broken)
			continue
		}
		row, err = firstRow(ctx, r.engine, fmt.Sprintf("select min(%s) from %s where _verdict in ('quarantine', 'drop')", r.plan.hash, relChecked))
		if err != nil {
			return err
		}
		broken.Example = fmt.Sprint(row[0])
		return broken
	}
	return nil
}
