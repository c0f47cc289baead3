"""Statements on leads: one person, once per account group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from leadyard.model import Lead, Profile
from leadyard.store.db import Row, Statement, Transaction, from_document

_TEXTS = tuple(field.name for field in fields(Profile) if field.name != "custom_fields")
COLUMNS = ", ".join(f"l.{name}" for name in ("id", *_TEXTS, "custom_fields", "created_at"))
_PROFILE_TABLE = ", ".join([*(f"{name} text" for name in _TEXTS), "custom_fields jsonb"])
_PROFILE_NAMES = ", ".join([*_TEXTS, "custom_fields"])
_PROFILE_VALUES = ", ".join([*(f"r.{name}" for name in _TEXTS), "r.custom_fields"])

_MINE = "FROM leads WHERE account_group_id = :account_group_id"
# Some outside ids are shared by very many leads, by mistake or by design: of those, two leads are enough to know that
# there is more than one.
_FIND_KNOWN = Statement(
    # One look-up per identity and per lead, whatever the statistics say; see docs/decisions/0007.
    f"""SELECT {COLUMNS} FROM (
        SELECT x.id FROM unnest(:public_identifiers[]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND public_identifier = v.value LIMIT 1 OFFSET 0) x
        UNION SELECT x.id FROM unnest(:emails[]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND email = v.value LIMIT 1 OFFSET 0) x
        UNION SELECT x.id FROM unnest(:provider_ids[]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND provider_id = v.value AND public_identifier IS NULL AND email IS NULL
            LIMIT 1 OFFSET 0) x
        UNION SELECT x.id FROM unnest(:lone_provider_ids[]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND provider_id = v.value LIMIT 2 OFFSET 0) x) k
    CROSS JOIN LATERAL (
        SELECT * FROM leads WHERE account_group_id = :account_group_id AND id = k.id LIMIT 1 OFFSET 0) l""",
    sqlite=f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id IN (
        SELECT id {_MINE} AND public_identifier IN :public_identifiers[]
        UNION SELECT id {_MINE} AND email IN :emails[]
        UNION SELECT id {_MINE} AND provider_id IN :provider_ids[] AND public_identifier IS NULL AND email IS NULL
        UNION SELECT min(id) {_MINE} AND provider_id IN :lone_provider_ids[] GROUP BY provider_id
        UNION SELECT max(id) {_MINE} AND provider_id IN :lone_provider_ids[] GROUP BY provider_id)""",
)
_LOCK = Statement(
    f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id IN :ids[]
    ORDER BY l.id FOR UPDATE"""
)
_INSERT = Statement(
    f"""INSERT INTO leads (account_group_id, id, created_at, {_PROFILE_NAMES})
    SELECT :account_group_id, r.id, CAST(:now AS bigint), {_PROFILE_VALUES}
    FROM :rows{{id text, {_PROFILE_TABLE}}} AS r WHERE true ON CONFLICT DO NOTHING"""
)
_UPDATE = Statement(
    f"""UPDATE leads SET {", ".join(f"{name} = r.{name}" for name in (*_TEXTS, "custom_fields"))}
    FROM :rows{{id text, {_PROFILE_TABLE}}} AS r
    WHERE leads.account_group_id = :account_group_id AND leads.id = r.id"""
)


async def find_known(
    tx: Transaction,
    *,
    public_identifiers: Iterable[str],
    emails: Iterable[str],
    provider_ids: Iterable[str],
    lone_provider_ids: Iterable[str],
) -> list[Lead]:
    """Returns the leads that bear any of the identities.

    `provider_ids` finds only leads that have no stronger identity; `lone_provider_ids` finds any lead that bears the
    id, at most two of each.
    """
    rows = await tx.rows(
        _FIND_KNOWN,
        public_identifiers=list(public_identifiers),
        emails=list(emails),
        provider_ids=list(provider_ids),
        lone_provider_ids=list(lone_provider_ids),
    )
    return [lead_from(row) for row in rows]


async def lock(tx: Transaction, lead_ids: Iterable[str]) -> list[Lead]:
    """Locks the leads in the order of their ids and returns them as they now are."""
    return [lead_from(row) for row in await tx.rows(_LOCK, ids=list(lead_ids))]


async def insert(tx: Transaction, leads: Sequence[Lead], *, now: int) -> int:
    """Adds the leads whose identity is still free. Returns how many that were."""
    return await tx.run(_INSERT, rows=[_row(lead) for lead in leads], now=now)


async def update(tx: Transaction, leads: Sequence[Lead]) -> None:
    """Writes the profiles of locked leads."""
    await tx.run(_UPDATE, rows=[_row(lead) for lead in leads])


def lead_from(row: Row) -> Lead:
    """Returns the lead in a row that was selected with COLUMNS."""
    profile = Profile(**{name: row[name] for name in _TEXTS}, custom_fields=from_document(row["custom_fields"]))
    return Lead(id=row["id"], profile=profile, created_at=row["created_at"])


def _row(lead: Lead) -> dict[str, Any]:
    known = {name: value for name in _TEXTS if (value := getattr(lead.profile, name)) is not None}
    return {"id": lead.id, **known, "custom_fields": dict(lead.profile.custom_fields)}
