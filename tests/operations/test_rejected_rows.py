"""Rejected rows are kept for 30 days after their job has ended; then the housekeeping removes them."""

from __future__ import annotations

from collections.abc import Callable

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.ids import id_of, key_of, new_id, number_of
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.jobs.prospecting_steps import KEEP_REJECTIONS_MS, prune_rejected_rows
from leadyard.worker.housekeeping import CHORES
from rig.service import on_database, run_sql


def insert_job(url: str, group: str, *, status: str, updated_at: int, rejections: int) -> str:
    job, audience = new_id(), new_id()
    run_sql(
        url,
        "INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)"
        " VALUES ($1, $2, $3, 'Filled', 'csv_upload', 0, 1, 1)",
        number_of(group),
        key_of(audience),
        number_of(audience),
    )
    run_sql(
        url,
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
        " VALUES ($1, $2, 'csv_upload', $3, $4, 1, $5)",
        number_of(group),
        key_of(job),
        status,
        key_of(audience),
        updated_at,
    )
    for number in range(1, rejections + 1):
        values = (number_of(group), key_of(job), number)
        run_sql(url, "INSERT INTO job_rejections VALUES ($1, $2, $3, 1, 'X', 'No.', '[]', false, 0, NULL)", *values)
    return job


def test_old_rejected_rows_go_and_all_others_stay(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()
    groups = [on_database(url, lambda db: create_account_group(db, name="Acme")).id for _ in range(2)]
    long_ago = now_ms() - KEEP_REJECTIONS_MS - 60_000
    recently = now_ms() - KEEP_REJECTIONS_MS + 60_000
    gone = [insert_job(url, group, status="failed", updated_at=long_ago, rejections=3) for group in groups]
    kept = [
        insert_job(url, groups[0], status="running", updated_at=long_ago, rejections=2),
        insert_job(url, groups[0], status="completed", updated_at=recently, rejections=2),
    ]

    async def keep_house(db: Database) -> list[int]:
        return [await prune_rejected_rows(db), await prune_rejected_rows(db)]

    assert on_database(url, keep_house) == [6, 0]
    left = {id_of(job) for (job,) in run_sql(url, "SELECT DISTINCT job_id FROM job_rejections")}
    assert left == set(kept)
    # The record of the job stays.
    assert {id_of(job) for (job,) in run_sql(url, "SELECT id FROM jobs")} == {*gone, *kept}


def test_the_housekeeping_does_it() -> None:
    assert prune_rejected_rows in CHORES
