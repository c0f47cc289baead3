"""Statements on leads: one person, once per account group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from leadyard.folding import folded
from leadyard.model import Lead, Profile
from leadyard.store.db import NewRows, Row, Statement, Transaction, as_document, from_document

_TEXTS = tuple(field.name for field in fields(Profile) if field.name != "custom_fields")
_texts_of = attrgetter(*_TEXTS)
COLUMNS = ", ".join(f"l.{name}" for name in ("id", *_TEXTS, "custom_fields", "created_at"))
_SEARCHED = ("search_text", "company_folded", "title_folded")
_WRITTEN = (*_TEXTS, *_SEARCHED, "custom_fields")
_WRITTEN_TABLE = ", ".join([*(f"{name} text" for name in (*_TEXTS, *_SEARCHED)), "custom_fields jsonb"])

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
_FIND = Statement(f"SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id = :id")
_LIST_BY_PROVIDER_ID = Statement(
    f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.provider_id = :provider_id
    ORDER BY l.id LIMIT :limit"""
)
_DELETE = Statement("DELETE FROM leads WHERE account_group_id = :account_group_id AND id = :id")
_CUSTOM_FIELD_NAMES = Statement(
    """SELECT DISTINCT n.name FROM memberships m CROSS JOIN LATERAL (
        SELECT custom_fields FROM leads WHERE account_group_id = :account_group_id AND id = m.lead_id
        LIMIT 1 OFFSET 0) l
    CROSS JOIN LATERAL jsonb_object_keys(l.custom_fields) AS n(name)
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id ORDER BY n.name""",
    sqlite="""SELECT DISTINCT n.key AS name FROM memberships m
    JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id
    CROSS JOIN json_each(l.custom_fields) n
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id ORDER BY n.key""",
)
_LOCK = Statement(
    f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id IN :ids[]
    ORDER BY l.id FOR UPDATE"""
)
_NEW = NewRows("leads", ("id", "created_at", *_WRITTEN))
_UPDATE = Statement(
    f"""UPDATE leads SET {", ".join(f"{name} = r.{name}" for name in _WRITTEN)}
    FROM :rows{{id text, {_WRITTEN_TABLE}}} AS r
    WHERE leads.account_group_id = :account_group_id AND leads.id = r.id"""
)
# SQLite's index of trigrams is a virtual table beside the leads, which has to be told what changes. Its rows need whole
# numbers that stay the same, which SQLite's own row numbers do not (VACUUM deals them anew); lead_search_keys has them.
# PostgreSQL's index needs none of this.
_FORGET_TEXT = Statement(
    """DELETE FROM lead_search WHERE rowid IN (SELECT key FROM lead_search_keys
    WHERE account_group_id = :account_group_id AND lead_id IN :ids[])"""
)
_FORGET_KEY = Statement("DELETE FROM lead_search_keys WHERE account_group_id = :account_group_id AND lead_id IN :ids[]")
_LEARN_KEY = Statement(
    """INSERT INTO lead_search_keys (account_group_id, lead_id) SELECT account_group_id, id FROM leads
    WHERE account_group_id = :account_group_id AND id IN :ids[] ON CONFLICT DO NOTHING"""
)
_LEARN_TEXT = Statement(
    """INSERT INTO lead_search (rowid, search_text) SELECT k.key, l.search_text FROM leads l
    JOIN lead_search_keys k ON k.account_group_id = l.account_group_id AND k.lead_id = l.id
    WHERE l.account_group_id = :account_group_id AND l.id IN :ids[]"""
)
_FIND_TEXT = Statement(
    """SELECT id FROM leads WHERE account_group_id = :account_group_id AND search_text LIKE :pattern LIMIT :limit""",
    # CROSS JOIN keeps the order: otherwise SQLite asks the index of trigrams once for every lead of the account group.
    sqlite="""SELECT k.lead_id AS id FROM lead_search s CROSS JOIN lead_search_keys k
    WHERE s.search_text MATCH :phrase AND k.key = s.rowid AND k.account_group_id = :account_group_id LIMIT :limit""",
)
SHORTEST_INDEXED_TEXT = 3


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


async def find(tx: Transaction, lead_id: str) -> Lead | None:
    """Returns the lead, or None."""
    row = await tx.row(_FIND, id=lead_id)
    return lead_from(row) if row else None


async def list_by_provider_id(tx: Transaction, provider_id: str, *, limit: int) -> list[Lead]:
    """Returns at most `limit` leads that bear the outside id, oldest first."""
    rows = await tx.rows(_LIST_BY_PROVIDER_ID, provider_id=provider_id, limit=limit)
    return [lead_from(row) for row in rows]


async def find_text(tx: Transaction, text: str, *, limit: int) -> list[str]:
    """Returns ids of at most `limit` leads in whose name, e-mail, company or title the folded text occurs; it must have
    at least SHORTEST_INDEXED_TEXT characters. Any leads: which ones of too many is not defined."""
    values = (
        {"pattern": like_pattern(text)} if tx.is_postgresql else {"phrase": f'"{text.replace(chr(34), chr(34) * 2)}"'}
    )
    return [row["id"] for row in await tx.rows(_FIND_TEXT, limit=limit, **values)]


def like_pattern(text: str) -> str:
    """Returns the LIKE pattern, escaped by a backslash, for texts in which this one occurs."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def list_custom_field_names(tx: Transaction, audience_id: str) -> list[str]:
    """Returns the names of all custom fields that a member of the audience has, in alphabetical order."""
    return sorted(row["name"] for row in await tx.rows(_CUSTOM_FIELD_NAMES, audience_id=audience_id))


async def delete(tx: Transaction, lead_id: str) -> None:
    """Removes a locked lead that is in no audience."""
    await _forget_texts(tx, [lead_id])
    await tx.run(_DELETE, id=lead_id)


async def lock(tx: Transaction, lead_ids: Iterable[str]) -> list[Lead]:
    """Locks the leads in the order of their ids and returns them as they now are."""
    return [lead_from(row) for row in await tx.rows(_LOCK, ids=list(lead_ids))]


async def insert(tx: Transaction, leads: Sequence[Lead], *, now: int) -> None:
    """Adds the leads. Raises TransactionConflict when somebody has one of their identities meanwhile."""
    await tx.add(_NEW, [(lead.id, now, *_written(lead.profile)) for lead in leads])
    await _learn_texts(tx, [lead.id for lead in leads])


async def update(tx: Transaction, leads: Sequence[Lead]) -> None:
    """Writes the profiles of locked leads."""
    ids = [lead.id for lead in leads]
    await _forget_texts(tx, ids)
    await tx.run(_UPDATE, rows=[_row(lead) for lead in leads])
    await _learn_texts(tx, ids)


async def _learn_texts(tx: Transaction, lead_ids: Sequence[str]) -> None:
    if not tx.is_postgresql:
        await tx.run(_LEARN_KEY, ids=lead_ids)
        await tx.run(_LEARN_TEXT, ids=lead_ids)


async def _forget_texts(tx: Transaction, lead_ids: Sequence[str]) -> None:
    if not tx.is_postgresql:
        await tx.run(_FORGET_TEXT, ids=lead_ids)
        await tx.run(_FORGET_KEY, ids=lead_ids)


def lead_from(row: Row) -> Lead:
    """Returns the lead in a row that was selected with COLUMNS."""
    profile = Profile(**{name: row[name] for name in _TEXTS}, custom_fields=from_document(row["custom_fields"]))
    return Lead(id=row["id"], profile=profile, created_at=row["created_at"])


def _row(lead: Lead) -> dict[str, Any]:
    known = {name: value for name in _TEXTS if (value := getattr(lead.profile, name)) is not None}
    searched = dict(zip(_SEARCHED, _searched(lead.profile), strict=True))
    return {"id": lead.id, **known, **searched, "custom_fields": dict(lead.profile.custom_fields)}


def _written(profile: Profile) -> tuple[str | None, ...]:
    """Returns the values of _WRITTEN, in that order."""
    custom = as_document(dict(profile.custom_fields)) if profile.custom_fields else "{}"
    return (*_texts_of(profile), *_searched(profile), custom)


def _searched(profile: Profile) -> tuple[str, str, str]:
    """Returns the values of _SEARCHED, in that order."""
    company, title = folded(profile.company_name or ""), folded(profile.title or "")
    name = " ".join(filter(None, (profile.first_name, profile.last_name)))
    # The line breaks keep a search from finding the end of one field with the beginning of the next.
    texts = (folded(name), folded(profile.name or ""), folded(profile.email or ""), company, title)
    return "\n".join(texts), company, title
