"""Statements on the identities that a lead has from people who were merged into it. leads.py looks leads up by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, keys_of
from leadyard.model import OtherIdentity
from leadyard.people.linkedin_urls import identifier_key
from leadyard.store.db import Statement

_ADD = Statement(
    """INSERT INTO lead_identities (account_group_id, kind, value, lead_id)
    SELECT :account_group_id, r.kind, r.value, r.lead_id FROM :rows{kind text, value text, lead_id bigint} AS r
    WHERE true ON CONFLICT DO NOTHING RETURNING lead_id"""
)
_OF_LEADS = Statement(
    """SELECT i.kind, i.value, i.lead_id FROM unnest(:lead_ids[bigint]) AS u(lead_id) CROSS JOIN LATERAL (
        SELECT kind, value, lead_id FROM lead_identities
        WHERE account_group_id = :account_group_id AND lead_id = u.lead_id OFFSET 0) i""",
    sqlite="""SELECT kind, value, lead_id FROM lead_identities
    WHERE account_group_id = :account_group_id AND lead_id IN :lead_ids[bigint]""",
)
_REMOVE = Statement(
    "DELETE FROM lead_identities WHERE account_group_id = :account_group_id AND lead_id IN :lead_ids[bigint]"
)


async def add(tx: Transaction, identities: Sequence[OtherIdentity]) -> None:
    """Adds identities to locked leads. One that the lead has already stays as it is."""
    rows = [{"kind": each.kind, "value": _compared(each), "lead_id": key_of(each.lead_id)} for each in identities]
    await tx.rows(_ADD, rows=rows)


def _compared(identity: OtherIdentity) -> str:
    """Returns the text by which the identity is found: a member id of LinkedIn without its case."""
    return identifier_key(identity.value) if identity.kind == "public_identifier" else identity.value


async def list_of_leads(tx: Transaction, lead_ids: Iterable[str]) -> list[OtherIdentity]:
    """Returns the identities that the leads have in addition to those in their profiles."""
    rows = await tx.rows(_OF_LEADS, lead_ids=keys_of(list(lead_ids)))
    return [OtherIdentity(kind=row["kind"], value=row["value"], lead_id=id_of(row["lead_id"])) for row in rows]


async def remove(tx: Transaction, lead_ids: Sequence[str]) -> None:
    """Removes the additional identities of locked leads."""
    await tx.run(_REMOVE, lead_ids=keys_of(lead_ids))
