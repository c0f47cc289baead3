"""Transfers over HTTP: dry run, selections, refusals in order, the job, cancelling, and other readers meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leadyard.database import Database
from leadyard.ids import key_of, new_id
from leadyard.model import Caller, ClaimedJob, JobError, PartPosition, Permission
from leadyard.operations.jobs import leases
from leadyard.operations.jobs.transfer_steps import apply_part, read_selection, write_plan
from rig.answers import data_of, refusal
from rig.jobs import LEASE_MS, in_database
from rig.racing import assert_healthy
from rig.service import Tenant
from rig.transfers import (
    counts_of,
    memberships_of,
    post_transfer,
    run_transfer,
    start_transfer,
    transfer_body,
    transfer_of,
    with_claim,
)

SMALL_PART = 3


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The work of this process makes parts of three leads."""
    monkeypatch.setattr("leadyard.operations.selecting.LEADS_A_PART", SMALL_PART)
    yield


def two_audiences(tenant: Tenant, count: int = 8, already: int = 2) -> tuple[str, str, list[str]]:
    """Returns source, target and the leads of the source, of which the first `already` are in the target too."""
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, count)
    if already:
        data_of(tenant.copy(source, target, leads[:already]))
    return source, target, leads


def applied(parts: int) -> Callable[[Database, ClaimedJob], Any]:
    """Returns work on a claimed transfer that makes the selection and applies that number of parts, and then stops."""

    async def work(db: Database, claimed: ClaimedJob) -> None:
        await write_plan(db, claimed, await read_selection(db, claimed), lease_ms=LEASE_MS)
        position: PartPosition | None = PartPosition(leads=0)
        for _ in range(parts):
            assert position is not None
            position = await apply_part(db, claimed, position, lease_ms=LEASE_MS)

    return work


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("action", ["move", "copy", "remove"])
def test_a_transfer_is_what_its_dry_run_showed_and_one_change(job_tenant: Tenant, action: str) -> None:
    source, target, leads = two_audiences(job_tenant)
    to = None if action == "remove" else target
    shown = data_of(post_transfer(job_tenant, action, source, to, dryRun=True))
    assert (shown["count"], shown["alreadyInTargetCount"]) == (8, 0 if to is None else 2)
    assert [each["id"] for each in shown["sample"]] == sorted(leads)
    assert shown["sample"] == data_of(job_tenant.client.get(f"/audiences/{source}/prospects"))["items"]
    before = memberships_of(job_tenant)

    job_id = start_transfer(job_tenant, action, source, to, expectedCount=shown["count"])
    assert memberships_of(job_tenant) == before
    ended = run_transfer(job_tenant, job_id)

    assert (ended["status"], ended["progress"], ended["error"]) == ("completed", 1, None)
    assert (ended["count"], ended["appliedCount"]) == (8, 8)
    assert ended["alreadyInTargetCount"] == shown["alreadyInTargetCount"]
    assert (ended["action"], ended["sourceAudienceId"], ended["targetAudienceId"]) == (action, source, to)
    change = data_of(job_tenant.client.get(f"/changes/{ended['changeId']}"))
    assert (change["kind"], change["jobId"], change["leadCount"]) == (action, job_id, 8)
    assert change["alreadyInTargetCount"] == shown["alreadyInTargetCount"]
    assert job_tenant.walk("/changes", audienceId=source)[0] == change
    assert job_tenant.walk(f"/prospects/{leads[5]}/changes")[0] == change
    after = [shown["sourceProspectCountAfter"], shown["targetProspectCountAfter"]]
    assert counts_of(job_tenant, [source, target]) == [after[0], 2 if to is None else after[1]]
    assert job_tenant.walk("/transfers") == [ended]
    assert_healthy(job_tenant)
    data_of(job_tenant.client.post(f"/changes/{ended['changeId']}/undo"))
    assert memberships_of(job_tenant) == before
    assert_healthy(job_tenant)


def test_selections(job_tenant: Tenant) -> None:
    source, target, leads = two_audiences(job_tenant, count=6, already=0)
    other = job_tenant.create_audience("Other")
    data_of(job_tenant.copy(source, other, leads[:3]))
    added = data_of(job_tenant.client.get(f"/audiences/{source}/prospects"))["items"][0]["addedAt"]

    def count(**rest: Any) -> int:
        counted: int = data_of(post_transfer(job_tenant, "move", source, target, dryRun=True, **rest))["count"]
        return counted

    assert count() == 6
    assert count(limit=4) == 4
    assert count(exclude={"leadIds": [leads[0], new_id()]}) == 5
    assert count(exclude={"leadIds": leads}) == 0
    assert count(select={"leadIds": [leads[0], leads[1], leads[0]]}) == 2
    assert count(select={"leadIds": leads[:3]}, exclude={"leadIds": leads[1:4]}, limit=5) == 1
    assert count(select={"filter": {"q": "lead-3"}}) == 1
    assert count(select={"filter": {"hasEmail": False}}) == 0
    assert count(select={"filter": {"hasEmail": True, "inAudienceId": other}}) == 3
    assert count(select={"filter": {"notInAudienceId": other}}, limit=2) == 2
    assert count(select={"filter": {"addedAfter": added}}) == 0
    assert count(select={"filter": {"addedBefore": added.replace("Z", "+00:00")}}) == 0
    assert count(select={"filter": {"addedAfter": "2020-01-01T00:00:00Z", "q": "example.com"}}) == 6


def test_the_sample_needs_the_permission_to_read_prospects(job_tenant: Tenant) -> None:
    source, target, _ = two_audiences(job_tenant, count=2, already=0)
    with job_tenant.new_client(job_tenant.key_with(Permission.AUDIENCES_WRITE)) as client:
        shown = data_of(client.post("/transfers", json=transfer_body("move", source, target, dryRun=True)))
    assert (shown["count"], shown["sample"]) == (2, [])


def test_refusals_in_order(job_tenant: Tenant) -> None:
    source, target, leads = two_audiences(job_tenant, count=3, already=0)
    gone = new_id()

    def post(
        code: str, status: int, action: str, source: str, target: str | None = None, **rest: Any
    ) -> dict[str, Any]:
        for is_dry in (False, True):
            answer = post_transfer(job_tenant, action, source, target, dryRun=is_dry, **rest)
            found = refusal(answer, status, code)
        return found

    wrong = {"select": {"leadIds": [leads[0], gone]}}
    post("NOT_FOUND", 404, "move", gone, gone, **wrong)
    post("NOT_FOUND", 404, "move", source, gone, **wrong)
    post("SAME_AUDIENCE", 422, "move", source, source, **wrong)
    missing = post("LEADS_NOT_IN_SOURCE", 422, "move", source, target, **wrong, expectedCount=7)
    assert (missing["leadIds"], missing["leadCount"]) == ([gone], 1)
    assert post("SELECTION_CHANGED", 409, "copy", source, target, expectedCount=7)["count"] == 3
    post("NOT_FOUND", 404, "move", source, target, select={"filter": {"inAudienceId": gone}})
    busy = job_tenant.insert_job(target)
    assert post("AUDIENCE_NOT_READY", 409, "move", source, target, **wrong)["jobId"] == busy
    post("AUDIENCE_NOT_READY", 409, "remove", source, select={"filter": {"notInAudienceId": target}})
    assert job_tenant.walk("/transfers") == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"action": "swap"}, "action"),
        ({"targetAudienceId": None}, "body"),
        ({"action": "remove"}, "body"),
        ({"select": {}}, "select"),
        ({"select": {"all": False}}, "select.all"),
        ({"select": {"all": True, "leadIds": [new_id()]}}, "select"),
        ({"select": {"leadIds": []}}, "select.leadIds"),
        ({"select": {"filter": {}}}, "select.filter"),
        ({"select": {"filter": {"addedAfter": 5}}}, "select.filter.addedAfter"),
        ({"select": {"filter": {"q": " "}}}, "select.filter.q"),
        ({"limit": 0}, "limit"),
        ({"expectedCount": -1}, "expectedCount"),
        ({"dryRun": "yes"}, "dryRun"),
    ],
)
def test_invalid_requests(tenant: Tenant, body: dict[str, Any], path: str) -> None:
    sent = {**transfer_body("move", new_id(), new_id()), **body}
    error = refusal(tenant.client.post("/transfers", json=sent), 400, "VALIDATION_ERROR")
    assert error["violations"][0]["path"] == path


def test_an_empty_selection_completes_at_once_and_writes_no_change(job_tenant: Tenant) -> None:
    source, target, leads = two_audiences(job_tenant, count=2, already=0)
    before = job_tenant.walk("/changes")
    empty: tuple[dict[str, Any], ...] = (
        {"select": {"filter": {"q": "nobody"}}},
        {"exclude": {"leadIds": leads}},
        {"select": {"filter": {"hasEmail": False}}, "expectedCount": 0},
    )
    for rest in empty:
        answer = data_of(post_transfer(job_tenant, "move", source, target, **rest), 202)
        assert answer["status"] == "completed"
        found = transfer_of(job_tenant, answer["jobId"])
        assert (found["status"], found["count"], found["changeId"], found["progress"]) == ("completed", 0, None, 1)
    assert job_tenant.walk("/changes") == before
    assert counts_of(job_tenant, [source, target]) == [2, 0]


def test_a_repeated_key_starts_one_transfer(job_tenant: Tenant) -> None:
    source, target, _ = two_audiences(job_tenant, count=2, already=0)
    body, headers = transfer_body("move", source, target), {"Idempotency-Key": "once"}
    first = job_tenant.client.post("/transfers", json=body, headers=headers)
    run_transfer(job_tenant, data_of(first, 202)["jobId"])
    again = job_tenant.client.post("/transfers", json=body, headers=headers)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(job_tenant.walk("/transfers")) == 1


def test_a_body_may_be_larger_here_than_elsewhere(job_tenant: Tenant) -> None:
    source, target, leads = two_audiences(job_tenant, count=2, already=0)
    many = {"leadIds": [new_id() for _ in range(100_000)]}
    shown = data_of(post_transfer(job_tenant, "move", source, target, exclude=many, dryRun=True))
    assert shown["count"] == 2
    ended = run_transfer(job_tenant, start_transfer(job_tenant, "move", source, target, exclude=many))
    assert (ended["status"], ended["count"]) == ("completed", 2)
    too_many = {"leadIds": [*many["leadIds"], leads[0]]}
    refusal(post_transfer(job_tenant, "move", source, target, exclude=too_many), 400, "VALIDATION_ERROR")
    long = job_tenant.client.post("/transfers", content=b" " * (4 * 1024**2 + 1), headers=JSON)
    assert "4 MiB" in refusal(long, 413, "BODY_TOO_LARGE")["details"]
    refusal(job_tenant.client.post("/audiences", content=b" " * (1024**2 + 1), headers=JSON), 413, "BODY_TOO_LARGE")


JSON = {"Content-Type": "application/json"}


@pytest.mark.usefixtures("small_parts")
def test_no_other_request_sees_half_of_it(job_tenant: Tenant) -> None:
    source, target, leads = two_audiences(job_tenant)
    third = job_tenant.create_audience("Third")
    data_of(job_tenant.copy(source, third, leads))
    undoable = job_tenant.walk("/changes", audienceId=target)[0]["id"]
    job_id = start_transfer(job_tenant, "move", source, target)
    with_claim(job_tenant, job_id, applied(parts=1))

    shown = transfer_of(job_tenant, job_id)
    assert (shown["status"], shown["stage"], shown["changeId"]) == ("running", "apply", None)
    assert 0 < shown["progress"] < 1
    client = job_tenant.client
    for audience in (source, target):
        for answer in (
            client.get(f"/audiences/{audience}"),
            client.get(f"/audiences/{audience}/prospects"),
            client.get(f"/audiences/{audience}/prospects.csv"),
            client.patch(f"/audiences/{audience}", json={"name": "Other"}),
            client.delete(f"/audiences/{audience}"),
            client.post(f"/audiences/{audience}/prospects", json={"prospects": [{"email": "x@example.com"}]}),
            job_tenant.move(audience, third, leads[:1]),
            job_tenant.copy(third, audience, leads[:1]),
            job_tenant.remove(audience, leads[:1]),
            post_transfer(job_tenant, "copy", third, audience),
            post_transfer(job_tenant, "remove", third, select={"filter": {"inAudienceId": audience}}),
            post_transfer(job_tenant, "remove", third, select={"filter": {"inAudienceId": audience}}, dryRun=True),
        ):
            assert refusal(answer, 409, "AUDIENCE_NOT_READY")["jobId"] == job_id
    refusal(client.post(f"/changes/{undoable}/undo"), 409, "AUDIENCE_NOT_READY")
    refusal(client.post(f"/prospects/{leads[0]}/merge", json={"prospectId": leads[7]}), 409, "AUDIENCE_NOT_READY")
    assert [each["id"] for each in job_tenant.walk("/audiences")] == [third]
    navigation = data_of(client.get("/audiences/navigation"))
    assert [each["id"] for each in navigation["ungroupedAudiences"]] == [third]
    for lead in leads:
        found = data_of(client.get(f"/prospects/{lead}"))
        assert [each["id"] for each in found["audiences"]] == [third]
    assert job_id not in {each["jobId"] for each in job_tenant.walk("/changes")}
    assert_healthy(job_tenant)
    assert run_transfer(job_tenant, job_id)["status"] == "completed"
    assert_healthy(job_tenant)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("parts", [0, 1, 2, 3])
@pytest.mark.parametrize("action", ["move", "copy", "remove"])
def test_a_cancelled_transfer_leaves_everything_as_it_was(job_tenant: Tenant, action: str, parts: int) -> None:
    source, target, _ = two_audiences(job_tenant)
    to = None if action == "remove" else target
    before, changes = memberships_of(job_tenant), job_tenant.walk("/changes")
    job_id = start_transfer(job_tenant, action, source, to)
    with_claim(job_tenant, job_id, applied(parts))

    cancelled = data_of(job_tenant.client.post(f"/transfers/{job_id}/cancel"))
    assert cancelled["status"] == ("running" if parts else "cancelled")
    if parts:
        assert data_of(job_tenant.client.post(f"/transfers/{job_id}/cancel")) == cancelled
        assert transfer_of(job_tenant, job_id)["stage"] == "revert"
        refusal(job_tenant.client.get(f"/audiences/{source}"), 409, "AUDIENCE_NOT_READY")
        assert_healthy(job_tenant)
        run_transfer(job_tenant, job_id)
    ended = transfer_of(job_tenant, job_id)
    assert (ended["status"], ended["appliedCount"], ended["changeId"], ended["error"]) == ("cancelled", 0, None, None)
    assert memberships_of(job_tenant) == before
    assert counts_of(job_tenant, [source, target]) == [8, 2]
    assert job_tenant.walk("/changes") == changes
    assert (
        job_tenant.sql("SELECT 1 FROM changes WHERE account_group_id = $1 AND state = 'open'", job_tenant.number) == []
    )
    assert_healthy(job_tenant)
    refusal(job_tenant.client.post(f"/transfers/{job_id}/cancel"), 422, "JOB_NOT_CANCELLABLE")


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("parts", [0, 2])
def test_a_failed_transfer_leaves_everything_as_it_was(job_tenant: Tenant, parts: int) -> None:
    source, target, _ = two_audiences(job_tenant)
    before = memberships_of(job_tenant)
    job_id = start_transfer(job_tenant, "move", source, target)

    async def work(db: Database, claimed: ClaimedJob) -> None:
        await applied(parts)(db, claimed)
        await leases.fail_job(db, claimed, JobError(code="X", message="It failed."))

    with_claim(job_tenant, job_id, work)
    ended = run_transfer(job_tenant, job_id)
    assert (ended["status"], ended["error"]["code"], ended["appliedCount"]) == ("failed", "X", 0)
    assert memberships_of(job_tenant) == before
    assert counts_of(job_tenant, [source, target]) == [8, 2]
    assert_healthy(job_tenant)


def test_a_selection_that_has_changed_since_fails_the_job(job_tenant: Tenant) -> None:
    """Another audience decides, and it changes after the start."""
    source, target, leads = two_audiences(job_tenant, count=4, already=0)
    other = job_tenant.create_audience("Other")
    data_of(job_tenant.copy(source, other, leads[:3]))
    select = {"filter": {"inAudienceId": other}}
    job_id = start_transfer(job_tenant, "move", source, target, select=select, expectedCount=3)
    data_of(job_tenant.remove(other, leads[:1]))
    ended = run_transfer(job_tenant, job_id)
    assert (ended["status"], ended["error"]["code"], ended["error"]["count"]) == ("failed", "SELECTION_CHANGED", 2)
    assert counts_of(job_tenant, [source, target]) == [4, 0]


def test_another_audience_of_the_filter_that_is_not_ready_fails_the_job(job_tenant: Tenant) -> None:
    source, target, _ = two_audiences(job_tenant, count=2, already=0)
    other = job_tenant.create_audience("Other")
    select = {"filter": {"notInAudienceId": other}}
    job_id = start_transfer(job_tenant, "move", source, target, select=select)
    job_tenant.insert_job(other)
    ended = run_transfer(job_tenant, job_id)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "AUDIENCE_NOT_READY")
    assert counts_of(job_tenant, [source, target]) == [2, 0]


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_people_erased_meanwhile(job_tenant: Tenant, is_cancelled: bool) -> None:
    """One of them is in a part that was applied, one in a part that is planned, and one is in the target, too."""
    source, target, leads = two_audiences(job_tenant)
    job_id = start_transfer(job_tenant, "move", source, target)
    with_claim(job_tenant, job_id, applied(parts=1))
    for lead in (leads[0], leads[2], leads[7]):
        data_of(job_tenant.client.delete(f"/prospects/{lead}"))
    assert_healthy(job_tenant)
    if is_cancelled:
        job_tenant.client.post(f"/transfers/{job_id}/cancel")
    ended = run_transfer(job_tenant, job_id)
    assert ended["status"] == ("cancelled" if is_cancelled else "completed")
    assert counts_of(job_tenant, [source, target]) == ([5, 1] if is_cancelled else [0, 5])
    if not is_cancelled:
        listed = job_tenant.walk(f"/changes/{ended['changeId']}/prospects")
        assert [each["prospectId"] for each in listed].count("0" * 24) == 3
        data_of(job_tenant.client.post(f"/changes/{ended['changeId']}/undo"))
        assert counts_of(job_tenant, [source, target]) == [5, 1]
    assert_healthy(job_tenant)


def test_transfers_are_not_prospecting_jobs(job_tenant: Tenant) -> None:
    source, target, _ = two_audiences(job_tenant, count=2, already=0)
    job_id = start_transfer(job_tenant, "move", source, target)
    other = job_tenant.insert_job(job_tenant.create_audience())
    assert [each["jobId"] for each in job_tenant.walk("/prospecting")] == [other]
    assert [each["jobId"] for each in job_tenant.walk("/transfers")] == [job_id]
    assert job_tenant.walk("/transfers", status="completed") == []
    refusal(job_tenant.client.get(f"/prospecting/{job_id}"), 404, "NOT_FOUND")
    refusal(job_tenant.client.post(f"/prospecting/{job_id}/cancel"), 404, "NOT_FOUND")
    refusal(job_tenant.client.get(f"/transfers/{other}"), 404, "NOT_FOUND")
    refusal(job_tenant.client.post(f"/transfers/{other}/cancel"), 404, "NOT_FOUND")
    [(kind,)] = job_tenant.sql("SELECT kind FROM jobs WHERE id = $1", key_of(job_id))
    assert kind == "transfer"
    assert in_database(job_tenant, lambda db: _get(db, job_tenant, job_id)).kind == "transfer"


async def _get(db: Database, tenant: Tenant, job_id: str) -> Any:
    from leadyard.operations.jobs.transfers import get_transfer

    return await get_transfer(db, Caller.operator(tenant.account_group_id), job_id=job_id)
