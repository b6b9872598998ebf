"""Read Delta tables with Spark, and print what it finds.

usage: read_spark.py CODE TABLE_PATH[@VERSION] ...

CODE is Python that is run first, with a session named spark; what it prints goes to stderr. Per table one JSON line is
printed, as by read.py. Delta's jars are fetched from Maven Central by their coordinates and kept by Ivy.
"""

import contextlib
import json
import sys

from pyspark.sql import SparkSession, functions, types

from canonical import canonical

DELTA = "io.delta:delta-spark_4.1_2.13:4.4.0"


def session():
    builder = SparkSession.builder.master("local[2]").appName("launchlake")
    for key, value in {
        "spark.jars.packages": DELTA,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def rows(frame):
    instants = [f.name for f in frame.schema.fields if isinstance(f.dataType, types.TimestampType)]
    for name in instants:  # Python would get them in the zone of the machine
        frame = frame.withColumn(name, functions.date_format(name, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"))
    return [canonical(row.asDict(recursive=True)) for row in frame.collect()]


def main():
    spark = session()
    with contextlib.redirect_stdout(sys.stderr):
        exec(sys.argv[1], {"spark": spark})
    for argument in sys.argv[2:]:
        path, _, version = argument.partition("@")
        reader = spark.read.format("delta")
        if version:
            reader = reader.option("versionAsOf", version)
        print(json.dumps({"table": argument, "reader": "spark", "rows": rows(reader.load(path))}))
    spark.stop()


if __name__ == "__main__":
    main()
