"""Statements on the texts that searches read: lines of folded text, some dozens of leads together in one row.

A search reads the rows of its account group in the order of their first leads, and the database returns only those that
contain the words. There is no index of words, because it would take longest of all parts of an import. A row is a block
of lines, so that the database reads few rows and whole pages (docs/decisions/0037).

A lead names its block. A transaction that changes a block locks it after the leads, so that two changes of one block
follow each other and no line is lost.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from leadyard.database import Transaction
from leadyard.ids import id_of, key_of, new_id, number_of
from leadyard.people.searching import LINE_END, WantedWords
from leadyard.store.db import NewRows, Row, Statement

# Two blocks fill a page of PostgreSQL, and one fills a page of SQLite, with what a row needs otherwise.
_MOST_BYTES = 3_900
_KEY_BYTES = 8
# A block below this size takes in the next leads that do not fill one of their own.
_SMALL_BYTES = _MOST_BYTES // 2
_WORDS = 3

_COLUMNS = "id, lead_ids, lines"
_SMALL_ONE = Statement(
    f"""SELECT {_COLUMNS} FROM search_blocks WHERE account_group_id = :account_group_id AND is_small
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)
# One look-up for each block, in the order of the list, which is sorted (docs/decisions/0007).
_LOCK = Statement(
    f"""SELECT b.id, b.lead_ids, b.lines FROM unnest(:ids[bigint]) AS u(id) CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM search_blocks WHERE account_group_id = :account_group_id AND id = u.id
        ORDER BY id LIMIT 1 FOR UPDATE) b""",
    sqlite=f"""SELECT {_COLUMNS} FROM search_blocks WHERE account_group_id = :account_group_id
    AND id IN :ids[bigint] ORDER BY id""",
)
_NEW = NewRows("search_blocks", ("id", "first_lead_id", "last_lead_id", "is_small", "lead_ids", "lines"))
_REPLACE = Statement(
    """UPDATE search_blocks SET first_lead_id = :first_lead_id, last_lead_id = :last_lead_id, is_small = :is_small,
    lead_ids = :lead_ids, lines = :lines WHERE account_group_id = :account_group_id AND id = :id"""
)
# The blocks are locked, so that none of these rows is new, as in leads._UPDATE.
_REPLACE_LINES = Statement(
    """INSERT INTO search_blocks (account_group_id, id, first_lead_id, last_lead_id, lead_ids, lines, is_small)
    SELECT :account_group_id, r.id, 0, 0, CAST('' AS bytea), r.lines, r.is_small
    FROM :rows{id bigint, lines text, is_small boolean} AS r WHERE true
    ON CONFLICT (account_group_id, id) DO UPDATE SET lines = excluded.lines, is_small = excluded.is_small
    RETURNING id""",
    sqlite="""UPDATE search_blocks SET lines = r.lines, is_small = r.is_small
    FROM :rows{id bigint, lines text, is_small boolean} AS r
    WHERE search_blocks.account_group_id = :account_group_id AND search_blocks.id = r.id""",
)
_DELETE = Statement("DELETE FROM search_blocks WHERE account_group_id = :account_group_id AND id = :id")
_IN_ORDER = """b.account_group_id = :account_group_id AND (b.first_lead_id, b.id) > (:first_lead_id, :block_id)
    AND b.last_lead_id > :after"""
# A block without members is not worth reading. OFFSET 0 prevents PostgreSQL from using a join instead, so that it looks
# only for the members of blocks that contain the words.
_HAS_MEMBERS = """EXISTS (SELECT 1 FROM memberships m WHERE m.account_group_id = :account_group_id
    AND m.audience_id = :audience_id AND m.lead_id BETWEEN b.first_lead_id AND b.last_lead_id LIMIT 1 OFFSET 0)"""
_WITH_WORDS = f"""SELECT b.id, b.first_lead_id, b.lead_ids, b.lines FROM search_blocks b WHERE {_IN_ORDER}
    AND strpos(b.lines, :word_1) > 0 AND strpos(b.lines, :word_2) > 0 AND strpos(b.lines, :word_3) > 0"""
_WITH_WORDS_SQLITE = f"""SELECT b.id, b.first_lead_id, b.lead_ids, b.lines FROM search_blocks b WHERE {_IN_ORDER}
    AND instr(b.lines, :word_1) > 0 AND instr(b.lines, :word_2) > 0 AND instr(b.lines, :word_3) > 0"""
_IN_SOME = "ORDER BY b.first_lead_id, b.id LIMIT :limit"
_FIND = Statement(f"{_WITH_WORDS} {_IN_SOME}", sqlite=f"{_WITH_WORDS_SQLITE} {_IN_SOME}")
_FIND_WITH_MEMBERS = Statement(
    f"{_WITH_WORDS} AND {_HAS_MEMBERS} {_IN_SOME}", sqlite=f"{_WITH_WORDS_SQLITE} AND {_HAS_MEMBERS} {_IN_SOME}"
)
_BLOCKS_OF = Statement(
    "SELECT id, search_block_id FROM leads WHERE account_group_id = :account_group_id AND id IN :ids[bigint]"
)


class Place(NamedTuple):
    """A place in the order of the blocks: the first lead of a block, and the block."""

    first_lead_id: str
    block_id: str


class Found(NamedTuple):
    """Some blocks with the words: the leads whose lines match, and the place of the last block, None after all."""

    lead_ids: list[str]
    last: Place | None


@dataclass(slots=True)
class _Block:
    """A block as it is in the database, with the keys of its leads in the order of their lines."""

    key: int
    leads: list[int]
    lines: list[str]

    @classmethod
    def of(cls, row: Row) -> _Block:
        return cls(row["id"], list(_unpacked(row["lead_ids"])), row["lines"].split(LINE_END))

    @property
    def values(self) -> dict[str, Any]:
        return {
            "id": self.key,
            "first_lead_id": min(self.leads),
            "last_lead_id": max(self.leads),
            "is_small": _is_small(self.lines),
            "lead_ids": struct.pack(f">{len(self.leads)}q", *self.leads),
            "lines": LINE_END.join(self.lines),
        }


async def add(tx: Transaction, leads: Sequence[int], lines: Sequence[str]) -> list[int]:
    """Writes the line of each new lead. Returns the key of the block of each lead, to write it into the lead.

    Raises TransactionConflict if another transaction has drawn the id of a block.
    """
    full, rest = _packed(leads, lines)
    block_of = dict.fromkeys(rest.leads, await _add_rest(tx, rest)) if rest.leads else {}
    for block in full:
        block_of.update(dict.fromkeys(block.leads, block.key))
    if full:
        await tx.add(_NEW, [tuple(block.values.values()) for block in full])
    return [block_of[lead] for lead in leads]


async def replace_lines(tx: Transaction, lines: Mapping[int, str]) -> None:
    """Writes the lines of locked leads again, unless they have not changed."""
    block_of = {row["id"]: row["search_block_id"] for row in await tx.rows(_BLOCKS_OF, ids=list(lines))}
    changed = []
    for block in await _locked(tx, set(block_of.values())):
        after = [lines.get(lead, line) for lead, line in zip(block.leads, block.lines, strict=True)]
        if after != block.lines:
            changed.append({"id": block.key, "lines": LINE_END.join(after), "is_small": _is_small(after)})
    if changed:
        await tx.run(_REPLACE_LINES, rows=changed)


async def remove(tx: Transaction, leads: Sequence[int]) -> None:
    """Removes the lines of locked leads."""
    gone = set(leads)
    blocks = {row["search_block_id"] for row in await tx.rows(_BLOCKS_OF, ids=list(leads))}
    for block in await _locked(tx, sorted(blocks)):
        left = [(lead, line) for lead, line in zip(block.leads, block.lines, strict=True) if lead not in gone]
        block.leads, block.lines = [lead for lead, _ in left], [line for _, line in left]
        await (tx.run(_REPLACE, **block.values) if left else tx.run(_DELETE, id=block.key))


async def find(
    tx: Transaction, audience_id: str | None, words: WantedWords, *, beyond: Place | None, after: str, limit: int
) -> Found:
    """Returns the leads that match in the next `limit` blocks with the words, and with members of the audience if there
    is one. The blocks are those beyond the place that contain leads with ids after `after`, in order."""
    wanted = dict(zip(("word_1", "word_2", "word_3"), words.most_selective(_WORDS), strict=True))
    first, block = (key_of(beyond.first_lead_id), key_of(beyond.block_id)) if beyond else (-1, -1)
    values = {"first_lead_id": first, "block_id": block, "after": key_of(after), "limit": limit}
    if audience_id is None:
        rows = await tx.rows(_FIND, **values, **wanted)
    else:
        rows = await tx.rows(_FIND_WITH_MEMBERS, audience_id=number_of(audience_id), **values, **wanted)
    found = [
        id_of(lead)
        for row in rows
        for lead, line in zip(_unpacked(row["lead_ids"]), row["lines"].split(LINE_END), strict=True)
        if words.fit(line)
    ]
    last = Place(id_of(rows[-1]["first_lead_id"]), id_of(rows[-1]["id"])) if len(rows) == limit else None
    return Found(found, last)


async def _add_rest(tx: Transaction, rest: _Block) -> int:
    """Adds the leads that do not fill a block to a small block, if there is one. Returns the key of their block."""
    row = await tx.row(_SMALL_ONE)
    if row is not None:
        small = _Block.of(row)
        if _size(small.lines) + _size(rest.lines) <= _MOST_BYTES:
            small.leads += rest.leads
            small.lines += rest.lines
            await tx.run(_REPLACE, **small.values)
            return small.key
    await tx.add(_NEW, [tuple(rest.values.values())])
    return rest.key


async def _locked(tx: Transaction, keys: Iterable[int]) -> list[_Block]:
    return [_Block.of(row) for row in await tx.rows(_LOCK, ids=sorted(keys))]


def _packed(leads: Sequence[int], lines: Sequence[str]) -> tuple[list[_Block], _Block]:
    """Returns the full blocks of these leads, each of leads with neighbouring keys, and the rest that fills none."""
    full: list[_Block] = []
    block, size = _new_block(), 0
    for lead, line in sorted(zip(leads, lines, strict=True)):
        room = _bytes_of(line)
        if size + room > _MOST_BYTES and block.leads:
            full.append(block)
            block, size = _new_block(), 0
        block.leads.append(lead)
        block.lines.append(line)
        size += room
    return full, block


def _new_block() -> _Block:
    return _Block(key_of(new_id()), [], [])


def _bytes_of(line: str) -> int:
    return (len(line) if line.isascii() else len(line.encode())) + len(LINE_END) + _KEY_BYTES


def _size(lines: Sequence[str]) -> int:
    return sum(map(_bytes_of, lines))


def _is_small(lines: Sequence[str]) -> bool:
    return _size(lines) < _SMALL_BYTES


def _unpacked(lead_ids: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(lead_ids) // _KEY_BYTES}q", lead_ids)
