"""Statements on the blocks of duplicate keys: for a key, a lead that has it.

A row for each key would take 140 bytes, with its index, and nearly all keys belong to one lead. So a row is a block of
keys in order, 14 bytes each, and the next block begins where it ends. The keys that two leads have are in
duplicate_keys, too, with all their leads. So a key has at most one entry here, and no key outgrows a block
(docs/decisions/0041).

The callers lock the account group, so that no block changes between its look-up and its replacement.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise, starmap

from leadyard.database import Transaction
from leadyard.store.db import NewRows, Statement

# The first block of an account group begins below every key.
_LOWEST = 0
_KEY_BYTES = 6
# The key, whose bytes sort like it, and the lead.
_ENTRY = struct.Struct(f">{_KEY_BYTES}sQ")
# Small, because a block is written again for each new key. PostgreSQL needs 52 bytes for a row and its index.
_MOST_ENTRIES = 64

# One look-up for each key and each block, with any statistics (docs/decisions/0007).
_FIRST = """SELECT max(b.first) FROM duplicate_blocks b
    WHERE b.account_group_id = :account_group_id AND b.first <="""
_FIND = Statement(
    f"""SELECT b.first, b.entries FROM (
        SELECT DISTINCT ({_FIRST} u.key) AS first FROM unnest(:keys[bigint]) AS u(key)) p
    CROSS JOIN LATERAL (SELECT first, entries FROM duplicate_blocks
        WHERE account_group_id = :account_group_id AND first = p.first LIMIT 1 OFFSET 0) b ORDER BY b.first""",
    sqlite=f"""SELECT first, entries FROM duplicate_blocks WHERE account_group_id = :account_group_id
    AND first IN (SELECT ({_FIRST} u.value) FROM json_each(:keys[bigint]) u) ORDER BY first""",
)
_WRITE = Statement(
    """INSERT INTO duplicate_blocks (account_group_id, first, entries)
    SELECT :account_group_id, u.first, decode(u.entries, 'hex')
    FROM unnest(:firsts[bigint], :contents[text]) AS u(first, entries)
    WHERE true ON CONFLICT (account_group_id, first) DO UPDATE SET entries = excluded.entries RETURNING first"""
)
# SQLite has no arrays, and writes a block as fast as a row of a list.
_NEW = NewRows("duplicate_blocks", ("first", "entries"))
_DELETE = Statement(
    "DELETE FROM duplicate_blocks WHERE account_group_id = :account_group_id AND first IN :firsts[bigint]"
)


class Blocks:
    """The blocks of some keys, to read them, to change them, and then to write those that have changed."""

    def __init__(self, blocks: dict[int, dict[bytes, int]]) -> None:
        self._blocks: dict[int, dict[bytes, int]] = {_LOWEST: {}} | blocks
        self._firsts = sorted(self._blocks)
        self._changed: set[int] = set()

    @classmethod
    async def of(cls, tx: Transaction, keys: Iterable[int]) -> Blocks:
        """Reads the blocks of the keys. The others of the account group are left out."""
        rows = await tx.rows(_FIND, keys=sorted(set(keys)))
        return cls({row["first"]: dict(_ENTRY.iter_unpack(row["entries"])) for row in rows})

    def lead_of(self, key: int) -> int | None:
        """Returns the lead of the key, or None."""
        return self._blocks[self._first(key)].get(key.to_bytes(_KEY_BYTES))

    def put(self, key: int, lead: int) -> None:
        """Makes this the lead of the key."""
        first = self._first(key)
        self._blocks[first][key.to_bytes(_KEY_BYTES)] = lead
        self._changed.add(first)

    def remove(self, key: int) -> None:
        """Removes the key, which is there."""
        first = self._first(key)
        del self._blocks[first][key.to_bytes(_KEY_BYTES)]
        self._changed.add(first)

    async def write(self, tx: Transaction) -> None:
        """Writes the blocks that have changed: an empty one goes, and one that is full becomes several."""
        gone = [first for first in self._changed if not tx.is_postgresql or not self._blocks[first]]
        if gone:
            await tx.run(_DELETE, firsts=gone)
        written = [part for first in sorted(self._changed) for part in _parts(first, self._blocks[first])]
        if written and tx.is_postgresql:
            contents = [entries.hex() for _, entries in written]
            await tx.run(_WRITE, firsts=[first for first, _ in written], contents=contents)
        elif written:
            await tx.add(_NEW, written)

    def _first(self, key: int) -> int:
        return self._firsts[bisect_right(self._firsts, key) - 1]


def _parts(first: int, block: dict[bytes, int]) -> list[tuple[int, bytes]]:
    """Returns the first key and the content of each block that these entries need: none without entries."""
    entries = sorted(block.items())
    number = -(-len(entries) // _MOST_ENTRIES)
    ends = [len(entries) * part // number for part in range(number + 1)] if number else []
    parts = [entries[start:end] for start, end in pairwise(ends)]
    firsts = [first, *(int.from_bytes(part[0][0]) for part in parts[1:])]
    return [(first, b"".join(starmap(_ENTRY.pack, part))) for first, part in zip(firsts, parts, strict=False)]
