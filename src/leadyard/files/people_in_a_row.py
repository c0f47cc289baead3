"""Rows with several people: `Contact 1 Name`, `Contact 1 Email`, `Contact 2 Name` …, and tables beside each other.

Each of them becomes a row, with the columns that all of them share, such as the company. Otherwise the address of the
second person would become another address of the first one, and the second person would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from leadyard.files.column_content import field_of_content
from leadyard.files.column_languages import PERSON_WORDS
from leadyard.files.column_meaning import CITY, COUNTRY, STATE, meaning_of
from leadyard.files.column_spellings import column_key, column_words
from leadyard.files.csv_header import numbered
from leadyard.files.table import BadRow, Row, SkippedRow, Table

_ORDINALS = {"primary": 1, "main": 1, "secondary": 2, "second": 2, "third": 3, "tertiary": 3}
_NUMBER = re.compile(r"[1-9]\d?", re.ASCII)
_NUMBER_IN_NAME = re.compile(r"\s*\(\d{1,2}\)|[ _#-]*\d{1,2}(?!\d)")
_ORDINAL_IN_NAME = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b[ _-]*", re.IGNORECASE)
_NAMES = frozenset({"name", "firstName", "lastName"})
_IDENTITIES = frozenset({"email", "linkedinUrl", "publicIdentifier"})
_PLACES = frozenset({CITY, STATE, COUNTRY})
_DISTINCT = 0.8
_MAX_PEOPLE = 20
_MAX_NAME_CHARS = 200


class _Columns(NamedTuple):
    """The columns of a row: for each of its people the index of each column, None for a column that one of them lacks.
    `names` are the columns of a single person."""

    names: tuple[str, ...]
    people: tuple[tuple[int | None, ...], ...]
    own: tuple[tuple[int, ...], ...]
    """The columns of each person that the others do not share."""


class PeopleInARow:
    """A Table whose rows have one person each, from one whose rows have several. They keep the number of their line."""

    def __init__(self, table: Table, columns: _Columns) -> None:
        self._table = table
        self._columns = columns
        self.header = columns.names
        self.format = table.format
        self.sheet = table.sheet
        self.encoding = table.encoding
        self.delimiter = table.delimiter
        self.header_line = table.header_line

    @property
    def bytes_read(self) -> int:
        """The size of the rows so far."""
        return self._table.bytes_read

    @property
    def part_read(self) -> float | None:
        """The part of the file that was read."""
        return self._table.part_read

    def sample(self) -> Sequence[Sequence[str]]:
        """Returns the cells of the people in the first rows."""
        return [person for cells in self._table.sample() for person in self._people(cells)]

    def sheet_names(self) -> Iterator[str]:
        """Yields the names of the sheets."""
        return self._table.sheet_names()

    def close(self) -> None:
        """Closes the table."""
        self._table.close()

    def __iter__(self) -> Iterator[Row | BadRow | SkippedRow]:
        for row in self._table:
            if isinstance(row, Row):
                yield from (Row(row.line_number, cells) for cells in self._people(row.cells))
            else:
                yield row

    def _people(self, cells: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Yields the cells of each person who has some, or of the first one."""
        filled = [
            indexes
            for indexes, own in zip(self._columns.people, self._columns.own, strict=True)
            if any(cells[index].strip() for index in own)
        ]
        for indexes in filled or self._columns.people[:1]:
            yield tuple("" if index is None else cells[index] for index in indexes)


def one_person_a_row(table: Table, wanted: Collection[str] = ()) -> Table:
    """Returns the table, as PeopleInARow if its columns and first rows are of several people. `wanted` are names of
    columns that the caller uses: if they are columns of one of these people only, the table stays as it is."""
    sample = table.sample()
    found = _groups(table.header, sample)
    if found is None or not _are_several(found, sample):
        return table
    columns = _columns(table.header, found)
    keys = {column_key(name) for name in columns.names}
    if any(column_key(name) not in keys for name in wanted):
        return table
    return PeopleInARow(table, columns)


_Groups = Mapping[tuple[str, ...], Mapping[int, int]]
"""The words of a column's name without the number of the person → number → index."""


def _groups(header: Sequence[str], sample: Sequence[Sequence[str]]) -> _Groups | None:
    """Returns the columns that several people have, None unless each has a name and an identity of their own."""
    found: dict[tuple[str, ...], dict[int, int]] = {}
    for index, name in enumerate(header):
        words, number = _without_number(name)
        if words and found.setdefault(words, {}).setdefault(number, index) != index:
            return None
    several = {words: places for words, places in found.items() if len(places) > 1}
    named = _numbers_of(several, _NAMES, sample)
    if len(named & _numbers_of(several, _IDENTITIES, sample)) < 2:
        return None
    return several if len(named) <= _MAX_PEOPLE else None


def _without_number(name: str) -> tuple[tuple[str, ...], int]:
    words = column_words(name)
    place = next((place for place, word in enumerate(words) if _NUMBER.fullmatch(word) or word in _ORDINALS), None)
    if place is None:
        return words, 1
    return (*words[:place], *words[place + 1 :]), _ORDINALS.get(words[place]) or int(words[place])


def _numbers_of(several: _Groups, fields: Collection[str], sample: Sequence[Sequence[str]]) -> set[int]:
    numbers: set[int] = set()
    for words, places in several.items():
        meaning = meaning_of(" ".join(words))
        is_name = fields is _NAMES and set(words) <= PERSON_WORDS
        if meaning is not None and meaning.field not in _PLACES:
            is_one = meaning.field in fields
        else:
            cells = [row[index] for row in sample for index in places.values()]
            is_one = is_name or field_of_content(" ".join(words), cells) in fields
        if is_one:
            numbers |= places.keys()
    return numbers


def _are_several(several: _Groups, sample: Sequence[Sequence[str]]) -> bool:
    """Returns whether the people of the first rows differ: in their row, and from row to row, because an account
    manager is the same in many rows. An address without a name beside it is mostly another one of the same person."""
    names, identities = (_kept_of(several, fields, sample) for fields in (_NAMES, _IDENTITIES))
    numbers = sorted({number for places in identities for number in places})
    several_there = 0
    for row in sample:
        there = [(_texts(names, number, row), _texts(identities, number, row)) for number in numbers]
        named = [(name, identity) for name, identity in there if any(name) and any(identity)]
        if len({name for name, _ in named}) > 1 and len({identity for _, identity in named}) > 1:
            several_there += 1
        elif len(named) > 1:
            several_there -= 1
        several_there -= sum(1 for name, identity in there[1:] if any(identity) and not any(name))
    return several_there > 0 and all(_is_distinct(identities, number, sample) for number in numbers)


def _kept_of(several: _Groups, fields: Collection[str], sample: Sequence[Sequence[str]]) -> list[Mapping[int, int]]:
    return [places for words, places in several.items() if _numbers_of({words: places}, fields, sample)]


def _texts(columns: Sequence[Mapping[int, int]], number: int, row: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[places[number]].strip().casefold() for places in columns if number in places)


def _is_distinct(columns: Sequence[Mapping[int, int]], number: int, sample: Sequence[Sequence[str]]) -> bool:
    filled = [texts for row in sample if any(texts := _texts(columns, number, row))]
    return len(filled) < 2 or len(set(filled)) >= _DISTINCT * len(filled)


def _columns(header: Sequence[str], several: _Groups) -> _Columns:
    numbers = sorted({number for places in several.values() for number in places})
    first = {min(places.values()): places for places in several.values()}
    later = {index for places in several.values() for index in places.values()} - first.keys()
    names: list[str] = []
    people: list[list[int | None]] = [[] for _ in numbers]
    for index, name in enumerate(header):
        if index in later:
            continue
        places = first.get(index)
        names.append(_plain(name) if places else name)
        for number, indexes in zip(numbers, people, strict=True):
            indexes.append(places.get(number) if places else index)
    own = [tuple(places[number] for places in several.values() if number in places) for number in numbers]
    return _Columns(numbered(names), tuple(map(tuple, people)), tuple(own))


def _plain(name: str) -> str:
    """Returns the name of a column without the number of the person."""
    if len(name) > _MAX_NAME_CHARS:
        return name
    if any(_NUMBER.fullmatch(word) for word in column_words(name)):
        return _NUMBER_IN_NAME.sub("", name, count=1).strip() or name
    return _ORDINAL_IN_NAME.sub("", name, count=1).strip() or name
