"""delta-rs, and DuckDB's delta extension for reading, as a worker: see worker.py. Rows take the form of canonical.py.

Rows to write are given as a query of DuckDB's SQL.
"""

import glob
import importlib.util
import json
import os

import duckdb
from deltalake import DeltaTable, Field, QueryBuilder, write_deltalake
from deltalake.schema import PrimitiveType

from canonical import canonical
from worker import serve


def fetch(connection, query):
    result = connection.execute(query)
    names = [column[0] for column in result.description]
    rows = result.fetchall()
    return [{name: canonical(value) for name, value in zip(names, row)} for row in rows]


def connect():
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def connect_delta():
    """A connection with the delta extension, which comes from PyPI like the rest."""
    connection = connect()
    package = os.path.dirname(importlib.util.find_spec("duckdb_extension_delta").origin)
    (extension,) = glob.glob(package + "/extensions/*/delta.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
    return connection


def arrow(query):
    return connect().sql(query)


def read(path, version=None):
    """The rows of a table as delta-rs reads them, at a version or the latest, with that version and the schema."""
    table = DeltaTable(path, version=version)
    connection = connect()
    connection.register("rows", QueryBuilder().register("t", table).execute("SELECT * FROM t"))
    return {
        "version": table.version(),
        "schema": json.loads(table.schema().to_json()),
        "rows": fetch(connection, "FROM rows"),
    }


def read_duckdb(path, version=None):
    """The rows of a table as DuckDB's delta extension reads them."""
    at = "" if version is None else f", version = {version}"
    return fetch(connect_delta(), f"SELECT * FROM delta_scan('{path}'{at})")


def changes(path, first, last):
    """The change data feed of a range of versions, both ends included."""
    connection = connect()
    connection.register("rows", DeltaTable(path).load_cdf(starting_version=first, ending_version=last))
    return fetch(connection, "FROM rows")


def write(path, query, mode, partition_by=None, merge_schema=False, configuration=None):
    """Makes a table of a query's rows, appends them, or puts them in place of all."""
    write_deltalake(
        path,
        arrow(query),
        mode=mode,
        partition_by=partition_by,
        schema_mode="merge" if merge_schema else None,
        configuration=configuration,
    )


def merge(path, query, key):
    """Updates the rows that a query's rows have the key of, and inserts the others."""
    condition = f"target.{key} = source.{key}"
    merger = DeltaTable(path).merge(arrow(query), condition, source_alias="source", target_alias="target")
    merger.when_matched_update_all().when_not_matched_insert_all().execute()


def delete(path, where):
    DeltaTable(path).delete(where)


def update(path, assignments, where):
    """Sets columns to expressions of SQL in the rows of a condition."""
    DeltaTable(path).update(updates=assignments, predicate=where)


def add_column(path, name, type):
    DeltaTable(path).alter.add_columns(Field(name, PrimitiveType(type), nullable=True))


def optimize(path):
    DeltaTable(path).optimize.compact()


def vacuum(path, hours):
    DeltaTable(path).vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False)


def checkpoint(path):
    DeltaTable(path).create_checkpoint()


if __name__ == "__main__":
    serve(read, read_duckdb, changes, write, merge, delete, update, add_column, optimize, vacuum, checkpoint)
