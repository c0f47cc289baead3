"""Statements on leads: one person, once per account group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, keys_of, number_of
from leadyard.model import DuplicateKey, Lead, OtherIdentity, new_lead
from leadyard.people.duplicates import duplicate_keys
from leadyard.people.fields import ATTRIBUTES, NO_CUSTOM_FIELDS, full_name, new_profile
from leadyard.people.linkedin_urls import canonical_profile_url, identifier_key
from leadyard.people.person_names import name_key
from leadyard.people.searching import searched_line
from leadyard.store import duplicates, lead_identities, search_blocks
from leadyard.store.db import NewRows, Row, Statement, as_texts, from_document

STORED = tuple(name for name in ATTRIBUTES if name != "linkedin_url")
"""The texts of a person with a column. In a normalised profile the address follows from the public identifier."""
_texts_of = attrgetter(*STORED)
# Places in a row, once it has the address in its place.
_LINKEDIN_URL = ATTRIBUTES.index("linkedin_url")
_CUSTOM_FIELDS = len(ATTRIBUTES)
_NAMES = ("id", *STORED, "custom_fields", "created_at", "shared_email_name")
COLUMNS = ", ".join(f"l.{name}" for name in _NAMES)
# The same in a sub-query that is called l outside.
COLUMNS_INSIDE = ", ".join(_NAMES)
_WRITTEN = (*STORED, "custom_fields", "shared_email_name")
_WRITTEN_TABLE = ", ".join([*(f"{name} text" for name in STORED), "custom_fields jsonb", "shared_email_name text"])

_MINE = "FROM leads WHERE account_group_id = :account_group_id"
# Both databases read this once and not for each identity, so account groups that never merged people pay nothing.
_ANY_MERGED = "EXISTS (SELECT 1 FROM lead_identities WHERE account_group_id = :account_group_id)"
_OTHER = "FROM lead_identities WHERE account_group_id = :account_group_id AND kind ="


def _other(kind: str, values: str) -> str:
    """Returns the look-up of the leads that have one of the identities from a person who was merged into them."""
    return f"""UNION SELECT x.lead_id FROM unnest(:{values}[text]) AS v(value) CROSS JOIN LATERAL (
        SELECT lead_id {_OTHER} '{kind}' AND value = v.value LIMIT 2 OFFSET 0) x WHERE {_ANY_MERGED}"""


def _other_of_sqlite(kind: str, values: str) -> str:
    return f"UNION ALL SELECT lead_id {_OTHER} '{kind}' AND value IN :{values}[text] AND {_ANY_MERGED}"


_OTHERS = (
    ("public_identifier", "public_identifiers"),
    ("email", "emails"),
    ("provider_id", "provider_ids"),
    ("provider_id", "lone_provider_ids"),
)
# Some outside ids are shared by very many leads, by mistake or by design. Two leads are enough to detect a shared id.
_FIND_KNOWN = Statement(
    # One look-up per identity and per lead, independent of the statistics; see docs/decisions/0007.
    f"""SELECT {COLUMNS}, {_ANY_MERGED} AS any_merged FROM (
        SELECT x.id FROM unnest(:public_identifiers[text]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND lower(public_identifier) = v.value AND public_identifier IS NOT NULL
            LIMIT 1 OFFSET 0) x
        UNION SELECT x.id FROM unnest(:emails[text]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND email = v.value AND shared_email_name IS NULL LIMIT 1 OFFSET 0) x
        UNION SELECT x.id FROM unnest(:provider_ids[text]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND provider_id = v.value AND public_identifier IS NULL AND email IS NULL
            LIMIT 1 OFFSET 0) x
        UNION SELECT x.id FROM unnest(:lone_provider_ids[text]) AS v(value) CROSS JOIN LATERAL (
            SELECT id {_MINE} AND provider_id = v.value LIMIT 2 OFFSET 0) x
        {" ".join(_other(*each) for each in _OTHERS)}) k
    CROSS JOIN LATERAL (
        SELECT {COLUMNS_INSIDE} FROM leads
        WHERE account_group_id = :account_group_id AND id = k.id LIMIT 1 OFFSET 0) l""",
    # IN ignores duplicates, and a UNION without ALL would have to sort.
    sqlite=f"""SELECT {COLUMNS}, {_ANY_MERGED} AS any_merged FROM leads l
    WHERE l.account_group_id = :account_group_id AND l.id IN (
        SELECT id {_MINE} AND lower(public_identifier) IN :public_identifiers[text] AND public_identifier IS NOT NULL
        UNION ALL SELECT id {_MINE} AND email IN :emails[text] AND shared_email_name IS NULL
        UNION ALL SELECT id {_MINE} AND provider_id IN :provider_ids[text]
            AND public_identifier IS NULL AND email IS NULL
        UNION ALL SELECT min(id) {_MINE} AND provider_id IN :lone_provider_ids[text] GROUP BY provider_id
        UNION ALL SELECT max(id) {_MINE} AND provider_id IN :lone_provider_ids[text] GROUP BY provider_id
        {" ".join(_other_of_sqlite(*each) for each in _OTHERS)})""",
)
_FIND = Statement(f"SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id = :id")
_FIND_ALL = Statement(
    f"""SELECT {COLUMNS} FROM unnest(:ids[bigint]) AS u(id) CROSS JOIN LATERAL (
        SELECT {COLUMNS_INSIDE} FROM leads WHERE account_group_id = :account_group_id AND id = u.id
        LIMIT 1 OFFSET 0) l""",
    sqlite=f"SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id IN :ids[bigint]",
)
_FIND_NAMES = Statement(
    """SELECT l.id, l.name, l.first_name, l.last_name FROM unnest(:ids[bigint]) AS u(id) CROSS JOIN LATERAL (
        SELECT id, name, first_name, last_name FROM leads WHERE account_group_id = :account_group_id AND id = u.id
        LIMIT 1 OFFSET 0) l""",
    sqlite="""SELECT id, name, first_name, last_name FROM leads
    WHERE account_group_id = :account_group_id AND id IN :ids[bigint]""",
)
_WITH_PROVIDER_ID = f"""SELECT id FROM (
        SELECT id {_MINE} AND provider_id = :provider_id ORDER BY id LIMIT :limit) AS own
    UNION SELECT lead_id AS id {_OTHER} 'provider_id' AND value = :provider_id"""
_LIST_BY_PROVIDER_ID = Statement(
    f"""SELECT {COLUMNS} FROM ({_WITH_PROVIDER_ID}) AS k CROSS JOIN LATERAL (
        SELECT {COLUMNS_INSIDE} FROM leads
        WHERE account_group_id = :account_group_id AND id = k.id LIMIT 1 OFFSET 0) l
    ORDER BY l.id LIMIT :limit""",
    sqlite=f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id
    AND l.id IN ({_WITH_PROVIDER_ID}) ORDER BY l.id LIMIT :limit""",
)
_DELETE = Statement("DELETE FROM leads WHERE account_group_id = :account_group_id AND id IN :ids[bigint]")
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
_LOCK_TEXT = f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND l.id IN :ids[bigint]
    ORDER BY l.id"""
_LOCK = Statement(_LOCK_TEXT + " FOR UPDATE")
# The same for leads that this transaction has kept and will write: it does not wait for others that keep them.
_LOCK_KEPT = Statement(_LOCK_TEXT + " FOR NO KEY UPDATE")
# The lock that a foreign key would take. It waits for an erasure and for nothing else.
_KEEP = Statement(
    """SELECT id FROM leads WHERE account_group_id = :account_group_id AND id IN :ids[bigint]
    ORDER BY id FOR KEY SHARE"""
)
_NEW = NewRows("leads", ("id", "created_at", "search_block_id", *_WRITTEN))
# The leads are locked, so none of these rows is new, and the conflict is the look-up: one for each lead, with any
# statistics. An UPDATE that joins the rows reads all leads of the account group without statistics.
_UPDATE = Statement(
    f"""INSERT INTO leads (account_group_id, id, search_block_id, created_at, {", ".join(_WRITTEN)})
    SELECT :account_group_id, r.id, 0, 0, {", ".join(f"r.{name}" for name in _WRITTEN)}
    FROM :rows{{id bigint, {_WRITTEN_TABLE}}} AS r WHERE true
    ON CONFLICT (account_group_id, id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _WRITTEN)}
    RETURNING id""",
    sqlite=f"""UPDATE leads SET {", ".join(f"{name} = r.{name}" for name in _WRITTEN)}
    FROM :rows{{id bigint, {_WRITTEN_TABLE}}} AS r
    WHERE leads.account_group_id = :account_group_id AND leads.id = r.id""",
)


class KnownLeads(NamedTuple):
    """Leads, and the identities that they have in addition to those in their profiles."""

    leads: list[Lead]
    others: list[OtherIdentity]


async def find_known(
    tx: Transaction,
    *,
    public_identifiers: Iterable[str],
    emails: Iterable[str],
    provider_ids: Iterable[str],
    lone_provider_ids: Iterable[str],
) -> KnownLeads:
    """Returns the leads that have any of the identities, also those from people who were merged into them. Leads that
    share an e-mail with others are not found by it: shared_emails.py finds them.

    `provider_ids` finds only leads without a stronger identity. `lone_provider_ids` finds all leads with the id, at
    most two per id.
    """
    rows = await tx.rows(
        _FIND_KNOWN,
        public_identifiers=[identifier_key(identifier) for identifier in public_identifiers],
        emails=list(emails),
        provider_ids=list(provider_ids),
        lone_provider_ids=list(lone_provider_ids),
    )
    found = [lead_from(row) for row in rows]
    others = await lead_identities.list_of_leads(tx, [lead.id for lead in found]) if _is_any_merged(rows) else []
    return KnownLeads(found, others)


async def find(tx: Transaction, lead_id: str) -> Lead | None:
    """Returns the lead, or None."""
    row = await tx.row(_FIND, id=key_of(lead_id))
    return lead_from(row) if row else None


async def find_all(tx: Transaction, lead_ids: Iterable[str]) -> list[Lead]:
    """Returns those of the leads that exist."""
    return [lead_from(row) for row in await tx.rows(_FIND_ALL, ids=keys_of(list(lead_ids)))]


async def find_names(tx: Transaction, lead_ids: Iterable[str]) -> dict[str, str | None]:
    """Returns the name of each lead, composed of the first and last name if it has no other, None without any."""
    rows = await tx.rows(_FIND_NAMES, ids=keys_of(list(lead_ids)))
    return {id_of(row["id"]): full_name(row["name"], row["first_name"], row["last_name"]) for row in rows}


async def list_by_provider_id(tx: Transaction, provider_id: str, *, limit: int) -> list[Lead]:
    """Returns at most `limit` leads with the outside id, oldest first, also as the id of a person who was merged."""
    rows = await tx.rows(_LIST_BY_PROVIDER_ID, provider_id=provider_id, limit=limit)
    return [lead_from(row) for row in rows]


async def list_custom_field_names(tx: Transaction, audience_id: str) -> list[str]:
    """Returns the names of all custom fields of the members of the audience, in alphabetical order."""
    return sorted(row["name"] for row in await tx.rows(_CUSTOM_FIELD_NAMES, audience_id=number_of(audience_id)))


async def delete(tx: Transaction, lead_ids: Sequence[str]) -> None:
    """Removes locked leads with all their identities. They must not be in an audience."""
    await duplicates.forget(tx, await find_all(tx, lead_ids))
    keys = keys_of(lead_ids)
    await search_blocks.remove(tx, keys)
    await lead_identities.remove(tx, lead_ids)
    await tx.run(_DELETE, ids=keys)


async def lock(tx: Transaction, lead_ids: Iterable[str]) -> list[Lead]:
    """Locks the leads in the order of their ids, and returns them in their state under the lock."""
    return [lead_from(row) for row in await tx.rows(_LOCK, ids=keys_of(list(lead_ids)))]


async def lock_kept(tx: Transaction, lead_ids: Iterable[str]) -> list[Lead]:
    """Locks leads that this transaction keeps, so that no other one writes them, and returns them in their state under
    the lock. Two transactions that keep the same leads wait for each other here, without deadlock."""
    return [lead_from(row) for row in await tx.rows(_LOCK_KEPT, ids=keys_of(sorted(lead_ids)))]


async def keep(tx: Transaction, lead_ids: Sequence[str]) -> int:
    """Locks the leads in the order of their ids, so that no other transaction erases them before this one ends.
    Returns how many are still there."""
    return len(await tx.rows(_KEEP, ids=keys_of(lead_ids)))


async def insert(tx: Transaction, leads: Sequence[Lead]) -> None:
    """Adds the leads. Raises TransactionConflict if another lead has got one of their identities in the meantime, or
    one of their ids."""
    keys = keys_of([lead.id for lead in leads])
    blocks = await search_blocks.add(tx, keys, [searched_line(lead.profile) for lead in leads])
    await tx.add(_NEW, list(map(_new_row, keys, blocks, leads)))
    await duplicates.note_new(tx, keys)


async def update(tx: Transaction, leads: Sequence[Lead], *, before: Sequence[Lead]) -> None:
    """Writes the profiles of locked leads. `before` are the same leads, in the same order, as they are stored."""
    keys = keys_of([lead.id for lead in leads])
    old = _lost_keys(before, leads)
    await tx.run(_UPDATE, rows=[_row(key, lead) for key, lead in zip(keys, leads, strict=True)])
    lines = {key: searched_line(lead.profile) for key, lead in zip(keys, leads, strict=True)}
    await search_blocks.replace_lines(tx, lines)
    await duplicates.note(tx, keys, old)


def lead_from(row: Row) -> Lead:
    """Returns the lead of a row whose first columns are COLUMNS."""
    key, *values = row.values()
    identifier = row["public_identifier"]
    values.insert(_LINKEDIN_URL, None if identifier is None else canonical_profile_url(identifier))
    custom = values[_CUSTOM_FIELDS]
    values[_CUSTOM_FIELDS] = NO_CUSTOM_FIELDS if custom is None else from_document(custom)
    created_at, shares_email = values[_CUSTOM_FIELDS + 1], values[_CUSTOM_FIELDS + 2] is not None
    return new_lead(id_of(key), new_profile(*values[: _CUSTOM_FIELDS + 1]), created_at, shares_email)


def _lost_keys(before: Sequence[Lead], after: Sequence[Lead]) -> dict[str, set[DuplicateKey]]:
    """Returns the keys by which duplicates of the leads were found before, and are not after."""
    pairs = zip(before, after, strict=True)
    return {new.id: duplicate_keys(old.profile) - duplicate_keys(new.profile) for old, new in pairs}


def _is_any_merged(rows: Sequence[Row]) -> bool:
    return bool(rows) and bool(rows[0]["any_merged"])


def _row(key: int, lead: Lead) -> dict[str, Any]:
    profile = lead.profile
    known = {name: value for name, value in zip(STORED, _texts_of(profile), strict=True) if value is not None}
    shared_name = name_key(profile) if lead.shares_email else None
    return {"id": key, **known, "custom_fields": dict(profile.custom_fields) or None, "shared_email_name": shared_name}


def _new_row(key: int, block: int, lead: Lead) -> tuple[int | str | None, ...]:
    """Returns the values of _NEW, in that order."""
    profile = lead.profile
    custom = as_texts(profile.custom_fields) if profile.custom_fields else None
    shared_name = name_key(profile) if lead.shares_email else None
    return (key, lead.created_at, block, *_texts_of(profile), custom, shared_name)
