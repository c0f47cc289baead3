"""Prospects: the leads as listed in an audience, and bringing them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from leadyard.clock import now_ms
from leadyard.errors import InvalidProspect, TransactionConflict
from leadyard.folding import folded
from leadyard.model import (
    AddResult,
    Caller,
    Lead,
    Member,
    MemberFilter,
    Page,
    Permission,
    Profile,
    Rejection,
)
from leadyard.operations.guards import lock_audiences, ready_audience, refuse_if_populating
from leadyard.operations.identity import identity_key, normalise_profile
from leadyard.operations.matching import match_prospects
from leadyard.operations.operation import operation
from leadyard.store import audiences, leads, memberships
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
    valid, invalid = _normalise_all(profiles, needs_identity=needs_identity)
    async with db.write(caller.account_group_id) as tx:
        locked = await lock_audiences(tx, [audience_id])
        await refuse_if_populating(tx, locked)
        now = max(now_ms(), locked[0].changed_at)
        known = await _find_known(tx, [profile for _, profile in valid])
        matches = match_prospects(valid, known, now=now)
        await _insert_new(tx, matches.created, now=now)
        await _fill_known(tx, matches.filled, read=known)
        added = await memberships.add(tx, audience_id, sorted(matches.lead_ids), now=now) if matches.lead_ids else 0
        if added:
            await audiences.count_added(tx, audience_id, added=added, now=now)
    return AddResult(
        created=len(matches.created),
        matched=matches.matched_count,
        added=added,
        already_in_audience=len(matches.lead_ids) - added,
        rejected=tuple(sorted([*invalid, *matches.rejections], key=lambda rejection: rejection.index)),
    )


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


def _normalise_all(
    profiles: Sequence[Profile], *, needs_identity: bool
) -> tuple[list[tuple[int, Profile]], list[Rejection]]:
    valid: list[tuple[int, Profile]] = []
    invalid: list[Rejection] = []
    for index, raw in enumerate(profiles):
        try:
            profile = normalise_profile(raw)
            if needs_identity and identity_key(profile) is None:
                raise InvalidProspect(
                    "NO_IDENTITY",
                    "Nothing identifies this person: a LinkedIn profile, an e-mail or an outside id is needed.",
                )
            valid.append((index, profile))
        except InvalidProspect as reason:
            invalid.append(Rejection(index=index, code=reason.reason_code, message=reason.details))
    return valid, invalid


async def _find_known(tx: Transaction, profiles: Iterable[Profile]) -> list[Lead]:
    public_identifiers: set[str] = set()
    emails: set[str] = set()
    provider_ids: set[str] = set()
    lone_provider_ids: set[str] = set()
    for profile in profiles:
        if profile.public_identifier:
            public_identifiers.add(profile.public_identifier)
        if profile.email:
            emails.add(profile.email)
        if profile.provider_id:
            alone = not (profile.public_identifier or profile.email)
            (lone_provider_ids if alone else provider_ids).add(profile.provider_id)
    return await leads.find_known(
        tx,
        public_identifiers=public_identifiers,
        emails=emails,
        provider_ids=provider_ids,
        lone_provider_ids=lone_provider_ids,
    )


async def _insert_new(tx: Transaction, created: Sequence[Lead], *, now: int) -> None:
    if not created:
        return
    # One order for everybody, so that two imports of the same people wait for each other instead of deadlocking.
    in_order = sorted(created, key=lambda lead: identity_key(lead.profile) or ("", lead.id))
    if await leads.insert(tx, in_order, now=now) < len(in_order):
        # Somebody else brought one of them in since we looked; run again, this time it will be found.
        raise TransactionConflict


async def _fill_known(tx: Transaction, filled: Sequence[Lead], *, read: Sequence[Lead]) -> None:
    if not filled:
        return
    # We read without a lock, because most imports fill nothing. What is to be written must still be what was read.
    profile_read = {lead.id: lead.profile for lead in read}
    locked = await leads.lock(tx, [lead.id for lead in filled])
    if len(locked) < len(filled) or any(lead.profile != profile_read[lead.id] for lead in locked):
        raise TransactionConflict
    await leads.update(tx, filled)
