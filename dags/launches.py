"""The DAG `launches`: what is new at the launch API goes through Bronze and Silver into Gold, every hour."""

import os
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    AssetAlias,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    TriggerRule,
)

from alerts import deadline_missed, task_failed
from operators import LakeTaskOperator, only_when_contract_broken, table_asset, task_image

DEADLINE = timedelta(minutes=90)

with DAG(
    dag_id="launches",
    dag_display_name="launches: API to Gold",
    description="What is new at the launch API, through Bronze and Silver into Gold",
    doc_md=str(Path(__file__).with_suffix(".md")),
    schedule=CronTriggerTimetable(os.environ.get("LAUNCHES_SCHEDULE", "0 * * * *"), timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["launchlake"],
    default_args={
        "owner": "launchlake",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=15),
        # Then the task's container is stopped, and the next try goes on from the tables.
        "execution_timeout": timedelta(minutes=float(os.environ.get("TASK_TIMEOUT_MINUTES", "45"))),
        "on_failure_callback": task_failed,
    },
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=DEADLINE,
        callback=AsyncCallback(
            deadline_missed, kwargs={"dag_id": "launches", "minutes": DEADLINE.total_seconds() / 60}
        ),
    ),
    params={
        "log_level": Param("info", enum=["debug", "info", "warn", "error"], title="How much the tasks log"),
        "engine": Param("duckdb", enum=["duckdb", "spark"], title="What runs the SQL of refine and aggregate"),
        "sweep": Param(False, type="boolean", title="Read the whole API, not only what is new"),
        "overlap": Param("12h", pattern="^[0-9]+(h|m|s)$", title="How far before its last pass ingest asks again"),
        "batch_pages": Param(100, type="integer", minimum=1, title="Commit to Bronze after so many pages"),
        "accept_broken": Param(False, type="boolean", title="Publish although too many records break the contract"),
        "sample_state": Param(1, enum=[1, 2], title="The state of the recorded API, when SOURCE_URL is sample:"),
    },
) as dag:
    environment = {"LOG_LEVEL": "{{ params.log_level }}"}
    # A container's memory is the engine's and what Go needs beside it.
    engine = {
        "mem_limit": "1g",
        "environment": environment | {"MEMORY_LIMIT": "600MB", "ENGINE": "{{ params.engine }}"},
        # Its address may hold a token.
        "private_environment": {"SPARK_REMOTE": os.environ.get("SPARK_REMOTE", "sc://spark:15002")},
    }

    ingest = LakeTaskOperator(
        task_id="ingest",
        doc_md="Asks the launch API for what changed since the watermark and appends the answers to Bronze.",
        image=task_image("ingest"),
        environment=environment
        | {
            "SWEEP": "{{ params.sweep }}",
            "OVERLAP": "{{ params.overlap }}",
            "BATCH_PAGES": "{{ params.batch_pages }}",
            "SAMPLE_STATE": "{{ params.sample_state }}",
        },
        source_conn_id="launch_api",
        pool="launch_api",
        mem_limit="256m",
        outlets=[table_asset("bronze/launches")],
    )
    refine = LakeTaskOperator(
        task_id="refine",
        doc_md="Merges new Bronze rows into Silver by the contract; what breaks a rule goes to quarantine.",
        image=task_image("refine"),
        reads={"BRONZE_VERSION": "bronze/launches"},
        # Bronze may hold what an earlier run did not get into Silver, also when the API has nothing new.
        trigger_rule=TriggerRule.NONE_FAILED,
        **engine | {"environment": engine["environment"] | {"ACCEPT_BROKEN": "{{ params.accept_broken }}"}},
        outlets=[table_asset("silver/launches"), AssetAlias("silver")],
    )
    aggregate = LakeTaskOperator(
        task_id="aggregate",
        doc_md="Computes the Gold tables from that version of Silver.",
        image=task_image("aggregate"),
        reads={"SILVER_VERSION": "silver/launches"},
        trigger_rule=TriggerRule.NONE_FAILED,
        **engine,
        outlets=[AssetAlias("gold")],
    )
    ask_a_human = TriggerDagRunOperator(
        task_id="ask_a_human",
        doc_md="Asks in the DAG `contract_review` what to do, when `refine` stopped at a broken contract.",
        trigger_dag_id="contract_review",
        # One question a day: while the contract stays broken, every run asks it anew.
        trigger_run_id="contract_broken_{{ dag_run.run_after | ds }}",
        reset_dag_run=True,
        conf={"run_id": "{{ run_id }}", "error": "{{ (ti.xcom_pull('refine', key='result') or {}).get('error', '') }}"},
        pre_execute=only_when_contract_broken("refine"),
        trigger_rule=TriggerRule.ONE_FAILED,
    )
    ingest >> refine >> aggregate
    refine >> ask_a_human
