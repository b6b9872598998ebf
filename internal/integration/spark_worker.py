"""Spark with Delta Lake as a worker: see worker.py. Rows take the form of canonical.py.

Delta's jars are fetched from Maven Central by their coordinates and kept by Ivy.
"""

import fcntl
import os
import tempfile

from pyspark.sql import SparkSession, functions, types

from canonical import canonical
from worker import serve

DELTA = "io.delta:delta-spark_4.1_2.13:4.4.0"


def session():
    builder = SparkSession.builder.master("local[2]").appName("launchlake")
    for key, value in {
        "spark.jars.packages": DELTA,
        "spark.driver.memory": "2g",
        # Tests end before optimized code and parallel collection pay.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.databricks.delta.retentionDurationCheck.enabled": "false",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def collect(frame):
    instants = [f.name for f in frame.schema.fields if isinstance(f.dataType, types.TimestampType)]
    for name in instants:  # Python would get them in the zone of the machine
        frame = frame.withColumn(name, functions.date_format(name, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"))
    return [canonical(row.asDict(recursive=True)) for row in frame.collect()]


def read(path, version=None):
    """The rows of a table, at a version or the latest."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return collect(reader.load(path))


def changes(path, first, last):
    """The change data feed of a range of versions, both ends included."""
    reader = spark.read.format("delta").option("readChangeFeed", "true")
    return collect(reader.option("startingVersion", first).option("endingVersion", last).load(path))


def sql(text):
    """What a statement of SQL yields; a table by its path is delta.`path`."""
    return collect(spark.sql(text))


def validate(path, version):
    """Fails unless a version has a checksum that is what its log adds up to."""

    def default(thing, method, n):  # Scala's default arguments are methods
        return getattr(thing, f"{method}$default${n}")()

    logs = spark._jvm.org.apache.spark.sql.delta.DeltaLog
    logs.clearCache()  # what is in the store counts
    log = logs.forTable(spark._jsparkSession, path)
    snapshot = log.getSnapshotAt(version, *(default(log, "getSnapshotAt", n) for n in (2, 3, 4)))
    if snapshot.checksumOpt().isEmpty():
        raise LookupError(f"version {version} has no checksum that Spark can read")
    if not snapshot.validateChecksum(default(snapshot, "validateChecksum", 1)):
        raise ValueError(f"the checksum of version {version} is false")


def python(code):
    """Runs Python, with a session named spark."""
    exec(code, {"spark": spark})


# Ivy's cache is not made for two at once: sparktest.go holds the same lock while it starts a Spark for another package's tests.
with open(os.path.join(tempfile.gettempdir(), "launchlake-ivy.lock"), "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    spark = session()
serve(read, changes, sql, validate, python)
