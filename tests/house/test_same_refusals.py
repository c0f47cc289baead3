"""Every door refuses a wrong request with the same code and sentence: HTTP, MCP, and the commands on the database and
to a service. A door that decided a rule itself would have its own sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from rig.agents import Agent, with_agent
from rig.people_commands import DOORS, through
from rig.service import Tenant

UNKNOWN = "0" * 24


@dataclass(frozen=True)
class Wrong:
    """A wrong request, in the language of each door. The words in capitals stand for ids."""

    code: str
    method: str
    path: str
    tool: str
    command: tuple[str, ...]
    body: dict[str, Any] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


def change(verb: str, code: str, *, source: str, target: str | None, lead: str) -> Wrong:
    to = {} if target is None else {"targetAudienceId": target}
    options = () if target is None else ("--target", target)
    return Wrong(
        code,
        "POST",
        f"/audiences/{source}/{verb}-leads",
        f"{verb}_leads",
        (verb, lead, "--source", source, *options),
        {"leadIds": [lead], **to},
        {"sourceAudienceId": source, "leadIds": [lead], **to},
    )


def transfer(code: str, *, source: str, target: str, expected: int = 2) -> Wrong:
    body = {"action": "move", "sourceAudienceId": source, "targetAudienceId": target, "select": {"all": True},
            "expectedCount": expected}  # fmt: skip
    command = ("move", "--all", "--source", source, "--target", target, "--expected-count", str(expected))
    return Wrong(code, "POST", "/transfers", "transfer", command, body, body)


WRONG = [
    Wrong("NOT_FOUND", "GET", f"/audiences/{UNKNOWN}", "get_audience", ("audiences", "show", UNKNOWN),
          arguments={"audienceId": UNKNOWN}),
    Wrong("AUDIENCE_NOT_READY", "GET", "/audiences/BUSY", "get_audience", ("audiences", "show", "BUSY"),
          arguments={"audienceId": "BUSY"}),
    Wrong("NOT_FOUND", "GET", f"/prospects/{UNKNOWN}", "get_prospect", ("people", "show", UNKNOWN),
          arguments={"prospectId": UNKNOWN}),
    Wrong("NOT_FOUND", "GET", f"/audiences/{UNKNOWN}/prospects", "find_prospects",
          ("people", "find", "--audience", UNKNOWN), arguments={"audienceId": UNKNOWN}),
    change("move", "SAME_AUDIENCE", source="SPRING", target="SPRING", lead="LEAD"),
    change("move", "LEADS_NOT_IN_SOURCE", source="SPRING", target="AUTUMN", lead=UNKNOWN),
    change("move", "NOT_FOUND", source="SPRING", target=UNKNOWN, lead="LEAD"),
    change("move", "AUDIENCE_NOT_READY", source="SPRING", target="BUSY", lead="LEAD"),
    change("copy", "SAME_AUDIENCE", source="SPRING", target="SPRING", lead="LEAD"),
    change("copy", "LEADS_NOT_IN_SOURCE", source="AUTUMN", target="SPRING", lead="LEAD"),
    change("remove", "LEADS_NOT_IN_SOURCE", source="AUTUMN", target=None, lead="LEAD"),
    change("remove", "NOT_FOUND", source=UNKNOWN, target=None, lead="LEAD"),
    transfer("SAME_AUDIENCE", source="SPRING", target="SPRING"),
    transfer("NOT_FOUND", source="SPRING", target=UNKNOWN),
    transfer("SELECTION_CHANGED", source="SPRING", target="AUTUMN", expected=7),
    Wrong("NOT_FOUND", "GET", f"/transfers/{UNKNOWN}", "get_job", ("transfers", "show", UNKNOWN),
          arguments={"jobId": UNKNOWN}),
    Wrong("NOT_FOUND", "POST", f"/changes/{UNKNOWN}/undo", "undo_change", ("changes", "undo", UNKNOWN),
          arguments={"changeId": UNKNOWN}),
]  # fmt: skip
# The tools check the form of their arguments themselves, because a model needs their schema. So the code is the same,
# and the sentence names the argument of the tool.
ILL_FORMED = [
    Wrong("VALIDATION_ERROR", "GET", "/prospects/nonsense", "get_prospect", ("people", "show", "nonsense"),
          arguments={"prospectId": "nonsense"}),
    Wrong("VALIDATION_ERROR", "POST", "/audiences/SPRING/move-leads", "move_leads",
          ("move", "nonsense", "--source", "SPRING", "--target", "AUTUMN"),
          {"leadIds": ["nonsense"], "targetAudienceId": "AUTUMN"},
          {"sourceAudienceId": "SPRING", "targetAudienceId": "AUTUMN", "leadIds": ["nonsense"]}),
]  # fmt: skip
Refusal = tuple[str, str, str]


@pytest.fixture
def filled(job_tenant: Tenant) -> Callable[[Any], Any]:
    """A function that puts the ids into a path, a list or a body."""
    ids = {name: job_tenant.create_audience(name) for name in ("SPRING", "AUTUMN", "BUSY")}
    ids["LEAD"] = job_tenant.add_leads(ids["SPRING"], 2)[0]
    job_tenant.insert_job(ids["BUSY"])

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return "/".join(ids.get(part, part) for part in value.split("/"))
        if isinstance(value, dict):
            return {name: fill(each) for name, each in value.items()}
        return [fill(each) for each in value] if isinstance(value, list | tuple) else value

    return fill


def over_http(tenant: Tenant, wrong: Wrong, fill: Callable[[Any], Any]) -> Refusal:
    answer = tenant.client.request(wrong.method, fill(wrong.path), json=fill(wrong.body))
    return of(answer.json()["error"])


def by_command(tenant: Tenant, door: str, wrong: Wrong, fill: Callable[[Any], Any]) -> Refusal:
    done = through(tenant, door, *fill(wrong.command), "--json")
    assert done.code in (1, 2), done
    return of(done.json()["error"])


def of(error: dict[str, Any]) -> Refusal:
    return error["code"], error["message"], error.get("details", "")


def test_every_door_refuses_with_the_same_code_and_sentence(job_tenant: Tenant, filled: Callable[[Any], Any]) -> None:
    async def refusals(agent: Agent) -> list[dict[str, Any]]:
        return [await agent.refusal(each.tool, **filled(each.arguments)) for each in (*WRONG, *ILL_FORMED)]

    by_tools = [of(each["error"]) for each in with_agent(job_tenant, refusals)]
    for wrong, by_tool in zip((*WRONG, *ILL_FORMED), by_tools, strict=True):
        http = over_http(job_tenant, wrong, filled)
        commands = [by_command(job_tenant, door, wrong, filled) for door in DOORS]
        assert http[0] == by_tool[0] == wrong.code, (wrong, http, by_tool)
        assert commands == [http, http], (wrong, http, commands)
        assert wrong in ILL_FORMED or by_tool == http, (wrong, http, by_tool)
