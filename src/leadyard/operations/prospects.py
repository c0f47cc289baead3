"""Prospects: the leads as listed in an audience, and bringing them in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from leadyard.folding import folded
from leadyard.model import (
    AddResult,
    Batch,
    Caller,
    CheckedProfiles,
    Member,
    MemberFilter,
    Page,
    Permission,
    Profile,
)
from leadyard.operations.bringing_in import bring_in, check_batch, check_profiles
from leadyard.operations.guards import lock_audiences, ready_audience, refuse_if_populating
from leadyard.operations.idempotency import remember_answer
from leadyard.operations.operation import operation
from leadyard.store import leads, memberships
from leadyard.store.db import Database, Transaction

EVERYBODY = MemberFilter()
_MANY_LEADS = 20_000


@operation(Permission.PROSPECTS_READ)
async def list_prospects(
    db: Database, caller: Caller, *, audience_id: str, wanted: MemberFilter = EVERYBODY, after: str | None, limit: int
) -> Page[Member]:
    """Returns a page of the audience's members who fit `wanted`, in the order in which they were first brought in.

    Raises NotFound, or AudienceNotReady while a job populates the audience.
    """
    async with db.snapshot(caller.account_group_id) as tx:
        await ready_audience(tx, audience_id)
        if wanted == EVERYBODY:
            found = await memberships.list_members(tx, audience_id, after=after or "", limit=limit + 1)
        else:
            found = await _search(tx, audience_id, wanted, after=after or "", limit=limit + 1)
    return Page.of(found, limit, lambda member: member.lead.id)


@operation(Permission.PROSPECTS_READ)
async def list_custom_field_names(db: Database, caller: Caller, *, audience_id: str) -> list[str]:
    """Returns the names of all custom fields that a member of the audience has: the columns an export needs.

    Raises NotFound, or AudienceNotReady while a job populates the audience.
    """
    async with db.snapshot(caller.account_group_id) as tx:
        await ready_audience(tx, audience_id)
        return await leads.list_custom_field_names(tx, audience_id)


@operation(Permission.AUDIENCES_WRITE)
async def add_prospects(
    db: Database, caller: Caller, *, audience_id: str, profiles: Sequence[Profile], needs_identity: bool = False
) -> AddResult:
    """Brings the prospects in: creates leads or fills the empty fields of known ones, and adds them to the audience.

    A prospect that is not valid, or that may be either of two leads, is reported in the result and leaves no trace;
    the others are added together in one transaction. `needs_identity` also refuses those whom neither LinkedIn, e-mail
    nor provider id identifies: brought in twice they would be two leads. Raises NotFound for an unknown audience, and
    AudienceNotReady while a job populates it.
    """
    checked = check_profiles(profiles, needs_identity=needs_identity)
    async with db.write(caller.account_group_id) as tx:
        result = await _bring_into(tx, audience_id, checked)
        await remember_answer(tx, caller, result)
    return result


@operation(Permission.AUDIENCES_WRITE)
async def add_batch(db: Database, caller: Caller, *, audience_id: str, batch: Batch) -> AddResult:
    """Brings the prospects of one batch of a file in, as add_prospects does with `needs_identity`. Raises the same."""
    checked = check_batch(batch)
    async with db.write(caller.account_group_id) as tx:
        return await _bring_into(tx, audience_id, checked)


async def _bring_into(tx: Transaction, audience_id: str, checked: CheckedProfiles) -> AddResult:
    locked = await lock_audiences(tx, [audience_id])
    await refuse_if_populating(tx, locked)
    return await bring_in(tx, locked[0], checked)


async def _search(tx: Transaction, audience_id: str, wanted: MemberFilter, *, after: str, limit: int) -> list[Member]:
    """Finds leads by their longest text first. If they are few, only they are looked at; if they are many, walking the
    audience soon fills a page. docs/decisions/0008 has the figures."""
    texts: dict[str, Any] = {
        name: folded(text) for name in ("q", "company", "title") if (text := getattr(wanted, name)) is not None
    }
    wanted = replace(wanted, **texts)
    longest = max(texts.values(), key=len, default="")
    among: list[str] | None = None
    if len(longest) >= leads.SHORTEST_INDEXED_TEXT:
        among = await leads.find_text(tx, longest, limit=_MANY_LEADS + 1)
        if len(among) > _MANY_LEADS:
            among = None
    return await memberships.list_filtered(tx, audience_id, wanted, among=among, after=after, limit=limit)
