"""Read Delta tables with two implementations that are not ours, and print what they find.

usage: read.py TABLE_PATH[@VERSION] ...

delta-rs (the deltalake package) and DuckDB's delta extension each read every table given; per table and reader one
JSON line is printed: {"table", "reader", "version", "schema", "rows"}. Rows take the form of canonical.py.
"""

import glob
import importlib.util
import json
import os
import sys

import duckdb
from deltalake import DeltaTable, QueryBuilder

from canonical import canonical


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


def connect_delta():
    """A connection with the delta extension, which comes from PyPI like the rest."""
    connection = connect()
    package = os.path.dirname(importlib.util.find_spec("duckdb_extension_delta").origin)
    (extension,) = glob.glob(package + "/extensions/*/delta.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
    return connection


def read_duckdb(path, version):
    connection = connect_delta()
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
