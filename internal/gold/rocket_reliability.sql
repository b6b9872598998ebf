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
    -- flights of one moment share a place here: to sort all by id too would take longer than all the rest
    select
        rocket_id, is_suborbital, net, status_id,
        rank() over flown as place,
        net = lag(net) over flown or net = lead(net) over flown as is_shared
    from launches
    where rocket_id is not null and coalesce(status_id, 0) in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
    window flown as (partition by rocket_id, is_suborbital order by net)
),
losses as (
    select distinct rocket_id, is_suborbital, net, place, is_shared
    from flights
    where status_id <> 3
),
together as (
    -- the flights of the moments that a loss shares, by id
    select
        rocket_id, is_suborbital, net, status_id,
        row_number() over (partition by rocket_id, is_suborbital, net order by id) - 1 as ahead
    from launches
    where net in (select net from losses where is_shared)
        and rocket_id is not null and coalesce(status_id, 0) in (3, 4, 7) and coalesce(celestial_body_id, 1) = 1
),
placed as (
    select l.rocket_id, l.is_suborbital, l.place + coalesce(t.ahead, 0) as place
    from losses l
    left join together t on t.rocket_id = l.rocket_id and t.is_suborbital = l.is_suborbital and t.net = l.net and t.status_id <> 3
),
streaks as (
    -- the successes between one loss and the next
    select
        rocket_id, is_suborbital, place,
        place - 1 - coalesce(lag(place) over (partition by rocket_id, is_suborbital order by place), 0) as streak
    from placed
),
runs as (
    select rocket_id, is_suborbital, max(place) as last_loss, max(streak) as longest_ended
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
    c.attempts - coalesce(r.last_loss, 0) as current_streak,
    greatest(c.attempts - coalesce(r.last_loss, 0), coalesce(r.longest_ended, 0)) as longest_streak,
    c.first_attempt, c.last_attempt, c.last_failure,
    cast(floor((unix_seconds(k.as_of) - unix_seconds(c.last_failure)) / 86400) as int) as days_since_last_failure,
    k.as_of
from counted c
left join runs r on r.rocket_id = c.rocket_id and r.is_suborbital = c.is_suborbital
join names n on n.rocket_id = c.rocket_id and n.place = 1
cross join clock k
order by c.attempts desc, c.rocket_id, c.is_suborbital
