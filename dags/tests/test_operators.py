"""LakeTaskOperator against a real Docker engine, with an image that obeys the process contract."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferred,
)
from airflow.sdk.execution_time.timeout import timeout

from operators import LakeTaskOperator


def result_line(status="done", **fields):
    table = {"name": "bronze/launches", "version_before": 3, "version": 4, "rows_in": 7, "rows_out": 7}
    table |= {"rows_updated": 0, "quarantined": 0, "files_added": 1, "files_removed": 0}
    line = {"schema": "task-result/v1", "task": "ingest", "run_id": "r", "status": status, "tables": [table]}
    return json.dumps(line | {"retry_after_seconds": None} | fields)


class Log:
    """What the operator logged: level, message and attributes."""

    def __init__(self):
        self.records = []

    def log(self, level, message, **attributes):
        self.records.append((level, message, attributes))

    def info(self, message, **attributes):
        self.log(logging.INFO, message, **attributes)

    def warning(self, message, **attributes):
        self.log(logging.WARNING, message, **attributes)

    def of(self, message):
        return [(level, attributes) for level, said, attributes in self.records if said == message]


class RecordingOperator(LakeTaskOperator):
    """The operator with a log that the test can read."""

    @property
    def log(self):
        return self.__dict__.setdefault("recorded", Log())


class TaskInstance(SimpleNamespace):
    dag_id, task_id, run_id, map_index, try_number = "launches", "ingest", "manual__1", -1, 1

    def xcom_push(self, key, value):
        self.__dict__.setdefault("xcoms", {})[key] = value

    def xcom_pull(self, task_ids, key):
        return [self.upstream.get(task_id) for task_id in task_ids]


class OutletEvents(dict):
    def __missing__(self, asset):
        return self.setdefault(asset, SimpleNamespace(extra={}, added=[]))


@pytest.fixture
def task(contract_image, network):
    """Makes a task of the image. Its variables are the image's instructions."""

    def make(run_id="manual__1", upstream=None, **arguments):
        environment = arguments.pop("environment", {})
        arguments = {"task_id": "ingest", "image": contract_image, "network_mode": network} | arguments
        operator = RecordingOperator(environment={"RESULT": result_line(), **environment}, **arguments)
        context = {"ti": TaskInstance(run_id=run_id, upstream=upstream or {}), "outlet_events": OutletEvents()}
        return operator, context

    return make


def test_exit_code_0_gives_the_result(task):
    operator, context = task()
    assert operator.resume(context)["tables"][0]["version"] == 4
    assert context["ti"].xcoms["result"]["status"] == "done"


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (1, "failed", AirflowException),
        (2, "failed", AirflowFailException),
        (3, "failed", AirflowException),
        (65, "contract_broken", AirflowFailException),
        (77, "failed", AirflowFailException),
        (99, "nothing_new", AirflowSkipException),
        (137, "failed", AirflowException),
    ],
)
def test_an_exit_code_becomes_what_airflow_knows(task, code, status, error):
    operator, context = task(environment={"EXIT": str(code), "RESULT": result_line(status, error="said why")})
    with pytest.raises(AirflowException) as raised:
        operator.resume(context)
    assert type(raised.value) is error
    if code != 99:
        assert f"exit code {code}" in str(raised.value) and "said why" in str(raised.value)
    assert context["ti"].xcoms["result"]["status"] == status


def test_exit_code_75_defers_until_the_budget_is_back(task):
    line = result_line("budget_spent", retry_after_seconds=1234)
    operator, context = task(environment={"EXIT": "75", "RESULT": line})
    with pytest.raises(TaskDeferred) as deferred:
        operator.resume(context)
    wait = deferred.value.trigger.moment - datetime.now(UTC)
    assert timedelta(seconds=1225) < wait <= timedelta(seconds=1234)
    assert deferred.value.method_name == "resume"


def test_success_without_a_result_line_is_an_error(task):
    operator, context = task(environment={"RESULT": "all is well"})
    with pytest.raises(AirflowException, match="without a result line"):
        operator.resume(context)
    assert operator.log.of("all is well"), "what it printed instead must be in the log"


def test_a_command_without_a_result_line_succeeds_where_none_is_required(task):
    operator, context = task(environment={"RESULT": "all is well"}, result_required=False)
    assert operator.resume(context) is None
    assert operator.log.of("all is well")


def test_log_lines_keep_their_level_and_attributes(task):
    lines = [
        {"time": "2026-01-02T03:04:05Z", "level": "DEBUG", "msg": "a", "task": "ingest", "page": 2},
        {"time": "2026-01-02T03:04:05Z", "level": "INFO", "msg": "b % {}", "event": "clash"},
        {"time": "2026-01-02T03:04:05Z", "level": "WARN", "msg": "c"},
        {"time": "2026-01-02T03:04:05Z", "level": "ERROR+2", "msg": "d", "error": "no such host"},
    ]
    operator, context = task(environment={"LINES": "\n".join([*map(json.dumps, lines), "panic: no JSON", "12", ""])})
    operator.resume(context)
    assert operator.log.of("a") == [(logging.DEBUG, {"page": 2})]
    assert operator.log.of("b % {}") == [(logging.INFO, {"event_": "clash"})]
    assert operator.log.of("c") == [(logging.WARNING, {})]
    assert operator.log.of("d") == [(logging.ERROR, {"error": "no such host"})]
    assert operator.log.of("panic: no JSON") == operator.log.of("12") == [(logging.INFO, {})]


def test_the_container_is_confined(task, docker_client, network):
    operator, context = task(environment={"WAIT": "3s"}, mem_limit="64m", pids_limit=50, cpu_limit=0.5)
    thread = threading.Thread(target=operator.resume, args=[context])
    thread.start()
    container = docker_client.inspect_container(running(docker_client, network)["Id"])
    thread.join()
    host = container["HostConfig"]
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"]
    assert host["SecurityOpt"] == ["no-new-privileges"] and host["PidsLimit"] == 50
    assert host["Memory"] == host["MemorySwap"] == 64 << 20 and host["NanoCpus"] == 500_000_000
    assert host["NetworkMode"] == network and not host["Binds"]
    labels = container["Config"]["Labels"]
    assert labels["launchlake"] == "task" and labels["launchlake.run_id"] == "manual__1"
    assert container["Name"].startswith("/launchlake-ingest-")
    assert not operator.log.of("no scratch space") and not operator.log.of("the root file system can be written")


def test_more_memory_than_allowed_is_told_as_such(task):
    operator, context = task(environment={"EAT": "256"}, mem_limit="64m")
    with pytest.raises(AirflowException, match=r"exit code 137 \(out of memory"):
        operator.resume(context)


def test_secrets_reach_the_container_and_no_template(task):
    operator, context = task(
        source_conn_id="launch_api",
        environment={
            "ECHO": "AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID LAKE_URL S3_ENDPOINT S3_PATH_STYLE LL2_TOKEN RUN_ID"
        },
    )
    operator.resume(context)
    seen = {attributes["name"]: attributes["value"] for _, attributes in operator.log.of("variable")}
    assert seen == {
        "AWS_ACCESS_KEY_ID": "lake-key-id",
        "AWS_SECRET_ACCESS_KEY": "lake-secret-key",
        "LAKE_URL": "s3://lake",
        "S3_ENDPOINT": "http://minio:9000",
        "S3_PATH_STYLE": "true",
        "LL2_TOKEN": "api-token-value",
        "RUN_ID": "manual__1",
    }
    rendered = str([getattr(operator, field) for field in operator.template_fields])
    assert "lake-secret-key" not in rendered and "api-token-value" not in rendered


def test_the_task_reads_the_version_that_an_upstream_task_wrote(task):
    upstream = {"ingest": json.loads(result_line())}
    operator, context = task(
        task_id="refine",
        upstream=upstream,
        reads={"BRONZE_VERSION": "bronze/launches", "OTHER_VERSION": "bronze/other"},
        environment={"ECHO": "BRONZE_VERSION OTHER_VERSION"},
    )
    operator.upstream_task_ids.add("ingest")
    operator.resume(context)
    seen = {attributes["name"]: attributes["value"] for _, attributes in operator.log.of("variable")}
    assert seen == {"BRONZE_VERSION": "4", "OTHER_VERSION": ""}


def test_the_task_is_told_the_collector_and_the_span_that_started_it(task, monkeypatch):
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    operator, context = task(environment={"ECHO": "OTEL_EXPORTER_OTLP_ENDPOINT TRACEPARENT"})
    with TracerProvider().get_tracer("test").start_as_current_span("task") as span:
        operator.resume(context)
        trace_id = trace.format_trace_id(span.get_span_context().trace_id)
    seen = {attributes["name"]: attributes["value"] for _, attributes in operator.log.of("variable")}
    assert seen["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
    assert seen["TRACEPARENT"].startswith(f"00-{trace_id}-")


def test_a_container_that_a_dead_worker_left_running_is_adopted(task, docker_client, network):
    first, context = task(environment={"WAIT": "4s", "LINES": '{"level":"INFO","msg":"first"}'})
    first.container = first._start(context, first._labels(context))
    second, context = task()
    assert second.resume(context)["status"] == "done"
    assert second.log.of("going on with an earlier try's container")
    assert second.log.of("first"), "the log is shown from its beginning"


def test_the_result_of_a_container_that_ended_without_its_worker_is_taken(task, docker_client):
    first, context = task()
    container = first._start(context, first._labels(context))
    docker_client.wait(container["Id"])
    second, context = task(environment={"EXIT": "99"})
    assert second.resume(context)["status"] == "done"


def test_a_container_that_failed_without_its_worker_is_replaced(task, docker_client):
    first, context = task(environment={"EXIT": "1"})
    container = first._start(context, first._labels(context))
    docker_client.wait(container["Id"])
    second, context = task()
    assert second.resume(context)["status"] == "done"


def test_the_container_of_another_run_is_left_alone(task, docker_client, network):
    other, context = task(run_id="manual__0", environment={"WAIT": "60s"})
    container = other._start(context, other._labels(context))
    mine, context = task()
    mine.resume(context)
    assert docker_client.inspect_container(container["Id"])["State"]["Running"]
    docker_client.remove_container(container["Id"], force=True, v=True)


def test_what_another_run_left_long_ago_is_removed(task, docker_client, network, monkeypatch):
    other, context = task(run_id="manual__0")
    docker_client.wait(other._start(context, other._labels(context))["Id"])
    monkeypatch.setattr("operators.ABANDONED_AFTER", -10)
    mine, context = task()
    mine.resume(context)
    assert mine.log.of("removing a container that another run left")


def test_a_killed_task_stops_its_container_gently_and_removes_it(task, docker_client, network):
    operator, context = task(environment={"WAIT": "60s"})
    errors = []

    def run():
        try:
            operator.resume(context)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    running(docker_client, network)
    start = time.monotonic()
    operator.on_kill()
    thread.join(20)
    assert errors and time.monotonic() - start < 8
    assert operator.log.of("stopping"), "SIGTERM must reach the process"


def test_a_try_that_takes_too_long_stops_its_container(task, docker_client, network):
    operator, context = task(environment={"WAIT": "60s"})
    with pytest.raises(AirflowTaskTimeout), timeout(seconds=3):
        operator.resume(context)
    assert not docker_client.containers(all=True, filters={"label": f"launchlake.network={network}"})


def test_a_task_process_that_is_terminated_leaves_no_container(contract_image, docker_client, network):
    program = f"""
import signal, sys
sys.path[:0] = [{str(Path(__file__).parent)!r}]
import conftest
from test_operators import LakeTaskOperator, TaskInstance, OutletEvents
operator = LakeTaskOperator(
    task_id="ingest", image={contract_image!r}, network_mode={network!r}, environment={{"WAIT": "60s"}}
)
signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
operator.resume({{"ti": TaskInstance(), "outlet_events": OutletEvents()}})
"""
    process = subprocess.Popen([sys.executable, "-c", program], env=dict(os.environ), stderr=subprocess.PIPE)
    try:
        running(docker_client, network, limit=180)
    except AssertionError as error:
        process.kill()
        raise AssertionError(process.communicate()[1].decode()) from error
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) != 0
    assert not docker_client.containers(all=True, filters={"label": f"launchlake.network={network}"})


def test_an_engine_whose_log_streams_never_end_keeps_nobody(task, docker_client):
    class Relay(BaseHTTPRequestHandler):
        def relay(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {"Content-Type": self.headers.get("Content-Type", "")}
            url = docker_client.base_url + self.path
            answer = docker_client.request(self.command, url, data=body, headers=headers, timeout=60)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.end_headers()
            self.wfile.write(answer.content)
            if "/logs" in self.path and parse_qs(urlsplit(self.path).query).get("follow", ["0"])[0] in ("1", "True"):
                self.wfile.flush()
                ended.wait()

        do_GET = do_POST = do_DELETE = relay

        def log_message(self, *_):
            pass

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    operator, context = task(
        docker_url=f"tcp://127.0.0.1:{server.server_port}",
        environment={"WAIT": "2s", "LINES": '{"level":"INFO","msg":"first"}'},
    )
    thread = threading.Thread(target=operator.resume, args=[context], daemon=True)
    thread.start()
    thread.join(60)
    kept = thread.is_alive()
    ended.set()
    thread.join(60)
    server.shutdown()
    assert not kept and context["ti"].xcoms["result"]["status"] == "done"
    assert len(operator.log.of("first")) == 1, "a line is shown once, however often the log is asked for"


def test_an_image_that_does_not_exist_fails_and_names_it(task):
    operator, context = task(image="localhost:1/launchlake/nothing:none")
    with pytest.raises(Exception, match="localhost:1"):
        operator.resume(context)


def running(docker_client, network, limit=180):
    """The task's container, once it runs."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = docker_client.containers(filters={"label": f"launchlake.network={network}"})
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("no container was started")
