"""Counts habits and words, and decides whether a text is over a limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from script.prose.habits import HABITS, LEAST_YOU_PER_1000, LIMIT_PER_1000, YOU, Found, Habit, find_habits
from script.prose.passages import ROOT, passages_of

# Pages that do not address a reader: a record, a generated list, a description of the code.
_NOT_ADDRESSED = {"CHANGELOG.md", "ARCHITECTURE.md", "docs/licences.md"}


@dataclass(frozen=True, slots=True)
class Count:
    """The counts of some files. `addressed_words` and `you` count only the pages that address a reader."""

    files: tuple[Path, ...]
    words: Counter[Path]
    found: tuple[Found, ...]
    addressed_words: int
    you: int

    @property
    def all_words(self) -> int:
        return self.words.total()

    def of(self, habit: Habit) -> list[Found]:
        return [each for each in self.found if each.habit is habit]

    def per_1000(self, habit: Habit) -> float:
        return rate(len(self.of(habit)), self.all_words)

    def over_limit(self) -> list[Habit]:
        return [habit for habit in HABITS if self.per_1000(habit) > LIMIT_PER_1000]

    @property
    def you_per_1000(self) -> float:
        return rate(self.you, self.addressed_words)

    def addresses_too_rarely(self) -> bool:
        return self.addressed_words > 0 and self.you_per_1000 < LEAST_YOU_PER_1000


def rate(count: int, words: int) -> float:
    """Returns the count per 1,000 words; 0 without words."""
    return 1000 * count / words if words else 0.0


def count_habits(files: Iterable[Path], root: Path = ROOT) -> Count:
    """Returns the counts over all prose of the files, which must be inside of `root`."""
    files = tuple(files)
    words, found, addressed, you = Counter[Path](), list[Found](), 0, 0
    for file in files:
        for passage in passages_of(file, root):
            words[file] += passage.words
            found += find_habits(passage)
            if is_addressed(file, root):
                addressed += passage.words
                you += len(YOU.findall(passage.text))
    return Count(files, words, tuple(found), addressed, you)


def is_addressed(file: Path, root: Path = ROOT) -> bool:
    """Returns whether a page addresses its reader as "you": the pages of docs/ and of the top folder do."""
    name = file.relative_to(root)
    return name.suffix == ".md" and str(name.parent) in (".", "docs") and str(name) not in _NOT_ADDRESSED
