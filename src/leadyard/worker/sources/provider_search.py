"""`linkedin_search`, `sales_navigator`, `post_commenters`: pages of the prospect provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from leadyard.intake.provider import MAX_PAGE, ProspectPage, Provider
from leadyard.model import Batch, ClaimedJob
from leadyard.worker.outcomes import CannotGoOn

_START: Mapping[str, Any] = {
    "cursor": None, "read": 0, "anchor": None, "lap": 0, "lap_length": 1, "ended": False, "circle": False,
}  # fmt: skip


async def batches(provider: Provider, claimed: ClaimedJob) -> AsyncIterator[Batch]:
    """Yields the pages of the search until there are no more or `maxResults` prospects were read. Raises what the
    provider raises, and CannotGoOn when its cursors go round in a circle."""
    source, position = claimed.job.source, claimed.position or _START
    most: int = source["maxResults"]
    # Where the search has ended is kept as well: without a cursor a job that is taken up again would begin anew.
    while not position["ended"]:
        if position["circle"]:
            raise CannotGoOn(
                "PROVIDER_CURSOR_REPEATED",
                "The prospect provider's pages go round in a circle. What was brought in so far is kept.",
            )
        page = await provider.search(
            account_group_id=claimed.account_group_id,
            job_id=claimed.job.id,
            type=claimed.job.type,
            source=source,
            cursor=position["cursor"],
            limit=min(MAX_PAGE, most - position["read"]),
        )
        read = position["read"] + len(page.profiles) + len(page.rejected)
        ended = page.next_cursor is None or read >= most
        position = {**_next_cursor(position, page.next_cursor), "read": read, "ended": ended}
        yield _batch(page, position, first=read - len(page.profiles) - len(page.rejected), most=most)


def _next_cursor(position: Mapping[str, Any], cursor: str | None) -> dict[str, Any]:
    """Brent's cycle detection (BIT 20, 1980): one cursor is remembered, for laps that double in length. Cursors that
    repeat, with whatever period, come back to it, and no list of all of them has to be kept; one that leads to its own
    page is noticed at once. The page that closes the circle is still brought in: its people may be nowhere else."""
    anchor, lap, lap_length = position["anchor"], position["lap"] + 1, position["lap_length"]
    found = {"cursor": cursor, "circle": cursor is not None and cursor in (anchor, position["cursor"])}
    if lap == lap_length:
        return {**found, "anchor": cursor, "lap": 0, "lap_length": lap_length * 2}
    return {**found, "anchor": anchor, "lap": lap, "lap_length": lap_length}


def _batch(page: ProspectPage, position: Mapping[str, Any], *, first: int, most: int) -> Batch:
    expected = min(page.total, most) if page.total else most
    return Batch(
        profiles=page.profiles,
        rows=tuple((first + number, cells) for number, cells in enumerate(page.raw_rows, 1)),
        rejected=page.rejected,
        position=position,
        progress=1.0 if position["ended"] else min(position["read"] / expected, 0.99),
    )
