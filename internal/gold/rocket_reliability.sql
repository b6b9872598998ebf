-- one row per rocket configuration and kind of flight (orbital, suborbital) with at least one attempt
-- reads: launches
--
-- An attempt is a launch of status 3 (success), 4 (failure) or 7 (partial failure), from Earth. Only 3 is a success. A
-- streak is a run of successes in the order of net; 4 and 7 end it. "As of" is the latest last_updated of all
-- launches, never the clock.
--
-- is_suborbital: the kind of flight; orbital and suborbital flights of one rocket are never mixed
-- success_rate: successes by attempts, from 0 to 1
-- current_streak: successes since the last failure or partial failure, or since the first flight
-- longest_streak: the most successes in a row
-- last_failure: when the last attempt failed, in part or whole; null when none did
-- days_since_last_failure: whole days from last_failure to as_of
with subject as (
    select *
    from launches
    where rocket_id is not null and status_id in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
),
flights as (
    select
        rocket_id, is_suborbital, net, status_id,
        sum(case when status_id = 3 then 0 else 1 end) over (
            partition by rocket_id, is_suborbital order by net, id rows between unbounded preceding and current row
        ) as losses
    from subject
),
streaks as (
    select
        rocket_id, is_suborbital, losses,
        count(case when status_id = 3 then 1 end) as streak,
        row_number() over (partition by rocket_id, is_suborbital order by losses desc) as from_the_last
    from flights
    group by rocket_id, is_suborbital, losses
),
runs as (
    select
        rocket_id, is_suborbital,
        max(case when from_the_last = 1 then streak end) as current_streak,
        max(streak) as longest_streak
    from streaks
    group by rocket_id, is_suborbital
),
counted as (
    select
        rocket_id, is_suborbital,
        count(*) as attempts,
        count(case when status_id = 3 then 1 end) as successes,
        count(case when status_id = 4 then 1 end) as failures,
        count(case when status_id = 7 then 1 end) as partial_failures,
        min(net) as first_attempt,
        max(net) as last_attempt,
        max(case when status_id <> 3 then net end) as last_failure
    from subject
    group by rocket_id, is_suborbital
),
names as (
    select
        rocket_id, rocket_name, rocket_full_name, rocket_family, provider_name,
        row_number() over (partition by rocket_id order by last_updated desc, id) as newest
    from subject
),
clock as (
    select max(last_updated) as as_of
    from launches
)
select
    c.rocket_id, n.rocket_full_name, n.rocket_name, n.rocket_family, n.provider_name, c.is_suborbital,
    c.attempts, c.successes, c.failures, c.partial_failures,
    c.successes / c.attempts as success_rate,
    r.current_streak, r.longest_streak, c.first_attempt, c.last_attempt, c.last_failure,
    cast(floor((unix_seconds(k.as_of) - unix_seconds(c.last_failure)) / 86400) as int) as days_since_last_failure,
    k.as_of
from counted c
join runs r on r.rocket_id = c.rocket_id and r.is_suborbital = c.is_suborbital
join names n on n.rocket_id = c.rocket_id and n.newest = 1
cross join clock k
order by c.attempts desc, c.rocket_id, c.is_suborbital
