"""The Gold tables in polars' expressions. What they mean is said in launchlake's models of the same names."""

import polars as pl

ATTEMPTED = pl.col("status_id").is_in([3, 4, 7])
PLANNED = pl.col("status_id").is_in([1, 2, 5, 8])
ON_EARTH = pl.col("celestial_body_id").fill_null(1) == 1
SUBORBITAL = pl.col("is_suborbital")
DAY = 86400


def count(condition):
    return condition.fill_null(False).sum().cast(pl.Int64)


def seconds(name):
    return pl.col(name).dt.epoch("s")


def newest(launches, key, *columns):
    """The columns of each key's launch that was updated last."""
    return launches.sort("last_updated", "id", descending=[True, False]).group_by(key).agg(pl.col(*columns).first())


def clock(launches):
    return launches.select(as_of=pl.col("last_updated").max())


def launches_by_period(launches):
    attempts = launches.filter(ATTEMPTED & ON_EARTH).select("net", "status_id", "is_suborbital")
    year, month = pl.col("net").dt.year().cast(pl.String), pl.col("net").dt.month().cast(pl.String).str.zfill(2)
    names = {"year": ("1y", year), "quarter": ("1q", year + "-Q" + pl.col("net").dt.quarter().cast(pl.String)), "month": ("1mo", year + "-" + month)}
    periods = [
        attempts.with_columns(period_type=pl.lit(kind), period=name, period_start=pl.col("net").dt.truncate(length))
        for kind, (length, name) in names.items()
    ]
    counted = (
        pl.concat(periods)
        .group_by("period_type", "period", "period_start")
        .agg(
            attempts=count(~SUBORBITAL),
            successes=count(~SUBORBITAL & (pl.col("status_id") == 3)),
            failures=count(~SUBORBITAL & (pl.col("status_id") == 4)),
            partial_failures=count(~SUBORBITAL & (pl.col("status_id") == 7)),
            suborbital_attempts=count(SUBORBITAL),
            suborbital_successes=count(SUBORBITAL & (pl.col("status_id") == 3)),
        )
        .sort("period_type", "period_start")
    )
    return counted.select(
        "period_type", "period", pl.col("period_start").dt.date(), "attempts", "successes", "failures", "partial_failures",
        pl.when(pl.col("attempts") > 0).then(pl.col("successes") / pl.col("attempts")).alias("success_rate"),
        pl.col("attempts").cum_sum().over("period_type").alias("attempts_to_date"),
        "suborbital_attempts", "suborbital_successes",
    )


def pad_activity(launches):
    subject = launches.filter(pl.col("pad_id").is_not_null() & ON_EARTH)
    turnarounds = (
        subject.filter(ATTEMPTED)
        .select("pad_id", at=seconds("net"))
        .unique()
        .sort("pad_id", "at")
        .with_columns(seconds=pl.col("at").diff().over("pad_id"))
        .group_by("pad_id")
        .agg(median_turnaround_days=pl.col("seconds").median() / DAY, fastest_turnaround_days=pl.col("seconds").min() / DAY)
    )
    counted = subject.group_by("pad_id").agg(
        attempts=count(ATTEMPTED & ~SUBORBITAL),
        successes=count((pl.col("status_id") == 3) & ~SUBORBITAL),
        suborbital_attempts=count(ATTEMPTED & SUBORBITAL),
        first_attempt=pl.col("net").filter(ATTEMPTED).min(),
        last_attempt=pl.col("net").filter(ATTEMPTED).max(),
        planned=count(PLANNED),
    )
    names = newest(subject, "pad_id", "pad_name", "pad_country_code", "pad_latitude", "pad_longitude", "location_id", "location_name")
    return (
        counted.join(turnarounds, on="pad_id")
        .join(names, on="pad_id")
        .sort("attempts", "pad_id", descending=[True, False])
        .select(
            "pad_id", "pad_name", "location_id", "location_name", "pad_country_code", "pad_latitude", "pad_longitude",
            "attempts", "successes", "suborbital_attempts", "first_attempt", "last_attempt",
            "median_turnaround_days", "fastest_turnaround_days", "planned",
        )
    )


def provider_scorecard(launches):
    subject = launches.filter(pl.col("provider_id").is_not_null() & ON_EARTH)
    orbital = ATTEMPTED & ~SUBORBITAL
    counted = (
        subject.join(clock(launches), how="cross")
        .group_by("provider_id")
        .agg(
            attempts=count(orbital),
            successes=count(orbital & (pl.col("status_id") == 3)),
            failures=count(orbital & (pl.col("status_id") == 4)),
            partial_failures=count(orbital & (pl.col("status_id") == 7)),
            attempts_last_365_days=count(orbital & (seconds("net") > seconds("as_of") - 365 * DAY)),
            active_years=pl.col("net").filter(orbital).dt.year().n_unique().cast(pl.Int64),
            first_attempt=pl.col("net").filter(orbital).min(),
            last_attempt=pl.col("net").filter(orbital).max(),
            suborbital_attempts=count(ATTEMPTED & SUBORBITAL),
            suborbital_successes=count((pl.col("status_id") == 3) & SUBORBITAL),
            planned=count(PLANNED),
        )
    )
    names = newest(subject, "provider_id", "provider_name", "provider_abbrev", "provider_type", "provider_country_code")
    return (
        counted.with_columns(
            success_rate=pl.when(pl.col("attempts") > 0).then(pl.col("successes") / pl.col("attempts")),
            share_of_attempts=pl.when(pl.col("attempts").sum() > 0).then(pl.col("attempts") / pl.col("attempts").sum()),
        )
        .join(names, on="provider_id")
        .filter(pl.col("attempts") + pl.col("suborbital_attempts") + pl.col("planned") > 0)
        .sort("attempts", "provider_id", descending=[True, False])
        .select(
            "provider_id", "provider_name", "provider_abbrev", "provider_type", "provider_country_code",
            "attempts", "successes", "failures", "partial_failures", "success_rate", "share_of_attempts",
            "attempts_last_365_days", "active_years", "first_attempt", "last_attempt",
            "suborbital_attempts", "suborbital_successes", "planned",
        )
    )


def rocket_reliability(launches):
    subject = launches.filter(pl.col("rocket_id").is_not_null() & ATTEMPTED & ON_EARTH)
    key = ["rocket_id", "is_suborbital"]
    runs = (
        subject.with_columns(is_loss=pl.col("status_id") != 3)
        .sort("net", "is_loss")
        .select(*key, "status_id", losses=pl.col("is_loss").cast(pl.Int64).cum_sum().over(key))
        .group_by(*key, "losses")
        .agg(streak=count(pl.col("status_id") == 3))
        .sort("losses")
        .group_by(key)
        .agg(current_streak=pl.col("streak").last(), longest_streak=pl.col("streak").max())
    )
    counted = subject.group_by(key).agg(
        attempts=count(pl.col("status_id").is_not_null()),
        successes=count(pl.col("status_id") == 3),
        failures=count(pl.col("status_id") == 4),
        partial_failures=count(pl.col("status_id") == 7),
        first_attempt=pl.col("net").min(),
        last_attempt=pl.col("net").max(),
        last_failure=pl.col("net").filter(pl.col("status_id") != 3).max(),
    )
    names = newest(subject, "rocket_id", "rocket_name", "rocket_full_name", "rocket_family", "provider_name")
    return (
        counted.join(runs, on=key)
        .join(names, on="rocket_id")
        .join(clock(launches), how="cross")
        .with_columns(
            success_rate=pl.col("successes") / pl.col("attempts"),
            days_since_last_failure=((seconds("as_of") - seconds("last_failure")) / DAY).floor().cast(pl.Int32),
        )
        .sort("attempts", "rocket_id", "is_suborbital", descending=[True, False, False])
        .select(
            "rocket_id", "rocket_full_name", "rocket_name", "rocket_family", "provider_name", "is_suborbital",
            "attempts", "successes", "failures", "partial_failures", "success_rate", "current_streak", "longest_streak",
            "first_attempt", "last_attempt", "last_failure", "days_since_last_failure", "as_of",
        )
    )


def upcoming_manifest(launches):
    return (
        launches.filter(PLANNED)
        .join(clock(launches), how="cross")
        .sort("net_period_end", "net_period_start", "id")
        .with_row_index("position", offset=1)
        .select(
            pl.col("position").cast(pl.Int32), "id", "name", "status_id", "status_abbrev",
            "net", "net_precision_name", "net_period_start", "net_period_end",
            ((seconds("net_period_start") - seconds("as_of")) / DAY).floor().cast(pl.Int32).alias("days_until"),
            (pl.col("net_period_end") < pl.col("as_of")).alias("is_overdue"),
            "provider_name", "rocket_full_name", "mission_name", "mission_type", "orbit_abbrev", "is_suborbital",
            "pad_name", "location_name", "pad_country_code", "probability",
            pl.when(pl.col("program_names").list.len() > 0).then(pl.col("program_names").list.join(",")).alias("program_names"),
            "as_of",
        )
    )
