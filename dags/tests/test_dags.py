"""The DAGs as Airflow sees them: they load, they are what they promise, they hold no secret, and they run."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from test_operators import result_line

from operators import LakeTaskOperator, only_when_contract_broken
from results import TaskResult

DAGS = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def dagbag():
    return DagBag(str(DAGS))


def test_every_file_loads_quickly(dagbag):
    assert dagbag.import_errors == {}
    assert set(dagbag.dags) == {"launches", "maintenance", "contract_review"}
    slow = {stat.file: stat.duration for stat in dagbag.dagbag_stats if stat.duration > timedelta(seconds=5)}
    assert not slow, "the DAG processor parses these files again and again"


def test_every_task_says_what_it_does(dagbag):
    for dag in dagbag.dags.values():
        assert dag.doc_md and dag.tags == {"launchlake"}, dag.dag_id
        for task in dag.tasks:
            assert task.doc_md, task
            if isinstance(task, LakeTaskOperator):
                assert task.retries > 0 and task.execution_timeout and task.on_failure_callback, task
                assert task.mem_limit and task.owner == "launchlake", task


def test_launches_is_ingest_refine_aggregate(dagbag):
    dag = dagbag.dags["launches"]
    edges = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert edges == {
        "ingest": {"refine"},
        "refine": {"aggregate", "ask_a_human"},
        "aggregate": set(),
        "ask_a_human": set(),
    }
    assert dag.deadline and dag.max_active_runs == 1 and dag.catchup is False
    assert dag.get_task("ingest").pool == "launch_api"
    assert dag.get_task("refine").reads == {"BRONZE_VERSION": "bronze/launches"}
    assert dag.get_task("aggregate").reads == {"SILVER_VERSION": "silver/launches"}


def test_the_engine_is_a_parameter(dagbag):
    dag = dagbag.dags["launches"]
    assert dag.params["engine"] == "duckdb" and dag.params.get_param("engine").schema["enum"] == ["duckdb", "spark"]
    for task_id in ("refine", "aggregate"):
        task = dag.get_task(task_id)
        assert task.environment["ENGINE"] == "{{ params.engine }}" and "SPARK_REMOTE" not in task.environment
        assert task._private_environment == {"SPARK_REMOTE": os.environ["SPARK_REMOTE"]}
    assert "ENGINE" not in dag.get_task("ingest").environment


def test_launches_runs_every_hour(dagbag):
    timetable = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dagbag.dags["launches"])).timetable
    assert timetable.summary == "0 * * * *"


def test_one_line_of_commands_is_one_task_of_maintenance(dagbag):
    import maintenance

    assert [task.task_id for task in dagbag.dags["maintenance"].topological_sort()] == list(maintenance.COMMANDS)


def test_a_serialized_dag_holds_no_secret(dagbag):
    for dag in dagbag.dags.values():
        stored = json.dumps(DagSerialization.serialize_dag(dag), default=str)
        for secret in ("lake-secret-key", "api-token-value", "spark-token-value"):
            assert secret not in stored, dag.dag_id


def test_the_code_passes_ruff():
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *check, "--no-cache", "."], cwd=DAGS, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_line_of_another_schema_is_no_result():
    with pytest.raises(ValueError, match="not a task-result/v1 line"):
        TaskResult.parse('{"schema": "task-result/v2", "status": "done"}')


# --- runs of whole DAGs ----------------------------------------------------------------------------------------------


@pytest.fixture
def launches(contract_image, network):
    """The DAG `launches` with the test image, and what each of its tasks shall do."""
    dag = DagBag(str(DAGS)).dags["launches"]
    # DAG.test() of Airflow 3.3 looks a deadline up in the database without having stored it there.
    dag.deadline = None
    tables = {"ingest": "bronze/launches", "refine": "silver/launches", "aggregate": "gold/provider_scorecard"}

    def instruct(**instructions):
        for name, table in tables.items():
            line = json.loads(result_line())
            line["tables"][0]["name"] = table
            task = dag.get_task(name)
            task.image, task.network_mode = contract_image, network
            task.environment = {"RESULT": json.dumps(line), **instructions.get(name, {})}
        return dag

    return instruct


def run(dag):
    dagrun = dag.test(run_after=datetime.now(UTC))
    return dagrun, {ti.task_id: str(ti.state) for ti in dagrun.get_task_instances()}


NOTHING_NEW = {"EXIT": "99", "RESULT": result_line("nothing_new")}


def test_a_run_with_news_succeeds_and_tells_the_versions_on_the_assets(launches):
    dagrun, states = run(launches())
    assert states == {"ingest": "success", "refine": "success", "aggregate": "success", "ask_a_human": "skipped"}
    events = asset_events(dagrun.run_id)
    assert set(events) == {"bronze/launches", "silver/launches", "gold/provider_scorecard"}
    for extra in events.values():
        assert extra["delta_version"] == 4 and extra["rows"] == 7 and extra["quarantined"] == 0


def test_a_run_without_news_skips_every_task(launches):
    dagrun, states = run(launches(ingest=NOTHING_NEW, refine=NOTHING_NEW, aggregate=NOTHING_NEW))
    assert set(states.values()) == {"skipped"} and dagrun.state == "success"
    assert asset_events(dagrun.run_id) == {}


def test_refine_makes_up_for_an_earlier_run_when_the_api_has_nothing_new(launches):
    _, states = run(launches(ingest=NOTHING_NEW))
    assert states == {"ingest": "skipped", "refine": "success", "aggregate": "success", "ask_a_human": "skipped"}


def test_a_broken_contract_stops_gold_and_asks_a_person(launches):
    broken = {"EXIT": "65", "RESULT": result_line("contract_broken", error="rule pad_present: 40 % of the rows")}
    dagrun, states = run(launches(refine=broken))
    assert states == {"ingest": "success", "refine": "failed", "aggregate": "upstream_failed", "ask_a_human": "success"}
    assert dagrun.state == "failed"


def test_nobody_is_asked_when_refine_failed_without_a_result(launches):
    _, states = run(launches(refine={"EXIT": "77", "RESULT": "killed before it could tell"}))
    assert states == {"ingest": "success", "refine": "failed", "aggregate": "upstream_failed", "ask_a_human": "skipped"}


def test_a_spent_budget_is_waited_for_and_the_task_goes_on(launches, monkeypatch):
    dag = launches(ingest={"EXIT": "75", "RESULT": result_line("budget_spent", retry_after_seconds=1)})
    resume = LakeTaskOperator.resume

    def resume_with_budget(self, context, event=None):
        self.environment = {"RESULT": result_line()}
        return resume(self, context, event)

    monkeypatch.setattr(LakeTaskOperator, "resume", resume_with_budget)
    _, states = run(dag)
    assert states == {"ingest": "success", "refine": "success", "aggregate": "success", "ask_a_human": "skipped"}


@pytest.mark.parametrize(("status", "asks"), [("contract_broken", True), ("failed", False), (None, False)])
def test_a_person_is_asked_only_about_a_broken_contract(status, asks):
    from airflow.sdk.exceptions import AirflowSkipException

    class TI:
        def xcom_pull(self, task_ids, key):
            return status and {"status": status}

    check = only_when_contract_broken("refine")
    if asks:
        check({"ti": TI()})
    else:
        with pytest.raises(AirflowSkipException):
            check({"ti": TI()})


def asset_events(run_id):
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run_id)).all()
        return {event.asset.name: event.extra for event in found}


def test_the_webhook_gets_what_failed_and_nothing_without_one(monkeypatch):
    import http.server
    import threading
    from types import SimpleNamespace

    import alerts

    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ti = SimpleNamespace(dag_id="launches", task_id="refine", run_id="r", try_number=4)
    alerts.task_failed({"ti": ti, "exception": "exit code 65"})
    monkeypatch.setenv("ALERT_WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/hook")
    monkeypatch.setitem(os.environ, "NO_PROXY", "127.0.0.1")
    alerts.task_failed({"ti": ti, "exception": "exit code 65"})
    server.shutdown()
    assert [message["event"] for message in received] == ["task_failed"]
    assert "refine failed: exit code 65" in received[0]["text"] and received[0]["run_id"] == "r"
