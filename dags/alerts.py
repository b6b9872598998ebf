"""Tells a webhook what an operator has to know: a task that failed for good, a run that takes too long.

The webhook's address is in ALERT_WEBHOOK_URL. It gets a POST of `{"text": ..., "event": ..., ...}`, which Slack,
Mattermost and most receivers take. Without an address nothing is sent: the task's log and the UI tell the same.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import requests

log = logging.getLogger(__name__)


def post(event: str, text: str, **details: Any) -> None:
    """Sends one message. A webhook that fails is logged and harms nothing else."""
    url = os.environ.get("ALERT_WEBHOOK_URL")
    if not url:
        return
    try:
        requests.post(url, json={"text": text, "event": event, **details}, timeout=10).raise_for_status()
    except requests.RequestException as error:
        # The address may hold a token: only the kind of error is told.
        log.warning("the alert webhook did not take the message: %s", type(error).__name__)


def task_failed(context: Any) -> None:
    """The failure callback of every task; it is called when no retry is left."""
    ti = context["ti"]
    post(
        "task_failed",
        f"{ti.dag_id}: task {ti.task_id} failed: {context.get('exception')}",
        dag_id=ti.dag_id,
        task_id=ti.task_id,
        run_id=ti.run_id,
        try_number=ti.try_number,
        log_url=getattr(ti, "log_url", None),
    )


async def deadline_missed(dag_id: str, minutes: float, **kwargs: Any) -> None:
    """The callback of a deadline alert; it runs in the triggerer."""
    run = (kwargs.get("context") or {}).get("dag_run") or {}
    run_id = run.get("dag_run_id") or run.get("run_id")
    log.warning("%s: run %s has not ended within %s minutes", dag_id, run_id, minutes)
    text = f"{dag_id}: run {run_id} has not ended within {minutes:g} minutes"
    await asyncio.to_thread(post, "deadline_missed", text, dag_id=dag_id, run_id=run_id)
