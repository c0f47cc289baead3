"""Row 13: a job on an Excel workbook, compared with a job on the same rows as CSV, and its memory."""

from __future__ import annotations

import csv
from pathlib import Path

import xlsxwriter

from benchmarks.importing import by_job, write_people
from benchmarks.suite.figures import Figure, Limit, Pairs
from benchmarks.suite.stage import Stage
from rig.service import make_tenant


def workbooks(stage: Stage) -> list[Figure]:
    rows, rounds = stage.size(1_000_000, 8_000), stage.rounds(1, 2)
    ours, theirs, memory = [], [], []
    with stage.service("postgresql", LEADYARD_LOG_LEVEL="warning") as service:
        tenant = make_tenant(service)
        with stage.progress(f"{rows:,} rows of a workbook", rounds) as told:
            for number in range(rounds):
                text = write_people(stage.folder / f"plain-{number}.csv", rows=rows, name=f"plain-{number}")
                source = write_people(stage.folder / f"book-{number}.csv", rows=rows, name=f"book-{number}")
                book = as_workbook(source)
                took, _ = by_job(service.database_url, tenant, text, rows)
                theirs.append(rows / took)
                took, mib = by_job(service.database_url, tenant, book, rows)
                ours.append(rows / took)
                memory.append(mib)
                for path in (text, source, book):
                    path.unlink()
                told()
        tenant.client.close()
    found = Pairs(tuple(ours), tuple(theirs))
    return [
        Figure(
            number=13,
            name="import-workbook",
            what=f"import of {rows:,} rows of .xlsx by a `csv_upload` job in `leadyard worker`, PostgreSQL",
            against="the same rows as CSV",
            ratio=found.ratio,
            better="higher",
            goal=0.25,
            rounds=found.ratios,
            limits=(Limit("memory of the worker", round(max(memory), 1), 300, "MiB"),),
            details={"rowsPerSecond": found.ours, "csvRowsPerSecond": found.theirs, "memoryMiB": memory},
        ),
    ]


def as_workbook(source: Path) -> Path:
    """Writes the rows of a CSV file as a workbook beside it, and returns its path."""
    path = source.with_suffix(".xlsx")
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet("People")
    with source.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.reader(file)):
            sheet.write_row(number, 0, row)
    book.close()
    return path
