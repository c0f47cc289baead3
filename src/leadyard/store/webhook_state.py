"""Statements that count the webhooks of all account groups, for the metrics."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.ids import NUMBER_BITS
from leadyard.store.db import Statement

_COUNT = Statement(
    """SELECT status, count(*) AS webhooks, count(failing_since) AS failing FROM webhooks WHERE status <> 'deleted'
    GROUP BY status""",
    across_groups=True,
)
# One look-up for each webhook that is behind its feed.
_OLDEST = Statement(
    """SELECT min(next_id) AS next_id FROM (SELECT (SELECT e.id FROM events e
        WHERE e.account_group_id = w.account_group_id AND e.id > w.position ORDER BY e.id LIMIT 1) AS next_id
        FROM webhooks w JOIN event_feeds f ON f.account_group_id = w.account_group_id
        WHERE w.status = 'active' AND f.last_id > w.position) AS behind""",
    across_groups=True,
)


async def count_by_status(tx: Transaction) -> dict[str, tuple[int, int]]:
    """Returns status → (number of webhooks, number of those whose last delivery failed)."""
    return {row["status"]: (row["webhooks"], row["failing"]) for row in await tx.rows(_COUNT)}


async def oldest_unsent(tx: Transaction) -> int | None:
    """Returns the time at which the oldest event that an active webhook has not been sent got its place in the feed, or
    None if there is no such event."""
    row = await tx.row(_OLDEST)
    return None if row is None or row["next_id"] is None else row["next_id"] >> NUMBER_BITS
