"""All metrics on one screen. Imported only when metrics are on, because prometheus_client takes longer to load than
most commands take to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from leadyard.model import WebhookCounts

# Otherwise each counter has a second series with its creation time, which is of no use here.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From the time of a single read to the time limit of a request.
_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Instruments:
    """The metrics of one process. They are read alone, or together with the metrics of the other processes."""

    def __init__(self, shared_dir: Path | None) -> None:
        self._shared_dir = shared_dir
        self._own = own = CollectorRegistry()
        self.requests = _counter(own, "requests", "Responses by method, route and status.", "method", "route", "status")
        self.request_duration = Histogram(
            "leadyard_request_duration_seconds",
            "From the end of the request head to the end of the response.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=own,
        )
        self.requests_in_progress = _gauge(own, "requests_in_progress", "Requests in progress.")
        self.moves = _counter(own, "moves", "Committed moves.")
        self.leads_moved = _counter(own, "leads_moved", "Leads in committed moves.")
        self.replays = _counter(own, "replays", "Requests answered with the stored response of an earlier request.")
        self.leads_imported = _counter(own, "leads_imported", "Leads created or matched by jobs.")
        self.leads_transferred = _counter(
            own, "leads_transferred", "Leads that transfers and undos of large changes have applied."
        )
        self.rows_rejected = _counter(own, "rows_rejected", "Rows rejected by jobs.")
        self.jobs_ended = _counter(own, "jobs_ended", "Jobs that have ended.", "status")
        self.job_retries = _counter(own, "job_retries", "Retries of jobs after a failure.", "code")
        self.events = _counter(own, "events", "Events that got their places in the feed.")
        self.event_readers = _gauge(own, "event_readers", "Requests that wait for events or stream them.")
        self.webhook_deliveries = _counter(
            own, "webhook_deliveries", "Requests to receivers: delivered, postponed, or failed for good.", "outcome"
        )
        self.webhooks_disabled = _counter(own, "webhooks_disabled", "Webhooks that were disabled.", "reason")
        self.rate_limits_alone = _gauge(own, "rate_limits_alone", "Processes that count without their Redis.")
        self.rate_limit_storage_losses = _counter(own, "rate_limit_storage_losses", "Redis outages.")
        self.retries = _counter(own, "transaction_retries", "Retries of transactions.", "operation")
        self.given_up = _counter(own, "transactions_given_up", "Transactions given up after retries.", "operation")
        self.change_index_failures = _counter(
            own, "change_index_failures", "Attempts to index the changes of an account group that failed."
        )
        self.database_failures = _counter(own, "database_failures", "Failures of the database.", "reason")
        self.connections_in_use = _gauge(own, "database_connections_in_use", "Database connections in use.")
        self.connections_limit = _gauge(own, "database_connections_limit", "Database connections allowed.")
        self.waiters = _gauge(own, "database_waiters", "Requests that wait for a database connection.")
        self.waiters_limit = _gauge(own, "database_waiters_limit", "Requests allowed to wait for one.")
        if shared_dir is None:
            ProcessCollector(registry=own)

    def exposition(
        self, *, version: str, jobs: Mapping[str, tuple[int, float]] | None, webhooks: WebhookCounts | None = None
    ) -> bytes:
        """See metrics.exposition."""
        moment = _of_this_moment(version, jobs)
        if webhooks is not None:
            _add_webhooks(moment, webhooks)
        return generate_latest(self._all_processes()) + generate_latest(moment)

    def _all_processes(self) -> CollectorRegistry:
        if self._shared_dir is None:
            return self._own
        together = CollectorRegistry()
        MultiProcessCollector(together, path=str(self._shared_dir))  # type: ignore[no-untyped-call]
        return together


def _of_this_moment(version: str, jobs: Mapping[str, tuple[int, float]] | None) -> CollectorRegistry:
    """Returns the metrics that are computed at each scrape, so that they do not depend on the process that answers."""
    moment = CollectorRegistry()
    Gauge("leadyard_build_info", "Always 1; the version of the service.", ["version"], registry=moment).labels(
        version
    ).set(1)
    Gauge("leadyard_database_answers", "1 if the database reported the jobs, else 0.", registry=moment).set(
        jobs is not None
    )
    if jobs is not None:
        count = Gauge("leadyard_jobs", "Queued or running jobs.", ["status"], registry=moment)
        age = Gauge("leadyard_jobs_oldest_seconds", "Age of the oldest of them.", ["status"], registry=moment)
        for status, (how_many, oldest_s) in jobs.items():
            count.labels(status).set(how_many)
            age.labels(status).set(oldest_s)
    return moment


def _add_webhooks(moment: CollectorRegistry, webhooks: WebhookCounts) -> None:
    count = Gauge("leadyard_webhooks", "Webhooks by status.", ["status"], registry=moment)
    for status, how_many in webhooks.by_status.items():
        count.labels(status).set(how_many)
    Gauge("leadyard_webhooks_failing", "Active webhooks whose last delivery failed.", registry=moment).set(
        webhooks.failing
    )
    Gauge(
        "leadyard_webhooks_oldest_event_seconds",
        "Age of the oldest event that an active webhook has not been sent.",
        registry=moment,
    ).set(webhooks.oldest_unsent_s)


def _counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Counter:
    return Counter(f"leadyard_{name}", text, labels, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
    # With several processes, the sum over the living ones.
    return Gauge(f"leadyard_{name}", text, labels, registry=registry, multiprocess_mode="livesum")
