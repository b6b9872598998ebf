-- one row per rocket configuration and kind of flight (orbital, suborbital) with at least one attempt
-- reads: launches
--
-- An attempt is a launch of status 3 (success), 4 (failure) or 7 (partial failure), from Earth. Only 3 is a success. A
-- streak is a run of successes in the order of net; 4 and 7 end it, and count behind the successes of their moment.
-- "As of" is the latest last_updated of all launches, never the clock.
--
-- is_suborbital: the kind of flight; orbital and suborbital flights of one rocket are never mixed
-- success_rate: successes by attempts, from 0 to 1
-- current_streak: successes since the last failure or partial failure, or since the first flight
-- longest_streak: the most successes in a row
-- last_failure: when the last attempt failed, in part or whole; null when none did
-- days_since_last_failure: whole days from last_failure to as_of
with outcomes as (
    -- first by outcome, for these are few; coalesce: DuckDB then skips the others as it reads
    select
        rocket_id, is_suborbital, status_id, count(*) as launches,
        min(net) as first_net, max(net) as last_net, max(last_updated) as last_update
    from launches
    where rocket_id is not null and coalesce(status_id, 0) in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
    group by rocket_id, is_suborbital, status_id
),
counted as (
    select
        rocket_id, is_suborbital,
        cast(sum(launches) as bigint) as attempts,
        cast(sum(case when status_id = 3 then launches else 0 end) as bigint) as successes,
        cast(sum(case when status_id = 4 then launches else 0 end) as bigint) as failures,
        cast(sum(case when status_id = 7 then launches else 0 end) as bigint) as partial_failures,
        min(first_net) as first_attempt,
        max(last_net) as last_attempt,
        max(case when status_id <> 3 then last_net end) as last_failure
    from outcomes
    group by rocket_id, is_suborbital
),
flights as (
    -- places from the last flight on, which those of one moment share
    select rocket_id, is_suborbital, status_id, net, rank() over (partition by rocket_id, is_suborbital order by net desc) as from_last
    from launches
    where rocket_id is not null and coalesce(status_id, 0) in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
),
losses as (
    -- the later flights without the later losses
    select
        rocket_id, is_suborbital,
        from_last - rank() over (partition by rocket_id, is_suborbital order by net desc) as successes_since
    from flights
    where status_id <> 3
),
streaks as (
    -- the successes between one loss and the next
    select
        rocket_id, is_suborbital, successes_since,
        successes_since - coalesce(lead(successes_since) over (partition by rocket_id, is_suborbital order by successes_since desc), 0) as streak
    from losses
),
runs as (
    select
        rocket_id, is_suborbital,
        max(successes_since) as since_first_loss,
        min(successes_since) as since_last_loss,
        max(streak) as longest_after_loss
    from streaks
    group by rocket_id, is_suborbital
),
updates as (
    select rocket_id, max(last_update) as last_update
    from outcomes
    group by rocket_id
),
names as (
    select
        s.rocket_id, s.rocket_name, s.rocket_full_name, s.rocket_family, s.provider_name,
        rank() over (partition by s.rocket_id order by s.id) as place
    from launches s
    join updates u on u.rocket_id = s.rocket_id and u.last_update = s.last_updated
    where coalesce(s.celestial_body_id, 1) = 1 and coalesce(s.status_id, 0) in (3, 4, 7)
),
clock as (
    select max(last_updated) as as_of
    from launches
)
select
    c.rocket_id, n.rocket_full_name, n.rocket_name, n.rocket_family, n.provider_name, c.is_suborbital,
    c.attempts, c.successes, c.failures, c.partial_failures,
    c.successes / c.attempts as success_rate,
    coalesce(r.since_last_loss, c.successes) as current_streak,
    greatest(c.successes - coalesce(r.since_first_loss, 0), coalesce(r.longest_after_loss, 0)) as longest_streak,
    c.first_attempt, c.last_attempt, c.last_failure,
    cast(floor((unix_seconds(k.as_of) - unix_seconds(c.last_failure)) / 86400) as int) as days_since_last_failure,
    k.as_of
from counted c
left join runs r on r.rocket_id = c.rocket_id and r.is_suborbital = c.is_suborbital
join names n on n.rocket_id = c.rocket_id and n.place = 1
cross join clock k
order by c.attempts desc, c.rocket_id, c.is_suborbital
