"""Statements that find people in an account group, in whichever audiences they are. search_blocks.py finds words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, first_key_at, id_of, key_of, keys_of
from leadyard.model import Lead, LeadFilter
from leadyard.people.identity import SHARED_EMAIL_KIND
from leadyard.people.linkedin_urls import identifier_key
from leadyard.store.db import Statement
from leadyard.store.leads import COLUMNS, COLUMNS_INSIDE, lead_from

# A lead gets its id and its time of creation in the same transaction. The clocks of two machines may differ, and the
# times of an audience follow the faster one. So the ids narrow a range of times with this much room.
_ROOM_MS = 24 * 3_600_000

_FITS = """(CAST(:has_email AS integer) IS NULL OR (CASE WHEN l.email IS NULL THEN 0 ELSE 1 END) = :has_email)
    AND (CAST(:created_after AS bigint) IS NULL OR l.created_at > :created_after)
    AND (CAST(:created_before AS bigint) IS NULL OR l.created_at < :created_before)"""
_IN_RANGE = "l.id > :after AND l.id < :below"
# Reads in the order of the key until the page is full: good if many people match.
_WALK = Statement(
    f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id AND {_IN_RANGE} AND {_FITS}
    ORDER BY l.id LIMIT :limit"""
)
# Reads only leads that were found by their texts or identities.
_AMONG = Statement(
    f"""SELECT {COLUMNS} FROM unnest(:among[bigint]) AS u(id) CROSS JOIN LATERAL (
        SELECT {COLUMNS_INSIDE} FROM leads
        WHERE account_group_id = :account_group_id AND id = u.id LIMIT 1 OFFSET 0) l
    WHERE {_IN_RANGE} AND {_FITS} ORDER BY l.id LIMIT :limit""",
    sqlite=f"""SELECT {COLUMNS} FROM leads l WHERE l.account_group_id = :account_group_id
    AND l.id IN :among[bigint] AND {_IN_RANGE} AND {_FITS} ORDER BY l.id LIMIT :limit""",
)
_MINE = "FROM leads WHERE account_group_id = :account_group_id"
_OTHER = "FROM lead_identities WHERE account_group_id = :account_group_id AND kind ="
# The owner of the address, those who share it, and those who had it before, also as other people. A shared address is
# kept with a name behind a space, and no address contains a space.
_WITH_EMAIL = Statement(
    f"""SELECT id {_MINE} AND email = :email AND shared_email_name IS NULL
    UNION SELECT id {_MINE} AND email = :email AND shared_email_name IS NOT NULL
    UNION SELECT lead_id {_OTHER} 'email' AND value = :email
    UNION SELECT lead_id {_OTHER} '{SHARED_EMAIL_KIND}' AND value >= :shared_from AND value < :shared_below"""
)
_WITH_PROFILE = Statement(
    f"""SELECT id {_MINE} AND lower(public_identifier) = :identifier AND public_identifier IS NOT NULL
    UNION SELECT lead_id {_OTHER} 'public_identifier' AND value = :identifier"""
)


async def walk(tx: Transaction, wanted: LeadFilter, *, after: str, limit: int) -> list[Lead]:
    """Returns at most `limit` leads with ids after `after`, in order of id: those that match the filter apart from its
    texts and identities."""
    return [lead_from(row) for row in await tx.rows(_WALK, **_values(wanted, after, limit))]


async def list_among(
    tx: Transaction, wanted: LeadFilter, among: Sequence[str], *, after: str, limit: int
) -> list[Lead]:
    """Returns like `walk`, but only leads in `among`."""
    rows = await tx.rows(_AMONG, among=keys_of(among), **_values(wanted, after, limit))
    return [lead_from(row) for row in rows]


async def list_with_email(tx: Transaction, email: str) -> set[str]:
    """Returns the leads that the normalised address leads to: all that have it, and those that have it from an earlier
    state or from a person who was merged into them."""
    rows = await tx.rows(_WITH_EMAIL, email=email, shared_from=f"{email} ", shared_below=f"{email}!")
    return {id_of(row["id"]) for row in rows}


async def list_with_profile(tx: Transaction, public_identifier: str) -> set[str]:
    """Returns the leads that the normalised name of a LinkedIn profile leads to, in the same way."""
    rows = await tx.rows(_WITH_PROFILE, identifier=identifier_key(public_identifier))
    return {id_of(row["id"]) for row in rows}


def first_id(wanted: LeadFilter) -> str:
    """Returns an id before the ids of all leads that match the times of the filter."""
    return "" if wanted.created_after is None else id_of(first_key_at(wanted.created_after - _ROOM_MS))


def _values(wanted: LeadFilter, after: str, limit: int) -> dict[str, Any]:
    before = wanted.created_before
    return {
        "after": key_of(max(after, first_id(wanted))),
        "below": BEYOND_EVERY_KEY if before is None else first_key_at(before + _ROOM_MS),
        "limit": limit,
        "has_email": None if wanted.has_email is None else int(wanted.has_email),
        "created_after": wanted.created_after,
        "created_before": before,
    }
