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
with subject as (
    select *
    from launches
    where provider_id is not null and coalesce(celestial_body_id, 1) = 1
),
marked as (
    select
        provider_id, net, status_id, is_suborbital,
        status_id in (3, 4, 7) and not is_suborbital as is_attempt,
        (select max(last_updated) from launches) as as_of
    from subject
),
names as (
    select
        provider_id, provider_name, provider_abbrev, provider_type, provider_country_code,
        row_number() over (partition by provider_id order by last_updated desc, id) as newest
    from subject
),
counted as (
    select
        provider_id,
        count(case when is_attempt then 1 end) as attempts,
        count(case when is_attempt and status_id = 3 then 1 end) as successes,
        count(case when is_attempt and status_id = 4 then 1 end) as failures,
        count(case when is_attempt and status_id = 7 then 1 end) as partial_failures,
        count(case when is_attempt and unix_seconds(net) > unix_seconds(as_of) - 365 * 86400 then 1 end) as attempts_last_365_days,
        count(distinct case when is_attempt then year(net) end) as active_years,
        min(case when is_attempt then net end) as first_attempt,
        max(case when is_attempt then net end) as last_attempt,
        count(case when status_id in (3, 4, 7) and is_suborbital then 1 end) as suborbital_attempts,
        count(case when status_id = 3 and is_suborbital then 1 end) as suborbital_successes,
        count(case when status_id in (1, 2, 5, 8) then 1 end) as planned
    from marked
    group by provider_id
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
join names n on n.provider_id = c.provider_id and n.newest = 1
cross join totals t
where c.attempts + c.suborbital_attempts + c.planned > 0
order by c.attempts desc, c.provider_id
