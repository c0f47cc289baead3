"""The scoreboard: how many people and values of the corpus land where they belong. Less than all of them fails."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from leadyard.files.columns import plan_columns
from leadyard.files.row_batches import checked_batch, row_batches
from leadyard.files.tables import Reading, open_table
from leadyard.model import Profile
from leadyard.people.fields import TEXT_FIELDS
from tests.files.corpus.make import LAYOUTS, CorpusFile, corpus, main
from tests.files.corpus.truth import Expected

# These follow from other values of the row.
_DERIVED = frozenset({"company.linkedinIdentifier"})


def imported(file: CorpusFile, folder: Path) -> list[Profile | None]:
    """Returns the people that an import finds in the file, in order, None for a rejected row."""
    path = folder / file.name
    path.write_bytes(file.content)
    found: list[tuple[int, int, Profile | None]] = []
    with open_table(path, Reading(encoding=file.encoding)) as table:
        plan = plan_columns(table.header, sample=table.sample())
        for batch in row_batches(table, size=1_000):
            checked = checked_batch(batch, plan, progress=0).checked
            assert checked is not None
            found += [(row.line_number, 0, None) for row in batch.bad]
            found += [(batch.rows[each.index].line_number, each.index, None) for each in checked.invalid]
            found += [(batch.rows[index].line_number, index, profile) for index, profile in checked.valid]
    return [profile for _, _, profile in sorted(found, key=lambda each: each[:2])]


def differences(wanted: Expected, found: Profile) -> Iterator[tuple[bool, str]]:
    """Yields for each value whether it landed right, and what is wrong with it. A value that should not be there is
    wrong."""
    fields = {each.json_name: text for each in TEXT_FIELDS if (text := getattr(found, each.attribute))}
    custom = dict(found.custom_fields)
    for name in sorted(wanted.fields.keys() | fields.keys() - _DERIVED):
        right, there = wanted.fields.get(name), fields.get(name)
        yield right == there, f"{name} is {there!r} and not {right!r}"
    for name, text in wanted.custom.items():
        yield custom.pop(name, None) == text, f"the custom field {name!r} is not {text!r}"
    for text in wanted.kept:
        found_in = next((name for name, value in custom.items() if value == text), "")
        yield custom.pop(found_in, None) is not None, f"{text!r} is in no custom field"
    for name, text in custom.items():
        yield False, f"the custom field {name!r} has {text!r}"


def test_everybody_and_everything_lands_right(tmp_path: Path) -> None:
    people: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    values: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    files: Counter[str] = Counter()
    wrong: list[str] = []
    for file in corpus():
        files[file.kind] += 1
        found = imported(file, tmp_path)
        if len(found) != len(file.people):
            wrong.append(f"{file.name}: {len(found)} rows and not {len(file.people)}")
        for number, wanted in enumerate(file.people):
            there = found[number] if number < len(found) else None
            people[file.kind][(there is None) == (wanted is None)] += 1
            if there is None or wanted is None:
                if (there is None) != (wanted is None):
                    wrong.append(f"{file.name}, person {number + 1}: {'rejected' if wanted else 'imported'}")
                continue
            for is_right, problem in differences(wanted, there):
                values[file.kind][is_right] += 1
                if not is_right:
                    wrong.append(f"{file.name}, person {number + 1}: {problem}")
    print(f"\n{'':24}{'files':>6}{'people':>16}{'values':>18}")
    for kind in sorted(files):
        print(f"{kind:24}{files[kind]:>6}{_of(people[kind]):>16}{_of(values[kind]):>18}")
    all_people, all_values = (sum(counts.values(), Counter()) for counts in (people, values))
    print(f"{'all':24}{files.total():>6}{_of(all_people):>16}{_of(all_values):>18}")
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:60])


def _of(counts: Counter[bool]) -> str:
    return f"{counts[True]:,}/{counts.total():,}"


def test_the_corpus_is_as_large_as_it_says(tmp_path: Path) -> None:
    main(tmp_path / "corpus")
    names = {path.name for path in (tmp_path / "corpus").iterdir()}
    assert len(names) == 2 * sum(1 for _ in corpus())
    assert len({layout.name for layout in LAYOUTS if layout.language == "en"}) >= 30
    languages = "en de fr es it pt nl pl cs tr sv da no fi hu ro el ru uk ja zh ko ar he id vi hr"
    assert {layout.language for layout in LAYOUTS} == set(languages.split())
    assert {name.rpartition(".")[2] for name in names} == {"csv", "gz", "xlsx", "xls", "ods", "vcf", "json"}
