"""`linkedin_search`, `sales_navigator`, `post_commenters`: pages of the prospect provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from leadyard.model import Batch, ClaimedJob, SearchPosition, SearchSource
from leadyard.provider.client import MAX_PAGE, ProspectPage, Provider
from leadyard.worker.jobs.outcomes import CannotGoOn


async def batches(provider: Provider, claimed: ClaimedJob, source: SearchSource) -> AsyncIterator[Batch]:
    """Yields the pages of the search until the last page, or until `max_results` prospects were read. Raises the errors
    of the provider, and CannotGoOn when its cursors repeat."""
    position, most = claimed.position_as(SearchPosition) or SearchPosition(), source.max_results
    # The position also stores the end of the search. Without a cursor the next worker would start at the first page.
    while not position.ended:
        if position.circle:
            raise CannotGoOn(
                "PROVIDER_CURSOR_REPEATED",
                "The prospect provider's pages repeat without end. The people added so far are kept.",
            )
        page = await provider.search(
            account_group_id=claimed.account_group_id,
            job_id=claimed.job.id,
            query=source.query,
            cursor=position.cursor,
            limit=min(MAX_PAGE, most - position.read),
        )
        read = position.read + len(page.profiles) + len(page.rejected)
        ended = page.next_cursor is None or read >= most
        position = replace(_at_cursor(position, page.next_cursor), read=read, ended=ended)
        yield _batch(page, position, first=read - len(page.profiles) - len(page.rejected), most=most)


def _at_cursor(position: SearchPosition, cursor: str | None) -> SearchPosition:
    """Brent's cycle detection (BIT 20, 1980) stores one cursor, for laps that double in length. Cursors that repeat
    return to it after any period, so a list of all cursors is not needed. A cursor of its own page is noticed at once.
    The page that closes the cycle is still added, because its people may be on no other page."""
    circle = cursor is not None and cursor in (position.anchor, position.cursor)
    found = replace(position, cursor=cursor, circle=circle, lap=position.lap + 1)
    if found.lap == found.lap_length:
        return replace(found, anchor=cursor, lap=0, lap_length=found.lap_length * 2)
    return found


def _batch(page: ProspectPage, position: SearchPosition, *, first: int, most: int) -> Batch:
    expected = min(page.total, most) if page.total else most
    return Batch(
        profiles=page.profiles,
        rows=tuple((first + number, cells) for number, cells in enumerate(page.raw_rows, 1)),
        rejected=page.rejected,
        position=position,
        progress=1.0 if position.ended else min(position.read / expected, 0.99),
    )
