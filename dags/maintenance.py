"""The DAG `maintenance`: keeps the lake's tables fast and small, every night."""

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, chain

from alerts import task_failed
from operators import LakeTaskOperator, task_image

# Commands of the image `lake`, in their order. A further one is one line.
COMMANDS = {
    "doctor": ["doctor"],
    "optimize": ["optimize", "--all"],
    "checkpoint": ["checkpoint", "--all"],
    # What no version of the last week needs; a log of the last month stays.
    "vacuum": ["vacuum", "--all"],
    "clean_log": ["clean-log", "--all"],
    "fsck": ["fsck"],
}

with DAG(
    dag_id="maintenance",
    dag_display_name="lake: maintenance",
    description="Puts small files together, cleans up and checks the lake every night",
    doc_md="Each task is one command of the image `lake`; `COMMANDS` in `maintenance.py` lists them.",
    schedule=CronTriggerTimetable(os.environ.get("MAINTENANCE_SCHEDULE", "17 3 * * *"), timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["launchlake"],
    default_args={
        "owner": "launchlake",
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        "execution_timeout": timedelta(hours=2),
        "on_failure_callback": task_failed,
    },
) as dag:
    chain(
        *[
            LakeTaskOperator(
                task_id=name,
                doc_md=f"`lake {' '.join(command)}`",
                image=task_image("lake"),
                command=command,
                result_required=False,
                source_conn_id="launch_api",
                mem_limit="1g",
            )
            for name, command in COMMANDS.items()
        ]
    )
