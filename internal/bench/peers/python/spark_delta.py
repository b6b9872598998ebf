"""Spark with Delta Lake, on two cores of this machine. Delta's jars are fetched from Maven Central by their coordinates and kept by Ivy."""

from pyspark.sql import SparkSession

import work

settings = {
    "spark.jars.packages": "io.delta:delta-spark_4.1_2.13:4.4.0",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.memory": "2g",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.shuffle.partitions": "2",  # Spark's 200 are for clusters
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.warehouse.dir": str(work.WORK / "spark-warehouse"),
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
builder = SparkSession.builder.master("local[2]").appName("peers")
for key, value in settings.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

TYPES = {"integer": "int", "long": "bigint"}


def schema(node):
    if not node:
        return "string"
    if "[]" in node:
        return f"array<{schema(node['[]'])}>"
    return "struct<" + ", ".join(f"`{name}`: {schema(child)}" for name, child in node.items()) + ">"


def member(path):
    """SQL of what is at a path of the parsed document."""
    value = "doc"
    for part in path:
        if part != "[*]":  # a member of an array of structs is an array
            value += part if part.startswith("[") else f".`{part}`"
    return value


def json_value(text, path):
    return f"get_json_object({text}, '{path}')"


def cast(column):
    return f"try_cast({column['Name']} as {TYPES.get(column['Type'], column['Type'])})"


texts = [f"{work.read(c, member, json_value, 'array_join')} as {c['Name']}" for c in work.READ]
typed = [f"{cast(c)} as {c['Name']}" for c in work.READ] + ["sha256 as bronze_sha256"]
wrong = [f"case when {c['Name']} is not null and {cast(c)} is null then '{c['Name']}' end" for c in work.READ]

# Bronze: each object of the pages, as it is.
batch = spark.sql("select uuid()").first()[0]
pages = spark.read.text(str(work.PAGES), wholetext=True).selectExpr("value", "_metadata.file_path as filename")
(
    pages.selectExpr("filename", "explode(from_json(value, 'struct<results: array<string>>').results) as raw")
    .selectExpr(
        "raw", "sha2(raw, 256) as sha256", "get_json_object(raw, '$.id') as id",
        "cast(get_json_object(raw, '$.last_updated') as timestamp) as last_updated", "filename",
        "current_timestamp() as fetched_at", f"'{batch}' as batch",
    )
    .write.format("delta").mode("append").save(work.BRONZE)
)

# Silver: parsed, checked, the newest of each launch.
bronze = spark.read.format("delta").load(work.BRONZE).where(f"batch = '{batch}'")
(
    bronze.selectExpr("raw", "sha256", "id as raw_id", f"from_json(raw, '{schema(work.shape())}') as doc")
    .selectExpr("raw", "sha256", "raw_id", *texts)
    .selectExpr("raw", "raw_id", *typed, f"concat_ws(', ', {', '.join(wrong)}) as wrong_types")
    .createOrReplaceTempView("typed")
)
spark.sql(work.checked("typed", "wrong_types", "split")).cache().createOrReplaceTempView("checked")
columns = ", ".join(c["Name"] for c in work.COLUMNS)
silver = spark.sql(f"select {columns} from (select *, {work.NEWEST} as newest from checked where good) where newest")
quarantine = spark.sql("""
    select raw_id as id, rules, messages, raw, bronze_sha256 as sha256, last_updated, current_timestamp() as quarantined_at
    from (select *, row_number() over (partition by bronze_sha256 order by raw) = 1 as first from checked where not good) where first""")
if work.FIRST:
    quarantine.write.format("delta").save(work.QUARANTINE)
    silver.write.format("delta").save(work.SILVER)
else:
    quarantine.createOrReplaceTempView("new_quarantine")
    silver.createOrReplaceTempView("new_silver")
    spark.sql(f"""merge into delta.`{work.QUARANTINE}` as target using new_quarantine as source on source.sha256 = target.sha256
        when not matched then insert *""")
    spark.sql(f"""merge into delta.`{work.SILVER}` as target using new_silver as source on source.id = target.id
        when matched and {work.NEWER} then update set * when not matched then insert *""")

# Gold: one query a table.
spark.read.format("delta").load(work.SILVER).createOrReplaceTempView("launches")
for model, query in work.MODELS.items():
    spark.sql(query).write.format("delta").mode("overwrite").save(work.gold(model))
spark.stop()
