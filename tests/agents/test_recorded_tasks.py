"""Whole tasks: the calls that an agent made for a sentence of a user, played again. They must come to the same end.

`recorded/tasks.json` has for each task the lists before and after, and the calls. A value `$NAME` is one that an
earlier answer has had: what an agent needs must stand in an answer, because it has nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from rig.agents import HTTP, STDIO_ON_DATABASE, STDIO_TO_SERVICE, Agent, with_agent
from rig.service import Service, Tenant, WorkerProcess

TASKS = json.loads((Path(__file__).parent / "recorded" / "tasks.json").read_text())


@pytest.fixture
def worker(service: Service, new_worker: Callable[..., WorkerProcess]) -> WorkerProcess:
    """A worker for the transfers of the shared service."""
    return new_worker(service)


@pytest.mark.parametrize("way_in", [HTTP, STDIO_TO_SERVICE, STDIO_ON_DATABASE])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["task"][:40])
def test_a_task_comes_to_its_end(tenant: Tenant, worker: WorkerProcess, task: dict[str, Any], way_in: str) -> None:
    lists = {name: tenant.create_audience(name) for name in task["lists"]}
    for name, people in task["lists"].items():
        add(tenant, lists[name], people)

    async def play(agent: Agent) -> None:
        known: dict[str, Any] = {}
        for call in task["calls"]:
            arguments = filled(call["arguments"], known)
            if "refused" in call:
                refused = await agent.refusal(call["tool"], **arguments)
                assert refused["error"]["code"] == call["refused"] and refused["next"]
                continue
            shown = await agent.call(call["tool"], **arguments)
            assert call.get("shows", {}).items() <= shown.items(), shown
            known |= {name: at(shown, path) for name, path in call.get("keep", {}).items()}

    with_agent(tenant, play, way_in=way_in)
    assert {name: names_in(tenant, audience) for name, audience in lists.items()} == task["after"]
    assert worker.process is not None and worker.process.poll() is None


def add(tenant: Tenant, audience: str, people: list[tuple[str, str, bool]]) -> None:
    """Adds people of a name and a company. Those without an e-mail have an id of another system."""
    added = [
        {"name": name, "company": {"name": company}, key: name.lower().replace(" ", ".") + suffix}
        for name, company, has_email in people
        for key, suffix in [("email", "@example.com") if has_email else ("providerId", "")]
    ]
    if added:
        answer = tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": added})
        assert answer.status_code == 200 and not answer.json()["data"]["rejected"], answer.text


def filled(value: Any, known: dict[str, Any]) -> Any:
    """Returns the value with the values of earlier answers in the place of their names."""
    if isinstance(value, str) and value.startswith("$"):
        return known[value[1:]]
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if isinstance(value, dict):
        return {name: filled(each, known) for name, each in value.items()}
    return value


def at(data: Any, path: str) -> Any:
    return reduce(lambda part, key: part[int(key)] if key.isdigit() else part[key], path.split("."), data)


def names_in(tenant: Tenant, audience: str) -> list[str]:
    answer = tenant.client.get(f"/audiences/{audience}/prospects", params={"limit": 200})
    return sorted(each["name"] for each in answer.json()["data"]["items"])
