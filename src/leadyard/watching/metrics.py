"""Metrics for Prometheus, of this process, or of all processes of the service together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadyard.model import WebhookCounts
    from leadyard.watching.instruments import Instruments

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOTHING: AbstractContextManager[None] = nullcontext()
_on: Instruments | None = None


def start(*, shared_dir: Path | None = None) -> None:
    """Switches on the metrics of this process. `shared_dir` is the folder where all processes of the service keep their
    counts, or None if there is only one process."""
    global _on
    if _on is None:
        from leadyard.watching.instruments import Instruments

        _on = Instruments(shared_dir)


def request_began() -> None:
    """Counts a request as in progress, until request_ended."""
    if _on:
        _on.requests_in_progress.inc()


def request_ended(*, method: str, route: str | None, status: int, duration_s: float) -> None:
    """Counts a response. `route` is the pattern and not the path, or None for an unknown path. So a client with random
    paths cannot increase the number of time series."""
    if _on:
        method, route = method if method in _METHODS else "OTHER", route or "unknown"
        _on.requests_in_progress.dec()
        _on.requests.labels(method, route, str(status)).inc()
        _on.request_duration.labels(method, route).observe(duration_s)


def connection_refused(status: int) -> None:
    """Counts a response to input that never became a request."""
    if _on:
        _on.requests.labels("OTHER", "unknown", str(status)).inc()


def moved(lead_count: int) -> None:
    """Counts a move. Call it after the commit."""
    if _on:
        _on.moves.inc()
        _on.leads_moved.inc(lead_count)


def answer_replayed() -> None:
    """Counts a retried request that got its stored answer."""
    if _on:
        _on.replays.inc()


def job_batch_saved(*, leads: int, rejected: int) -> None:
    """Counts the results of a batch of a job. Call it after the commit."""
    if _on:
        _on.leads_imported.inc(leads)
        _on.rows_rejected.inc(rejected)


def leads_transferred(lead_count: int) -> None:
    """Counts the leads of a part that a transfer or the undo of a large change has applied. Call it after the
    commit."""
    if _on:
        _on.leads_transferred.inc(lead_count)


def job_ended(status: str) -> None:
    """Counts a job that is completed, failed or cancelled."""
    if _on:
        _on.jobs_ended.labels(status).inc()


def job_retried(code: str) -> None:
    """Counts a job that is postponed after a failure. `code` is one of the few codes of JobError."""
    if _on:
        _on.job_retries.labels(code).inc()


def events_placed(count: int) -> None:
    """Counts events that got their places in the feed. Call it after the commit."""
    if _on:
        _on.events.inc(count)


def webhook_delivery(outcome: str) -> None:
    """Counts a request to a receiver of events: delivered, postponed or failed. Call it after the commit."""
    if _on:
        _on.webhook_deliveries.labels(outcome).inc()


def webhook_disabled(reason: str) -> None:
    """Counts a webhook that the service has disabled. Call it after the commit."""
    if _on:
        _on.webhooks_disabled.labels(reason).inc()


def change_index_failed() -> None:
    """Counts an attempt to put changes of an account group into the index of the record that failed."""
    if _on:
        _on.change_index_failures.inc()


def waiting_for_events() -> AbstractContextManager[Any]:
    """Counts a reader as waiting for events while it is in the block."""
    return _on.event_readers.track_inprogress() if _on else _NOTHING


def rate_limits_alone(*, is_alone: bool) -> None:
    """Sets whether this process, with Redis configured, counts by itself because Redis cannot be reached."""
    if _on:
        _on.rate_limits_alone.set(is_alone)


def rate_limit_storage_lost() -> None:
    """Counts an outage of Redis."""
    if _on:
        _on.rate_limit_storage_losses.inc()


def transaction_retried(operation: str) -> None:
    """Counts a transaction that has to be run again because of a conflict."""
    if _on:
        _on.retries.labels(operation).inc()


def transaction_given_up(operation: str) -> None:
    """Counts a transaction that failed after all its retries."""
    if _on:
        _on.given_up.labels(operation).inc()


def database_failed(reason: str) -> None:
    """Counts a failure of the database, by one of the reasons in store/db/failures.py."""
    if _on:
        _on.database_failures.labels(reason).inc()


def database_limits(*, connections: int, waiters: int) -> None:
    """Sets how many connections this process may have, and how many requests may wait for one."""
    if _on:
        _on.connections_limit.set(connections)
        _on.waiters_limit.set(waiters)


def waiting_for_connection() -> AbstractContextManager[Any]:
    """Counts a request as waiting for a connection while it is in the block."""
    return _on.waiters.track_inprogress() if _on else _NOTHING


def holding_connection() -> AbstractContextManager[Any]:
    """Counts a connection as in use during the block."""
    return _on.connections_in_use.track_inprogress() if _on else _NOTHING


def exposition(
    *, version: str, jobs: Mapping[str, tuple[int, float]] | None, webhooks: WebhookCounts | None = None
) -> bytes:
    """Returns all metrics in the text format of Prometheus.

    `jobs` is status → (number, age of the oldest in seconds), or None if the database did not answer.
    """
    assert _on is not None, "call start() first"
    return _on.exposition(version=version, jobs=jobs, webhooks=webhooks)


def forget_process(pid: int, shared_dir: Path) -> None:
    """Removes the gauges of a process that has ended, such as its connections. Its counters stay in the totals."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid, str(shared_dir))  # type: ignore[no-untyped-call]
