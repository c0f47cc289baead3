"""Fails when a counted habit of writing comes back. CONTRIBUTING.md, "How we write", has the rules behind it.

python -m script.prose                    the whole project: exit 1 when a habit is above its limit per 1,000 words
python -m script.prose docs README.md     only these; a file below 6,667 words may then contain no habit at all
python -m script.prose --report [PATH…]   a table: each file with its number of habits, the worst first; exit 0
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from script.prose.counts import Count, count_habits, rate
from script.prose.habits import HABITS, LEAST_YOU_PER_1000, LIMIT_PER_1000, Found, Habit
from script.prose.passages import ROOT, project_files


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Returns the exit code: 0 fine, 1 above a limit, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m script.prose", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--report", action="store_true", help="print the table of habits by file")
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders of the project; all of it if omitted")
    given = parser.parse_args(arguments)
    files = project_files(root)
    if given.paths:
        wanted = [path.resolve() for path in given.paths]
        for path in wanted:
            if not any(_contains(path, file) for file in files):
                parser.error(f"{path} contains no prose of this project")
        files = [file for file in files if any(_contains(path, file) for path in wanted)]
    count = count_habits(files, root)
    if given.report:
        print("\n".join(_table(count)))
        return 0
    lines = _complaints(count)
    print("\n".join(lines) if lines else f"{count.all_words} words: no habit above {LIMIT_PER_1000} per 1,000 words.")
    return 1 if lines else 0


def _contains(path: Path, file: Path) -> bool:
    return path == file or path in file.parents


def _complaints(count: Count) -> list[str]:
    lines = [line for habit in count.over_limit() for line in _complaint(habit, count)]
    if count.addresses_too_rarely():
        lines.append(
            f"you: {count.you_per_1000:.2f} per 1,000 words of the pages for readers, at least {LEAST_YOU_PER_1000:g}: "
            'address the reader: "you", or an imperative'
        )
    return lines


def _complaint(habit: Habit, count: Count) -> list[str]:
    title = f"{habit.name}: {count.per_1000(habit):.2f} per 1,000 words, at most {LIMIT_PER_1000}: {habit.instead}"
    return [title, *(f"  {_place(found)}: {found.words}" for found in count.of(habit))]


def _place(found: Found) -> str:
    return f"{_name(found.passage.file)}:{found.line}"


def _name(file: Path) -> str:
    # Relative to where you are, so that an editor opens it.
    return os.path.relpath(file)


def _table(count: Count) -> list[str]:
    by_file = {file: [found for found in count.found if found.passage.file == file] for file in count.files}
    worst_first = sorted(count.files, key=lambda file: -len(by_file[file]))
    rows = [
        f"{len(by_file[file]):5}  {rate(len(by_file[file]), count.words[file]):6.2f}  {count.words[file]:6}  "
        f"{_name(file)}  {_by_habit(by_file[file])}"
        for file in worst_first
        if by_file[file]
    ]
    totals = [f"{count.per_1000(habit):6.2f}  {len(count.of(habit)):5}  {habit.name}" for habit in HABITS]
    return [
        "found  per 1,000  words  file",
        *rows,
        "",
        f"per 1,000 of {count.all_words} words, number, habit (at most {LIMIT_PER_1000})",
        *totals,
        f"{count.you_per_1000:6.2f}  {count.you:5}  you (at least {LEAST_YOU_PER_1000:g}, in pages for readers)",
    ]


def _by_habit(found: list[Found]) -> str:
    counted = {habit: sum(1 for each in found if each.habit is habit) for habit in HABITS}
    return ", ".join(f"{habit.name} {number}" for habit, number in counted.items() if number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
