"""What probes and scrapes ask: is the service ready, and how is the work that waits?"""

from __future__ import annotations

import asyncio

from leadyard.clock import now_ms
from leadyard.errors import SchemaOutOfDate, ServiceUnavailable, TransactionConflict
from leadyard.store import jobs, schema
from leadyard.store.db import Database

_ACTIVE = ("queued", "running")


async def check_readiness(db: Database, *, within_s: float) -> None:
    """Returns if the database answers and its schema is one that this version works with: its own, or a newer one,
    for the next version migrates while this one is running.

    Asks on a connection of its own: a service whose connections are all in use is busy and not unready, and to take
    it away from its callers would make the others busier. Raises ServiceUnavailable or SchemaOutOfDate.
    """
    try:
        async with asyncio.timeout(within_s):
            revision = await schema.current_revision(db.url)
    except TimeoutError:
        raise ServiceUnavailable(f"The database said nothing for {within_s:g} s.", retry_after_s=5) from None
    head = schema.head_revision()
    if revision is None or (revision != head and schema.is_known(revision)):
        raise SchemaOutOfDate(f"It is at {revision or 'nothing'}, needed is {head}. Run 'leadyard migrate'.")


async def count_jobs(db: Database, *, within_s: float) -> dict[str, tuple[int, float]]:
    """Returns status → (how many active jobs of all account groups, age of the oldest in seconds), zeros included.
    Raises ServiceUnavailable, also when the answer takes longer than `within_s`."""
    try:
        async with asyncio.timeout(within_s), db.read(None) as tx:
            found = await jobs.count_of_all_groups(tx)
    except (TimeoutError, TransactionConflict):
        # Run again it might take as long once more, and the next scrape comes soon.
        raise ServiceUnavailable("The database is too busy to tell.", retry_after_s=5) from None
    now = now_ms()
    counted = {status: (count, max(0, now - oldest) / 1000) for status, (count, oldest) in found.items()}
    return {status: counted.get(status, (0, 0.0)) for status in _ACTIVE}
