"""Runs launchlake's images as Airflow tasks.

A task is a container that is configured by its environment, logs JSON lines to stderr, prints one result line last on
stdout and tells by its exit code how it ended. `LakeTaskOperator` starts such a container, shows its log with its
levels, and makes of exit code and result what Airflow knows: success, skip, retry, failure, deferral, asset events.
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import Asset, AssetAlias, Connection
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount
from requests.exceptions import ConnectionError as EngineUnreachable
from requests.exceptions import ReadTimeout

from results import ADVICE, NO_RETRY, ExitCode, TaskResult, summary

LABEL = "launchlake"
ABANDONED_AFTER = 3600
# Between two looks at a container, in seconds: one that ends at once is not waited for.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}


def store_environment(connection: Connection) -> dict[str, str]:
    """The lake's address and keys: `lake_url`, `endpoint_url`, `region_name` and `path_style` are in the extra."""
    extra = connection.extra_dejson
    environment = {
        "LAKE_URL": extra.get("lake_url"),
        "S3_ENDPOINT": extra.get("endpoint_url"),
        "S3_PATH_STYLE": str(extra.get("path_style", False)).lower(),
        "AWS_REGION": extra.get("region_name", "us-east-1"),
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
        "AWS_SESSION_TOKEN": extra.get("aws_session_token"),
    }
    return {name: value for name, value in environment.items() if value}


def source_environment(connection: Connection) -> dict[str, str]:
    """The launch API's address (the connection's host) and token (its password)."""
    environment = {"SOURCE_URL": connection.host, "LL2_TOKEN": connection.password}
    return {name: value for name, value in environment.items() if value}


def task_image(task: str) -> str:
    """The image of a task, in the registry and of the version that this deployment runs."""
    registry = os.environ.get("LAUNCHLAKE_REGISTRY", "launchlake")
    return f"{registry}/{task}:{os.environ.get('LAUNCHLAKE_VERSION', 'dev')}"


class LakeTaskOperator(DockerOperator):
    """Runs one image to its end and gives its result line as the task's XCom.

    Exit code 0 succeeds and 99 skips. 75 defers the task until the request budget is back, which takes neither a worker
    slot nor a retry. 2, 65 and 77 fail at once, for a retry could not help; every other code is retried.

    A container outlives a crashed worker: the next try finds it by its labels and goes on with it, and takes the result
    of one that has ended meanwhile. A container that this task leaves, in whatever way, is stopped and removed.

    :param lake_conn_id: connection with the lake's address and keys
    :param source_conn_id: connection with the launch API's address and token, for tasks that ask the API
    :param reads: variables that tell the task which version of a table to read, with the table's name; the version is
        the one in the result of an upstream task of this run
    :param result_required: False for a command that prints no result line
    :param cpu_limit: processors that the container may use
    :param pids_limit: processes and threads that the container may have
    :param scratch: folder of the container that can be written to; everything else is read-only
    """

    template_fields: Sequence[str] = tuple(DockerOperator.template_fields)
    ui_color = "#e8f1fb"

    def __init__(
        self,
        *,
        lake_conn_id: str = "lake",
        source_conn_id: str | None = None,
        reads: Mapping[str, str] | None = None,
        result_required: bool = True,
        cpu_limit: float = 1.0,
        pids_limit: int = 256,
        scratch: str = "/tmp",
        api_version: str = "auto",
        network_mode: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api_version=api_version,
            network_mode=network_mode or os.environ.get("LAUNCHLAKE_NETWORK"),
            mount_tmp_dir=False,
            auto_remove="force",
            **kwargs,
        )
        self.lake_conn_id = lake_conn_id
        self.source_conn_id = source_conn_id
        self.reads = dict(reads or {})
        self.inlets = self.inlets or [table_asset(table) for table in self.reads.values()]
        self.result_required = result_required
        self.cpu_limit = cpu_limit
        self.pids_limit = pids_limit
        self.scratch = scratch

    def execute(self, context: Any) -> dict[str, Any] | None:
        return self._run(context)

    def resume(self, context: Any, event: Any = None) -> dict[str, Any] | None:
        """Goes on after a deferral. All progress is in the tables, so going on is running again."""
        return self._run(context)

    def on_kill(self) -> None:
        """Stops the container, which leaves valid tables behind, and removes it."""
        if self.container is None:
            return
        container_id = self.container["Id"]
        self.log.warning("stopping the container", container=container_id[:12])
        try:
            self.cli.stop(container_id, timeout=10)
            self._show_new_lines(container_id)
        except NotFound:
            pass  # it has ended meanwhile, and was removed
        finally:
            self._remove(container_id)

    # --- one run -----------------------------------------------------------------------------------------------------

    def _run(self, context: Any) -> dict[str, Any] | None:
        labels = self._labels(context)
        self._sweep(labels)
        self.shown_until = ""  # the time stamp of the last line of the container's log that was shown
        self.container = self._adopt(labels) or self._start(context, labels)
        try:
            code, cause = self._follow(self.container["Id"])
            result = self._result(self.container["Id"], code)
        except (EngineUnreachable, ReadTimeout) as error:
            # The container may be well: it is left to the next try.
            self.container = None
            raise AirflowException(f"lost the Docker engine while the container ran: {error}") from error
        except BaseException:
            self.on_kill()
            raise
        self._remove(self.container["Id"])
        return self._conclude(context, code, cause, result)

    def _conclude(self, context: Any, code: int, cause: str, result: TaskResult | None) -> dict[str, Any] | None:
        if result is not None:
            # A task that does not succeed has no return value; who looks at it shall see its result all the same.
            context["ti"].xcom_push(key="result", value=result.raw)
        error = result.error if result and result.error else ""
        if code == ExitCode.NOTHING_NEW:
            raise AirflowSkipException("nothing new")
        if code == ExitCode.BUDGET_SPENT:
            self._wait_for_budget(result)
        if code != ExitCode.DONE:
            message = f"exit code {code} ({cause or ADVICE.get(code, 'unknown')})" + (f": {error}" if error else "")
            raise (AirflowFailException if code in NO_RETRY else AirflowException)(message)
        if result is None:
            return None
        self._emit(context, result)
        return result.raw

    def _wait_for_budget(self, result: TaskResult | None) -> None:
        wait = result.retry_after if result and result.retry_after is not None else timedelta(hours=1)
        moment = datetime.now(UTC) + max(wait, timedelta(seconds=1))
        self.log.warning("request budget spent: the task goes on later", at=moment.isoformat(timespec="seconds"))
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="resume")

    def _emit(self, context: Any, result: TaskResult) -> None:
        """Tells the tables' versions on their assets; what is no outlet itself goes to the alias among the outlets."""
        events = context["outlet_events"]
        assets = {outlet.name: outlet for outlet in self.outlets if isinstance(outlet, Asset)}
        alias = next((outlet for outlet in self.outlets if isinstance(outlet, AssetAlias)), None)
        for table in result.tables.values():
            extra = {
                "delta_version": table["version"],
                "delta_version_before": table["version_before"],
                "rows": table["rows_out"],
                "rows_in": table["rows_in"],
                "rows_updated": table["rows_updated"],
                "quarantined": table["quarantined"],
                "run_id": result.raw.get("run_id"),
            }
            if watermark := result.raw.get("watermark"):
                extra["watermark"] = watermark
            if asset := assets.get(table["name"]):
                events[asset].extra.update(extra)
            elif alias and table in result.changed:
                events[alias].add(table_asset(table["name"]), extra=extra)

    # --- the container -----------------------------------------------------------------------------------------------

    def _labels(self, context: Any) -> dict[str, str]:
        ti = context["ti"]
        return {
            LABEL: "task",
            f"{LABEL}.network": self.network_mode or "",
            f"{LABEL}.dag_id": ti.dag_id,
            f"{LABEL}.task_id": ti.task_id,
            f"{LABEL}.run_id": ti.run_id,
            f"{LABEL}.map_index": str(getattr(ti, "map_index", -1)),
        }

    def _containers(self, labels: Mapping[str, str], **filters: Any) -> list[dict[str, Any]]:
        return self.cli.containers(all=True, filters={"label": [f"{k}={v}" for k, v in labels.items()], **filters})

    def _adopt(self, labels: Mapping[str, str]) -> dict[str, Any] | None:
        """The container that an earlier try of this task left behind, if it runs or has a result."""
        adopted = None
        for found in self._containers(labels):
            state = self.cli.inspect_container(found["Id"])["State"]
            ended_well = state["Status"] == "exited" and state["ExitCode"] in (ExitCode.DONE, ExitCode.BUDGET_SPENT)
            if adopted is None and (state["Running"] or ended_well):
                adopted = found
                self.log.warning("going on with an earlier try's container", container=found["Id"][:12], **brief(state))
            else:
                self._remove(found["Id"])
        return adopted

    def _sweep(self, labels: Mapping[str, str]) -> None:
        """Removes what other runs of this task left when their worker died and no retry came."""
        kind = {k: v for k, v in labels.items() if not k.endswith((".run_id", ".map_index"))}
        run = f"{LABEL}.run_id"
        for found in self._containers(kind, status=["exited", "dead", "created"]):
            if found["Labels"].get(run) != labels[run] and found["Created"] < time.time() - ABANDONED_AFTER:
                self.log.info("removing a container that another run left", container=found["Id"][:12])
                self._remove(found["Id"])

    def _start(self, context: Any, labels: Mapping[str, str]) -> dict[str, Any]:
        ti = context["ti"]
        spec = dict(
            image=self.image,
            command=self.format_command(self.command),
            name=f"{LABEL}-{ti.task_id}-{uuid.uuid4().hex[:12]}".replace("/", "-"),
            environment={**self.environment, **self._task_environment(context)},
            labels={**labels, f"{LABEL}.try_number": str(ti.try_number)},
            host_config=self._host_config(),
            user=self.user,
        )
        try:
            container = self.cli.create_container(**spec)
        except ImageNotFound:
            self.log.info("pulling the image", image=self.image)
            self.cli.pull(self.image)
            container = self.cli.create_container(**spec)
        self.log.info("starting the container", image=self.image, container=container["Id"][:12])
        try:
            self.cli.start(container["Id"])
        except BaseException:
            self._remove(container["Id"])
            raise
        return container

    def _task_environment(self, context: Any) -> dict[str, str]:
        """What is known only now, and what is not to be seen in the UI: this never gets into a template."""
        ti = context["ti"]
        environment = {"RUN_ID": ti.run_id, "LOG_FORMAT": "json", **telemetry(), **self._versions_read(context)}
        environment |= store_environment(Connection.get(self.lake_conn_id))
        if self.source_conn_id:
            environment |= source_environment(Connection.get(self.source_conn_id))
        return {**environment, **self._private_environment}

    def _versions_read(self, context: Any) -> dict[str, str]:
        if not self.reads:
            return {}
        results = context["ti"].xcom_pull(task_ids=sorted(self.upstream_task_ids), key="result") or []
        versions = {table["name"]: table["version"] for result in results if result for table in result["tables"]}
        return {variable: str(versions[table]) for variable, table in self.reads.items() if table in versions}

    def _host_config(self) -> dict[str, Any]:
        return self.cli.create_host_config(
            network_mode=self.network_mode,
            # Scratch space is an anonymous volume and not a tmpfs, whose pages would count as the container's memory.
            mounts=[*self.mounts, Mount(target=self.scratch, source=None, type="volume")],
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=self.pids_limit,
            mem_limit=self.mem_limit,
            memswap_limit=self.mem_limit,
            nano_cpus=round(self.cpu_limit * 1e9),
            init=False,
            log_config=LogConfig(type="json-file", config={"max-size": "20m", "max-file": "3"}),
            extra_hosts=self.extra_hosts,
        )

    def _remove(self, container_id: str) -> None:
        try:
            self.cli.remove_container(container_id, v=True, force=True)
        except NotFound:
            pass
        except (APIError, DockerException) as error:
            self.log.warning("could not remove the container", container=container_id[:12], error=str(error))

    # --- its output --------------------------------------------------------------------------------------------------

    def _follow(self, container_id: str) -> tuple[int, str]:
        """Shows the log until the container has ended; gives its exit code and, where the engine knows, why.

        The log is asked for again and again, and not followed: an engine's stream of a log can miss that the container
        has ended, and docker-py takes the timeout off the connections of streams, so the task would wait for ever.
        """
        failures, pause = 0, SHORTEST_PAUSE
        while True:
            try:
                state = self.cli.inspect_container(container_id)["State"]  # before the log: whole once it ended
                self._show_new_lines(container_id)
                if not state["Running"]:
                    return state["ExitCode"], "out of memory: raise the task's mem_limit" if state["OOMKilled"] else ""
                failures, pause = 0, min(2 * pause, LONGEST_PAUSE)
                time.sleep(pause)
            except (EngineUnreachable, ReadTimeout) as error:
                # The engine or the proxy before it may be restarting.
                failures += 1
                if failures > 10:
                    raise
                self.log.warning("lost the container's log: trying again", error=str(error)[:200])
                time.sleep(min(2**failures, 30))

    def _show_new_lines(self, container_id: str) -> None:
        """Shows the whole lines of stderr that it has not shown yet."""
        seen = self.shown_until
        since = {"since": int(datetime.fromisoformat(f"{seen[:19]}+00:00").timestamp())} if seen else {}
        *lines, _ = self.cli.logs(container_id, stdout=False, timestamps=True, **since).split(b"\n")
        for raw in lines:
            stamp, _, line = raw.decode("utf-8", "replace").partition(" ")
            if stamp > self.shown_until:
                self.shown_until = stamp
                self._show(line)

    def _show(self, line: str) -> None:
        try:
            record = json.loads(line)
            level, message = LEVELS[str(record.pop("level"))[:5].rstrip("+-0123456789")], str(record.pop("msg"))
        except (ValueError, KeyError, TypeError, AttributeError):
            if line.strip():
                self.log.info(line)
            return
        for known in ("time", "task", "run_id"):
            record.pop(known, None)
        # These names are structlog's own.
        attributes = {f"{k}_" if k in ("event", "logger", "timestamp", "level") else k: v for k, v in record.items()}
        self.log.log(level, message, **attributes)

    def _result(self, container_id: str, code: int) -> TaskResult | None:
        output = self.cli.logs(container_id, stdout=True, stderr=False, stream=False).decode("utf-8", "replace")
        *others, last = output.rstrip("\n").split("\n")
        try:
            result = TaskResult.parse(last)
        except (ValueError, KeyError, TypeError) as error:
            for line in [*others, last]:
                self._show(line)
            if self.result_required and code in (ExitCode.DONE, ExitCode.BUDGET_SPENT):
                raise AirflowException(f"exit code {code} without a result line: {error}") from error
            return None
        for line in others:
            self._show(line)
        self.log.info("result", status=result.status)
        for name, table in result.tables.items():
            self.log.info(name, **summary(table))
        return result


def only_when_contract_broken(task_id: str) -> Callable[[Any], None]:
    """A `pre_execute` that skips its task unless the named one ended with a broken contract."""

    def check(context: Any) -> None:
        result = context["ti"].xcom_pull(task_ids=task_id, key="result")
        if not result or result.get("status") != "contract_broken":
            raise AirflowSkipException(f"{task_id} did not stop at a broken contract")

    return check


def table_asset(name: str) -> Asset:
    """The asset of a table; its name is the table's name in the lake."""
    return Asset(name=name, uri=f"delta://lake/{name}", group=name.partition("/")[0])


def brief(state: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": state["Status"], "exit_code": state["ExitCode"], "started_at": state["StartedAt"]}


def telemetry() -> dict[str, str]:
    """Where the worker's OpenTelemetry collector is, and the current span as TRACEPARENT when Airflow traces."""
    from opentelemetry.propagate import inject

    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return {}
    carrier: dict[str, str] = {}
    inject(carrier)
    passed = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES")
    environment = {name: os.environ[name] for name in passed if os.environ.get(name)}
    return environment | {
        name.upper(): value for name, value in carrier.items() if name in ("traceparent", "tracestate")
    }
