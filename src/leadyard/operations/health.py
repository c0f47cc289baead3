"""The checks for probes and scrapes: is the service ready, and how many jobs wait?"""

from __future__ import annotations

import asyncio

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import ServiceUnavailable, TransactionConflict
from leadyard.model import ACTIVE_JOB_STATUSES, WebhookCounts, WebhookStatus
from leadyard.store import jobs, schema, webhook_state


async def check_readiness(db: Database, *, within_s: float) -> None:
    """Returns if the database answers, takes writes, and has the schema of this version or a newer one, because the
    next version migrates while this one is running.

    It uses a connection outside the pool: a service whose connections are all in use is busy and still ready. The same
    is true if the server has no free slot for this connection while the pool has some. Raises ServiceUnavailable,
    SchemaOutOfDate, DatabaseUnfit or DatabaseReadOnly.
    """
    try:
        async with asyncio.timeout(within_s):
            state = await schema.read_state(db.url, within_s=within_s)
    except TimeoutError:
        raise ServiceUnavailable(f"The database did not answer within {within_s:g} s.", retry_after_s=5) from None
    except ServiceUnavailable as error:
        if error.reason == schema.TOO_MANY_CONNECTIONS and db.is_connected:
            return
        raise
    schema.refuse_outdated(state)
    schema.refuse_read_only(state)


async def count_jobs(db: Database, *, within_s: float) -> dict[str, tuple[int, float]]:
    """Returns status → (number of active jobs of all account groups, age of the oldest in seconds), including zeros.
    Raises ServiceUnavailable, also when the answer takes longer than `within_s`."""
    try:
        async with asyncio.timeout(within_s), db.read(None) as tx:
            found = await jobs.count_of_all_groups(tx)
    except (TimeoutError, TransactionConflict):
        # Another attempt may take just as long, and the next scrape comes soon.
        raise ServiceUnavailable("The database is too busy to count the jobs.", retry_after_s=5) from None
    now = now_ms()
    counted = {status: (count, max(0, now - oldest) / 1000) for status, (count, oldest) in found.items()}
    return {status: counted.get(status, (0, 0.0)) for status in ACTIVE_JOB_STATUSES}


async def count_webhooks(db: Database, *, within_s: float) -> WebhookCounts:
    """Returns how many webhooks all account groups have, and how far they are behind. Raises ServiceUnavailable, also
    when the answer takes longer than `within_s`."""
    try:
        async with asyncio.timeout(within_s), db.snapshot(None) as tx:
            counted = await webhook_state.count_by_status(tx)
            oldest = await webhook_state.oldest_unsent(tx)
    except (TimeoutError, TransactionConflict):
        raise ServiceUnavailable("The database is too busy to count the webhooks.", retry_after_s=5) from None
    return WebhookCounts(
        by_status={str(status): counted.get(status, (0, 0))[0] for status in WebhookStatus},
        failing=counted.get(WebhookStatus.ACTIVE, (0, 0))[1],
        oldest_unsent_s=0.0 if oldest is None else max(0, now_ms() - oldest) / 1000,
    )
