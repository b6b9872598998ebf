"""DuckDB computes, delta-rs writes the tables: Arrow goes from one to the other, in batches, so that no table has to fit into memory."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import duckdb
import pyarrow
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake

import work

con = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "preserve_insertion_order": False})
con.execute("set global TimeZone = 'UTC'")
for macro in (
    "regexp_like(text, pattern) as regexp_matches(text, pattern)",
    "array_join(list, delimiter) as array_to_string(list, delimiter)",
    "unix_seconds(moment) as cast(epoch_us(moment) // 1000000 as bigint)",
    "to_date(moment) as date '1970-01-01' + cast(floor(unix_seconds(moment) / 86400) as integer)",
):
    con.execute("create macro " + macro)

TYPES = {"string": "varchar", "integer": "integer", "long": "bigint", "double": "double", "boolean": "boolean",
         "timestamp": "timestamptz", "array<string>": "varchar[]"}


def structure(node):
    """The shape as from_json wants it; every leaf is text, so that a value of another type can be told from none."""
    if not node:
        return '"VARCHAR"'
    if "[]" in node:
        return "[" + structure(node["[]"]) + "]"
    return "{" + ", ".join(f'"{name}": {structure(child)}' for name, child in node.items()) + "}"


def member(path):
    """SQL of what is at a path of the parsed document."""
    value, rest = "doc", list(path)
    while rest:
        part = rest.pop(0)
        if part == "[*]":
            return f"list_transform({value}, lambda x: x.{'.'.join(rest)})"
        value += f"[{int(part[1:-1]) + 1}]" if part.startswith("[") else f'."{part}"'
    return value


def json_value(text, path):
    return f"json_extract_string(case when starts_with({text}, '{{') then {text} end, '{path}')"


def texts():
    for column in work.READ:
        yield f"{work.read(column, member, json_value, 'array_to_string')} as {column['Name']}"


def typed():
    for column in work.COLUMNS:
        name = column["Name"]
        if column["Paths"]:
            yield f"try_cast(texts.{name} as {TYPES[column['Type']]}) as {name}"


def wrong():
    for column in work.READ:
        name = column["Name"]
        if column["Type"] not in ("string", "array<string>"):
            yield f"case when texts.{name} is not null and try_cast(texts.{name} as {TYPES[column['Type']]}) is null then '{name}' end"


OBJECTS = """
    select raw, sha256(raw) as sha256, raw ->> '$.id' as id, cast(raw ->> '$.last_updated' as timestamptz) as last_updated,
        filename, now() as fetched_at
    from (
        select filename, cast(unnest(from_json(content, '{"results": ["JSON"]}').results) as varchar) as raw
        from read_text($files)
    )"""
CHECKED = f"""
    with texts as (
        select raw, sha256, id as raw_id, {", ".join(texts())}
        from (select raw, sha256, id, from_json(raw, '{structure(work.shape())}') as doc from objects)
    ), typed as (
        select raw, raw_id, sha256 as bronze_sha256, {", ".join(typed())}, concat_ws(', ', {", ".join(wrong())}) as wrong_types
        from texts
    )
    select * replace (case when not good then raw end as raw) from ({work.checked("typed", "wrong_types", "string_split")})"""


def take(files, into):
    """Each object of some pages, as it is; and its row of Silver, with what is wrong with it, into the table checked. The text stays there
    only where something is."""
    cursor = con.cursor()
    objects = cursor.sql(OBJECTS, params={"files": files}).to_arrow_table()
    cursor.register("objects", objects)
    cursor.execute(into + CHECKED)
    return objects.to_batches()


# DuckDB reads all texts of a call before it goes on with the first, and on one thread.
FILES = 32


def batches():
    files = sorted(map(str, work.PAGES.glob("*.json")))
    yield from take(files[:FILES], "create table checked as")
    with ThreadPoolExecutor(2) as pool:
        ahead = deque()
        for i in range(FILES, len(files), FILES):
            ahead.append(pool.submit(take, files[i : i + FILES], "insert into checked"))
            if len(ahead) > 2:
                yield from ahead.popleft().result()
        for batch in ahead:
            yield from batch.result()


# Bronze: each object of the pages. A dictionary of documents that are all different would be made in vain.
stream = batches()
first = next(stream)
write_deltalake(
    work.BRONZE, pyarrow.RecordBatchReader.from_batches(first.schema, chain([first], stream)), mode="append",
    writer_properties=WriterProperties(column_properties={"raw": ColumnProperties(dictionary_enabled=False)}),
)
del first, stream

# Silver: the newest of each launch.
columns = ", ".join(c["Name"] for c in work.COLUMNS)
silver = con.sql(f"select {columns} from checked where good qualify {work.NEWEST}")
quarantine = con.sql("""
    select raw_id as id, rules, messages, raw, bronze_sha256 as sha256, last_updated, now() as quarantined_at
    from checked where not good qualify row_number() over (partition by bronze_sha256) = 1""")
if work.FIRST:
    write_deltalake(work.QUARANTINE, quarantine.to_arrow_reader())
    write_deltalake(work.SILVER, silver.to_arrow_reader())
else:
    (
        DeltaTable(work.QUARANTINE)
        .merge(quarantine.to_arrow_table(), "source.sha256 = target.sha256", source_alias="source", target_alias="target")
        .when_not_matched_insert_all()
        .execute()
    )
    (
        DeltaTable(work.SILVER)
        .merge(silver.to_arrow_table(), "source.id = target.id", source_alias="source", target_alias="target")
        .when_matched_update_all(predicate=work.NEWER)
        .when_not_matched_insert_all()
        .execute()
    )

# Gold: one query a table.
launches = DeltaTable(work.SILVER).to_pyarrow_dataset()
for model, query in work.MODELS.items():
    write_deltalake(work.gold(model), con.sql(query).to_arrow_reader(), mode="overwrite")
