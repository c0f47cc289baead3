"""Prospects: lists the leads of an audience, and adds people to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from leadyard.database import Transaction
from leadyard.model import (
    AddResult,
    Batch,
    Caller,
    ChangeKind,
    CheckedProfiles,
    Member,
    MemberFilter,
    OnKnown,
    Page,
    Permission,
)
from leadyard.operations.add_people import BatchOutcome, bring_in, outcome_of
from leadyard.operations.changes.imports import record_batch
from leadyard.operations.changes.recording import begin, moment_after, record
from leadyard.operations.guards import lock_audiences, ready_audience, refuse_if_populating
from leadyard.operations.operation import snapshot, writes
from leadyard.people.checking import check_batch
from leadyard.people.searching import WantedWords
from leadyard.store import leads, memberships, replaced_values, search_blocks
from leadyard.store.audiences import LockedAudience

EVERYBODY = MemberFilter()
# How many blocks of a few dozen leads a search reads first, and at most, at a time. The first few fill a page if many
# people match.
_FIRST_BLOCKS = 16
_MOST_BLOCKS = 256


@snapshot(Permission.PROSPECTS_READ)
async def list_prospects(
    tx: Transaction,
    caller: Caller,
    *,
    audience_id: str,
    wanted: MemberFilter = EVERYBODY,
    after: str | None,
    skip: int = 0,
    limit: int,
) -> Page[Member]:
    """Returns a page of the audience's members that match `wanted`, in the order in which their leads were created.

    `skip` leaves out so many members first, at most MAX_SKIPPED. It reads their ids, and applies only to a list without
    filters. If there are not so many, the page is empty. Raises NotFound, or AudienceNotReady while a job populates the
    audience.
    """
    await ready_audience(tx, audience_id)
    words = WantedWords.of(wanted)
    if words is not None:
        found = await _search(tx, audience_id, wanted, words, after=after or "", limit=limit + 1)
    elif wanted == EVERYBODY:
        found = await _list_behind(tx, audience_id, after=after or "", skip=skip, limit=limit + 1)
    else:
        found = await memberships.list_filtered(tx, audience_id, wanted, among=None, after=after or "", limit=limit + 1)
    return Page.of(found, limit, lambda member: member.lead.id)


@snapshot(Permission.PROSPECTS_READ)
async def list_custom_field_names(tx: Transaction, caller: Caller, *, audience_id: str) -> list[str]:
    """Returns the names of all custom fields of the audience's members, which are columns of an export.

    Raises NotFound, or AudienceNotReady while a job populates the audience.
    """
    await ready_audience(tx, audience_id)
    return await leads.list_custom_field_names(tx, audience_id)


@writes(Permission.AUDIENCES_WRITE)
async def add_prospects(
    tx: Transaction,
    caller: Caller,
    *,
    audience_id: str,
    checked: CheckedProfiles,
    on_known: OnKnown = OnKnown.FILL,
) -> AddResult:
    """Creates leads, or changes known ones as `on_known` requires, and adds them to the audience.

    `checked` comes from `check_profiles`, which needs no transaction. The result lists each prospect that is not valid,
    is suppressed, or matches two leads. These are not added, and all others are added together, as one recorded change.
    Raises NotFound for an unknown audience, AudienceNotReady while a job populates it, and SecretKeyMissing or
    SecretKeyDiffers if this process cannot recognise the suppressed people of the account group.
    """
    audience = await _lock_idle_audience(tx, audience_id)
    change = begin(ChangeKind.ADD, target=audience, api_key_id=caller.api_key_id)
    brought = await bring_in(tx, audience, checked, on_known=on_known, at=change.changed_at)
    if not brought.effect.lead_ids:
        return brought.result
    await record(tx, change, brought.effect, filled_count=brought.filled_count)
    if brought.replaced:
        await replaced_values.add(tx, change.id, brought.replaced)
    return replace(brought.result, change_id=change.id)


@writes(Permission.AUDIENCES_WRITE)
async def add_batch(
    tx: Transaction,
    caller: Caller,
    *,
    audience_id: str,
    batch: Batch,
    change_id: str | None = None,
    on_known: OnKnown = OnKnown.FILL,
) -> tuple[BatchOutcome, str | None]:
    """Adds the prospects of one batch of a file, like `add_prospects`. Raises the same. `change_id` is the change that
    the batches before have recorded. Returns also the change of this batch, None as long as there is no lead."""
    audience = await _lock_idle_audience(tx, audience_id)
    brought = await bring_in(tx, audience, check_batch(batch), on_known=on_known, at=moment_after(audience))
    recorded = await record_batch(tx, audience, brought, change_id=change_id, api_key_id=caller.api_key_id)
    return outcome_of(batch, brought.result), recorded


async def _lock_idle_audience(tx: Transaction, audience_id: str) -> LockedAudience:
    locked = await lock_audiences(tx, [audience_id])
    await refuse_if_populating(tx, locked)
    return locked[0]


async def _list_behind(tx: Transaction, audience_id: str, *, after: str, skip: int, limit: int) -> list[Member]:
    start = await memberships.pass_members(tx, audience_id, after=after, count=skip) if skip else after
    return [] if start is None else await memberships.list_members(tx, audience_id, after=start, limit=limit)


async def _search(
    tx: Transaction, audience_id: str, wanted: MemberFilter, words: WantedWords, *, after: str, limit: int
) -> list[Member]:
    found: list[Member] = []
    async with aclosing(matching_leads(tx, audience_id, words, after=after)) as matching:
        async for lead_ids in matching:
            found += await memberships.list_filtered(
                tx, audience_id, wanted, among=lead_ids, after=after, limit=limit - len(found)
            )
            if len(found) == limit:
                break
    return found


async def matching_leads(
    tx: Transaction, audience_id: str | None, words: WantedWords, *, after: str = ""
) -> AsyncGenerator[list[str], None]:
    """Yields the leads with ids after `after` whose texts match, in the order of their ids, some at a time. A few with
    ids up to `after` may be among the first. With an audience it leaves out most leads that are not members of it, but
    not all.

    Reads blocks of leads in order, until the caller stops. docs/decisions/0037 has the figures. The blocks are in the
    order of their first leads. So the leads before the first lead of the last block that was read are complete, and a
    later block can still contain any of the others.
    """
    waiting: set[str] = set()
    beyond: search_blocks.Place | None = None
    count = _FIRST_BLOCKS
    while words.can_match:
        matching = await search_blocks.find(tx, audience_id, words, beyond=beyond, after=after, limit=count)
        waiting.update(matching.lead_ids)
        beyond = matching.last
        complete = waiting if beyond is None else {lead for lead in waiting if lead < beyond.first_lead_id}
        waiting = waiting - complete
        if complete:
            yield sorted(complete)
        if beyond is None:
            break
        count = min(2 * count, _MOST_BLOCKS)
