"""polars computes, delta-rs writes the tables: some pages at a time, so that their texts need not fit into memory together.

polars decodes documents of one shape only, and not to their bytes: the objects are cut out of the pages by Python's own reader, and
a document of another version of the API would be refused.
"""

import hashlib
import json
from itertools import chain

import polars as pl
import pyarrow
from deltalake import ColumnProperties, WriterProperties, write_deltalake

import polars_gold
import work

TYPES = {"integer": pl.Int32, "long": pl.Int64, "double": pl.Float64}
COLUMNS = [c["Name"] for c in work.COLUMNS]


def objects(files):
    """The text of each object of some pages."""
    decoder = json.JSONDecoder()
    for file in files:
        page = file.read_text()
        at = page.index("[", page.index('"results"')) + 1
        while page[at] != "]":
            _, end = decoder.raw_decode(page, at)
            yield page[at:end], file.name
            at = end + 1 if page[end] == "," else end


def dtype(node):
    if not node:
        return pl.String
    if "[]" in node:
        return pl.List(dtype(node["[]"]))
    return pl.Struct({name: dtype(child) for name, child in node.items()})


def moment(text):
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", strict=False)


def member(path):
    value = pl.col("doc")
    for i, part in enumerate(path):
        if part == "[*]":
            element = pl.element()
            for name in path[i + 1 :]:
                element = element.struct.field(name)
            return value.list.eval(element)
        value = value.list.get(int(part[1:-1]), null_on_oob=True) if part.startswith("[") else value.struct.field(part)
    return value


# The kinds of provider are objects, those of missions are text.
SHAPE = work.shape()
SHAPE["launch_service_provider"]["type"] = {"name": {}}


def text(column):
    found = []
    for path in map(work.parts, column["Paths"]):
        if column["Name"] == "provider_type" and path[-1] != "name" or column["Name"] == "mission_type" and path[-1] == "name":
            continue
        value = member(path)
        found.append(value.list.join(",") if "[*]" in path and column["Type"] == "string" else value)
    return pl.coalesce(found).alias(column["Name"])


def typed(column):
    value = pl.col(column["Name"])
    if column["Type"] == "timestamp":
        return moment(value)
    if column["Type"] == "boolean":
        return pl.when(value == "true").then(True).when(value == "false").then(False).alias(column["Name"])
    return value.cast(TYPES[column["Type"]], strict=False) if column["Type"] in TYPES else value


def no_blank(name):
    stripped = pl.col(name).str.strip_chars(" ")
    return pl.when(stripped != "").then(stripped).alias(name)


def period(start):
    """Start or end of the period that net stands for."""
    net, precision, words = pl.col("net"), pl.col("net_precision_id"), pl.col("net_precision_name").str.to_lowercase()
    year = net.dt.truncate("1y")
    spans = {5: (net.dt.truncate("1d"), "1d"), 6: (net.dt.truncate("1w"), "1w"), 7: (net.dt.truncate("1mo"), "1mo"), 14: (year, "1y")}
    spans |= {8 + i: (year.dt.offset_by(f"{3 * i}mo"), "3mo") for i in range(4)}
    spans |= {12 + i: (year.dt.offset_by(f"{6 * i}mo"), "6mo") for i in range(2)}

    def edge(first, length):
        return first if start else first.dt.offset_by(length).dt.offset_by("-1s")

    fiscal = pl.when(net.dt.month() >= 10).then(year.dt.offset_by("9mo")).otherwise(year.dt.offset_by("-3mo"))
    decade = pl.datetime(net.dt.year() - net.dt.year() % 10, 1, 1, time_zone="UTC")
    value = pl.when(False).then(net)
    for number, span in spans.items():
        value = value.when(precision == number).then(edge(*span))
    value = value.when(words.str.starts_with("fiscal")).then(edge(fiscal, "12mo"))
    return value.when(words.str.starts_with("decade")).then(edge(decade, "10y")).otherwise(net)


LOGIC = [
    pl.col("id").str.to_lowercase(),
    *map(no_blank, ("launch_designator", "weather_concerns", "failreason", "rocket_variant", "rocket_family")),
    *(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in ("provider_country_code", "pad_country_code")),
    period(start=True).alias("net_period_start"),
    period(start=False).alias("net_period_end"),
    (pl.col("orbit_id") == 15).fill_null(False).alias("is_suborbital"),
]


def within(name, low, high):
    return pl.col(name).is_null() | pl.col(name).is_between(low, high)


EXPECT = {
    "id_is_uuid": pl.col("id").is_null() | pl.col("id").str.contains("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    "status_known": pl.col("status_id").is_between(1, 9),
    "latitude_in_range": within("pad_latitude", -90, 90),
    "longitude_in_range": within("pad_longitude", -180, 180),
    "net_in_window": pl.col("net").is_null()
    | (pl.col("window_start").is_null() | (pl.col("window_start") <= pl.col("net")))
    & (pl.col("window_end").is_null() | (pl.col("net") <= pl.col("window_end"))),
}


def verdicts():
    """The names and the messages of the rules that a row breaks."""
    wrong = pl.col("wrong_types")
    names = [pl.when(wrong != "").then(pl.lit("well_typed"))]
    messages = [pl.when(wrong != "").then("wrong type: " + wrong)]
    for rule in work.RULES:
        if rule["Action"] != "quarantine":
            continue
        name = rule["Name"]
        holds = EXPECT[name] if name in EXPECT else pl.col(name.removesuffix("_present")).is_not_null()
        names.append(pl.when(~holds.fill_null(False)).then(pl.lit(name)))
        messages.append(pl.when(~holds.fill_null(False)).then(pl.lit(rule["Message"])))
    return pl.concat_list(names).list.drop_nulls().alias("rules"), pl.concat_list(messages).list.drop_nulls().alias("messages")


strict = [c for c in work.READ if c["Type"] not in ("string", "array<string>")]
wrong = [pl.when(pl.col(c["Name"]).is_not_null() & typed(c).is_null()).then(pl.lit(c["Name"])) for c in strict]


def parsed(frame):
    """Rows of Silver, with what is wrong with each; the text stays only where something is."""
    return (
        frame.lazy()
        .select("raw", "raw_id", pl.col("sha256").alias("bronze_sha256"), *map(text, work.READ))
        .with_columns(*map(typed, strict), pl.concat_list(wrong).list.drop_nulls().list.join(", ").alias("wrong_types"))
        .with_columns(LOGIC)
        .with_columns(verdicts())
        .with_columns(raw=pl.when(pl.col("rules").list.len() > 0).then(pl.col("raw")))
        .collect()
    )


FILES = 64  # pages at a time
rows = []


def batches():
    files = sorted(work.PAGES.glob("*.json"))
    for i in range(0, len(files), FILES):
        raw, names = zip(*objects(files[i : i + FILES]))
        frame = pl.DataFrame({"raw": raw, "filename": names, "sha256": [hashlib.sha256(text.encode()).hexdigest() for text in raw]})
        del raw, names
        frame = frame.with_columns(doc=pl.col("raw").str.json_decode(dtype(SHAPE)))
        frame = frame.with_columns(raw_id=pl.col("doc").struct.field("id"), updated=moment(pl.col("doc").struct.field("last_updated")))
        rows.append(parsed(frame))
        yield from frame.select("raw", "sha256", "filename", id="raw_id", last_updated="updated").to_arrow().to_batches()


# Bronze: each object of the pages, as it is. A dictionary of documents that are all different would be made in vain.
stream = batches()
first = next(stream)
write_deltalake(
    work.BRONZE, pyarrow.RecordBatchReader.from_batches(first.schema, chain([first], stream)), mode="append",
    writer_properties=WriterProperties(column_properties={"raw": ColumnProperties(dictionary_enabled=False)}),
)
del first, stream

# Silver: the newest of each launch.
rows = pl.concat(rows)
good = pl.col("rules").list.len() == 0
silver = (
    rows.filter(good).select(COLUMNS).sort("last_updated", "bronze_sha256", descending=True).unique("id", keep="first", maintain_order=True)
)
quarantine = (
    rows.filter(~good)
    .select("rules", "messages", "raw", "last_updated", id="raw_id", sha256="bronze_sha256")
    .unique("sha256")
)
del rows
if work.FIRST:
    quarantine.write_delta(work.QUARANTINE)
    silver.write_delta(work.SILVER)
else:
    names = {"source_alias": "source", "target_alias": "target"}
    (
        quarantine.write_delta(work.QUARANTINE, mode="merge", delta_merge_options=names | {"predicate": "source.sha256 = target.sha256"})
        .when_not_matched_insert_all()
        .execute()
    )
    (
        silver.write_delta(work.SILVER, mode="merge", delta_merge_options=names | {"predicate": "source.id = target.id"})
        .when_matched_update_all(predicate=work.NEWER)
        .when_not_matched_insert_all()
        .execute()
    )

# Gold.
launches = pl.scan_delta(work.SILVER)
for model in work.MODELS:
    getattr(polars_gold, model)(launches).collect().write_delta(work.gold(model), mode="overwrite")
