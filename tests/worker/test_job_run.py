"""One run of one job: how it handles failures of every kind, and when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.ids import key_of
from leadyard.model import (
    ALL_OR_NOTHING,
    STAGES_OF_KIND,
    Batch,
    ClaimedJob,
    Job,
    JobKind,
    JobStage,
    Profile,
    UrlPosition,
)
from leadyard.operations.jobs import leases
from leadyard.provider.trouble import TemporaryProviderTrouble
from leadyard.worker.jobs import job_run
from leadyard.worker.jobs.job_run import MAX_ATTEMPTS, pause_before
from leadyard.worker.jobs.kinds import Kinds
from leadyard.worker.jobs.prospecting.sources import Sources
from leadyard.worker.jobs.prospecting.stages import prospecting_work
from rig.jobs import (
    assert_counts,
    claimed_by,
    csv_of,
    found_job,
    hurry,
    in_database,
    job_of,
    new_job,
    queue_job,
    run_of,
    start,
    start_import,
    upload,
    work_until_ended,
)
from rig.racing import TORTURE
from rig.service import Tenant, make_tenant

MANY = 1_000 if TORTURE else 150


def test_pauses_double_from_2_s_to_10_minutes_with_up_to_a_quarter_more() -> None:
    for attempt, least in enumerate([2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600], 1):
        drawn = [pause_before(attempt, asked_s=None) for _ in range(200)]
        assert min(drawn) >= least
        assert max(drawn) <= least * 1.25
        assert max(drawn) - min(drawn) > least * 0.15, "all come back together"
    assert pause_before(5_000, asked_s=None) <= 750


@pytest.mark.parametrize(("asked", "least"), [(0, 0), (1, 1), (30, 30), (3_600, 3_600), (10**9, 3_600), (-5, 0)])
def test_a_pause_that_was_asked_for_is_kept_up_to_an_hour(asked: float, least: float) -> None:
    for attempt in (1, 9):
        drawn = [pause_before(attempt, asked_s=asked) for _ in range(50)]
        assert min(drawn) >= least
        assert max(drawn) <= least * 1.25


@pytest.mark.parametrize("kind", JobKind)
def test_every_stage_of_every_kind_has_its_work(kind: JobKind) -> None:
    # The stage that takes the work back comes instead of the others.
    way_back = {JobStage.REVERT} if kind in ALL_OR_NOTHING else set()
    assert set(Kinds(None).work_of(kind).steps) == {*STAGES_OF_KIND[kind], *way_back}


class Scripted(Sources):
    """Sources whose batches the test supplies. An exception among them is raised."""

    def __init__(self, *script: Batch | Exception) -> None:
        super().__init__(None)
        object.__setattr__(self, "script", script)

    def batches(self, db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
        async def play() -> AsyncIterator[Batch]:
            for each in self.script:  # type: ignore[attr-defined]
                if isinstance(each, Exception):
                    raise each
                yield each

        return play()


def one(name: str) -> Batch:
    return Batch(
        profiles=(Profile(email=f"{name}@example.com"),),
        rows=((1, (name,)),),
        rejected=(),
        position=UrlPosition(done=1),
        progress=0.1,
    )


def row_of(tenant: Tenant, job: Job) -> tuple[int, int, int]:
    """Returns (failed attempts, lease until, ready at)."""
    [row] = tenant.sql("SELECT failed_attempts, lease_until, ready_at FROM jobs WHERE id = $1", key_of(job.id))
    return row


TROUBLE = TemporaryProviderTrouble("PROVIDER_ERROR", "The prospect provider failed with status 500.")


def run_once(tenant: Tenant, job: Job, *script: Batch | Exception) -> None:
    hurry(tenant.service.database_url)

    async def run(db: Database) -> None:
        made = run_of(db, await claimed_by(db, job))
        made.work = prospecting_work(Scripted(*script))
        await made.run()

    in_database(tenant, run)


@pytest.mark.parametrize("trouble", [TROUBLE, RuntimeError("a bug")], ids=["provider", "bug"])
def test_after_ten_attempts_without_a_batch_the_job_has_failed(job_tenant: Tenant, trouble: Exception) -> None:
    job = new_job(job_tenant)
    for attempt in range(1, MAX_ATTEMPTS):
        run_once(job_tenant, job, trouble)
        failed, lease_until, ready_at = row_of(job_tenant, job)
        assert (failed, lease_until) == (attempt, 0)
        assert ready_at > 0
        assert job_of(job_tenant, job.id)["status"] == "running"

    run_once(job_tenant, job, trouble)

    ended = job_of(job_tenant, job.id)
    assert ended["status"] == ended["stages"]["import"]["status"] == "failed"
    assert ended["error"]["code"] == ("PROVIDER_ERROR" if trouble is TROUBLE else "INTERNAL_ERROR")
    assert ended["error"]["message"].endswith(".")
    assert "a bug" not in str(ended)
    assert job_tenant.count(ended["audienceId"]) == 0


def test_a_batch_that_was_saved_makes_earlier_failures_forgotten_at_once(job_tenant: Tenant) -> None:
    """Nine failures, then a batch and a failure: that counts as one failure, not the tenth."""
    job = new_job(job_tenant)
    for _ in range(MAX_ATTEMPTS - 1):
        run_once(job_tenant, job, TROUBLE)

    run_once(job_tenant, job, one("saved"), TROUBLE)

    assert job_of(job_tenant, job.id)["status"] == "running"
    assert row_of(job_tenant, job)[0] == 1


def test_a_database_that_is_there_and_keeps_refusing_a_job_is_not_asked_for_ever(job_tenant: Tenant) -> None:
    """An unreachable database cannot record an attempt either: see tests/races/test_jobs_lost_database.py."""
    job = new_job(job_tenant)
    for attempt in range(1, MAX_ATTEMPTS):
        run_once(job_tenant, job, ServiceUnavailable("Nothing was changed."))
        assert row_of(job_tenant, job)[0] == attempt
        hurry(job_tenant.service.database_url)
    run_once(job_tenant, job, ServiceUnavailable("Nothing was changed."))
    assert job_of(job_tenant, job.id)["status"] == "failed"


def test_a_worker_that_stops_hands_the_job_back_after_the_batch(job_tenant: Tenant) -> None:
    job = new_job(job_tenant)

    async def run(db: Database) -> None:
        made = run_of(db, await claimed_by(db, job), is_stopping=lambda: True)
        made.work = prospecting_work(Scripted(one("a"), one("b")))
        await made.run()
        assert (await claimed_by(db, job)).failed_attempts == 0

    in_database(job_tenant, run)
    assert_counts(job_of(job_tenant, job.id), added=1)


def test_a_run_that_is_cancelled_hands_the_job_back(job_tenant: Tenant) -> None:
    job = new_job(job_tenant)

    class Endless(Scripted):
        def batches(self, db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
            async def play() -> AsyncIterator[Batch]:
                await asyncio.sleep(3_600)
                yield one("never")

            return play()

    async def run(db: Database) -> None:
        made = run_of(db, await claimed_by(db, job))
        made.work = prospecting_work(Endless())
        running = asyncio.create_task(made.run())
        await asyncio.sleep(0.1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await claimed_by(db, job)).failed_attempts == 0

    in_database(job_tenant, run)


def test_the_heartbeat_keeps_the_lease_and_stops_the_work_when_it_is_lost(job_tenant: Tenant) -> None:
    new_job(job_tenant)
    lease_until = "SELECT lease_until FROM jobs WHERE id = $1"

    class Slow(Scripted):
        def batches(self, db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
            async def play() -> AsyncIterator[Batch]:
                await asyncio.sleep(3_600)
                yield one("never")

            return play()

    async def run(db: Database) -> None:
        held = await leases.claim_job(db, lease_ms=1_500, after_group="")
        assert held is not None
        [(first_until,)] = await asyncio.to_thread(job_tenant.sql, lease_until, key_of(held.job.id))
        made = run_of(db, held, lease_ms=1_500)
        made.work = prospecting_work(Slow())
        running = asyncio.create_task(made.run())
        # It would prove little that no worker can claim the job now, because the machine may stand still for longer
        # than the lease. The proof is that the lease is extended beyond its first end, and more than once.
        beats = {first_until}
        async with asyncio.timeout(60):
            while len(beats) < 4 or max(beats) < first_until + 1_500:
                await asyncio.sleep(0.05)
                [(until,)] = await asyncio.to_thread(job_tenant.sql, lease_until, key_of(held.job.id))
                beats.add(until)
        assert not running.done()
        await asyncio.to_thread(job_tenant.sql, "UPDATE jobs SET lease_number = lease_number + 1")
        async with asyncio.timeout(30):
            await running

    in_database(job_tenant, run)


def test_a_big_job_gives_way_after_its_turn_and_loses_nothing(
    job_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One place, a job of several batches, and another tenant's small job that comes after the first of them."""
    monkeypatch.setattr(job_run, "_TURN_S", 0.0)
    other = make_tenant(job_tenant.service)
    big = found_job(job_tenant, start_import(job_tenant, 8_000))
    small: list[Job] = []
    unchanged = Sources.batches

    async def with_company(sources: Sources, db: Database, claimed: ClaimedJob) -> AsyncIterator[Batch]:
        async for batch in unchanged(sources, db, claimed):
            yield batch
            # At this point the batch is saved. A look from outside might come only when the big job is done.
            if claimed.job.id == big.id and not small:
                small.append(await asyncio.to_thread(new_job, other))

    monkeypatch.setattr(Sources, "batches", with_company)

    ended = work_until_ended(job_tenant, big)

    assert_counts(ended, read=8_000, created=8_000, added=8_000, rejected=0)
    [(small_ended_at,)] = job_tenant.sql("SELECT updated_at FROM jobs WHERE id = $1", key_of(small[0].id))
    [(claims, big_ended_at)] = job_tenant.sql("SELECT lease_number, updated_at FROM jobs WHERE id = $1", key_of(big.id))
    assert job_of(other, small[0].id)["status"] == "completed"
    assert small_ended_at <= big_ended_at, "the small job had to wait for the big one"
    assert claims >= 2


def test_a_tenant_with_many_jobs_does_not_starve_another(job_tenant: Tenant) -> None:
    """One worker with one place. The other tenant's job is the next or the next but one."""
    other = make_tenant(job_tenant.service)

    async def queue(db: Database) -> None:
        for _ in range(MANY):
            await queue_job(db, job_tenant.account_group_id)

    in_database(job_tenant, queue)
    job = new_job(other)
    assert work_until_ended(other, job)["status"] == "completed"
    done = "SELECT updated_at FROM jobs WHERE account_group_id = $1 AND status = 'completed'"
    [(ended_at,)] = job_tenant.sql(done, other.number)
    earlier = [at for (at,) in job_tenant.sql(done, job_tenant.number) if at < ended_at]
    assert len(earlier) <= 2


def test_an_upload_that_vanishes_ends_the_job_with_what_was_read(job_tenant: Tenant) -> None:
    """Two pieces of a MiB; the test deletes the second one by hand. There is no endless loop, and the first stays."""
    text = csv_of(60_000, prefix="x" * 10)
    job_id = start(job_tenant, "csv_upload", uploadId=upload(job_tenant, text))
    assert len(text) > 2**20
    job_tenant.sql("DELETE FROM upload_pieces WHERE account_group_id = $1 AND number > 0", job_tenant.number)

    ended = work_until_ended(job_tenant, found_job(job_tenant, job_id))

    assert (ended["status"], ended["error"]["code"]) == ("failed", "UNREADABLE_FILE")
    assert 20_000 < ended["counts"]["added"] < 60_000
    assert job_tenant.count(ended["audienceId"]) == ended["counts"]["added"]
    assert "upload the file again" in ended["error"]["message"]


def test_an_upload_that_is_gone_altogether(job_tenant: Tenant) -> None:
    job_id = start_import(job_tenant, 10)
    job_tenant.sql("DELETE FROM upload_pieces WHERE account_group_id = $1", job_tenant.number)
    job_tenant.sql("DELETE FROM uploads WHERE account_group_id = $1", job_tenant.number)

    ended = work_until_ended(job_tenant, found_job(job_tenant, job_id))

    assert (ended["status"], ended["error"]["code"]) == ("failed", "UNREADABLE_FILE")
    assert job_tenant.count(ended["audienceId"]) == 0
