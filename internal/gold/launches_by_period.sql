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
with days as (
    -- first by day, for days are few; coalesce: DuckDB then skips the others as it reads
    select to_date(net) as day, status_id, is_suborbital, count(*) as launches
    from launches
    where coalesce(status_id, 0) in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
    group by to_date(net), status_id, is_suborbital
),
months as (
    select date_trunc('month', day) as first_day, status_id, is_suborbital, sum(launches) as launches
    from days
    group by date_trunc('month', day), status_id, is_suborbital
),
periods as (
    select 'year' as period_type, date_trunc('year', first_day) as period_start, cast(year(first_day) as string) as period, status_id, is_suborbital, launches
    from months
    union all
    select 'quarter', date_trunc('quarter', first_day), cast(year(first_day) as string) || '-Q' || cast(quarter(first_day) as string), status_id, is_suborbital, launches
    from months
    union all
    select 'month', first_day, cast(year(first_day) as string) || '-' || lpad(cast(month(first_day) as string), 2, '0'), status_id, is_suborbital, launches
    from months
),
counted as (
    select
        period_type, period, period_start,
        cast(sum(case when not is_suborbital then launches else 0 end) as bigint) as attempts,
        cast(sum(case when not is_suborbital and status_id = 3 then launches else 0 end) as bigint) as successes,
        cast(sum(case when not is_suborbital and status_id = 4 then launches else 0 end) as bigint) as failures,
        cast(sum(case when not is_suborbital and status_id = 7 then launches else 0 end) as bigint) as partial_failures,
        cast(sum(case when is_suborbital then launches else 0 end) as bigint) as suborbital_attempts,
        cast(sum(case when is_suborbital and status_id = 3 then launches else 0 end) as bigint) as suborbital_successes
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
