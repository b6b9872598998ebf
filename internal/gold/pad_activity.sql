-- one row per launch pad on Earth with at least one attempt
-- reads: launches
--
-- An attempt is a launch of status 3 (success), 4 (failure) or 7 (partial failure). Orbital and suborbital flights are
-- counted apart. The turnaround is the time from one attempt on the pad to the next, of whatever kind, for the pad is
-- busy with both; attempts of the same second, which only pads standing for several have, count as one here.
--
-- attempts: orbital attempts
-- suborbital_attempts: suborbital attempts
-- last_attempt: the last one of either kind
-- median_turnaround_days: null with fewer than two attempts
-- fastest_turnaround_days: null with fewer than two attempts
-- planned: launches still to come (status 1, 2, 5, 8)
with flights as (
    -- first by outcome, for these are few
    select
        pad_id, status_id, is_suborbital, count(*) as launches,
        min(net) as first_net, max(net) as last_net, max(last_updated) as last_update
    from launches
    where pad_id is not null and coalesce(celestial_body_id, 1) = 1
    group by pad_id, status_id, is_suborbital
),
counted as (
    select
        pad_id,
        cast(sum(case when status_id in (3, 4, 7) and not is_suborbital then launches else 0 end) as bigint) as attempts,
        cast(sum(case when status_id = 3 and not is_suborbital then launches else 0 end) as bigint) as successes,
        cast(sum(case when status_id in (3, 4, 7) and is_suborbital then launches else 0 end) as bigint) as suborbital_attempts,
        min(case when status_id in (3, 4, 7) then first_net end) as first_attempt,
        max(case when status_id in (3, 4, 7) then last_net end) as last_attempt,
        cast(sum(case when status_id in (1, 2, 5, 8) then launches else 0 end) as bigint) as planned,
        max(last_update) as last_update
    from flights
    group by pad_id
),
moments as (
    -- coalesce: DuckDB then skips the others as it reads
    select pad_id, unix_seconds(net) as at_second
    from launches
    where pad_id is not null and coalesce(status_id, 0) in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
),
gaps as (
    select pad_id, nullif(at_second - lag(at_second) over (partition by pad_id order by at_second), 0) as seconds
    from moments
),
turnarounds as (
    select pad_id, median(seconds) / 86400 as median_turnaround_days, min(seconds) / 86400 as fastest_turnaround_days
    from gaps
    group by pad_id
),
names as (
    select
        s.pad_id, s.pad_name, s.pad_country_code, s.pad_latitude, s.pad_longitude, s.location_id, s.location_name,
        rank() over (partition by s.pad_id order by s.id) as place
    from launches s
    join counted c on c.pad_id = s.pad_id and c.last_update = s.last_updated
    where coalesce(s.celestial_body_id, 1) = 1
)
select
    c.pad_id, n.pad_name, n.location_id, n.location_name, n.pad_country_code, n.pad_latitude, n.pad_longitude,
    c.attempts, c.successes, c.suborbital_attempts, c.first_attempt, c.last_attempt,
    t.median_turnaround_days, t.fastest_turnaround_days, c.planned
from counted c
join turnarounds t on t.pad_id = c.pad_id
join names n on n.pad_id = c.pad_id and n.place = 1
order by c.attempts desc, c.pad_id
