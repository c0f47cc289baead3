"""Statements on leads that are probably one person.

A transaction that writes leads notes their ids in one row, and the housekeeping compares them later. So an import does
not write several index entries for each person (docs/decisions/0041).

A *key* here is one integer: the number of the reason, then the hash. duplicate_blocks has a lead for each key of the
account group, unless the only lead with this key is the owner of an address that is the mailbox. The index of e-mails
finds that lead. duplicate_groups has the keys that two leads have, and duplicate_keys all the leads of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from leadyard.database import Transaction
from leadyard.ids import BEYOND_EVERY_KEY, NUMBER_BITS, id_of, key_of, keys_of, new_id
from leadyard.model import DUPLICATE_HASH_BITS, DuplicateKey, DuplicateReason, Lead
from leadyard.people.duplicates import duplicate_keys, duplicate_texts
from leadyard.store.account_groups import KEY_OF_GROUP
from leadyard.store.db import Statement, from_document
from leadyard.store.duplicate_blocks import Blocks

_REASONS = tuple(DuplicateReason)
_NUMBER_OF_REASON = {reason: number for number, reason in enumerate(_REASONS)}

_NOTE = Statement(
    """INSERT INTO leads_to_compare (account_group_id, id, is_range, lead_ids, old_keys)
    VALUES (:account_group_id, :id, CAST(:is_range AS boolean), :lead_ids[bigint], :old_keys[bigint])"""
)
_IN_RANGE = Statement(
    """SELECT id FROM leads WHERE account_group_id = :account_group_id AND id BETWEEN :first AND :last
    ORDER BY id"""
)
# The id of a note begins with its time.
_GROUPS = Statement(
    f"""SELECT {KEY_OF_GROUP} FROM (SELECT account_group_id FROM leads_to_compare GROUP BY account_group_id
        HAVING max(id) < :last_before OR min(id) < :first_before ORDER BY account_group_id LIMIT :limit) AS found""",
    across_groups=True,
)
# One process at a time compares the leads of an account group. Two that each add one of two leads would not see that
# these have a key in common.
_OWN_ROW = "SELECT id FROM account_groups WHERE id = :account_group_id ORDER BY id FOR NO KEY UPDATE"
_LOCK_GROUP = Statement(f"{_OWN_ROW} SKIP LOCKED", across_groups=True)
_WAIT_FOR_GROUP = Statement(_OWN_ROW, across_groups=True)
_NOTED = Statement(
    """SELECT id, is_range, lead_ids, old_keys FROM leads_to_compare WHERE account_group_id = :account_group_id
    ORDER BY id LIMIT :limit"""
)
# There are notes for some seconds only, and few of them have old keys.
_OLD_KEYS = Statement(
    """SELECT old_keys FROM leads_to_compare WHERE account_group_id = :account_group_id AND old_keys IS NOT NULL
    ORDER BY id"""
)
# The lock that a foreign key would take: only an erasure, an edit or a merge conflicts with it.
_KEEP_FREE = Statement(
    """SELECT id FROM leads WHERE account_group_id = :account_group_id AND id IN :ids[bigint]
    ORDER BY id FOR KEY SHARE SKIP LOCKED"""
)
_FORGET_NOTES = Statement(
    "DELETE FROM leads_to_compare WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"
)
_OWNERS = Statement(
    """SELECT x.email, x.id FROM unnest(:emails[text]) AS u(email) CROSS JOIN LATERAL (
        SELECT email, id FROM leads WHERE account_group_id = :account_group_id AND email = u.email
        AND shared_email_name IS NULL LIMIT 1 OFFSET 0) x""",
    sqlite="""SELECT email, id FROM leads WHERE account_group_id = :account_group_id AND email IN :emails[text]
    AND shared_email_name IS NULL""",
)
# The lists are parallel.
_FORGET = Statement(
    """DELETE FROM duplicate_keys WHERE account_group_id = :account_group_id
    AND (key, lead_id) IN (SELECT u.key, u.lead_id FROM unnest(:keys[bigint], :lead_ids[bigint]) AS u(key, lead_id))
    RETURNING key""",
    sqlite="""DELETE FROM duplicate_keys WHERE account_group_id = :account_group_id
    AND (key, lead_id) IN (SELECT json_extract(u.value, '$[0]'), json_extract(u.value, '$[1]')
        FROM json_each(:pairs[bigint]) u) RETURNING key""",
)
_FORGET_KEYS = Statement(
    "DELETE FROM duplicate_keys WHERE account_group_id = :account_group_id AND key IN :keys[bigint]"
)
_FORGET_GROUPS = Statement(
    "DELETE FROM duplicate_groups WHERE account_group_id = :account_group_id AND key IN :keys[bigint]"
)
_ADD = Statement(
    """INSERT INTO duplicate_keys (account_group_id, key, lead_id)
    SELECT :account_group_id, u.key, u.lead_id FROM unnest(:keys[bigint], :lead_ids[bigint]) AS u(key, lead_id)
    WHERE true ON CONFLICT DO NOTHING RETURNING key""",
    sqlite="""INSERT INTO duplicate_keys (account_group_id, key, lead_id)
    SELECT :account_group_id, json_extract(u.value, '$[0]'), json_extract(u.value, '$[1]')
    FROM json_each(:pairs[bigint]) u WHERE true ON CONFLICT DO NOTHING RETURNING key""",
)
_ADD_GROUPS = Statement(
    """INSERT INTO duplicate_groups (account_group_id, key)
    SELECT :account_group_id, u.key FROM unnest(:keys[bigint]) AS u(key)
    WHERE true ON CONFLICT DO NOTHING RETURNING key""",
    sqlite="""INSERT INTO duplicate_groups (account_group_id, key)
    SELECT :account_group_id, u.value FROM json_each(:keys[bigint]) u
    WHERE true ON CONFLICT DO NOTHING RETURNING key""",
)
_LIST = Statement(
    """SELECT key FROM duplicate_groups WHERE account_group_id = :account_group_id AND key > CAST(:after AS bigint)
    ORDER BY key LIMIT :limit"""
)
_MEMBERS = Statement(
    """SELECT u.key, k.lead_id FROM unnest(:keys[bigint]) AS u(key) CROSS JOIN LATERAL (
        SELECT lead_id FROM duplicate_keys WHERE account_group_id = :account_group_id AND key = u.key
        ORDER BY lead_id LIMIT :most) k""",
    # SQLite has no LATERAL. It looks up the last of these leads first.
    sqlite=f"""SELECT u.value AS key, k.lead_id FROM json_each(:keys[bigint]) AS u
    CROSS JOIN duplicate_keys k WHERE k.account_group_id = :account_group_id AND k.key = u.value
    AND k.lead_id <= COALESCE((SELECT o.lead_id FROM duplicate_keys o WHERE o.account_group_id = :account_group_id
        AND o.key = u.value ORDER BY o.lead_id LIMIT 1 OFFSET :most - 1), {BEYOND_EVERY_KEY})""",
)

OldKeys = Mapping[str, set[DuplicateKey]]
"""Keys that leads had before, by the ids of the leads."""
_Pair = tuple[int, int]  # a key, and a lead that has it


class Note(NamedTuple):
    """Leads that a transaction has written, and that have not been compared since. `old` are keys that they had."""

    key: int
    lead_ids: list[str]
    old: list[_Pair]


async def note(tx: Transaction, lead_keys: Sequence[int], old: OldKeys) -> None:
    """Notes leads that this transaction writes, so that the housekeeping compares them. `old` are the keys that they
    lose."""
    old_keys = [value for pair in _pairs(list(old), old.values()) for value in pair]
    await tx.run(_NOTE, id=key_of(new_id()), is_range=False, lead_ids=list(lead_keys), old_keys=old_keys or None)


async def note_new(tx: Transaction, lead_keys: Sequence[int]) -> None:
    """Notes leads that this transaction creates, by the range of their keys. Leads of other transactions in the range
    are compared twice, which changes nothing."""
    ends = [min(lead_keys), max(lead_keys)]
    await tx.run(_NOTE, id=key_of(new_id()), is_range=True, lead_ids=ends, old_keys=None)


async def list_groups(tx: Transaction, *, last_before: int, first_before: int, limit: int) -> list[str]:
    """Returns ids of account groups with leads to compare: those whose last note is older than the one time, or whose
    first note is older than the other (milliseconds)."""
    oldest = {"last_before": last_before << NUMBER_BITS, "first_before": first_before << NUMBER_BITS}
    return [id_of(row["key"]) for row in await tx.rows(_GROUPS, limit=limit, **oldest)]


async def lock_notes(tx: Transaction, *, limit: int, leads: int) -> list[Note]:
    """Returns the oldest notes of the account group, at most `limit` with about so many leads, none if another process
    is at work on them."""
    if await tx.row(_LOCK_GROUP) is None:
        return []
    rows = await tx.rows(_NOTED, limit=limit)
    notes: list[Note] = []
    for row in rows:
        keys = from_document(row["lead_ids"])
        if row["is_range"]:
            keys = [each["id"] for each in await tx.rows(_IN_RANGE, first=keys[0], last=keys[1])]
        notes.append(Note(row["id"], list(map(id_of, keys)), _pairs_from(row["old_keys"])))
        leads -= len(notes[-1].lead_ids)
        if leads <= 0:
            break
    return notes


async def keep_free(tx: Transaction, lead_ids: Sequence[str]) -> set[str]:
    """Locks those of the leads that no other transaction has locked, so that none of them is erased before this one
    ends, and returns them. It does not wait, because an erasure waits for this process while it has locked its lead."""
    return {id_of(row["id"]) for row in await tx.rows(_KEEP_FREE, ids=[key_of(lead_id) for lead_id in lead_ids])}


async def replace_keys(tx: Transaction, notes: Sequence[Note], leads: Sequence[Lead]) -> None:
    """Writes the keys of the noted leads, enters the groups that have two leads now, and removes the notes. `leads` are
    those that exist, locked against erasure."""
    texts = [duplicate_texts(lead.profile) for lead in leads]
    new = sorted(_pairs([lead.id for lead in leads], texts))
    old = sorted({pair for note in notes for pair in note.old}.difference(new))
    blocks = await Blocks.of(tx, [key for key, _ in (*old, *new)])
    await _remove(tx, blocks, old)
    await _add(tx, blocks, new, await _find_owners(tx, leads, texts))
    await blocks.write(tx)
    await tx.run(_FORGET_NOTES, ids=[note.key for note in notes])


async def forget(tx: Transaction, leads: Sequence[Lead]) -> None:
    """Removes the keys of locked leads, also those from before their last edits, and the groups that end with them.
    Waits for a process that compares leads."""
    await tx.rows(_WAIT_FOR_GROUP)
    gone = {key_of(lead.id) for lead in leads}
    noted = [pair for row in await tx.rows(_OLD_KEYS) for pair in _pairs_from(row["old_keys"])]
    present = _pairs([lead.id for lead in leads], [duplicate_keys(lead.profile) for lead in leads])
    pairs = {*present, *(pair for pair in noted if pair[1] in gone)}
    blocks = await Blocks.of(tx, [key for key, _ in pairs])
    await _remove(tx, blocks, sorted(pairs))
    await blocks.write(tx)


async def list_shared(tx: Transaction, *, after: DuplicateKey | None, limit: int) -> list[DuplicateKey]:
    """Returns at most `limit` keys that two leads have had in common, after `after`, most certain reason first."""
    rows = await tx.rows(_LIST, after=-1 if after is None else _key_from(after), limit=limit)
    return [_duplicate_key(row["key"]) for row in rows]


async def list_members(tx: Transaction, keys: Sequence[DuplicateKey], *, most: int) -> dict[DuplicateKey, list[str]]:
    """Returns the ids of the first `most` leads that have each key, oldest first."""
    members = await _members(tx, [_key_from(key) for key in keys], most=most)
    return {_duplicate_key(key): [id_of(lead) for lead in leads] for key, leads in members.items()}


async def _find_owners(
    tx: Transaction, leads: Iterable[Lead], texts: Iterable[Mapping[DuplicateKey, str]]
) -> dict[int, int]:
    """Returns the leads that own the mailboxes of these leads as their addresses, by the keys of the mailboxes."""
    mailboxes = {text: key for each in texts for key, text in each.items() if key.reason is DuplicateReason.EMAIL}
    own = {lead.profile.email: lead.id for lead in leads if not lead.shares_email}
    owner = {mailbox: key_of(own[mailbox]) for mailbox in mailboxes if mailbox in own}
    if rest := sorted(mailboxes.keys() - owner.keys()):
        owner.update((row["email"], row["id"]) for row in await tx.rows(_OWNERS, emails=rest))
    return {_key_from(mailboxes[mailbox]): lead for mailbox, lead in owner.items()}


async def _add(tx: Transaction, blocks: Blocks, pairs: Sequence[_Pair], owners: Mapping[int, int]) -> None:
    """Adds the pairs, and the groups that have two leads now."""
    shared: set[_Pair] = set()
    for key, lead in pairs:
        first, owner = blocks.lead_of(key), owners.get(key)
        if first is None and owner != lead:
            blocks.put(key, lead)
        others = {first, owner} - {None, lead}
        if others:
            shared.update((key, each) for each in (lead, first, owner) if each is not None)
    if shared:
        await tx.rows(_ADD, **_as_lists(sorted(shared)))
        await tx.rows(_ADD_GROUPS, keys=sorted({key for key, _ in shared}))


async def _remove(tx: Transaction, blocks: Blocks, pairs: Sequence[_Pair]) -> None:
    """Removes the pairs, and the groups that have one lead or none left."""
    if not pairs:
        return
    left = await _members(tx, sorted({row["key"] for row in await tx.rows(_FORGET, **_as_lists(pairs))}), most=2)
    for key, lead in pairs:
        if blocks.lead_of(key) == lead:
            if left.get(key):
                blocks.put(key, left[key][0])
            else:
                blocks.remove(key)
    ended = [key for key, leads in left.items() if len(leads) < 2]
    if ended:
        await tx.run(_FORGET_KEYS, keys=ended)
        await tx.run(_FORGET_GROUPS, keys=ended)


async def _members(tx: Transaction, keys: Sequence[int], *, most: int) -> dict[int, list[int]]:
    """Returns the first `most` leads of each key that two leads have, oldest first."""
    members: dict[int, list[int]] = {key: [] for key in keys}
    for row in await tx.rows(_MEMBERS, keys=list(keys), most=most) if keys else ():
        members[row["key"]].append(row["lead_id"])
    return {key: sorted(leads) for key, leads in members.items()}


def _as_lists(pairs: Sequence[_Pair]) -> dict[str, list[Any]]:
    return {"keys": [key for key, _ in pairs], "lead_ids": [lead for _, lead in pairs], "pairs": list(pairs)}


def _pairs(lead_ids: Sequence[str], keys: Iterable[Iterable[DuplicateKey]]) -> list[_Pair]:
    return [(_key_from(key), lead) for lead, own in zip(keys_of(lead_ids), keys, strict=True) for key in own]


def _pairs_from(values: Any) -> list[_Pair]:
    """Returns the pairs of a column that contains them one after the other, or null."""
    flat: list[int] = from_document(values) or []
    return list(zip(flat[::2], flat[1::2], strict=True))


def _key_from(key: DuplicateKey) -> int:
    return (_NUMBER_OF_REASON[key.reason] << DUPLICATE_HASH_BITS) | key.hash


def _duplicate_key(key: int) -> DuplicateKey:
    return DuplicateKey(_REASONS[key >> DUPLICATE_HASH_BITS], key & ((1 << DUPLICATE_HASH_BITS) - 1))
