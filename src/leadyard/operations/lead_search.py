"""Finds people in the whole account group, in whichever audiences they are."""

from __future__ import annotations

from contextlib import aclosing

from leadyard.database import Transaction
from leadyard.model import Caller, Lead, LeadFilter, LeadWithAudiences, Page, Permission
from leadyard.operations.operation import snapshot
from leadyard.operations.prospects import matching_leads
from leadyard.people.searching import WantedWords, searched_line
from leadyard.store import audiences, lead_search

# How many people of one identity are read at a time. Thousands may share the address of a function.
_AT_A_TIME = 200


@snapshot(Permission.PROSPECTS_READ)
async def find_leads(
    tx: Transaction, caller: Caller, *, wanted: LeadFilter, after: str | None, limit: int
) -> Page[LeadWithAudiences]:
    """Returns a page of the people of the account group who match `wanted`, in the order of their ids, with their
    audiences. `after` is the `next_key` of a page. People who are in no audience are among them.

    A filter with a text reads the searched texts of the account group, and one with an identity looks it up. Without
    both, it reads people in order until the page is full.
    """
    found = await _matching(tx, wanted, WantedWords.of(wanted), after=after or "", limit=limit + 1)
    page = Page.of(found, limit, lambda lead: lead.id)
    of_lead = await audiences.list_of_leads(tx, [lead.id for lead in page.items])
    people = (LeadWithAudiences(lead=lead, audiences=tuple(of_lead[lead.id])) for lead in page.items)
    return Page(tuple(people), page.next_key)


async def _matching(
    tx: Transaction, wanted: LeadFilter, words: WantedWords | None, *, after: str, limit: int
) -> list[Lead]:
    if wanted.email is not None or wanted.public_identifier is not None:
        return await _with_identity(tx, wanted, words, after=after, limit=limit)
    if words is not None:
        return await _with_words(tx, wanted, words, after=after, limit=limit)
    return await lead_search.walk(tx, wanted, after=after, limit=limit)


async def _with_identity(
    tx: Transaction, wanted: LeadFilter, words: WantedWords | None, *, after: str, limit: int
) -> list[Lead]:
    ids = sorted(lead_id for lead_id in await _of_identity(tx, wanted) if lead_id > after)
    found: list[Lead] = []
    for start in range(0, len(ids), _AT_A_TIME):
        some = ids[start : start + _AT_A_TIME]
        people = await lead_search.list_among(tx, wanted, some, after=after, limit=len(some))
        found += [lead for lead in people if words is None or words.fit(searched_line(lead.profile))]
        if len(found) >= limit:
            break
    return found[:limit]


async def _of_identity(tx: Transaction, wanted: LeadFilter) -> set[str]:
    """Returns the leads with the identity of the filter, or with both identities."""
    found = []
    if wanted.email is not None:
        found.append(await lead_search.list_with_email(tx, wanted.email))
    if wanted.public_identifier is not None:
        found.append(await lead_search.list_with_profile(tx, wanted.public_identifier))
    return set.intersection(*found)


async def _with_words(tx: Transaction, wanted: LeadFilter, words: WantedWords, *, after: str, limit: int) -> list[Lead]:
    found: list[Lead] = []
    start = max(after, lead_search.first_id(wanted))
    async with aclosing(matching_leads(tx, None, words, after=start)) as matching:
        async for lead_ids in matching:
            found += await lead_search.list_among(tx, wanted, lead_ids, after=after, limit=limit - len(found))
            if len(found) == limit:
                break
    return found
