"""Chooses the leads of a transfer inside the caller's transaction, page by page, without reading their people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from leadyard.database import Transaction
from leadyard.model import SelectionFilter
from leadyard.operations.prospects import matching_leads
from leadyard.people.searching import WantedWords
from leadyard.store import selections
from leadyard.store.planned_parts import LEADS_A_PART, LeadKeys


async def chosen_leads(
    tx: Transaction,
    audience_id: str,
    wanted: SelectionFilter,
    *,
    listed: LeadKeys | None,
    excluded: LeadKeys,
    limit: int | None,
) -> AsyncIterator[LeadKeys]:
    """Yields the leads of the audience that match the filter, or those listed, in the order of the list of prospects,
    some thousands at a time. Leaves out the excluded ones, and ends after `limit` leads.

    The pages are of one moment if the transaction is a snapshot. Memory contains one page.
    """
    left_out = frozenset(excluded)
    left = limit
    async for page in _matching(tx, audience_id, wanted, listed):
        kept = page if not left_out else type(page)("q", [key for key in page if key not in left_out])
        kept = kept if left is None else kept[:left]
        if kept:
            yield kept
        if left is not None:
            left -= len(kept)
            if left <= 0:
                return


async def _matching(
    tx: Transaction, audience_id: str, wanted: SelectionFilter, listed: LeadKeys | None
) -> AsyncIterator[LeadKeys]:
    words = WantedWords.of(wanted.members)
    if listed is not None:
        for start in range(0, len(listed), LEADS_A_PART):
            yield await selections.choose_among(tx, audience_id, wanted, listed[start : start + LEADS_A_PART])
    elif words is not None:
        async for page in _pages(matching_leads(tx, audience_id, words)):
            yield await selections.choose_among(tx, audience_id, wanted, selections.keys_from(page))
    else:
        async for members in _walk(tx, audience_id, wanted):
            yield members


async def _walk(tx: Transaction, audience_id: str, wanted: SelectionFilter) -> AsyncIterator[LeadKeys]:
    page = selections.NONE
    while True:
        page = await selections.walk(tx, audience_id, wanted, after=page, limit=LEADS_A_PART)
        yield page
        if len(page) < LEADS_A_PART:
            return


async def _pages(found: AsyncIterator[Sequence[str]]) -> AsyncIterator[list[str]]:
    """Puts short lists together, so that a page is worth a statement, and a part of a change."""
    page: list[str] = []
    async for lead_ids in found:
        page += lead_ids
        while len(page) >= LEADS_A_PART:
            yield page[:LEADS_A_PART]
            page = page[LEADS_A_PART:]
    yield page
