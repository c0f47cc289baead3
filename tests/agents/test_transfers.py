"""Transfers as tools: the preview, the expected count, the end in one call, and a service that is killed during one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rig.agents import STDIO_TO_SERVICE, Agent, with_agent
from rig.service import Service, Tenant, WorkerProcess, make_tenant

MANY = 12_000


@pytest.fixture
def worker(service: Service, new_worker: Callable[..., WorkerProcess]) -> WorkerProcess:
    """A worker for the transfers of the shared service."""
    return new_worker(service)


def test_a_large_transfer_and_its_undo_are_one_call_each(tenant: Tenant, worker: WorkerProcess) -> None:
    spring, customers = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    tenant.add_leads(spring, MANY)
    asked = {"action": "move", "sourceAudienceId": spring, "targetAudienceId": customers, "select": {"all": True}}

    async def work(agent: Agent) -> None:
        preview = await agent.call("preview_transfer", **asked)
        assert (preview["count"], len(preview["sample"])) == (MANY, 20)
        assert set(preview["sample"][0]) == {"id", "name", "title", "company"}
        assert f"expectedCount {MANY}" in preview["next"]
        done = await ended(agent, await agent.call("transfer", **asked, expectedCount=MANY, waitSeconds=45))
        assert done["changeId"] in done["next"] and done["appliedCount"] == MANY
        needed = await agent.refusal("undo_change", changeId=done["changeId"])
        assert needed["error"]["code"] == "EXPECTED_COUNT_NEEDED"
        undone = await agent.call("undo_change", changeId=done["changeId"], expectedCount=MANY, waitSeconds=45)
        assert (await ended(agent, undone))["undoesChangeId"] == done["changeId"]
        assert agent.progress and all(0 <= part <= 1 for part in agent.progress)

    with_agent(tenant, work)
    assert (count(tenant, spring), count(tenant, customers)) == (MANY, 0)
    assert worker.process is not None and worker.process.poll() is None


def test_a_wrong_expected_count_changes_nothing(tenant: Tenant) -> None:
    spring, customers = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    tenant.add_leads(spring, 3)
    asked = {"action": "move", "sourceAudienceId": spring, "targetAudienceId": customers, "select": {"all": True}}

    async def work(agent: Agent) -> None:
        for wrong in (0, 2, 4, 1_000_000):
            refused = await agent.refusal("transfer", **asked, expectedCount=wrong)
            assert (refused["error"]["code"], refused["error"]["count"]) == ("SELECTION_CHANGED", 3)
            assert "preview_transfer" in refused["next"]
        missing = await agent.refusal("transfer", **asked)
        assert [each["path"] for each in missing["error"]["violations"]] == ["expectedCount"]

    with_agent(tenant, work)
    assert (count(tenant, spring), count(tenant, customers)) == (3, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"select": {}},
        {"select": {"all": True, "leadIds": ["0" * 24]}},
        {"select": {"filter": {}}},
        {"select": {"filter": {"compnay": "Acme"}}},
        {"select": {"all": False}},
        {"targetAudienceId": None},
        {"action": "delete"},
        {"limit": 0},
    ],
)
def test_an_unclear_selection_is_refused_and_never_means_everybody(tenant: Tenant, wrong: dict[str, Any]) -> None:
    spring, customers = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    tenant.add_leads(spring, 3)
    asked = {"action": "move", "sourceAudienceId": spring, "targetAudienceId": customers, "select": {"all": True}}

    async def work(agent: Agent) -> None:
        for tool, rest in (("preview_transfer", {}), ("transfer", {"expectedCount": 3})):
            refused = await agent.refusal(tool, **{**asked, **wrong}, **rest)
            assert refused["error"]["code"] == "VALIDATION_ERROR" and refused["error"]["violations"]

    with_agent(tenant, work)
    assert count(tenant, spring) == 3


def test_an_empty_selection_changes_nothing(tenant: Tenant) -> None:
    spring, customers = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    asked = {"action": "copy", "sourceAudienceId": spring, "targetAudienceId": customers, "select": {"all": True}}

    async def work(agent: Agent) -> None:
        assert "No person matches" in (await agent.call("preview_transfer", **asked))["next"]
        done = await agent.call("transfer", **asked, expectedCount=0)
        assert (done["status"], done["changeId"]) == ("completed", None)

    with_agent(tenant, work)


def test_a_cancelled_transfer_is_as_if_it_had_never_been(tenant: Tenant) -> None:
    spring, customers = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    tenant.add_leads(spring, 5)
    asked = {"action": "move", "sourceAudienceId": spring, "targetAudienceId": customers, "select": {"all": True}}

    async def work(agent: Agent) -> None:
        # No worker runs, so the job stays queued.
        started = await agent.call("transfer", **asked, expectedCount=5, waitSeconds=0)
        assert started["status"] == "queued" and started["jobId"] in started["next"]
        refused = await agent.refusal("get_audience", audienceId=spring)
        assert refused["error"]["jobId"] == started["jobId"]
        cancelled = await agent.call("cancel_job", jobId=started["jobId"])
        assert cancelled["status"] == "cancelled" and "as it was before" in cancelled["next"]

    with_agent(tenant, work)
    assert (count(tenant, spring), count(tenant, customers)) == (5, 0)


def test_a_service_killed_during_a_transfer_ends_it_after_its_return(new_service: Callable[..., Service]) -> None:
    service = new_service(LEADYARD_WORKER_IN_SERVE="on", LEADYARD_WORKER_LEASE_S="2")
    tenant = make_tenant(service)
    spring, customers = tenant.create_audience("Spring"), tenant.create_audience("Customers")
    tenant.add_leads(spring, MANY)
    asked = {"action": "move", "sourceAudienceId": spring, "targetAudienceId": customers, "select": {"all": True}}

    async def work(agent: Agent) -> dict[str, Any]:
        started = await agent.call("transfer", **asked, expectedCount=MANY, waitSeconds=0)
        service.kill()
        refused = await agent.refusal("get_job", jobId=started["jobId"])
        assert refused["error"]["code"] == "SERVICE_UNREACHABLE"
        await asyncio.to_thread(service.start)
        return await ended(agent, started)

    done = with_agent(tenant, work, way_in=STDIO_TO_SERVICE)
    assert done["count"] == MANY
    assert (count(tenant, spring), count(tenant, customers)) == (0, MANY)
    assert service.doctor()["healthy"]


async def ended(agent: Agent, job: dict[str, Any]) -> dict[str, Any]:
    """Waits for the end of a job as the answer says."""
    while job["status"] != "completed":
        assert "get_job" in job["next"], job
        job = await agent.call("get_job", jobId=job["jobId"], waitSeconds=30)
    return job


def count(tenant: Tenant, audience: str) -> int:
    shown: int = tenant.client.get(f"/audiences/{audience}").json()["data"]["prospectCount"]
    return shown
