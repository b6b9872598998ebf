-- one row per launch provider that has attempted or plans a launch
-- reads: launches
--
-- An attempt is a launch of status 3 (success), 4 (failure) or 7 (partial failure), from Earth. Only 3 is a success.
-- Suborbital flights are counted apart and are in no other number. Planned launches have status 1, 2, 5 or 8, orbital or
-- not. "As of" is the latest last_updated of all launches, never the clock. Name, type and country are those
-- of the provider's launch that was updated last.
--
-- provider_country_code: ISO 3166 alpha-3; several are joined by commas
-- attempts: orbital attempts
-- success_rate: successes by attempts, from 0 to 1; null without attempts
-- share_of_attempts: of all providers' orbital attempts, from 0 to 1
-- attempts_last_365_days: orbital attempts in the 365 days before as_of
-- active_years: calendar years (UTC) with an orbital attempt
-- planned: launches still to come
with clock as (
    select unix_seconds(max(last_updated)) - 365 * 86400 as year_ago
    from launches
),
flights as (
    -- first by year and outcome, for these are few
    select
        provider_id, status_id, is_suborbital, year(to_date(net)) as calendar_year, count(*) as launches,
        count(case when unix_seconds(net) > year_ago then 1 end) as recent_launches,
        min(net) as first_net, max(net) as last_net, max(last_updated) as last_update
    from launches
    cross join clock
    where provider_id is not null and coalesce(celestial_body_id, 1) = 1
    group by provider_id, status_id, is_suborbital, year(to_date(net))
),
marked as (
    select
        provider_id, status_id, is_suborbital, calendar_year, launches, recent_launches, first_net, last_net, last_update,
        status_id in (3, 4, 7) and not is_suborbital as is_attempt
    from flights
),
counted as (
    select
        provider_id,
        cast(sum(case when is_attempt then launches else 0 end) as bigint) as attempts,
        cast(sum(case when is_attempt and status_id = 3 then launches else 0 end) as bigint) as successes,
        cast(sum(case when is_attempt and status_id = 4 then launches else 0 end) as bigint) as failures,
        cast(sum(case when is_attempt and status_id = 7 then launches else 0 end) as bigint) as partial_failures,
        cast(sum(case when is_attempt then recent_launches else 0 end) as bigint) as attempts_last_365_days,
        count(distinct case when is_attempt then calendar_year end) as active_years,
        min(case when is_attempt then first_net end) as first_attempt,
        max(case when is_attempt then last_net end) as last_attempt,
        cast(sum(case when status_id in (3, 4, 7) and is_suborbital then launches else 0 end) as bigint) as suborbital_attempts,
        cast(sum(case when status_id = 3 and is_suborbital then launches else 0 end) as bigint) as suborbital_successes,
        cast(sum(case when status_id in (1, 2, 5, 8) then launches else 0 end) as bigint) as planned,
        max(last_update) as last_update
    from marked
    group by provider_id
),
names as (
    select
        s.provider_id, s.provider_name, s.provider_abbrev, s.provider_type, s.provider_country_code,
        rank() over (partition by s.provider_id order by s.id) as place
    from launches s
    join counted c on c.provider_id = s.provider_id and c.last_update = s.last_updated
    where coalesce(s.celestial_body_id, 1) = 1
),
totals as (
    select sum(attempts) as all_attempts
    from counted
)
select
    c.provider_id, n.provider_name, n.provider_abbrev, n.provider_type, n.provider_country_code,
    c.attempts, c.successes, c.failures, c.partial_failures,
    c.successes / nullif(c.attempts, 0) as success_rate,
    c.attempts / nullif(cast(t.all_attempts as bigint), 0) as share_of_attempts,
    c.attempts_last_365_days, c.active_years, c.first_attempt, c.last_attempt,
    c.suborbital_attempts, c.suborbital_successes, c.planned
from counted c
join names n on n.provider_id = c.provider_id and n.place = 1
cross join totals t
where c.attempts + c.suborbital_attempts + c.planned > 0
order by c.attempts desc, c.provider_id
