"""What a launchlake process tells when it ends: its exit code and the result line, the last line of stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

RESULT_SCHEMA = "task-result/v1"


class ExitCode(IntEnum):
    """How a task's process ends; the same list as in the README."""

    DONE = 0
    FAILED = 1
    BAD_CONFIG = 2
    UNAVAILABLE = 3
    CONTRACT_BROKEN = 65
    BUDGET_SPENT = 75
    NO_PERMISSION = 77
    NOTHING_NEW = 99
    INTERRUPTED = 130
    KILLED = 137
    TERMINATED = 143


NO_RETRY = {ExitCode.BAD_CONFIG, ExitCode.CONTRACT_BROKEN, ExitCode.NO_PERMISSION}
ADVICE = {
    ExitCode.FAILED: "runtime error",
    ExitCode.BAD_CONFIG: "configuration: correct the variable or connection that the error names, then clear this task",
    ExitCode.UNAVAILABLE: "the store or the API cannot be reached, or the store is not safe",
    ExitCode.CONTRACT_BROKEN: "data contract broken: nothing was published; tables are as before",
    ExitCode.NO_PERMISSION: "credentials are missing, wrong or too weak: correct the connection, then clear this task",
    ExitCode.INTERRUPTED: "stopped by SIGINT, tables valid",
    ExitCode.KILLED: "killed",
    ExitCode.TERMINATED: "stopped by SIGTERM, tables valid",
}


@dataclass(frozen=True)
class TaskResult:
    """The result line of a task."""

    status: str
    tables: Mapping[str, Mapping[str, Any]]
    retry_after: timedelta | None
    error: str
    raw: dict[str, Any]

    @classmethod
    def parse(cls, line: str) -> TaskResult:
        raw = json.loads(line)
        if not isinstance(raw, dict) or raw.get("schema") != RESULT_SCHEMA:
            raise ValueError(f"not a {RESULT_SCHEMA} line: {line[:200]}")
        seconds = raw.get("retry_after_seconds")
        return cls(
            status=raw["status"],
            tables={table["name"]: table for table in raw.get("tables") or []},
            retry_after=None if seconds is None else timedelta(seconds=seconds),
            error=raw.get("error", ""),
            raw=raw,
        )

    @property
    def changed(self) -> list[Mapping[str, Any]]:
        return [table for table in self.tables.values() if table["version"] != table["version_before"]]


def summary(table: Mapping[str, Any]) -> dict[str, Any]:
    """What the log says of a table: its version, and what came of the rows where there were any."""
    counts = ("rows_in", "rows_out", "rows_updated", "quarantined")
    return {"version": table["version"]} | {name: table[name] for name in counts if table[name]}
