-- one row per launch that has not lifted off (status 1, 2, 5 or 8), soonest first
-- reads: launches
--
-- When a launch is due is a period, from net_period_start to net_period_end, for a coarse net is only the period's last
-- day. Launches are ordered by the end of their period, then by its start. "As of" is the latest last_updated of
-- all launches, never the clock.
--
-- position: place in the order, from 1
-- days_until: whole days from as_of to the start of the period; negative when that is past
-- is_overdue: whether the whole period is before as_of, as with launches whose outcome is not known yet
-- program_names: programmes of the launch, joined by commas; null when it belongs to none
-- as_of: the moment that the manifest is true for
with clock as (
    select max(last_updated) as as_of
    from launches
)
select
    cast(row_number() over (order by net_period_end, net_period_start, id) as int) as position,
    l.id, l.name, l.status_id, l.status_abbrev,
    l.net, l.net_precision_name, l.net_period_start, l.net_period_end,
    cast(floor((unix_seconds(l.net_period_start) - unix_seconds(k.as_of)) / 86400) as int) as days_until,
    l.net_period_end < k.as_of as is_overdue,
    l.provider_name, l.rocket_full_name, l.mission_name, l.mission_type, l.orbit_abbrev, l.is_suborbital,
    l.pad_name, l.location_name, l.pad_country_code, l.probability,
    nullif(array_join(l.program_names, ','), '') as program_names,
    k.as_of
from launches l
cross join clock k
-- coalesce: DuckDB then skips the others as it reads
where coalesce(l.status_id, 0) in (1, 2, 5, 8)
order by position
