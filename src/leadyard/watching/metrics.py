"""Counts for Prometheus: what happened in this process, or in all processes of a service with several."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadyard.watching.instruments import Instruments

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOTHING: AbstractContextManager[None] = nullcontext()
_on: Instruments | None = None


def start(*, shared_dir: Path | None = None) -> None:
    """Switches the metrics of this process on. `shared_dir` is where all processes of the service keep their counts,
    None when this is the only one."""
    global _on
    if _on is None:
        from leadyard.watching.instruments import Instruments

        _on = Instruments(shared_dir)


def request_began() -> None:
    """Counts a request as being worked on, until request_ended."""
    if _on:
        _on.requests_in_progress.inc()


def request_ended(*, method: str, route: str | None, status: int, duration_s: float) -> None:
    """Counts an answer. `route` is the pattern and not the path, None for a path that is nobody's: whatever a stranger
    asks for, the number of time series stays what it is."""
    if _on:
        method, route = method if method in _METHODS else "OTHER", route or "unknown"
        _on.requests_in_progress.dec()
        _on.requests.labels(method, route, str(status)).inc()
        _on.request_duration.labels(method, route).observe(duration_s)


def connection_refused(status: int) -> None:
    """Counts an answer to something that never became a request."""
    if _on:
        _on.requests.labels("OTHER", "unknown", str(status)).inc()


def moved(lead_count: int) -> None:
    """Counts a move. To be called after its commit."""
    if _on:
        _on.moves.inc()
        _on.leads_moved.inc(lead_count)


def answer_replayed() -> None:
    """Counts a request that was done before and got the answer of then."""
    if _on:
        _on.replays.inc()


def job_batch_saved(*, leads: int, rejected: int) -> None:
    """Counts what a batch of a job has brought in. To be called after its commit, like all of these."""
    if _on:
        _on.leads_imported.inc(leads)
        _on.rows_rejected.inc(rejected)


def job_ended(status: str) -> None:
    """Counts a job that is completed, failed or cancelled."""
    if _on:
        _on.jobs_ended.labels(status).inc()


def job_retried(code: str) -> None:
    """Counts a job that is put off after a failure; `code` is that of a JobError, of which there are a few."""
    if _on:
        _on.job_retries.labels(code).inc()


def rate_limits_alone(*, is_alone: bool) -> None:
    """Tells whether this process, which was told of a Redis, counts by itself because it is out of reach."""
    if _on:
        _on.rate_limits_alone.set(is_alone)


def rate_limit_storage_lost() -> None:
    """Counts that Redis went out of reach."""
    if _on:
        _on.rate_limit_storage_losses.inc()


def transaction_retried(operation: str) -> None:
    """Counts a transaction that the database asked to be run again."""
    if _on:
        _on.retries.labels(operation).inc()


def transaction_given_up(operation: str) -> None:
    """Counts a transaction that was run again as often as it may, in vain."""
    if _on:
        _on.given_up.labels(operation).inc()


def database_failed(reason: str) -> None:
    """Counts a failure of the database, by one of the reasons in store/db/failures.py."""
    if _on:
        _on.database_failures.labels(reason).inc()


def database_limits(*, connections: int, waiters: int) -> None:
    """Tells how many connections this process may have, and how many may wait for one."""
    if _on:
        _on.connections_limit.set(connections)
        _on.waiters_limit.set(waiters)


def waiting_for_connection() -> AbstractContextManager[Any]:
    """Counts whoever is in the block as waiting for a connection."""
    return _on.waiters.track_inprogress() if _on else _NOTHING


def holding_connection() -> AbstractContextManager[Any]:
    """Counts whoever is in the block as holding a connection."""
    return _on.connections_in_use.track_inprogress() if _on else _NOTHING


def exposition(*, version: str, jobs: Mapping[str, tuple[int, float]] | None) -> bytes:
    """Returns everything in Prometheus' text format.

    `jobs` is status → (how many, seconds since the oldest was made), None when the database did not tell.
    """
    assert _on is not None, "call start() first"
    return _on.exposition(version=version, jobs=jobs)


def forget_dead_processes(shared_dir: Path) -> None:
    """Removes what processes that have ended left of values that only the living have, connections for one. What they
    counted stays counted."""
    for file in shared_dir.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except (PermissionError, ValueError):
            # Somebody else's by now, or not a file of ours: then it is not ours to remove.
            continue
