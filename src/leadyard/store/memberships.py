"""Statements on memberships: who is in which audience."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.ids import BEYOND_EVERY_ID
from leadyard.model import Member, MemberFilter
from leadyard.store.db import Statement, Transaction
from leadyard.store.leads import COLUMNS as LEAD_COLUMNS
from leadyard.store.leads import lead_from, like_pattern

_ADD = Statement(
    """INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, :audience_id, u.lead_id, CAST(:now AS bigint)
    FROM unnest(:lead_ids[]) AS u(lead_id) WHERE true ON CONFLICT DO NOTHING""",
    sqlite="""INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)
    SELECT :account_group_id, :audience_id, u.value, CAST(:now AS bigint)
    FROM json_each(:lead_ids) AS u WHERE true ON CONFLICT DO NOTHING""",
)
_LIST = Statement(
    # Each lead is looked up by itself (OFFSET 0 keeps PostgreSQL from making a join of it): that a page costs the
    # same wherever it lies must not depend on how recent the statistics of the tables are.
    f"""SELECT {LEAD_COLUMNS}, m.added_at FROM (
        SELECT lead_id, added_at FROM memberships
        WHERE account_group_id = :account_group_id AND audience_id = :audience_id AND lead_id > :after
        ORDER BY lead_id LIMIT :limit) m
    CROSS JOIN LATERAL (
        SELECT * FROM leads WHERE account_group_id = :account_group_id AND id = m.lead_id LIMIT 1 OFFSET 0) l
    ORDER BY m.lead_id""",
    sqlite=f"""SELECT {LEAD_COLUMNS}, m.added_at
    FROM memberships m JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.lead_id > :after
    ORDER BY m.lead_id LIMIT :limit""",
)
_FITS = """(CAST(:q AS text) IS NULL OR l.search_text LIKE :q ESCAPE '\\')
    AND (CAST(:company AS text) IS NULL OR l.company_folded LIKE :company ESCAPE '\\')
    AND (CAST(:title AS text) IS NULL OR l.title_folded LIKE :title ESCAPE '\\')
    AND (CAST(:has_email AS integer) IS NULL OR (CASE WHEN l.email IS NULL THEN 0 ELSE 1 END) = :has_email)
    AND (CAST(:added_after AS bigint) IS NULL OR m.added_at > :added_after)
    AND (CAST(:added_before AS bigint) IS NULL OR m.added_at < :added_before)"""
_LEAD_OF_MEMBER = """CROSS JOIN LATERAL (
    SELECT * FROM leads WHERE account_group_id = :account_group_id AND id = m.lead_id LIMIT 1 OFFSET 0) l"""
_MEMBER_AND_LEAD = f"""SELECT {LEAD_COLUMNS}, m.added_at
    FROM memberships m JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.lead_id > :after AND {_FITS}"""
# In the order of the audience's key, until the page is full: right when many members fit.
_WALK_FILTERED = Statement(
    f"""SELECT {LEAD_COLUMNS}, m.added_at FROM memberships m {_LEAD_OF_MEMBER}
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.lead_id > :after AND {_FITS}
    ORDER BY m.lead_id LIMIT :limit""",
    sqlite=f"{_MEMBER_AND_LEAD} ORDER BY m.lead_id LIMIT :limit",
)
# Only leads that were found by their text: right when few leads fit.
_AMONG_FILTERED = Statement(
    f"""SELECT {LEAD_COLUMNS}, m.added_at FROM unnest(:among[]) AS u(lead_id) CROSS JOIN LATERAL (
        SELECT lead_id, added_at FROM memberships WHERE account_group_id = :account_group_id
        AND audience_id = :audience_id AND lead_id = u.lead_id AND lead_id > :after LIMIT 1 OFFSET 0) m
    {_LEAD_OF_MEMBER}
    WHERE {_FITS} ORDER BY m.lead_id LIMIT :limit""",
    sqlite=f"{_MEMBER_AND_LEAD} AND m.lead_id IN :among[] ORDER BY m.lead_id LIMIT :limit",
)
_COUNT_WITHOUT_EMAIL = Statement(
    f"""SELECT count(*) AS members FROM memberships m {_LEAD_OF_MEMBER} WHERE m.account_group_id = :account_group_id
    AND m.audience_id = :audience_id AND m.added_at >= :added_from AND l.email IS NULL""",
    sqlite="""SELECT count(*) AS members
    FROM memberships m JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.added_at >= :added_from
    AND l.email IS NULL""",
)

# Up to the last of the first `limit` ids: a range of the key, read once.
_REMOVE_SOME = Statement(
    f"""DELETE FROM memberships WHERE account_group_id = :account_group_id AND audience_id = :audience_id
    AND lead_id <= COALESCE((SELECT m.lead_id FROM memberships m WHERE m.account_group_id = :account_group_id
        AND m.audience_id = :audience_id ORDER BY m.lead_id LIMIT 1 OFFSET CAST(:limit AS bigint) - 1),
        '{BEYOND_EVERY_ID}')"""
)
_AUDIENCES_OF = Statement(
    "SELECT audience_id FROM memberships WHERE account_group_id = :account_group_id AND lead_id = :lead_id"
)
_REMOVE_LEAD = Statement("DELETE FROM memberships WHERE account_group_id = :account_group_id AND lead_id = :lead_id")


async def add(tx: Transaction, audience_id: str, lead_ids: Sequence[str], *, now: int) -> int:
    """Puts the leads into the audience; those that are in it stay as they are. Returns how many are new in it."""
    return await tx.run(_ADD, audience_id=audience_id, lead_ids=list(lead_ids), now=now)


async def remove_some(tx: Transaction, audience_id: str, *, limit: int) -> int:
    """Takes at most `limit` leads out of a locked audience. Returns how many that were."""
    return await tx.run(_REMOVE_SOME, audience_id=audience_id, limit=limit)


async def list_audience_ids(tx: Transaction, lead_id: str) -> list[str]:
    """Returns the ids of all audiences the lead is in, deleted ones that are not yet empty too."""
    return [row["audience_id"] for row in await tx.rows(_AUDIENCES_OF, lead_id=lead_id)]


async def remove_lead(tx: Transaction, lead_id: str) -> int:
    """Takes the lead out of every audience; they must be locked. Returns how many that were."""
    return await tx.run(_REMOVE_LEAD, lead_id=lead_id)


async def list_members(tx: Transaction, audience_id: str, *, after: str, limit: int) -> list[Member]:
    """Returns at most `limit` members, by lead id, from the first id beyond `after` on."""
    rows = await tx.rows(_LIST, audience_id=audience_id, after=after, limit=limit)
    return [Member(lead=lead_from(row), added_at=row["added_at"]) for row in rows]


async def list_filtered(
    tx: Transaction, audience_id: str, wanted: MemberFilter, *, among: Sequence[str] | None, after: str, limit: int
) -> list[Member]:
    """Returns at most `limit` members that fit the filter (its texts folded), by lead id, from the first id beyond
    `after` on. `among` holds the ids of all leads that can fit, None when that is not known."""
    values: dict[str, Any] = {
        "audience_id": audience_id,
        "after": after,
        "limit": limit,
        "q": wanted.q and like_pattern(wanted.q),
        "company": wanted.company and like_pattern(wanted.company),
        "title": wanted.title and like_pattern(wanted.title),
        "has_email": None if wanted.has_email is None else int(wanted.has_email),
        "added_after": wanted.added_after,
        "added_before": wanted.added_before,
    }
    if among is None:
        rows = await tx.rows(_WALK_FILTERED, **values)
    else:
        rows = await tx.rows(_AMONG_FILTERED, among=list(among), **values)
    return [Member(lead=lead_from(row), added_at=row["added_at"]) for row in rows]


async def count_without_email(tx: Transaction, audience_id: str, *, added_from: int) -> int:
    """Returns how many members that were added at that time or later have no e-mail."""
    row = await tx.row(_COUNT_WITHOUT_EMAIL, audience_id=audience_id, added_from=added_from)
    return row["members"] if row else 0
