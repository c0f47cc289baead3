"""The job that undoes a large change: stopped after any step, cancelled, and continued."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
import structlog
from structlog.typing import EventDict

from leadyard.database import Database
from leadyard.errors import AudienceNotReady, JobNotCancellable
from leadyard.ids import key_of, number_of
from leadyard.model import (
    Batch,
    Caller,
    Job,
    JobStage,
    JobStatus,
    OnKnown,
    Profile,
    Selection,
    TransferAction,
    TransferRequest,
    UndoResult,
    UrlPosition,
)
from leadyard.operations.audiences import delete_audience
from leadyard.operations.changes.undoing import undo_change
from leadyard.operations.jobs.leases import claim_this_job
from leadyard.operations.jobs.transfers import cancel_transfer, get_transfer, start_transfer
from leadyard.operations.prospects import add_batch
from rig.answers import refusal
from rig.jobs import ENDED, LEASE_MS, in_database, run_of
from rig.racing import Session, assert_healthy, on_postgresql_only, wait_until
from rig.service import Tenant, run_sql
from rig.transfers import memberships_of

R = TypeVar("R")


@pytest.fixture(autouse=True)
def log() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part has two leads, and each undo is one of a large change."""
    monkeypatch.setattr("leadyard.operations.selecting.LEADS_A_PART", 2)
    monkeypatch.setattr("leadyard.operations.jobs.undo_steps._MEMBERSHIPS_A_BATCH", 2)
    monkeypatch.setattr("leadyard.operations.changes.undoing.MAX_LEADS_PER_UNDO", -1)


class Scene:
    """An account group whose operations run in this process."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.caller = tenant, Caller.operator(tenant.account_group_id)

    def do(self, work: Callable[[Database], Awaitable[R]]) -> R:
        return in_database(self.tenant, work)

    def run(self, job: Job, *, steps: int | None = None) -> Job:
        """Works on the job until it has ended, or for that number of steps. Returns it."""
        saved = 0

        def stops() -> bool:
            nonlocal saved
            saved += 1
            return steps is not None and saved >= steps

        async def work(db: Database) -> Job:
            while (found := await get_transfer(db, self.caller, job_id=job.id)).status not in ENDED:
                if steps is not None and saved >= steps:
                    return found
                claimed = await claim_this_job(db, self.caller.account_group_id, job.id, lease_ms=LEASE_MS)
                assert claimed is not None
                await run_of(db, claimed, is_stopping=stops).run()
            return found

        return self.do(work)

    def start_undo(self, change_id: str) -> Job:
        job = self.do(lambda db: undo_change(db, self.caller, change_id=change_id, skip_changed=False))
        assert isinstance(job, Job)
        return job

    def cancel(self, job: Job) -> None:
        self.do(lambda db: cancel_transfer(db, self.caller, job_id=job.id))

    def undo(self, change_id: str) -> str:
        ended = self.run(self.start_undo(change_id))
        assert ended.status is JobStatus.COMPLETED and ended.change_id is not None, ended
        return ended.change_id

    def state(self) -> Any:
        """Returns everything that an undo can change, as users see it and as it is stored."""
        tenant, one = self.tenant, "WHERE account_group_id = $1 ORDER BY 1, 2"
        return (
            memberships_of(tenant),
            tenant.sql(f"SELECT id, email, first_name, created_at FROM leads {one}", tenant.number),
            tenant.sql(f"SELECT change_id, lead_id, profile FROM withdrawn_leads {one}", tenant.number),
            tenant.sql(f"SELECT id, prospect_count, deleted_by_change_id FROM audiences {one}", tenant.number),
            tenant.walk("/changes"),
        )


def moved(scene: Scene) -> str:
    """A move of seven leads, of which one was in the target."""
    source, target = scene.tenant.create_audience(), scene.tenant.create_audience()
    leads = scene.tenant.add_leads(source, 7)
    scene.tenant.copy(source, target, leads[3:4])
    asked = TransferRequest(
        action=TransferAction.MOVE, source_audience_id=source, target_audience_id=target, selection=Selection()
    )
    ended = scene.run(scene.do(lambda db: start_transfer(db, scene.caller, asked=asked)))
    assert ended.change_id is not None
    return ended.change_id


def imported(scene: Scene) -> str:
    """An import in three batches. It has created all but two of its people, and one of these is elsewhere, too."""
    elsewhere, audience = scene.tenant.create_audience(), scene.tenant.create_audience()
    scene.tenant.add_leads(elsewhere, 2, "p")
    change_id: str | None = None
    for start in (0, 2, 4):
        profiles = tuple(Profile(email=f"p-{n}@example.com", first_name=f"P{n}") for n in range(start, start + 2))
        rows = tuple((n, ()) for n in range(len(profiles)))
        batch = Batch(profiles=profiles, rows=rows, rejected=(), position=UrlPosition(done=0), progress=1.0)

        async def add(db: Database, batch: Batch = batch, known: str | None = change_id) -> str | None:
            return (await add_batch(db, scene.caller, audience_id=audience, batch=batch, change_id=known))[1]

        change_id = scene.do(add)
    assert change_id is not None
    ids = scene.tenant.ids_by_email()
    scene.tenant.copy(audience, elsewhere, [ids["p-3@example.com"]])
    return change_id


def deleted(scene: Scene) -> str:
    """The deletion of an audience, whose members are still there."""
    audience = scene.tenant.create_audience()
    scene.tenant.add_leads(audience, 5)
    change = scene.do(lambda db: delete_audience(db, scene.caller, audience_id=audience))
    return change.id


CHANGES: dict[str, Callable[[Scene], str]] = {
    "move": moved,
    "undone move": lambda scene: scene.undo(moved(scene)),
    "import": imported,
    "undone import": lambda scene: scene.undo(imported(scene)),
    "undone import, undone": lambda scene: scene.undo(scene.undo(imported(scene))),
    "deletion": deleted,
    "undone deletion": lambda scene: scene.undo(deleted(scene)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_undo_that_is_cancelled_after_any_step_leaves_everything_as_it_was(job_tenant: Tenant, name: str) -> None:
    scene = Scene(job_tenant)
    change_id = CHANGES[name](scene)
    # The housekeeping of the service removes the members of a deleted audience at the same time.
    if name == "deletion":
        job_tenant.sql("UPDATE audiences SET emptied_at = NULL WHERE account_group_id = $1", job_tenant.number)
    before = scene.state()
    steps = 0
    while True:
        job = scene.start_undo(change_id)
        stopped = scene.run(job, steps=steps) if steps else job
        assert_healthy(job_tenant)
        if stopped.stage is JobStage.WITHDRAW and stopped.status not in ENDED:
            with pytest.raises(JobNotCancellable):
                scene.cancel(job)
            break
        if stopped.status in ENDED:
            break
        scene.cancel(job)
        assert scene.run(job).status is JobStatus.CANCELLED
        if name != "deletion":
            assert scene.state() == before, steps
        assert_healthy(job_tenant)
        steps += 1
    assert steps > 2
    ended = scene.run(job)
    assert ended.status is JobStatus.COMPLETED, ended
    assert_healthy(job_tenant)


@pytest.mark.parametrize("name", CHANGES)
def test_an_undo_with_a_new_worker_for_each_step_does_the_same(job_tenant: Tenant, name: str) -> None:
    scene = Scene(job_tenant)
    before: list[Any] = []

    def noted(change: Callable[[Scene], str]) -> str:
        change_id = change(scene)
        before.append(memberships_of(job_tenant))
        return change_id

    job = scene.start_undo(noted(CHANGES[name]))
    while scene.run(job, steps=1).status not in ENDED:
        assert_healthy(job_tenant)
    ended = scene.run(job)
    assert ended.status is JobStatus.COMPLETED and ended.change_id is not None
    # To undo the undo restores what was there before it.
    scene.undo(ended.change_id)
    if name != "deletion":
        assert memberships_of(job_tenant) == before[0]
    assert_healthy(job_tenant)


def test_values_that_an_import_replaced_come_back_unless_they_were_edited_since(
    job_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadyard.operations.jobs.undo_steps._VALUES_A_BATCH", 2)
    scene = Scene(job_tenant)
    audience = job_tenant.create_audience()
    leads = job_tenant.add_leads(audience, 4, "p")
    old = {"title": "Engineer", "company": {"name": "Acme"}}
    for lead in leads:
        assert job_tenant.client.patch(f"/prospects/{lead}", json=old).status_code == 200
    other = job_tenant.create_audience()
    profiles = tuple(Profile(email=f"p-{n}@example.com", title="Chief", company_name="Bolt") for n in range(4))
    rows = tuple((n, ()) for n in range(4))
    batch = Batch(profiles=profiles, rows=rows, rejected=(), position=UrlPosition(done=0), progress=1.0)
    _, change_id = scene.do(
        lambda db: add_batch(db, scene.caller, audience_id=other, batch=batch, on_known=OnKnown.UPDATE)
    )
    assert change_id is not None
    job_tenant.client.patch(f"/prospects/{leads[0]}", json={"title": "Edited"})

    def values() -> list[tuple[Any, ...]]:
        return job_tenant.sql(
            "SELECT title, company_name FROM leads WHERE account_group_id = $1 ORDER BY id", job_tenant.number
        )

    job = scene.start_undo(change_id)
    while scene.run(job, steps=1).status not in ENDED:
        pass
    ended = scene.run(job)
    assert (ended.status, ended.counts.kept_edits) == (JobStatus.COMPLETED, 1)
    assert values() == [("Edited", "Acme"), *[("Engineer", "Acme")] * 3]
    assert ended.change_id is not None
    scene.undo(ended.change_id)
    assert values() == [("Edited", "Bolt"), *[("Chief", "Bolt")] * 3]
    assert_healthy(job_tenant)


@pytest.mark.parametrize("is_large", [True, False])
def test_a_person_who_comes_back_is_found_by_a_replaced_address(
    job_tenant: Tenant, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    """The import has created the person, and has replaced the address in a later batch."""
    if not is_large:
        monkeypatch.setattr("leadyard.operations.changes.undoing.MAX_LEADS_PER_UNDO", 10_000)
    scene = Scene(job_tenant)
    audience = job_tenant.create_audience()
    change_id: str | None = None
    for email in ("old@example.com", "new@example.com"):
        profile = Profile(email=email, public_identifier="ada")
        batch = Batch(profiles=(profile,), rows=((1, ()),), rejected=(), position=UrlPosition(done=0), progress=1.0)

        async def add(db: Database, batch: Batch = batch, known: str | None = change_id) -> str | None:
            return (
                await add_batch(
                    db,
                    scene.caller,
                    audience_id=audience,
                    batch=batch,
                    change_id=known,
                    on_known=OnKnown.UPDATE,
                )
            )[1]

        change_id = scene.do(add)
    assert change_id is not None
    [person] = job_tenant.members(audience)
    undo_id = undone(scene, change_id)
    assert job_tenant.ids_by_email() == {}
    undone(scene, undo_id)
    assert job_tenant.ids_by_email() == {"new@example.com": person}
    again = {"prospects": [{"email": "old@example.com"}]}
    data = job_tenant.client.post(f"/audiences/{audience}/prospects", json=again).json()["data"]
    assert (data["created"], data["matched"]) == (0, 1)
    assert job_tenant.members(audience) == [person]
    assert_healthy(job_tenant)


def undone(scene: Scene, change_id: str) -> str:
    """Undoes the change, by a job if it is a large one, and returns the undo."""
    result = scene.do(lambda db: undo_change(db, scene.caller, change_id=change_id, skip_changed=False))
    if isinstance(result, UndoResult):
        return result.change.id
    ended = scene.run(result)
    assert ended.status is JobStatus.COMPLETED and ended.change_id is not None, ended
    return ended.change_id


def test_two_undos_of_one_large_change(job_tenant: Tenant) -> None:
    scene = Scene(job_tenant)
    change_id = moved(scene)
    job = scene.start_undo(change_id)
    with pytest.raises(AudienceNotReady):
        scene.start_undo(change_id)
    assert scene.run(job).status is JobStatus.COMPLETED


def test_a_person_who_was_erased_while_an_undo_is_planned_does_not_come_back(job_tenant: Tenant) -> None:
    scene = Scene(job_tenant)
    audience = job_tenant.create_audience()
    leads = job_tenant.add_leads(audience, 4)
    asked = TransferRequest(
        action=TransferAction.REMOVE, source_audience_id=audience, target_audience_id=None, selection=Selection()
    )
    removed = scene.run(scene.do(lambda db: start_transfer(db, scene.caller, asked=asked)))
    assert removed.change_id is not None
    job = scene.start_undo(removed.change_id)
    scene.run(job, steps=3)
    job_tenant.client.delete(f"/prospects/{leads[0]}")
    # And two people turn out to be one.
    merged = job_tenant.client.post(f"/prospects/{leads[1]}/merge", json={"prospectId": leads[3]})
    assert merged.status_code == 200, merged.text
    assert scene.run(job).status is JobStatus.COMPLETED
    assert sorted(job_tenant.members(audience)) == sorted(leads[1:3])
    assert job_tenant.count(audience) == 2
    assert_healthy(job_tenant)


def test_people_are_not_merged_while_a_job_has_taken_them_out_of_an_audience(job_tenant: Tenant) -> None:
    """The job may bring them back. Then the audience would have one of the two times, and the record the other one."""
    scene = Scene(job_tenant)
    audience, elsewhere = job_tenant.create_audience(), job_tenant.create_audience()
    kept, _, other, _ = job_tenant.add_leads(audience, 4)
    job_tenant.copy(audience, elsewhere, [other])
    job_tenant.move(elsewhere, audience, [other])
    asked = TransferRequest(
        action=TransferAction.REMOVE, source_audience_id=audience, target_audience_id=None, selection=Selection()
    )
    job = scene.do(lambda db: start_transfer(db, scene.caller, asked=asked))
    scene.run(job, steps=3)
    assert memberships_of(job_tenant) == []
    path, body = f"/prospects/{kept}/merge", {"prospectId": other}
    error = refusal(job_tenant.client.post(path, json=body), 409, "AUDIENCE_NOT_READY")
    assert (error["audienceId"], error["jobId"]) == (audience, job.id)
    scene.cancel(job)
    assert scene.run(job).status is JobStatus.CANCELLED
    assert_healthy(job_tenant)
    assert job_tenant.client.post(path, json=body).status_code == 200
    assert job_tenant.count(audience) == 3
    assert_healthy(job_tenant)


@on_postgresql_only
def test_a_person_who_is_being_added_elsewhere_is_not_withdrawn(job_tenant: Tenant) -> None:
    """The transaction that adds the person has locked them and has not committed, when the undo of the import takes the
    people out of the account group whom nothing else needs. SQLite has one writer at a time."""
    scene = Scene(job_tenant)
    job = scene.start_undo(imported(scene))
    while scene.run(job, steps=1).stage is not JobStage.WITHDRAW:
        pass
    elsewhere, person = job_tenant.create_audience(), job_tenant.ids_by_email()["p-4@example.com"]
    url = job_tenant.service.database_url

    def waiting() -> int:
        blocked = "SELECT pid FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
        return len(run_sql(url, f"{blocked} AND datname = current_database()"))

    with Session(url) as holder, ThreadPoolExecutor(2) as pool:
        holder.begin()
        holder.run(
            "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at) VALUES ($1, $2, $3, 1)",
            job_tenant.number,
            number_of(elsewhere),
            key_of(person),
        )
        body = {"prospects": [{"email": "p-4@example.com"}]}
        adding = pool.submit(job_tenant.client.post, f"/audiences/{elsewhere}/prospects", json=body)
        wait_until(lambda: waiting() == 1, "the addition waits for the membership")
        undoing = pool.submit(scene.run, job)
        wait_until(lambda: waiting() == 2, "the undo waits for the person")
        holder.run("ROLLBACK")
        assert adding.result().status_code == 200, adding.result().text
        assert undoing.result().status is JobStatus.COMPLETED
    assert job_tenant.members(elsewhere) == [person]
    assert set(job_tenant.ids_by_email()) == {f"p-{n}@example.com" for n in (0, 1, 3, 4)}
    assert_healthy(job_tenant)
