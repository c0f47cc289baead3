"""Waiting for a job: the model gets its end, or its state and how to wait on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from leadyard.agents.tool import Call, Data
from leadyard.agents.tools.audiences import audiences_now
from leadyard.agents.tools.left_out_rows import left_out_rows
from leadyard.api_client.refused import Refused

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_PLAIN_COUNTS = ("read", "created", "matched", "added", "alreadyInAudience", "rejected")
_ENDED = ("completed", "failed", "cancelled")
_Show = Callable[[Mapping[str, Any]], Data]
_Read = Callable[[], Awaitable[Mapping[str, Any]]]


async def ended_transfer(call: Call, group: str, job_id: str, *, wait_s: float) -> Data:
    """Returns the transfer, or the undo of a large change, when it has ended or `wait_s` are over. Raises Refused if it
    has failed."""
    return await _ended(call, lambda: call.api.get(f"{group}/transfers/{job_id}"), transfer_shown, wait_s=wait_s)


async def ended_import(call: Call, group: str, job_id: str, *, wait_s: float) -> Data:
    """The same for a prospecting job. An import that has ended has the id of its change, if the key may see it."""
    shown = await _ended(call, lambda: call.api.get(f"{group}/prospecting/{job_id}"), import_shown, wait_s=wait_s)
    if shown["status"] not in _ENDED:
        return shown
    shown |= await left_out_rows(call, f"{group}/prospecting/{job_id}", shown["counts"])
    shown |= await audiences_now(call, group, {"audience": shown["audienceId"]})
    change_id = await _change_of(call, group, shown)
    if change_id is None:
        return shown
    undo = f"To take the import back, call undo_change with changeId {change_id}."
    return shown | {"changeId": change_id, "next": f"{shown['next']} {undo}"}


async def _change_of(call: Call, group: str, job: Data) -> str | None:
    """Returns the id of the change that an import has made, or None if it brought no person in."""
    try:
        newest = await call.api.get(f"{group}/changes", audienceId=job["audienceId"], kind="import", limit=10)
    except Refused:
        return None
    return next((each["id"] for each in newest["items"] if each["jobId"] == job["jobId"]), None)


def raise_if_failed(job: Mapping[str, Any]) -> None:
    """Raises Refused with the reason why a job has failed."""
    if job["status"] != "failed":
        return
    error = {name: value for name, value in (job["error"] or {}).items() if value is not None}
    code, message = error.pop("code", "JOB_FAILED"), error.pop("message", "The job has failed.")
    raise Refused(code, message, "The job has failed.", extra={**error, "jobId": job["jobId"]})


def transfer_shown(job: Mapping[str, Any]) -> Data:
    """Returns what a model needs of a transfer."""
    names = ("jobId", "action", "status", "progress", "sourceAudienceId", "targetAudienceId", "count", "appliedCount")
    shown = {name: job[name] for name in (*names, "alreadyInTargetCount", "skippedCount", "changeId")}
    shown |= {name: job[name] for name in ("undoesChangeId", "error") if job.get(name) is not None}
    return shown | {"next": _next_of_transfer(job)}


def import_shown(job: Mapping[str, Any]) -> Data:
    """Returns what a model needs of a prospecting job."""
    names = ("jobId", "status", "sourceType", "audienceId", "error")
    columns = {each["name"]: each["field"] or each["how"] for each in job["plan"] or ()}
    return {
        **{name: job[name] for name in names},
        "counts": {name: count for name, count in job["counts"].items() if count or name in _PLAIN_COUNTS},
        **({"columns": columns} if columns else {}),
        "progress": _part_done(job),
        "next": _next_of_import(job),
    }


async def _ended(call: Call, read: _Read, show: _Show, *, wait_s: float) -> Data:
    late_at, pause_s, best = time.monotonic() + wait_s, _FIRST_PAUSE_S, -1.0
    while True:
        job = await read()
        raise_if_failed(job)
        part = _part_done(job)
        has_ended = job["status"] in _ENDED
        if has_ended and part > best >= 0:
            await call.report(part, f"The job is {job['status']}.")
        if has_ended or time.monotonic() >= late_at:
            return show(job)
        if part > best:
            # MCP wants progress that only grows, and the progress of a transfer falls when it is taken back.
            best = part
            await call.report(part, f"The job is {job['status']}.")
        await asyncio.sleep(max(0.0, min(pause_s, late_at - time.monotonic())))
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def _part_done(job: Mapping[str, Any]) -> float:
    if job["status"] == "completed":
        return 1.0
    if "progress" in job:
        return float(job["progress"])
    stages = job["stages"].values()
    return float(sum(stage["progress"] for stage in stages) / len(stages))


def _next_of_transfer(job: Mapping[str, Any]) -> str:
    if job["status"] not in _ENDED:
        return _wait(job)
    if job["status"] != "completed":
        return "Everything is as it was before. Nothing is left to do."
    if job["changeId"] is None:
        return "No person was selected, so nothing has changed."
    return f"Done. To take it back, call undo_change with changeId {job['changeId']} and expectedCount {job['count']}."


def _next_of_import(job: Mapping[str, Any]) -> str:
    if job["status"] not in _ENDED:
        return _wait(job)
    if job["status"] == "cancelled":
        return "The people that were imported before stay."
    counts = job["counts"]
    if counts["rejected"] or counts["noted"]:
        return "Done. Report to the user which rows were not imported as they are, and why: `rejectedRows` has them."
    return "Done. `counts` has the numbers."


def _wait(job: Mapping[str, Any]) -> str:
    return f"The job goes on. Call get_job with jobId {job['jobId']} and waitSeconds 30, or cancel_job to stop it."
