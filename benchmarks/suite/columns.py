"""Row 18: reading and checking a file whose columns the importer understands, compared with the same file and a mapping
of every column. No database, and processor time, because that is the same on a busy machine."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from benchmarks.importing import write_people
from benchmarks.suite.figures import Figure, Pairs
from benchmarks.suite.stage import Stage
from leadyard.files.columns import plan_columns
from leadyard.files.row_batches import checked_batches
from leadyard.files.tables import open_table

# The columns of `write_people`, as a caller would map them.
_MAPPING: Mapping[str, str] = {
    "firstName": "first name", "lastName": "last name", "email": "email", "linkedinUrl": "linkedin url",
    "company.name": "company", "title": "title", "location": "location", "customFields.note": "note",
}  # fmt: skip
# Short turns, so that both sides have the same machine, and an odd number, so that one of them is the median.
_TURNS = 31


def columns(stage: Stage) -> list[Figure]:
    rows, rounds = stage.size(10_000, 3_000), stage.rounds(5, 3)
    path = write_people(stage.folder / "understood.csv", rows=rows, name="understood")
    ours, theirs = [], []
    with stage.progress(f"{rows:,} rows with columns to understand", rounds) as told:
        for _ in range(rounds):
            understood_s, mapped_s = _median_s(path)
            ours.append(rows / understood_s)
            theirs.append(rows / mapped_s)
            told()
    path.unlink()
    found = Pairs(tuple(ours), tuple(theirs))
    return [
        Figure(
            number=18,
            name="import-understanding",
            what=f"reading and checking {rows:,} rows of CSV whose columns the importer understands",
            against="the same rows with a mapping of every column",
            ratio=found.ratio,
            better="higher",
            goal=0.97,
            rounds=found.ratios,
            details={"rowsPerSecond": found.ours, "mappedRowsPerSecond": found.theirs},
        ),
    ]


def _median_s(path: Path) -> tuple[float, float]:
    """Returns the median processor time of both sides: understood, and mapped. They take turns, and each is as often
    first as second, because the second one finds warm caches."""
    mappings: tuple[Mapping[str, str], ...] = ({}, _MAPPING)
    times: tuple[list[float], ...] = ([], [])
    # Otherwise the collector looks through the objects of the other benchmarks, in turns that it chooses.
    gc.collect()
    gc.freeze()
    try:
        for turn in range(_TURNS):
            for side in (0, 1) if turn % 2 else (1, 0):
                times[side].append(_checking_s(path, mappings[side]))
    finally:
        gc.unfreeze()
    return statistics.median(times[0]), statistics.median(times[1])


def _checking_s(path: Path, mapping: Mapping[str, str]) -> float:
    """Returns the processor time of reading, understanding and checking the file."""
    started = time.process_time()
    with open_table(path) as table, closing(table):
        plan = plan_columns(table.header, mapping=mapping, sample=table.sample())
        for _ in checked_batches(table, plan, progress=lambda: 0.0):
            pass
    return time.process_time() - started
