"""The statement by which an addition of people learns what it has to consider in its account group.

Nearly every account group has neither shared addresses nor suppressed people. So an addition looks for both at once, in
one short statement, and pays for the rest only if it is needed.
"""

from __future__ import annotations

from typing import NamedTuple

from leadyard.database import Transaction
from leadyard.store.db import Statement
from leadyard.store.shared_emails import ANY_SHARED
from leadyard.store.suppressions import KEY_CHECK, VERSION

_READ = Statement(f"SELECT ({ANY_SHARED}) AS any_shared, ({VERSION}) AS version, ({KEY_CHECK}) AS key_check")


class AdditionState(NamedTuple):
    """Whether people share addresses. The version of the list of suppressed people, None without one, and the check
    value of the key of its hashes."""

    any_shared: bool
    suppression_version: int | None
    key_check: str | None


async def read(tx: Transaction) -> AdditionState:
    """Returns the state of the account group at this moment."""
    row = await tx.row(_READ)
    assert row is not None
    return AdditionState(bool(row["any_shared"]), row["version"], row["key_check"])
