"""Imports and jobs as tools: the end of a job in one call, progress, a job that is in the way, and cancelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leadyard.model import Permission
from rig.agents import HTTP, STDIO_ON_DATABASE, Agent, with_agent
from rig.jobs import csv_of
from rig.service import Service, Tenant, WorkerProcess, make_tenant

CSV = csv_of(3, bad_every=3)


@pytest.fixture
def worker(service: Service, new_worker: Callable[..., WorkerProcess]) -> WorkerProcess:
    """A worker for the jobs of the shared service."""
    return new_worker(service)


def test_an_import_is_one_call_and_can_be_taken_back(tenant: Tenant, worker: WorkerProcess) -> None:
    async def work(agent: Agent) -> None:
        done = await agent.call("start_import", audienceName="Spring", csv=CSV, waitSeconds=45)
        assert (done["status"], done["progress"], done["error"]) == ("completed", 1.0, None)
        assert (done["counts"]["created"], done["counts"]["rejected"]) == (2, 1)
        # The id of the change stands in the answer: the agent does not have to search for it.
        assert done["changeId"] in done["next"]
        assert (await agent.call("get_audience", audienceId=done["audienceId"]))["audience"]["prospectCount"] == 2
        undone = await agent.call("undo_change", changeId=done["changeId"])
        assert undone["undoneCount"] == 2
        assert (await agent.call("get_audience", audienceId=done["audienceId"]))["audience"]["prospectCount"] == 0

    with_agent(tenant, work)
    assert worker.process is not None and worker.process.poll() is None


def test_an_operator_without_a_service_runs_the_import_itself(tenant: Tenant) -> None:
    async def work(agent: Agent) -> dict[str, Any]:
        return await agent.call("start_import", audienceName="Spring", csv=CSV, waitSeconds=45)

    assert with_agent(tenant, work, way_in=STDIO_ON_DATABASE)["status"] == "completed"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_long_import_reports_progress_that_only_grows(new_service: Callable[..., Service], mode: str) -> None:
    tenant = make_tenant(new_service(LEADYARD_WORKER_IN_SERVE="on"))

    async def work(agent: Agent) -> list[float]:
        done = await agent.call("start_import", audienceName="Spring", csv=csv_of(15_000), waitSeconds=45)
        while done["status"] != "completed":
            done = await agent.call("get_job", jobId=done["jobId"], waitSeconds=45)
        assert done["counts"]["created"] == 15_000
        return agent.progress

    progress = with_agent(tenant, work, mode=mode)
    assert len(progress) >= 2 and progress == sorted(set(progress))
    assert all(0 <= part <= 1 for part in progress)


def test_a_job_in_the_way_is_named_with_the_time_to_wait(tenant: Tenant) -> None:
    audience = tenant.create_audience("Spring")

    async def work(agent: Agent) -> None:
        started = await agent.call("start_import", audienceId=audience, csv=CSV, waitSeconds=0)
        assert started["status"] in ("queued", "running") and started["jobId"] in started["next"]
        refused = await agent.refusal("add_prospects", audienceId=audience, prospects=[{"email": "a@example.com"}])
        error = refused["error"]
        assert (error["code"], error["jobId"]) == ("AUDIENCE_NOT_READY", started["jobId"])
        assert error["retryAfterSeconds"] == 30 and "get_job" in refused["next"]
        assert (await agent.call("list_audiences"))["audiences"] == []
        waited = await agent.call("get_job", jobId=error["jobId"], waitSeconds=1)
        assert waited["status"] == "queued"
        cancelled = await agent.call("cancel_job", jobId=error["jobId"])
        assert cancelled["status"] == "cancelled"
        again = await agent.refusal("cancel_job", jobId=error["jobId"])
        assert again["error"]["code"] == "JOB_NOT_CANCELLABLE" and "get_job" in again["next"]
        assert (await agent.refusal("get_job", jobId="0" * 24))["error"]["code"] == "NOT_FOUND"
        assert len((await agent.call("list_audiences"))["audiences"]) == 1

    with_agent(tenant, work)


def test_a_key_that_may_start_imports_only_gets_the_job(tenant: Tenant) -> None:
    key = tenant.key_with(Permission.PROSPECTING_WRITE)

    async def work(agent: Agent) -> dict[str, Any]:
        assert set(await agent.tools()) == {"list_account_groups", "start_import", "cancel_job"}
        started = await agent.call("start_import", audienceName="Spring", csv=CSV)
        assert "may not see jobs" in started["next"]
        return await agent.call("cancel_job", jobId=started["jobId"])

    assert with_agent(tenant, work, key=key)["status"] == "cancelled"


def test_a_wrong_import_is_refused_before_anything_is_made(tenant: Tenant) -> None:
    async def work(agent: Agent) -> list[dict[str, Any]]:
        name = {"audienceName": "Spring"}
        return [
            await agent.refusal("start_import", csv=CSV),
            await agent.refusal("start_import", **name),
            await agent.refusal("start_import", **name, csv=CSV, profileUrls=["https://www.linkedin.com/in/ada"]),
            await agent.refusal("start_import", **name, audienceId="0" * 24, csv=CSV),
            await agent.refusal("start_import", **name, csv="one,two\n1,2\n"),
            await agent.refusal("start_import", **name, csv=CSV, mapping={"email": "Nope"}),
            await agent.refusal("start_import", **name, linkedinSearchUrl="https://www.linkedin.com/search/x?y=1"),
        ]

    refused = with_agent(tenant, work)
    assert [each["error"]["code"] for each in refused] == [
        "VALIDATION_ERROR", "VALIDATION_ERROR", "VALIDATION_ERROR", "VALIDATION_ERROR", "NOBODY_IDENTIFIED",
        "UNKNOWN_COLUMN", "SOURCE_NOT_CONFIGURED",
    ]  # fmt: skip
    assert all(each["next"] for each in refused)
    assert tenant.client.get("/audiences").json()["data"]["items"] == []


def test_the_same_import_over_both_transports_matches_the_same_people(tenant: Tenant, worker: WorkerProcess) -> None:
    async def work(agent: Agent) -> tuple[int, int]:
        done = await agent.call("start_import", audienceName="Spring", csv=CSV, waitSeconds=45)
        return done["counts"]["created"], done["counts"]["matched"]

    assert [with_agent(tenant, work, way_in=way_in) for way_in in (HTTP, STDIO_ON_DATABASE)] == [(2, 0), (0, 2)]
