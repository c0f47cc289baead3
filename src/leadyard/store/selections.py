"""Statements that choose members of an audience by a filter, as keys: thousands in one row, without their people.

Both read in order of lead id, which is the order of the list of prospects. The audience must be proven by its whole id,
as in memberships.py.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from leadyard.database import Transaction
from leadyard.ids import id_of, keys_of, number_of
from leadyard.model import SelectionFilter
from leadyard.store.db import Statement, from_document
from leadyard.store.planned_parts import LeadKeys

NONE: LeadKeys = array("q")
"""No leads."""

_OTHER = """EXISTS (SELECT 1 FROM memberships {0} WHERE {0}.account_group_id = :account_group_id
        AND {0}.audience_id = :{1} AND {0}.lead_id = m.lead_id LIMIT 1 OFFSET 0)"""
# A look-up for each member, and only for a condition that is there.
_FITS = f"""(CAST(:added_after AS bigint) IS NULL OR m.added_at > :added_after)
    AND (CAST(:added_before AS bigint) IS NULL OR m.added_at < :added_before)
    AND (CAST(:has_email AS integer) IS NULL OR :has_email = (SELECT CASE WHEN l.email IS NULL THEN 0 ELSE 1 END
        FROM leads l WHERE l.account_group_id = :account_group_id AND l.id = m.lead_id LIMIT 1 OFFSET 0))
    AND (CAST(:in_number AS integer) IS NULL OR {_OTHER.format("i", "in_number")})
    AND (CAST(:not_in_number AS integer) IS NULL OR NOT {_OTHER.format("n", "not_in_number")})"""
_PAGE = f"""SELECT m.lead_id FROM memberships m WHERE m.account_group_id = :account_group_id
    AND m.audience_id = :audience_id AND m.lead_id > CAST(:after AS bigint) AND {_FITS}
    ORDER BY m.lead_id LIMIT :limit"""
_WALK = Statement(
    f"SELECT array_agg(p.lead_id ORDER BY p.lead_id) AS lead_ids FROM ({_PAGE}) AS p",
    sqlite=f"SELECT json_group_array(p.lead_id) AS lead_ids FROM ({_PAGE}) AS p",
)
_AMONG = Statement(
    f"""SELECT array_agg(p.lead_id ORDER BY p.lead_id) AS lead_ids FROM (
        SELECT m.lead_id FROM unnest(:among[bigint]) AS u(lead_id) CROSS JOIN LATERAL (
            SELECT lead_id, added_at FROM memberships WHERE account_group_id = :account_group_id
            AND audience_id = :audience_id AND lead_id = u.lead_id LIMIT 1 OFFSET 0) m
        WHERE {_FITS}) AS p""",
    sqlite=f"""SELECT json_group_array(p.lead_id) AS lead_ids FROM (
        SELECT m.lead_id FROM memberships m WHERE m.account_group_id = :account_group_id
        AND m.audience_id = :audience_id AND m.lead_id IN :among[bigint] AND {_FITS} ORDER BY m.lead_id) AS p""",
)
# A look-up for each lead, as in move_statements.py.
_COUNT_PRESENT = Statement(
    """SELECT count(*) AS present FROM memberships WHERE account_group_id = :account_group_id
    AND lead_id IN :lead_ids[bigint] AND audience_id + 0 = :audience_id""",
    sqlite="""SELECT count(*) AS present FROM memberships WHERE account_group_id = :account_group_id
    AND lead_id IN :lead_ids[bigint] AND audience_id = :audience_id""",
)


async def walk(tx: Transaction, audience_id: str, wanted: SelectionFilter, *, after: LeadKeys, limit: int) -> LeadKeys:
    """Returns at most `limit` members that match the filter apart from its texts, beyond the last one of `after`."""
    last = after[-1] if after else 0
    row = await tx.row(_WALK, after=last, limit=limit, **_values(audience_id, wanted))
    return _keys(row["lead_ids"] if row else None)


async def choose_among(tx: Transaction, audience_id: str, wanted: SelectionFilter, leads: LeadKeys) -> LeadKeys:
    """Returns those of the leads that are members and match the filter apart from its texts."""
    row = await tx.row(_AMONG, among=list(leads), **_values(audience_id, wanted))
    return _keys(row["lead_ids"] if row else None)


async def count_present(tx: Transaction, audience_id: str, leads: LeadKeys) -> int:
    """Returns how many of the leads are in the audience."""
    row = await tx.row(_COUNT_PRESENT, audience_id=number_of(audience_id), lead_ids=list(leads))
    return row["present"] if row else 0


def keys_from(lead_ids: Iterable[str]) -> LeadKeys:
    """Returns the leads with these ids, each once, in order of id. Leaves out texts that are not ids of Leadyard."""
    return array("q", sorted({key for key in keys_of(list(lead_ids)) if key > 0}))


def first_ids(leads: Sequence[int], count: int) -> list[str]:
    """Returns the ids of the first leads."""
    return [id_of(key) for key in leads[:count]]


def keys_in_order(keys: Iterable[int]) -> LeadKeys:
    """Returns the leads with these keys of a job, each once, in order of id."""
    return array("q", sorted({key for key in keys if key > 0}))


def _keys(column: Any) -> LeadKeys:
    return array("q", from_document(column) or ())


def _values(audience_id: str, wanted: SelectionFilter) -> dict[str, Any]:
    members = wanted.members
    return {
        "audience_id": number_of(audience_id),
        "has_email": None if members.has_email is None else int(members.has_email),
        "added_after": members.added_after,
        "added_before": members.added_before,
        "in_number": None if wanted.in_audience_id is None else number_of(wanted.in_audience_id),
        "not_in_number": None if wanted.not_in_audience_id is None else number_of(wanted.not_in_audience_id),
    }
