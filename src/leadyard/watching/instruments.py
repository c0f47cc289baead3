"""Every metric on one screen. Only imported when metrics are on: prometheus_client takes longer to load than most
commands take to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from leadyard.watching.metrics import forget_dead_processes

# A second series for every counter, of which nobody has asked when it was made.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From a single read to the longest that a request may take.
_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Instruments:
    """The metrics of one process, and how they are read: alone, or together with those of its siblings."""

    def __init__(self, shared_dir: Path | None) -> None:
        self._shared_dir = shared_dir
        self._own = own = CollectorRegistry()
        self.requests = _counter(own, "requests", "Answers by method, route and status.", "method", "route", "status")
        self.request_duration = Histogram(
            "leadyard_request_duration_seconds",
            "From the end of a request's head to the end of its answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=own,
        )
        self.requests_in_progress = _gauge(own, "requests_in_progress", "Requests being worked on.")
        self.moves = _counter(own, "moves", "Moves that were committed.")
        self.leads_moved = _counter(own, "leads_moved", "Leads in the moves that were committed.")
        self.replays = _counter(own, "replays", "Requests answered as the same request was before.")
        self.leads_imported = _counter(own, "leads_imported", "Leads that jobs have made or found again.")
        self.rows_rejected = _counter(own, "rows_rejected", "What jobs could not make a lead of.")
        self.jobs_ended = _counter(own, "jobs_ended", "Prospecting jobs that have ended.", "status")
        self.job_retries = _counter(own, "job_retries", "Jobs put off after a failure.", "code")
        self.rate_limits_alone = _gauge(own, "rate_limits_alone", "Processes that count without their Redis.")
        self.rate_limit_storage_losses = _counter(own, "rate_limit_storage_losses", "Times that Redis was lost.")
        self.retries = _counter(own, "transaction_retries", "Transactions that were run again.", "operation")
        self.given_up = _counter(own, "transactions_given_up", "Transactions run again in vain.", "operation")
        self.database_failures = _counter(own, "database_failures", "Failures of the database.", "reason")
        self.connections_in_use = _gauge(own, "database_connections_in_use", "Database connections in use.")
        self.connections_limit = _gauge(own, "database_connections_limit", "Database connections there may be.")
        self.waiters = _gauge(own, "database_waiters", "Requests that wait for a database connection.")
        self.waiters_limit = _gauge(own, "database_waiters_limit", "Requests that may wait for one.")
        if shared_dir is None:
            ProcessCollector(registry=own)

    def exposition(self, *, version: str, jobs: Mapping[str, tuple[int, float]] | None) -> bytes:
        """See metrics.exposition."""
        return generate_latest(self._all_processes()) + generate_latest(_of_this_moment(version, jobs))

    def _all_processes(self) -> CollectorRegistry:
        if self._shared_dir is None:
            return self._own
        forget_dead_processes(self._shared_dir)
        together = CollectorRegistry()
        MultiProcessCollector(together, path=str(self._shared_dir))  # type: ignore[no-untyped-call]
        return together


def _of_this_moment(version: str, jobs: Mapping[str, tuple[int, float]] | None) -> CollectorRegistry:
    """What is asked for at every scrape, so that whichever process answers tells the same."""
    moment = CollectorRegistry()
    Gauge("leadyard_build_info", "Always 1; the version of the service.", ["version"], registry=moment).labels(
        version
    ).set(1)
    Gauge("leadyard_database_answers", "Whether the database told of the jobs, 1 or 0.", registry=moment).set(
        jobs is not None
    )
    if jobs is not None:
        count = Gauge("leadyard_jobs", "Prospecting jobs that are queued or running.", ["status"], registry=moment)
        age = Gauge("leadyard_jobs_oldest_seconds", "Age of the oldest of them.", ["status"], registry=moment)
        for status, (how_many, oldest_s) in jobs.items():
            count.labels(status).set(how_many)
            age.labels(status).set(oldest_s)
    return moment


def _counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Counter:
    return Counter(f"leadyard_{name}", text, labels, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
    # Of several processes, the sum over those that live.
    return Gauge(f"leadyard_{name}", text, labels, registry=registry, multiprocess_mode="livesum")
