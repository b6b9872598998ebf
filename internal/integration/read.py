"""Read Delta tables with two implementations that are not ours, and print what they find.

usage: read.py TABLE_PATH[@VERSION] ...

delta-rs (the deltalake package) and DuckDB's delta extension each read every table given; per table and reader one
JSON line is printed: {"table", "reader", "version", "schema", "rows"}. Rows take the form of `lake cat`: 64-bit integers
as numbers, decimals as strings, floats as numbers except "NaN", "Infinity", "-Infinity" and "-0.0", dates and timestamps in ISO form
with a Z for instants, binary in base64, maps as lists of pairs.
"""

import base64
import datetime
import decimal
import glob
import importlib.util
import json
import math
import os
import sys

import duckdb
from deltalake import DeltaTable, QueryBuilder


def canonical(value):
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return "-0.0" if value == 0 and math.copysign(1, value) < 0 else value
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    raise TypeError(f"no canonical form for {type(value)}")


def fetch(connection, query):
    result = connection.execute(query)
    names = [column[0] for column in result.description]
    rows = result.fetchall()
    return [{name: canonical(value) for name, value in zip(names, row)} for row in rows]


def connect():
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def read_deltars(path, version):
    table = DeltaTable(path, version=version)
    connection = connect()
    connection.register("rows", QueryBuilder().register("t", table).execute("SELECT * FROM t"))
    return {
        "version": table.version(),
        "schema": json.loads(table.schema().to_json()),
        "rows": fetch(connection, "FROM rows"),
    }


def read_duckdb(path, version):
    connection = connect()
    package = os.path.dirname(importlib.util.find_spec("duckdb_extension_delta").origin)
    (extension,) = glob.glob(package + "/extensions/*/delta.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
    at = "" if version is None else f", version = {version}"
    return {"rows": fetch(connection, f"SELECT * FROM delta_scan('{path}'{at})")}


def main():
    for argument in sys.argv[1:]:
        path, _, version = argument.partition("@")
        version = int(version) if version else None
        for name, read in (("deltars", read_deltars), ("duckdb", read_duckdb)):
            found = read(path, version)
            print(json.dumps({"table": argument, "reader": name, **found}))


if __name__ == "__main__":
    main()
