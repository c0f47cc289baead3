"""Suppressions: keeps people from coming back, and lists and removes the hashes by which the service does that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadyard.database import Transaction
from leadyard.errors import NotFound
from leadyard.model import (
    Caller,
    CheckedProfiles,
    Page,
    Permission,
    Rejection,
    Suppression,
    SuppressionResult,
)
from leadyard.operations.operation import reads, writes
from leadyard.operations.suppressed_people import add_suppressions
from leadyard.people.suppression import Identity, identities_of_list
from leadyard.store import suppressions


@writes(Permission.AUDIENCES_WRITE)
async def suppress_people(
    tx: Transaction, caller: Caller, *, checked: CheckedProfiles, reason: str | None
) -> SuppressionResult:
    """Keeps the people from coming into the account group, by LinkedIn profile and e-mail, each by itself. People who
    are in the account group stay in it: erase them as well.

    `checked` comes from `check_profiles` or `check_rows`. The result lists the people without such an identity. Call
    `usable_secret_key` first. Raises SecretKeyMissing, or SecretKeyDiffers if the hashes of the account group were made
    with another key.
    """
    identities: list[Identity] = []
    rejected = list(checked.invalid)
    for index, profile in checked.valid:
        found = identities_of_list(profile)
        identities += found
        if not found:
            rejected.append(_without_identity(index))
    if not identities:
        return SuppressionResult(suppressions=(), added=0, rejected=_in_order(rejected))
    return replace(await add_suppressions(tx, identities, reason=reason), rejected=_in_order(rejected))


@reads(Permission.PROSPECTS_READ)
async def list_suppressions(tx: Transaction, caller: Caller, *, before: str | None, limit: int) -> Page[Suppression]:
    """Returns a page of the suppressions, newest first. `before` is the `next_key` of a page."""
    found = await suppressions.list_newest_first(tx, before=before, limit=limit + 1)
    return Page.of(found, limit, lambda suppression: suppression.id)


@writes(Permission.AUDIENCES_WRITE)
async def remove_suppression(tx: Transaction, caller: Caller, *, hash_: str) -> None:
    """Removes the suppression, so that the person may come back by this identity. Raises NotFound."""
    if not await suppressions.remove(tx, hash_):
        raise NotFound("suppression", hash_)


def _without_identity(index: int) -> Rejection:
    return Rejection(
        index=index, code="NO_IDENTITY", message="Nothing to suppress: add a LinkedIn profile or an e-mail."
    )


def _in_order(rejected: Sequence[Rejection]) -> tuple[Rejection, ...]:
    return tuple(sorted(rejected, key=lambda rejection: rejection.index))
