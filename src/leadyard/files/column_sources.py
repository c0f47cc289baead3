"""Which columns feed which field, in order of trust, from their names and their cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, cast

from leadyard.files.column_content import are_companies, are_mostly_contacts, field_of_content, has_identities
from leadyard.files.column_doubts import field_in_doubt
from leadyard.files.column_languages import FAMILY_NAME_BESIDE, MEMBER_IDS, NAMES, WHOLE_NAME_ALONE
from leadyard.files.column_meaning import CITY, COUNTRY, STATE, Meaning, last_part, meaning_of
from leadyard.files.column_spellings import column_key
from leadyard.people.fields import FIELD_OF_NAME

Found = Literal["mapped", "spelling", "parts", "content"]

_LEAST_TRUST = (99, 0, 0)
_IDENTITIES = {"email", "linkedinUrl", "publicIdentifier", "providerId"}

# Some names mean a field only beside another column. In LinkedIn's own export of connections `URL` is the profile,
# elsewhere it is any web page. A website is the company's only if the file names the company as well. `Ad` is a first
# name in Turkish, and `By` is a city in Danish.
COMPANY = frozenset({*FIELD_OF_NAME["company.name"].spellings, *NAMES["company.name"]})
ONLY_BESIDE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "url": frozenset({"connectedon"}),
        "website": COMPANY,
        "websiteurl": COMPANY,
        "domain": COMPANY,
        "domainname": COMPANY,
        "www": COMPANY,
        "ad": frozenset({"soyad", "soyadi", "soyisim"}),
        "by": frozenset({"navn", "fornavn", "efternavn", "etternavn", "virksomhed", "postnr", "postnummer"}),
        "ten": frozenset({"ho", "congty", "tencongty", "chucvu", "dienthoai", "sodienthoai"}),
        "ho": frozenset({"ten"}),
    }
)


class Sources:
    """The columns of each field (`fields`, best first) as they are found, and how each column was found (`how`).

    `named` has the meaning of each column by its name in this file. `first` has the identity column of a field. `links`
    are columns in which some cells identify the person, and in `contacts` an address can stand among other words.
    """

    def __init__(self, header: Sequence[str], sample: Sequence[Sequence[str]], *, ignored: int) -> None:
        self.header = header
        self.sample = sample
        self.fields: dict[str, list[int]] = {}
        self.first: dict[str, int] = {}
        self.how: dict[int, Found] = {}
        self.member_ids: tuple[int, ...] = ()
        self.links: tuple[int, ...] = ()
        self.contacts: frozenset[int] = frozenset()
        self.ignored = ignored
        self.keys = [column_key(name) for name in header]
        self.named = _meanings(header, self.keys)
        self._places: dict[str, list[int]] = {}

    def used(self) -> set[int]:
        """Returns the columns that feed a field."""
        return {index for indexes in self.fields.values() for index in indexes}

    def place(self, part: str, indexes: list[int]) -> None:
        """Keeps the columns of a part of a place, best first."""
        self._places[part] = indexes

    def places(self) -> tuple[tuple[int, ...], ...]:
        """Returns the columns of city, state and country, if the file has no column of locations. A state alone is not
        a place: it mostly is the state of something."""
        if "location" in self.fields or not {CITY, COUNTRY} & self._places.keys():
            return ()
        return tuple(tuple(self._places[part]) for part in (CITY, STATE, COUNTRY) if part in self._places)


def recognised_columns(sources: Sources, *, taken: set[int]) -> None:
    """Adds the columns that the caller has not mapped: by name, then by content. `taken` are used for other things."""
    mapped = set(sources.fields) - set(sources.first)
    free = [
        index
        for index in range(sources.ignored, len(sources.header))
        if index not in taken and sources.how.get(index) != "mapped"
    ]
    # An identity column is not used up: it may feed the field that its name means as well.
    free += [index for index in sources.first.values() if index not in free]
    found: defaultdict[str, list[tuple[tuple[int, int, int], int]]] = defaultdict(list)
    for index in free:
        meaning = sources.named.get(index)
        if meaning is not None and meaning.field == "linkedinUrl" and are_companies(_cells(sources, index)):
            # Some tools call both pages so.
            meaning = Meaning("company.linkedinUrl", "content", _LEAST_TRUST)
        if meaning is not None and meaning.field not in mapped:
            found[meaning.field].append((meaning.trust, index))
            of_names = meaning.field == "name"
            # The person's page in some rows, and `Ada Vint <ada@vint.example>`.
            if (of_names or meaning.field == "company.website") and has_identities(
                "", _cells(sources, index), of_names=of_names
            ):
                sources.links += (index,)
            sources.how.setdefault(index, cast("Found", meaning.how))
        elif sources.keys[index] in MEMBER_IDS:
            sources.member_ids += (index,)
        elif (shown := _shown(sources, index)) is not None and shown not in mapped:
            found[shown].append((_LEAST_TRUST, index))
        elif has_identities(sources.header[index], _cells(sources, index)):
            sources.links += (index,)
    if not (_IDENTITIES & (found.keys() | mapped) or sources.links or sources.member_ids):
        # `Ada Vint, ada@vint.example` in a file where nothing else identifies people.
        sources.links = tuple(
            index for index in free if are_mostly_contacts(sources.header[index], _cells(sources, index))
        )
        sources.contacts = frozenset(sources.links)
    _keep_phones_with_names(found)
    for field, columns in found.items():
        _add(sources, field, [index for _, index in sorted(columns)])
    if sources.member_ids and "publicIdentifier" in mapped:
        sources.member_ids = ()


def _add(sources: Sources, field: str, indexes: list[int]) -> None:
    if field in (CITY, STATE, COUNTRY):
        sources.place(field, indexes)
        for index in indexes:
            sources.how.pop(index, None)
        return
    first = sources.first.get(field)
    ordered = indexes if first is None else [first, *(index for index in indexes if index != first)]
    sources.fields[field] = ordered
    for index in ordered:
        sources.how.setdefault(index, "content")


def _keep_phones_with_names(found: dict[str, list[tuple[tuple[int, int, int], int]]]) -> None:
    """Leaves out columns that only look like phones beside one that is called so. A number can be anything."""
    phones = found.get("phone", [])
    if any(trust != _LEAST_TRUST for trust, _ in phones):
        found["phone"] = [column for column in phones if column[0] != _LEAST_TRUST]


def _shown(sources: Sources, index: int) -> str | None:
    """Returns the field that the cells of a column show."""
    name, cells = sources.header[index], _cells(sources, index)
    fields = {meaning.field for meaning in sources.named.values()}
    return field_of_content(name, cells) or field_in_doubt(name, cells, fields)


def _cells(sources: Sources, index: int) -> list[str]:
    return [row[index] for row in sources.sample]


def _meanings(header: Sequence[str], keys: Sequence[str]) -> dict[int, Meaning]:
    """Returns the meaning of each column that has one, with the rules about columns beside each other."""
    found = {index: meaning for index, name in enumerate(header) if (meaning := meaning_of(name)) is not None}
    present = set(keys)
    has_company = any(meaning.field == "company.name" for meaning in found.values())
    for index in [index for index in found if keys[index] in ONLY_BESIDE]:
        beside = ONLY_BESIDE[keys[index]]
        if not present & beside and not (has_company and beside is COMPANY):
            del found[index]
    fields = {meaning.field for meaning in found.values()}
    for index, meaning in list(found.items()):
        found[index] = Meaning(
            _field_beside(column_key(last_part(header[index])), meaning.field, fields, present),
            meaning.how,
            meaning.trust,
        )
    return found


def _field_beside(key: str, field: str, fields: set[str], present: set[str]) -> str:
    # `Persona - Nombre` is as much in doubt as `Nombre`.
    if key in WHOLE_NAME_ALONE and WHOLE_NAME_ALONE[key] not in fields:
        return "name"
    if key in FAMILY_NAME_BESIDE and "lastName" not in fields and present & FAMILY_NAME_BESIDE[key]:
        return "lastName"
    return field
