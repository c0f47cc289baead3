"""The list of suppressed people inside the caller's transaction: leaves them out of an addition, and adds others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.errors import SecretKeyDiffers, SecretKeyMissing, TransactionConflict
from leadyard.ids import new_id, number_of
from leadyard.model import CheckedProfiles, Lead, Profile, Rejection, Suppression, SuppressionResult
from leadyard.people.linkedin_urls import identifier_key
from leadyard.people.suppression import PURPOSE, Identity, hash_of, identities_brought_in, identities_of_lead
from leadyard.store import addition_state, suppressions
from leadyard.store.addition_state import AdditionState

SUPPRESSED = "SUPPRESSED"


async def leave_out_suppressed(
    tx: Transaction, state: AdditionState, checked: CheckedProfiles
) -> tuple[CheckedProfiles, list[Rejection]]:
    """Returns the people who are not suppressed, and the rejections of the others.

    Raises SecretKeyMissing or SecretKeyDiffers if the account group has suppressed people whom this process cannot
    recognise. So a key that is missing on one machine lets no person back in.
    """
    if state.suppression_version is None or not checked.valid:
        return checked, []
    found = await _find(tx, state, [_identities_in(checked, index, profile) for index, profile in checked.valid])
    rejections = [
        Rejection(index=index, code=SUPPRESSED, message=_message(hash_))
        for (index, _), hash_ in zip(checked.valid, found, strict=True)
        if hash_ is not None
    ]
    if not rejections:
        return checked, []
    stay = tuple(each for each, hash_ in zip(checked.valid, found, strict=True) if hash_ is None)
    return replace(checked, valid=stay), rejections


async def find_suppressed_leads(tx: Transaction, people: Sequence[Lead]) -> set[str]:
    """Returns the ids of those leads that are suppressed now. Raises the same."""
    state = await addition_state.read(tx)
    if state.suppression_version is None or not people:
        return set()
    key = _usable_key(tx, state)
    # With both: the address of a function may be suppressed by itself, or together with the name.
    hashes = {
        lead.id: {
            _hash(tx, key, each) for each in (*identities_of_lead(lead, ()), *identities_brought_in(lead.profile))
        }
        for lead in people
    }
    found = await suppressions.find(tx, set().union(*hashes.values()))
    return {lead_id for lead_id, some in hashes.items() if not some.isdisjoint(found)}


async def find_suppressed_emails(tx: Transaction, emails: Iterable[str]) -> set[str]:
    """Returns the suppressed ones of the normalised addresses. Raises the same."""
    state = await addition_state.read(tx)
    if state.suppression_version is None:
        return set()
    key = _usable_key(tx, state)
    by_hash = {_hash(tx, key, ("email", email)): email for email in emails}
    return {by_hash[hash_] for hash_ in await suppressions.find(tx, by_hash)}


async def add_suppressions(tx: Transaction, identities: Sequence[Identity], *, reason: str | None) -> SuppressionResult:
    """Puts the identities on the list, as the last thing in its transaction but one. An identity that is on it already
    stays as it is. Raises SecretKeyMissing or SecretKeyDiffers."""
    if tx.secret_key is None:
        raise SecretKeyMissing
    if await suppressions.begin_addition(tx, tx.secret_key.check_value) != tx.secret_key.check_value:
        raise SecretKeyDiffers
    key, now = tx.secret_key.derived(PURPOSE), now_ms()
    hashes = dict.fromkeys(_hash(tx, key, identity) for identity in identities)
    # In one order in all transactions, so that two of them wait for each other, without deadlock.
    new = [Suppression(id=new_id(), hash=each, created_at=now, reason=reason) for each in sorted(hashes)]
    added = await suppressions.add(tx, new) if new else set()
    found = await suppressions.find(tx, hashes)
    return SuppressionResult(suppressions=tuple(found[each] for each in hashes), added=len(added))


async def refuse_if_suppressed_since(tx: Transaction, state: AdditionState) -> None:
    """Raises TransactionConflict if the list of suppressed people has grown since the state was read. Call it after the
    new leads were written: a person whom another transaction erases waits there, and is on the list after that."""
    if tx.is_postgresql and (await addition_state.read(tx)).suppression_version != state.suppression_version:
        raise TransactionConflict


def _identities_in(checked: CheckedProfiles, index: int, profile: Profile) -> list[Identity]:
    member = checked.members.get(index)
    beside = [] if member is None else [("public_identifier", identifier_key(member))]
    return [*identities_brought_in(profile), *beside]


async def _find(tx: Transaction, state: AdditionState, people: Sequence[Sequence[Identity]]) -> list[str | None]:
    """Returns the suppressed hash among the identities of each person, or None."""
    key = _usable_key(tx, state)
    hashes = [[_hash(tx, key, identity) for identity in identities] for identities in people]
    found = await suppressions.find(tx, {each for some in hashes for each in some})
    return [next((each for each in some if each in found), None) for some in hashes]


def _usable_key(tx: Transaction, state: AdditionState) -> bytes:
    if tx.secret_key is None:
        raise SecretKeyMissing
    if tx.secret_key.check_value != state.key_check:
        raise SecretKeyDiffers
    return tx.secret_key.derived(PURPOSE)


def _hash(tx: Transaction, key: bytes, identity: Identity) -> str:
    return hash_of(key, number_of(tx.account_group_id or ""), identity)


def _message(hash_: str) -> str:
    return f"This person is suppressed. To let the person in, remove the suppression {hash_}."
