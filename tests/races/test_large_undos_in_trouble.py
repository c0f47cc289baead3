"""Large changes and their undos while other things go wrong: workers and servers die, imports fill the same audience,
people are erased, audiences are deleted, several clients undo the same change, and the disk is full."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard.ids import id_of, key_of, number_of
from leadyard.store import schema
from rig.answers import data_of, refusal
from rig.deaths import Deaths
from rig.jobs import ENDED, csv_of, hurry, start, start_import, upload, wait_for_end
from rig.racing import assert_healthy, at_once, code_of, wait_until
from rig.service import Service, Tenant, WorkerProcess, make_tenant, run_sql
from rig.throwaway_postgres import ThrowawayPostgres
from rig.transfers import (
    Memberships,
    big_audiences,
    counts_of,
    memberships_of,
    start_transfer,
    transfer_of,
    wait_for_transfer,
)

# More than one transaction undoes, in two parts.
LEADS = 10_400
SHORT_LEASE = {"LEADYARD_WORKER_LEASE_S": "2"}
NewService = Callable[..., Service]
NewWorker = Callable[..., WorkerProcess]

pytestmark = pytest.mark.timeout(600)


def full_audiences(tenant: Tenant) -> tuple[str, str, Memberships]:
    """Returns source, target and the memberships. A few leads of the source are in the target too. All of them can be
    found and edited."""
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, LEADS)
    data_of(tenant.copy(source, target, leads[:: LEADS // 7]))
    return source, target, memberships_of(tenant)


def transferred(tenant: Tenant, source: str, target: str) -> str:
    """Moves all leads, and returns the change. Needs a worker."""
    ended = wait_for_transfer(tenant, start_transfer(tenant, "move", source, target))
    assert ended["status"] == "completed", ended
    change_id: str = ended["changeId"]
    return change_id


def post_undo(tenant: Tenant, change_id: str, client: httpx.Client | None = None, **body: Any) -> httpx.Response:
    return (client or tenant.client).post(f"/changes/{change_id}/undo", json=body)


def undone(tenant: Tenant, change_id: str, **body: Any) -> dict[str, Any]:
    """Undoes the change by a job, and returns the job when it has ended."""
    return wait_for_transfer(tenant, data_of(post_undo(tenant, change_id, **body), 202)["jobId"])


@pytest.mark.torture
def test_the_undo_of_an_import_survives_the_death_of_its_workers_and_its_server(
    new_service: NewService, new_worker: NewWorker
) -> None:
    """In all of its stages: the plan, the parts, and the withdrawal of the people, which has no way back."""
    tenant, known = make_tenant(new_service()), 3_600
    elsewhere = tenant.create_audience("Elsewhere")
    tenant.add_leads(elsewhere, known, "person")
    workers = [new_worker(tenant.service, **SHORT_LEASE) for _ in range(2)]
    deaths = Deaths(tenant.service, workers, None, random.Random(11))
    job = wait_for_end(tenant, start_import(tenant, LEADS), within_s=120)
    assert (job["counts"]["created"], job["counts"]["matched"]) == (LEADS - known, known)
    [change] = tenant.walk("/changes", kind="import")
    with_import, people = memberships_of(tenant), tenant.ids_by_email()

    def undo(change_id: str) -> dict[str, Any]:
        job_id = data_of(post_undo(tenant, change_id), 202)["jobId"]

        def share() -> float | None:
            [(status, planned, applied)] = tenant.sql(
                "SELECT status, selected_count, applied_count FROM jobs WHERE id = $1", key_of(job_id)
            )
            return None if status in ENDED else (planned + applied) / (2 * LEADS)

        deaths.during(share, 3, pause_s=0.1, within_s=120)
        return transfer_of(tenant, job_id)

    first = undo(change["id"])
    assert (first["status"], first["count"], first["keptEdits"]) == ("completed", LEADS, known), first
    left = tenant.ids_by_email()
    assert left == {email: people[email] for email in (f"person-{n}@example.com" for n in range(known))}
    assert counts_of(tenant, [job["audienceId"], elsewhere]) == [0, known]
    assert_healthy(tenant)
    again = undo(first["changeId"])
    assert again["status"] == "completed", again
    assert memberships_of(tenant) == with_import
    assert tenant.ids_by_email() == people
    assert [each["undoesChangeId"] for each in tenant.walk("/changes", kind="undo")] == [
        first["changeId"],
        change["id"],
    ]
    print(f"\n{dict(deaths.done)}")
    assert tenant.service.doctor()["healthy"]
    deaths.assert_faultless()


def test_an_undo_and_an_import_of_the_same_audience_wait_for_each_other(
    job_tenant: Tenant, new_worker: NewWorker
) -> None:
    source, target, before = full_audiences(job_tenant)
    worker = new_worker(job_tenant.service)
    change = transferred(job_tenant, source, target)
    worker.stop()
    # Three of them are leads of the change, and all others are new.
    file = csv_of(500, prefix="fresh") + csv_of(3, prefix="lead").partition("\n")[2]
    importing = start(job_tenant, "csv_upload", audience={"id": target}, uploadId=upload(job_tenant, file))
    error = refusal(post_undo(job_tenant, change), 409, "AUDIENCE_NOT_READY")
    assert (error["audienceId"], error["jobId"]) == (target, importing)
    new_worker(job_tenant.service)
    assert wait_for_end(job_tenant, importing)["status"] == "completed"
    [imported] = job_tenant.walk("/changes", kind="import")

    job_id = data_of(post_undo(job_tenant, change), 202)["jobId"]
    late = job_tenant.client.post(
        "/prospecting", json={"type": "csv_upload", "audience": {"id": target}, "uploadId": upload(job_tenant, file)}
    )
    # The undo may be done already, and then the import begins.
    assert code_of(late) in ("", "AUDIENCE_NOT_READY"), late.text
    assert wait_for_transfer(job_tenant, job_id)["status"] == "completed"
    if late.is_success:
        wait_for_end(job_tenant, late.json()["data"]["jobId"])
    else:
        back = [row for row in memberships_of(job_tenant) if row[0] == number_of(source)]
        assert back == [row for row in before if row[0] == number_of(source)]
        there = sum(row[0] == number_of(target) for row in before)
        assert counts_of(job_tenant, [source, target]) == [LEADS, there + 500]
        # Those of the import that were leads of the change went back with it.
        reversal = post_undo(job_tenant, imported["id"], skipChanged=True)
        data = data_of(reversal)
        assert data["undoneCount"] + data["skippedCount"] == 503
        assert memberships_of(job_tenant) == before
    assert_healthy(job_tenant)


def test_of_several_undos_of_a_large_change_exactly_one_is_done(job_tenant: Tenant, new_worker: NewWorker) -> None:
    source, target, before = full_audiences(job_tenant)
    new_worker(job_tenant.service)
    change = transferred(job_tenant, source, target)
    clients = [job_tenant.new_client() for _ in range(4)]
    answers = at_once(*(partial(post_undo, job_tenant, change, client) for client in clients))
    codes = Counter(map(code_of, answers))
    assert codes[""] == 1 and codes.keys() <= {"", "AUDIENCE_NOT_READY", "ALREADY_UNDONE"}, codes
    [job_id] = [each.json()["data"]["jobId"] for each in answers if each.is_success]
    ended = wait_for_transfer(job_tenant, job_id)
    assert ended["status"] == "completed", ended
    error = refusal(post_undo(job_tenant, change), 422, "ALREADY_UNDONE")
    assert error["undoneByChangeId"] == ended["changeId"]
    assert memberships_of(job_tenant) == before
    assert len(job_tenant.walk("/changes", kind="undo")) == 1
    assert_healthy(job_tenant)


def test_erased_and_merged_people_are_no_obstacle_to_a_large_undo(job_tenant: Tenant, new_worker: NewWorker) -> None:
    source, target, before = full_audiences(job_tenant)
    new_worker(job_tenant.service)
    change = transferred(job_tenant, source, target)
    shared = {lead for audience, lead, _ in before if audience == number_of(target)}
    leads = [lead for audience, lead, _ in before if audience == number_of(source) and lead not in shared]
    gone, stays, merged = leads[5], leads[6], leads[7]
    assert job_tenant.client.delete(f"/prospects/{id_of(gone)}").status_code == 200
    merging = job_tenant.client.post(f"/prospects/{id_of(stays)}/merge", json={"prospectId": id_of(merged)})
    data_of(merging)
    refusal(post_undo(job_tenant, merging.headers["Change-Id"]), 422, "NOT_UNDOABLE")

    first = undone(job_tenant, change)
    # The erased one, and one of the two who are one person now.
    assert (first["status"], first["skippedCount"]) == ("completed", 2), first
    expected = [row for row in before if row[1] not in (gone, merged)]
    found = memberships_of(job_tenant)
    # The person who was two has one of the two times.
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row for row in found if row[1] != stays] == [row for row in expected if row[1] != stays]
    assert_healthy(job_tenant)
    again = undone(job_tenant, first["changeId"])
    assert again["status"] == "completed", again
    assert counts_of(job_tenant, [source, target]) == [0, LEADS - 2]
    assert_healthy(job_tenant)
    third = undone(job_tenant, again["changeId"])
    assert third["status"] == "completed", third
    assert memberships_of(job_tenant) == found
    assert_healthy(job_tenant)


def test_the_changes_of_a_deleted_audience_are_undone_after_its_deletion_is(
    job_tenant: Tenant, new_worker: NewWorker
) -> None:
    """While the worker is emptying the deleted audience, and again afterwards."""
    source, target, before = full_audiences(job_tenant)
    new_worker(job_tenant.service)
    change = transferred(job_tenant, source, target)
    there = memberships_of(job_tenant)
    for waits in (False, True):
        deleted = job_tenant.client.delete(f"/audiences/{target}")
        data_of(deleted)
        refusal(post_undo(job_tenant, change), 404, "NOT_FOUND")
        if waits:
            wait_until(lambda: memberships_of(job_tenant) == [], "the deleted audience is emptied", within_s=60)
        brought_back = undone(job_tenant, deleted.headers["Change-Id"])
        assert brought_back["status"] == "completed", brought_back
        assert memberships_of(job_tenant) == there
        assert_healthy(job_tenant)
    assert undone(job_tenant, change)["status"] == "completed"
    assert memberships_of(job_tenant) == before
    assert_healthy(job_tenant)


# ------------------------------------------------------------------------------------------------------ a full disk


class Disk:
    """The disk of the worker's database. It is full for the worker, and not for the server."""

    def __init__(self, tenant: Tenant, worker: WorkerProcess, postgres: ThrowawayPostgres | None) -> None:
        self.tenant, self.worker, self.postgres = tenant, worker, postgres

    def fill(self) -> None:
        """From now on, a file can grow by a few hundred kilobytes only."""
        if self.postgres is None:
            path = self.tenant.service.database_url.removeprefix("sqlite:///")
            self._limit_worker(Path(f"{path}-wal").stat().st_size + 300_100)
            return
        [(size,)] = self.tenant.sql("SELECT pg_relation_size('memberships')")
        self._limit_postgres(self.postgres, str(size + 300_100))

    def free(self) -> None:
        if self.postgres is None:
            self._limit_worker(resource.RLIM_INFINITY)
        else:
            self._limit_postgres(self.postgres, "unlimited")

    def _limit_worker(self, size: int) -> None:
        assert self.worker.process is not None
        resource.prlimit(self.worker.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    @staticmethod
    def _limit_postgres(server: ThrowawayPostgres, size: str) -> None:
        # As the server's own user, because in some containers not even root may limit a process of another user.
        done = server.user.run("prlimit", "--pid", str(server.pid), f"--fsize={size}:unlimited")
        assert done.returncode == 0, done.stdout
        # Only new connections have the limit of the server.
        run_sql(server.url, "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = 'small'")


@contextmanager
def small_disk(backend: str, migrated: Callable[[], str]) -> Iterator[tuple[str, ThrowawayPostgres | None]]:
    if backend == "sqlite":
        yield migrated(), None
        return
    # The write-ahead log comes in small pieces, so that the limit hits the tables first.
    with ThrowawayPostgres(fsync=False, wal_segment_mb=1) as server:
        url = server.create_database("small")
        asyncio.run(schema.migrate(url))
        yield url, server


@pytest.mark.torture
@pytest.mark.parametrize("is_cancelled", [False, True], ids=["goes-on", "cancelled"])
def test_a_transfer_on_a_full_disk_waits_and_then_ends_whole(
    backend: str,
    migrated_database: Callable[[], str],
    new_service: NewService,
    new_worker: NewWorker,
    is_cancelled: bool,
) -> None:
    leads = 100_000
    with small_disk(backend, migrated_database) as (url, postgres):
        tenant = make_tenant(new_service(database_url=url))
        source, target, before = big_audiences(tenant, leads)
        # Without statements, because a log in a file has the same limit.
        worker = new_worker(tenant.service, LEADYARD_LOG_LEVEL="info", LEADYARD_WORKER_CONCURRENCY="1")
        disk = Disk(tenant, worker, postgres)
        job_id = start_transfer(tenant, "move", source, target)
        applied = "SELECT applied_count FROM jobs WHERE id = $1"
        wait_until(lambda: tenant.sql(applied, key_of(job_id))[0][0] > 0, "a part is done", within_s=60)
        worker.send(signal.SIGSTOP)
        disk.fill()
        worker.send(signal.SIGCONT)
        wait_until(lambda: worker.events("job_postponed"), "the worker reports that it cannot go on", within_s=60)
        half = transfer_of(tenant, job_id)
        assert half["status"] == "running" and 0 < half["appliedCount"] < leads, half
        refusal(tenant.client.get(f"/audiences/{target}/prospects"), 409, "AUDIENCE_NOT_READY")
        assert tenant.walk("/changes", kind="move") == []
        if is_cancelled:
            data_of(tenant.client.post(f"/transfers/{job_id}/cancel"))

        disk.free()
        wait_until(lambda: tenant.client.get("/audiences").status_code == 200, "the service goes on")
        hurry(url)
        ended = wait_for_transfer(tenant, job_id, within_s=120)
        assert ended["status"] == ("cancelled" if is_cancelled else "completed"), ended
        if is_cancelled:
            assert memberships_of(tenant) == before
            assert tenant.walk("/changes", kind="move") == []
        else:
            assert counts_of(tenant, [source, target]) == [0, leads]
            assert [each["jobId"] for each in tenant.walk("/changes", kind="move")] == [job_id]
        assert_healthy(tenant)
        worker.kill()
        tenant.client.close()
        tenant.service.stop()
