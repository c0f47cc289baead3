"""Writes the corpus: files of people who do not exist, as some ninety tools would export them, in many formats, with
the expected people of each beside it.

    python -m tests.files.corpus.make FOLDER

`NAME.expected.json` has the encoding that a user must name, if any, and for each row in order its fields, its custom
fields by the name of the column, and the texts that are in custom fields of any name. Null is a row that identifies no
person.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.files.corpus.abroad import ABROAD
from tests.files.corpus.cards import CARDS, expected_of_card
from tests.files.corpus.cells import cell
from tests.files.corpus.exports import EXPORTS
from tests.files.corpus.languages import IN_LANGUAGES
from tests.files.corpus.layouts import Layout
from tests.files.corpus.more_exports import MORE_EXPORTS, MORE_LANGUAGES
from tests.files.corpus.more_odd_files import MORE_ODD_FILES
from tests.files.corpus.odd_files import ODD_FILES
from tests.files.corpus.other_exports import OTHER_EXPORTS
from tests.files.corpus.other_odd_files import OTHER_ODD_FILES
from tests.files.corpus.people import PEOPLE, Person
from tests.files.corpus.truth import Expected, expected
from tests.files.corpus.writers import BOOK_WRITERS, CSV_FORMS

LAYOUTS = (*EXPORTS, *IN_LANGUAGES, *MORE_EXPORTS, *MORE_LANGUAGES, *OTHER_EXPORTS, *ABROAD)


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file of the corpus. `kind` is the row of the scoreboard to which it counts, and `people` are the expected ones,
    None for a row that is rejected."""

    name: str
    kind: str
    content: bytes
    people: tuple[Expected | None, ...]
    encoding: str | None = None


def corpus() -> Iterator[CorpusFile]:
    """Yields every file."""
    forms, writers = cycle(CSV_FORMS), cycle(BOOK_WRITERS)
    for layout in LAYOUTS:
        # Lines above a header would be wrapped with it, which no program does.
        form = next(each for each in forms if _suits(layout, each))
        yield _as_csv(layout, form)
        yield _as_book(layout, next(writers))
    for version, card in CARDS.items():
        people = [person.at(f"vcard{version[0]}") for person in PEOPLE]
        found = tuple(_or_none(expected_of_card(person, version)) for person in people)
        content = "".join(map(card, people)).encode()
        yield CorpusFile(f"cards-{version}.vcf", f"vCard {version}", content, found)
    for odd in (*ODD_FILES, *MORE_ODD_FILES, *OTHER_ODD_FILES):
        yield CorpusFile(odd.name, "odd files", odd.content, odd.people, odd.encoding)


def _suits(layout: Layout, form: str) -> bool:
    if form == "wrapped" and layout.above:
        return False
    encoding = CSV_FORMS[form][0]
    texts = [*(name for name, _ in layout.columns), *layout.above, *layout.below]
    return encoding is None or "".join(texts).encode(encoding, "replace").decode(encoding) == "".join(texts)


def _as_csv(layout: Layout, form: str) -> CorpusFile:
    encoding, write = CSV_FORMS[form]
    people = _people_of(layout, form, encoding)
    content = write(_rows(layout, people), above=layout.above, below=layout.below)
    kind = "tools, CSV" if layout.language == "en" else f"{layout.language}, CSV"
    found = tuple(_expected_row(layout, person, form) for person in people)
    return CorpusFile(f"{layout.name}.{form}.csv", kind, content, found, encoding)


def _as_book(layout: Layout, writer: str) -> CorpusFile:
    ending, write = BOOK_WRITERS[writer]
    people = _people_of(layout, writer, None)
    around = [[line.strip('"')] for line in layout.above], [[line.strip('"')] for line in layout.below]
    content = write([*around[0], *_rows(layout, people), *around[1]])
    found = tuple(_expected_row(layout, person, writer) for person in people)
    return CorpusFile(f"{layout.name}.{writer}.{ending}", f"workbooks, {writer}", content, found)


def _people_of(layout: Layout, form: str, encoding: str | None) -> list[Person]:
    tool = "".join(filter(str.isalnum, f"{layout.name}{form}"))
    people = [person.at(tool) for person in PEOPLE]
    return people if encoding is None else [person for person in people if _fits(person, encoding)]


def _fits(person: Person, encoding: str) -> bool:
    try:
        "".join(asdict(person).values()).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _rows(layout: Layout, people: Sequence[Person]) -> list[list[str]]:
    header = [name for name, _ in layout.columns]
    return [header, *([cell(person, source) or layout.empty for _, source in layout.columns] for person in people)]


def _expected_row(layout: Layout, person: Person, form: str) -> Expected | None:
    found = expected(person, layout.columns)
    if form == "wrapped":
        for values in (found.fields, found.custom):
            values.update({name: text.replace("\n", " ") for name, text in values.items()})
    return _or_none(found)


def _or_none(found: Expected) -> Expected | None:
    return found if found.is_identified else None


def main(folder: Path) -> None:
    """Writes the corpus into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in corpus():
        (folder / file.name).write_bytes(file.content)
        beside: dict[str, Any] = {
            "encoding": file.encoding, "people": [asdict(person) if person else None for person in file.people]
        }  # fmt: skip
        text = json.dumps(beside, ensure_ascii=False, indent=1)
        (folder / f"{file.name}.expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
