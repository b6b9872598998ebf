-- one row per calendar period (a year, a quarter or a month, UTC) in which a launch was attempted
-- reads: launches
--
-- An attempt is a launch of status 3 (success), 4 (failure) or 7 (partial failure), from Earth. Only 3 is a success. The
-- period is that of net, the time of launch. Suborbital flights are counted apart and are in no other number.
--
-- period_type: year, quarter or month
-- period: the period's name, 2026, 2026-Q3 or 2026-07
-- period_start: its first day
-- attempts: orbital attempts
-- success_rate: successes by attempts, from 0 to 1; null without attempts
-- attempts_to_date: orbital attempts up to the end of the period, since the first
-- suborbital_attempts: suborbital attempts
with attempts as (
    select net, status_id, is_suborbital
    from launches
    where status_id in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
),
periods as (
    select 'year' as period_type, date_trunc('year', net) as period_start, cast(year(net) as string) as period, status_id, is_suborbital
    from attempts
    union all
    select 'quarter', date_trunc('quarter', net), cast(year(net) as string) || '-Q' || cast(quarter(net) as string), status_id, is_suborbital
    from attempts
    union all
    select 'month', date_trunc('month', net), cast(year(net) as string) || '-' || lpad(cast(month(net) as string), 2, '0'), status_id, is_suborbital
    from attempts
),
counted as (
    select
        period_type, period, period_start,
        count(case when not is_suborbital then 1 end) as attempts,
        count(case when not is_suborbital and status_id = 3 then 1 end) as successes,
        count(case when not is_suborbital and status_id = 4 then 1 end) as failures,
        count(case when not is_suborbital and status_id = 7 then 1 end) as partial_failures,
        count(case when is_suborbital then 1 end) as suborbital_attempts,
        count(case when is_suborbital and status_id = 3 then 1 end) as suborbital_successes
    from periods
    group by period_type, period, period_start
)
select
    period_type, period, cast(period_start as date) as period_start,
    attempts, successes, failures, partial_failures,
    successes / nullif(attempts, 0) as success_rate,
    cast(sum(attempts) over (partition by period_type order by period_start rows between unbounded preceding and current row) as bigint) as attempts_to_date,
    suborbital_attempts, suborbital_successes
from counted
order by period_type, period_start
