"""Workers are killed in the middle of a job on a workbook, and others go on: every person is there once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from rig.answers import data_of
from rig.file_jobs import assert_complete
from rig.jobs import ENDED, assert_not_back, job_of, start
from rig.racing import TORTURE
from rig.service import Tenant, WorkerProcess
from tests.files.books import ods, written

ROWS = 60_000 if TORTURE else 16_000
KILLS = 10 if TORTURE else 2
SHORT_LEASE = {"LEADYARD_WORKER_LEASE_S": "2"}

pytestmark = pytest.mark.timeout(900 if TORTURE else 240)


def workbook(kind: str, rows: int) -> bytes:
    """Returns a workbook with a title, blank rows, a repeated header and a footer. Rows of the sheet and people differ,
    so a worker that goes on at the wrong place would lose people or add them twice."""
    header = ["Email", "First Name", "Company"]
    people = [[f"person-{n}@example.com", f"Name {n}", f"Company {n % 7}"] for n in range(rows)]
    middle = rows // 2
    table = [["All contacts"], [], header, *people[:middle], [], header, *people[middle:], [], [f"Total: {rows}"]]
    return written(table) if kind == "xlsx" else ods(f'<table:table table:name="People">{_xml(table)}</table:table>')


def _xml(table: list[list[str]]) -> str:
    start, end = '<table:table-cell office:value-type="string"><text:p>', "</text:p></table:table-cell>"
    rows = ("".join(f"{start}{cell}{end}" for cell in row) for row in table)
    return "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_workbook_survives_kill_9_of_its_workers(
    job_tenant: Tenant, new_worker: Callable[..., WorkerProcess], kind: str
) -> None:
    sent = job_tenant.client.post(
        "/uploads", content=workbook(kind, ROWS), headers={"Content-Type": "application/octet-stream"}, timeout=60
    )
    job_id = start(job_tenant, "csv_upload", uploadId=data_of(sent, 201)["uploadId"])
    chance = random.Random(7)
    workers = [new_worker(job_tenant.service, **SHORT_LEASE) for _ in range(2)]
    last, kills, read_at_kill, deadline = job_of(job_tenant, job_id), 0, 0, time.monotonic() + 200
    while last["status"] not in ENDED:
        assert time.monotonic() < deadline, f"{kills} kills, then: {last}"
        time.sleep(0.02)
        now = job_of(job_tenant, job_id)
        assert_not_back(last, now)
        last = now
        if kills < KILLS and now["counts"]["read"] > read_at_kill and now["counts"]["read"] < ROWS * 0.8:
            time.sleep(chance.uniform(0, 0.15))
            for worker in workers:
                worker.kill()
                worker.start()
            kills, read_at_kill = kills + 1, job_of(job_tenant, job_id)["counts"]["read"]
    assert kills == KILLS
    assert last["counts"]["skipped"] == 2
    assert_complete(job_tenant, last, ROWS)
