"""Finds leads that are probably one person. Nothing here merges them."""

from __future__ import annotations

from functools import partial

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.model import Caller, DuplicateGroup, DuplicateKey, DuplicateReason, Permission
from leadyard.operations.operation import retried, run_again_on_conflict, snapshot
from leadyard.people.duplicates import duplicate_keys
from leadyard.store import duplicates, leads

MAX_LEADS_PER_GROUP = 20
_GROUPS_A_ROUND = 100
_NOTES_A_BATCH = 50
_LEADS_A_BATCH = 5_000
_QUIET_MS = 3_000
_LATEST_MS = 600_000
# Later than the time of every id.
_ANY_TIME = (1 << 42) - 1
_ORDER = tuple(DuplicateReason)


@snapshot(Permission.PROSPECTS_READ)
async def list_duplicates(
    tx: Transaction, caller: Caller, *, after: DuplicateKey | None, limit: int
) -> tuple[list[DuplicateGroup], DuplicateKey | None]:
    """Returns at most `limit` groups of leads that have a key in common, most certain reason first, and the `after` of
    the next page, None at the end.

    Each group is checked against the profiles of now, so a page may have fewer groups, also none. It lists the 20
    oldest leads of a group, and leaves out a group whose leads also share a more certain key. Leads that were written
    in the last seconds may still be missing, and during a long import those of its last ten minutes.
    """
    shared = await duplicates.list_shared(tx, after=after, limit=limit + 1)
    page = shared[:limit]
    members = await duplicates.list_members(tx, page, most=MAX_LEADS_PER_GROUP)
    known = {lead.id: lead for lead in await leads.find_all(tx, {id for ids in members.values() for id in ids})}
    keys = {lead_id: duplicate_keys(lead.profile) for lead_id, lead in known.items()}
    found: list[DuplicateGroup] = []
    for key, ids in members.items():
        group = [known[lead_id] for lead_id in ids if lead_id in known and key in keys[lead_id]]
        if len(group) > 1 and not _is_shown_before(key, [keys[lead.id] for lead in group]):
            found.append(DuplicateGroup(leads=tuple(group), reason=key.reason))
    return found, page[-1] if len(shared) > limit else None


@retried
async def compare_leads(db: Database) -> int:
    """Compares a batch of the leads that were written since, in every account group that has any. Returns the number of
    notes of leads that it has done: 0 means that there is nothing left to do."""
    return await _compare_groups(db, last_before=_ANY_TIME, first_before=_ANY_TIME)


@retried
async def compare_leads_after_writing(db: Database) -> int:
    """Does the same, but leaves out account groups that were written to in the last three seconds, for at most ten
    minutes, so that a job does not share the processor with the comparison of its own people."""
    now = now_ms()
    return await _compare_groups(db, last_before=now - _QUIET_MS, first_before=now - _LATEST_MS)


async def _compare_groups(db: Database, *, last_before: int, first_before: int) -> int:
    async with db.read(None) as tx:
        group_ids = await duplicates.list_groups(
            tx, last_before=last_before, first_before=first_before, limit=_GROUPS_A_ROUND
        )
    return sum([await run_again_on_conflict(partial(_compare, db, id), name="compare_leads") for id in group_ids])


async def _compare(db: Database, account_group_id: str) -> int:
    async with db.write(account_group_id) as tx:
        notes = await duplicates.lock_notes(tx, limit=_NOTES_A_BATCH, leads=_LEADS_A_BATCH)
        ids = sorted({lead_id for note in notes for lead_id in note.lead_ids})
        free = await duplicates.keep_free(tx, ids)
        present = {lead.id: lead for lead in await leads.find_all(tx, ids)}
        # A lead that another transaction has locked is compared in a later round, with all others of its note.
        done = [note for note in notes if all(id in free or id not in present for id in note.lead_ids)]
        compared = sorted({lead_id for note in done for lead_id in note.lead_ids})
        if done:
            await duplicates.replace_keys(tx, done, [present[lead_id] for lead_id in compared if lead_id in present])
        return len(done)


def _is_shown_before(key: DuplicateKey, keys_of_group: list[set[DuplicateKey]]) -> bool:
    """Returns whether the leads also share a key with a more certain reason, or an earlier one with the same."""
    place = (_ORDER.index(key.reason), key.hash)
    return any((_ORDER.index(each.reason), each.hash) < place for each in set.intersection(*keys_of_group))
