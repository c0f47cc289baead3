"""Reads a change with the changes that it undoes."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.errors import NotFound
from leadyard.model import Change
from leadyard.store import changes


async def found_change(tx: Transaction, change_id: str) -> Change:
    """Returns the change. Raises NotFound, also while a job is still writing it."""
    change = await changes.find(tx, change_id)
    if change is None:
        raise NotFound("change", change_id)
    return change


async def read_chain(tx: Transaction, change_id: str) -> list[Change]:
    """Returns the change, the change that it undoes, and so on. One statement for each. Raises NotFound."""
    chain = [await found_change(tx, change_id)]
    while (undone_id := chain[-1].undoes_change_id) is not None:
        chain.append(await found_change(tx, undone_id))
    return chain
