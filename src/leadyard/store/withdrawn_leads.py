"""Statements on withdrawn leads: people that an import created, and that its undo took out of the account group again.

The undo keeps them here until it is undone itself, or expires. No other statement reads them, so they are in no list,
no search and no match.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, keys_of
from leadyard.model import Lead, OtherIdentity, Profile
from leadyard.people.linkedin_urls import canonical_profile_url
from leadyard.store.db import NewRows, Row, Statement, as_document, from_document
from leadyard.store.leads import STORED

_NEW = NewRows("withdrawn_leads", ("change_id", "lead_id", "created_at", "profile"))
_OF_CHANGE = "FROM withdrawn_leads WHERE account_group_id = :account_group_id AND change_id = :change_id"
_LIST = Statement(f"SELECT lead_id, created_at, profile {_OF_CHANGE} ORDER BY lead_id")
_DELETE = Statement(f"DELETE {_OF_CHANGE}")
_LIST_SOME = Statement(
    f"SELECT lead_id, created_at, profile {_OF_CHANGE} AND lead_id IN :lead_ids[bigint] ORDER BY lead_id"
)
_DELETE_SOME = Statement(f"DELETE {_OF_CHANGE} AND lead_id IN :lead_ids[bigint]")
# The three below choose the leads that an undo may withdraw.
_IN_AUDIENCES = Statement(
    """SELECT DISTINCT lead_id FROM memberships WHERE account_group_id = :account_group_id
    AND lead_id IN :lead_ids[bigint]"""
)
_INDEXED = """SELECT s.subject AS lead_id FROM change_subjects s WHERE s.account_group_id = :account_group_id
    AND s.subject IN :lead_ids[bigint] AND NOT (s.change_id IN :change_ids[bigint])"""
_TAIL = "c.account_group_id = :account_group_id AND NOT c.is_indexed AND NOT (c.id IN :change_ids[bigint])"
_IN_CHANGES = Statement(
    f"""{_INDEXED}
    UNION SELECT u.lead_id FROM changes c CROSS JOIN LATERAL unnest(c.lead_ids) AS u(lead_id)
    WHERE {_TAIL} AND u.lead_id IN :lead_ids[bigint]
    UNION SELECT u.lead_id FROM changes c CROSS JOIN LATERAL (
        SELECT lead_ids FROM change_parts WHERE account_group_id = :account_group_id AND change_id = c.id OFFSET 0) p
    CROSS JOIN LATERAL unnest(p.lead_ids) AS u(lead_id) WHERE {_TAIL} AND u.lead_id IN :lead_ids[bigint]""",
    sqlite=f"""{_INDEXED}
    UNION SELECT u.value FROM changes c CROSS JOIN json_each(c.lead_ids) AS u
    WHERE {_TAIL} AND u.value IN :lead_ids[bigint]
    UNION SELECT u.value FROM changes c
    JOIN change_parts p ON p.account_group_id = c.account_group_id AND p.change_id = c.id
    CROSS JOIN json_each(p.lead_ids) AS u WHERE {_TAIL} AND u.value IN :lead_ids[bigint]""",
)
_CREATED = Statement(
    """SELECT created_count, lead_ids FROM change_parts WHERE account_group_id = :account_group_id
    AND change_id = :change_id AND created_count > 0 ORDER BY position"""
)

_CREATED_FROM = Statement(
    """SELECT position, created_count, lead_ids FROM change_parts WHERE account_group_id = :account_group_id
    AND change_id = :change_id AND position >= CAST(:position AS bigint) ORDER BY position LIMIT 1"""
)


async def add(tx: Transaction, change_id: str, leads: Sequence[Lead], others: Iterable[OtherIdentity]) -> None:
    """Keeps the leads for the undo that withdraws them, with the identities that they have in addition to their
    profiles."""
    change_key, keys = key_of(change_id), keys_of([lead.id for lead in leads])
    others_of: defaultdict[str, list[list[str]]] = defaultdict(list)
    for each in others:
        others_of[each.lead_id].append([each.kind, each.value])
    rows = [
        (change_key, key, lead.created_at, as_document(_document(lead, others_of[lead.id])))
        for key, lead in zip(keys, leads, strict=True)
    ]
    await tx.add(_NEW, rows)


async def find_of(tx: Transaction, change_id: str) -> list[Lead]:
    """Returns the leads that this undo has withdrawn, in the order of their ids."""
    return [_lead_of(row) for row in await tx.rows(_LIST, change_id=key_of(change_id))]


async def find_some(tx: Transaction, change_id: str, lead_ids: Sequence[str]) -> list[Lead]:
    """Returns those of the leads that this undo has withdrawn, in the order of their ids."""
    rows = await tx.rows(_LIST_SOME, change_id=key_of(change_id), lead_ids=keys_of(lead_ids))
    return [_lead_of(row) for row in rows]


async def find_others(tx: Transaction, change_id: str, lead_ids: Sequence[str]) -> list[OtherIdentity]:
    """Returns the identities that those of the leads had in addition to their profiles when this undo has withdrawn
    them."""
    rows = await tx.rows(_LIST_SOME, change_id=key_of(change_id), lead_ids=keys_of(lead_ids))
    return [
        OtherIdentity(kind=kind, value=value, lead_id=id_of(row["lead_id"]))
        for row in rows
        for kind, value in from_document(row["profile"]).get("others", ())
    ]


async def delete_some(tx: Transaction, change_id: str, lead_ids: Sequence[str]) -> None:
    """Forgets those of the leads that this undo has withdrawn."""
    await tx.run(_DELETE_SOME, change_id=key_of(change_id), lead_ids=keys_of(lead_ids))


async def delete_of(tx: Transaction, change_id: str) -> None:
    """Forgets the leads that this undo has withdrawn."""
    await tx.run(_DELETE, change_id=key_of(change_id))


async def find_created(tx: Transaction, change_id: str) -> set[str]:
    """Returns the leads that the import with this change has created."""
    rows = await tx.rows(_CREATED, change_id=key_of(change_id))
    return {id_of(key) for row in rows for key in from_document(row["lead_ids"])[: row["created_count"]]}


async def find_created_in_part(tx: Transaction, change_id: str, *, position: int) -> tuple[int, set[str]] | None:
    """Returns the leads that a part of the import with this change has created, and the position after the part. The
    part is the first one from the given position on. None at the end."""
    row = await tx.row(_CREATED_FROM, change_id=key_of(change_id), position=position)
    if row is None:
        return None
    keys = from_document(row["lead_ids"])
    return row["position"] + len(keys), {id_of(key) for key in keys[: row["created_count"]]}


async def list_used(tx: Transaction, lead_ids: Iterable[str], *, apart_from: Iterable[str]) -> set[str]:
    """Returns the leads that are in an audience, or in a change other than these."""
    keys = keys_of(list(lead_ids))
    rows = list(await tx.rows(_IN_AUDIENCES, lead_ids=keys))
    rows += await tx.rows(_IN_CHANGES, lead_ids=keys, change_ids=keys_of(list(apart_from)))
    return {id_of(row["lead_id"]) for row in rows}


def _lead_of(row: Row) -> Lead:
    return _lead(id_of(row["lead_id"]), row["created_at"], from_document(row["profile"]))


def _document(lead: Lead, others: list[list[str]]) -> dict[str, Any]:
    profile = lead.profile
    texts = {name: getattr(profile, name) for name in STORED}
    document: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    document |= {"custom": dict(profile.custom_fields), **({"others": others} if others else {})}
    return {**document, **({"shares_email": True} if lead.shares_email else {})}


def _lead(lead_id: str, created_at: int, document: dict[str, Any]) -> Lead:
    shares_email = document.get("shares_email", False)
    return Lead(id=lead_id, profile=_profile(document), created_at=created_at, shares_email=shares_email)


def _profile(document: dict[str, Any]) -> Profile:
    custom = document.pop("custom")
    # A field that a later version has removed is left out.
    texts = {name: text for name, text in document.items() if name in STORED}
    identifier = texts.get("public_identifier")
    url = None if identifier is None else canonical_profile_url(identifier)
    return Profile(**texts, linkedin_url=url, custom_fields=custom)
