"""Statements that read memberships, which connect leads and audiences. membership_changes.py has those that write.

A membership has the number of its audience, so each statement binds a number here. The audience must be proven by its
whole id, in the same transaction or by the row of a job: a number alone also belongs to other spellings of an id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, keys_of, number_of
from leadyard.model import Member, MemberFilter, new_member
from leadyard.store.db import Statement
from leadyard.store.leads import COLUMNS as LEAD_COLUMNS
from leadyard.store.leads import COLUMNS_INSIDE, lead_from

_LIST = Statement(
    # Each lead is looked up by itself; OFFSET 0 prevents PostgreSQL from using a join instead. So each page costs the
    # same, even if the statistics of the tables are out of date.
    f"""SELECT {LEAD_COLUMNS}, m.added_at FROM (
        SELECT lead_id, added_at FROM memberships
        WHERE account_group_id = :account_group_id AND audience_id = :audience_id AND lead_id > :after
        ORDER BY lead_id LIMIT :limit) m
    CROSS JOIN LATERAL (
        SELECT {COLUMNS_INSIDE} FROM leads
        WHERE account_group_id = :account_group_id AND id = m.lead_id LIMIT 1 OFFSET 0) l
    ORDER BY m.lead_id""",
    sqlite=f"""SELECT {LEAD_COLUMNS}, m.added_at
    FROM memberships m JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.lead_id > :after
    ORDER BY m.lead_id LIMIT :limit""",
)
# Ids alone, in the order of the key: a hundred thousand take about as long as two pages of 200 people.
_PASS = Statement(
    """SELECT count(*) AS passed, max(p.lead_id) AS last FROM (
        SELECT lead_id FROM memberships
        WHERE account_group_id = :account_group_id AND audience_id = :audience_id AND lead_id > CAST(:after AS bigint)
        ORDER BY lead_id LIMIT :count) AS p"""
)
_FITS = """(CAST(:has_email AS integer) IS NULL OR (CASE WHEN l.email IS NULL THEN 0 ELSE 1 END) = :has_email)
    AND (CAST(:added_after AS bigint) IS NULL OR m.added_at > :added_after)
    AND (CAST(:added_before AS bigint) IS NULL OR m.added_at < :added_before)"""
_LEAD_OF_MEMBER = f"""CROSS JOIN LATERAL (
    SELECT {COLUMNS_INSIDE} FROM leads
    WHERE account_group_id = :account_group_id AND id = m.lead_id LIMIT 1 OFFSET 0) l"""
_MEMBER_AND_LEAD = f"""SELECT {LEAD_COLUMNS}, m.added_at
    FROM memberships m JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.lead_id > :after AND {_FITS}"""
# Reads in the order of the audience's key until the page is full: good if many members match.
_WALK_FILTERED = Statement(
    f"""SELECT {LEAD_COLUMNS}, m.added_at FROM memberships m {_LEAD_OF_MEMBER}
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.lead_id > :after AND {_FITS}
    ORDER BY m.lead_id LIMIT :limit""",
    sqlite=f"{_MEMBER_AND_LEAD} ORDER BY m.lead_id LIMIT :limit",
)
# Reads only leads that were found by their text: good if few leads match.
_AMONG_FILTERED = Statement(
    f"""SELECT {LEAD_COLUMNS}, m.added_at FROM unnest(:among[bigint]) AS u(lead_id) CROSS JOIN LATERAL (
        SELECT lead_id, added_at FROM memberships WHERE account_group_id = :account_group_id
        AND audience_id = :audience_id AND lead_id = u.lead_id AND lead_id > :after LIMIT 1 OFFSET 0) m
    {_LEAD_OF_MEMBER}
    WHERE {_FITS} ORDER BY m.lead_id LIMIT :limit""",
    sqlite=f"{_MEMBER_AND_LEAD} AND m.lead_id IN :among[bigint] ORDER BY m.lead_id LIMIT :limit",
)
_COUNT_WITHOUT_EMAIL = Statement(
    f"""SELECT count(*) AS members FROM memberships m {_LEAD_OF_MEMBER} WHERE m.account_group_id = :account_group_id
    AND m.audience_id = :audience_id AND m.added_at >= :added_from AND l.email IS NULL""",
    sqlite="""SELECT count(*) AS members
    FROM memberships m JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id
    WHERE m.account_group_id = :account_group_id AND m.audience_id = :audience_id AND m.added_at >= :added_from
    AND l.email IS NULL""",
)

_LIST_IDS = Statement(
    """SELECT lead_id FROM memberships WHERE account_group_id = :account_group_id AND audience_id = :audience_id
    ORDER BY lead_id LIMIT :limit OFFSET CAST(:skip AS bigint)"""
)
# A look-up for each lead, as in move_statements.py.
_PRESENT = Statement(
    """SELECT lead_id FROM memberships WHERE account_group_id = :account_group_id AND lead_id IN :lead_ids[bigint]
    AND audience_id + 0 = :audience_id""",
    sqlite="""SELECT lead_id FROM memberships WHERE account_group_id = :account_group_id
    AND lead_id IN :lead_ids[bigint] AND audience_id = :audience_id""",
)
# A look-up for each of these few audiences. A join that is planned without statistics reads all audiences.
_AUDIENCES_OF = Statement(
    """SELECT (SELECT a.id FROM audiences a WHERE a.account_group_id = :account_group_id
        AND a.number = m.audience_id) AS id
    FROM memberships m WHERE m.account_group_id = :account_group_id AND m.lead_id = :lead_id"""
)


async def list_audience_ids(tx: Transaction, lead_id: str) -> list[str]:
    """Returns the ids of all audiences that contain the lead, including deleted ones that are not empty yet."""
    rows = await tx.rows(_AUDIENCES_OF, lead_id=key_of(lead_id))
    # Without a row of the audience there is nothing to lock. `leadyard doctor` reports such a membership.
    return [id_of(row["id"]) for row in rows if row["id"] is not None]


async def list_present(tx: Transaction, audience_id: str, lead_ids: Sequence[str]) -> set[str]:
    """Returns the leads that are in the audience."""
    rows = await tx.rows(_PRESENT, audience_id=number_of(audience_id), lead_ids=keys_of(lead_ids))
    return {id_of(row["lead_id"]) for row in rows}


async def list_ids(tx: Transaction, audience_id: str, *, skip: int, limit: int) -> list[str]:
    """Returns at most `limit` ids of members, in order of id, without the first `skip`. Reads these too."""
    rows = await tx.rows(_LIST_IDS, audience_id=number_of(audience_id), skip=skip, limit=limit)
    return [id_of(row["lead_id"]) for row in rows]


async def list_members(tx: Transaction, audience_id: str, *, after: str, limit: int) -> list[Member]:
    """Returns at most `limit` members with lead ids after `after`, in order of lead id."""
    rows = await tx.rows(_LIST, audience_id=number_of(audience_id), after=key_of(after), limit=limit)
    return [new_member(lead_from(row), row["added_at"]) for row in rows]


async def pass_members(tx: Transaction, audience_id: str, *, after: str, count: int) -> str | None:
    """Returns the id of the lead that is `count` members behind `after`, in order of lead id, None if there are fewer.
    Reads the ids of these members, so limit the count."""
    row = await tx.row(_PASS, audience_id=number_of(audience_id), after=key_of(after), count=count)
    return id_of(row["last"]) if row and row["passed"] == count else None


async def list_filtered(
    tx: Transaction, audience_id: str, wanted: MemberFilter, *, among: Sequence[str] | None, after: str, limit: int
) -> list[Member]:
    """Returns at most `limit` members with lead ids after `after`, in order of lead id: those that match the filter
    apart from its texts. `among` contains the ids of the leads that match the texts, or is None if there are none."""
    values: dict[str, Any] = {
        "audience_id": number_of(audience_id),
        "after": key_of(after),
        "limit": limit,
        "has_email": None if wanted.has_email is None else int(wanted.has_email),
        "added_after": wanted.added_after,
        "added_before": wanted.added_before,
    }
    if among is None:
        rows = await tx.rows(_WALK_FILTERED, **values)
    else:
        rows = await tx.rows(_AMONG_FILTERED, among=keys_of(among), **values)
    return [new_member(lead_from(row), row["added_at"]) for row in rows]


async def list_some(tx: Transaction, audience_id: str, lead_ids: Sequence[str]) -> list[Member]:
    """Returns those of the leads that are members, in order of lead id."""
    if not lead_ids:
        return []
    return await list_filtered(tx, audience_id, MemberFilter(), among=lead_ids, after="", limit=len(lead_ids))


async def count_without_email(tx: Transaction, audience_id: str, *, added_from: int) -> int:
    """Returns the number of members without an e-mail among those added at that time or later."""
    row = await tx.row(_COUNT_WITHOUT_EMAIL, audience_id=number_of(audience_id), added_from=added_from)
    return row["members"] if row else 0
