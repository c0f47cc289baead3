"""Cells that a spreadsheet would take for formulas, in every field of a person, in every CSV that we export."""

from __future__ import annotations

import csv
import io
from typing import Any

from rig.answers import data_of
from rig.jobs import found_job, start, upload, work_until_ended
from rig.service import Tenant
from tests.attacks import tally
from tests.attacks.requests import samples
from tests.attacks.target import Target

FAMILY = "spreadsheet formulas (cells read back)"
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
FORMULAS = [
    "=1+1", '=HYPERLINK("http://127.0.0.1/?"&A1,"x")', "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1",
    "\r=1", "\n=1",
    "'=1", "''=1", "=", "+49 30 1", "\u200b=1", " =1", "\uff1d1", '"=1', ";=1", ",=1", "=1\n=2", "%0A=1", "=\u202e1",
]  # fmt: skip


def cells_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def assert_harmless(text: str) -> int:
    """Fails if any cell of the file begins like a formula, also when a first cell is read with any of the usual
    delimiters."""
    rows = cells_of(text)
    for row in rows:
        for cell in row:
            assert not cell.startswith(STARTS), cell
            tally.note(FAMILY, "text")
    return len(rows)


def _people(target: Target) -> list[dict[str, Any]]:
    """Returns a person for every field and formula, by the shape that the document gives to a new prospect."""
    schema = target.document["components"]["schemas"]["NewProspect"]
    [whole] = samples(target.document, schema, {"email": "kept@example.com"})
    people: list[dict[str, Any]] = []
    for field, value in whole.items():
        for formula in FORMULAS:
            if isinstance(value, dict):
                people += [{field: {**dict.fromkeys(value, "x"), key: formula}} for key in value]
                people += [{field: {formula: "x"}}] if field == "customFields" else []
            else:
                people.append({field: formula})
    return people


def test_no_cell_of_an_export_is_a_formula(target: Target) -> None:
    audience = target.attacker.create_audience("=Formulas")
    people = _people(target)
    assert len(people) > 300
    for at in range(0, len(people), 1_000):
        answer = target.attacker.client.post(
            f"/audiences/{audience}/prospects", json={"prospects": people[at : at + 1_000]}
        )
        assert data_of(answer)["created"] > 100
    text = target.attacker.client.get(f"/audiences/{audience}/prospects.csv").text
    assert assert_harmless(text) > 200
    kept = {cell for row in cells_of(text) for cell in row}
    assert "'=1+1" in kept
    assert {"'@SUM(1)", "'-2+3", "'+1+1"} <= kept


def test_no_cell_of_rejected_rows_is_a_formula(job_tenant: Tenant) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["Email", "=Header", "+Header", "Title"])
    for formula in FORMULAS:
        writer.writerows([[formula, formula, formula, formula], [f"{formula}@", formula, "", formula]])
        writer.writerow([formula] * 6)
    job = found_job(job_tenant, start(job_tenant, "csv_upload", uploadId=upload(job_tenant, table.getvalue())))
    assert work_until_ended(job_tenant, job)["status"] == "completed"
    rejected = job_tenant.client.get(f"/prospecting/{job.id}/rejected.csv")
    assert rejected.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert assert_harmless(rejected.text) > len(FORMULAS)
    # The accepted rows, exported again.
    assert assert_harmless(job_tenant.client.get(f"/audiences/{job.audience_id}/prospects.csv").text) >= 1


def test_a_formula_would_be_found() -> None:
    for start_of_formula in STARTS:
        cell = io.StringIO(newline="")
        csv.writer(cell).writerow(["x", f"{start_of_formula}1"])
        try:
            assert_harmless(cell.getvalue())
        except AssertionError:
            continue
        raise AssertionError(f"{start_of_formula!r} was not found")
