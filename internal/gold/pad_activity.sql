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
with subject as (
    select *
    from launches
    where pad_id is not null and coalesce(celestial_body_id, 1) = 1
),
moments as (
    select distinct pad_id, unix_seconds(net) as at_second
    from subject
    where status_id in (3, 4, 7)
),
gaps as (
    select pad_id, (at_second - lag(at_second) over (partition by pad_id order by at_second)) / 86400 as days
    from moments
),
turnarounds as (
    select pad_id, median(days) as median_turnaround_days, min(days) as fastest_turnaround_days
    from gaps
    group by pad_id
),
counted as (
    select
        pad_id,
        count(case when status_id in (3, 4, 7) and not is_suborbital then 1 end) as attempts,
        count(case when status_id = 3 and not is_suborbital then 1 end) as successes,
        count(case when status_id in (3, 4, 7) and is_suborbital then 1 end) as suborbital_attempts,
        min(case when status_id in (3, 4, 7) then net end) as first_attempt,
        max(case when status_id in (3, 4, 7) then net end) as last_attempt,
        count(case when status_id in (1, 2, 5, 8) then 1 end) as planned
    from subject
    group by pad_id
),
names as (
    select
        pad_id, pad_name, pad_country_code, pad_latitude, pad_longitude, location_id, location_name,
        row_number() over (partition by pad_id order by last_updated desc, id) as newest
    from subject
)
select
    c.pad_id, n.pad_name, n.location_id, n.location_name, n.pad_country_code, n.pad_latitude, n.pad_longitude,
    c.attempts, c.successes, c.suborbital_attempts, c.first_attempt, c.last_attempt,
    t.median_turnaround_days, t.fastest_turnaround_days, c.planned
from counted c
join turnarounds t on t.pad_id = c.pad_id
join names n on n.pad_id = c.pad_id and n.newest = 1
order by c.attempts desc, c.pad_id
