"""Both transports, and the protocols of the current and the previous major version of the library."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import MCPError

from leadyard.model import Permission
from rig.agents import HTTP, STDIO_ON_DATABASE, STDIO_TO_SERVICE, WAYS_IN, Agent, stdio_command, with_agent
from rig.answers import refusal
from rig.service import Service, Tenant, make_key, make_tenant

RECORDED = json.loads((Path(__file__).parent / "recorded" / "previous_major.json").read_text())["requests"]
ACCEPT = {"Accept": "application/json, text/event-stream"}
HELLO = RECORDED[0]["message"]


@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_way_in_has_the_same_tools_and_answers(tenant: Tenant, way_in: str, mode: str) -> None:
    audience = tenant.create_audience("Spring")

    async def look(agent: Agent) -> tuple[set[str], dict[str, Any], dict[str, Any]]:
        tools = await agent.tools()
        shown = await agent.call("list_audiences")
        return set(tools), shown, await agent.refusal("get_audience", audienceId="0" * 24)

    tools, shown, refused = with_agent(tenant, look, way_in=way_in, mode=mode)
    assert len(tools) == 19
    assert shown["audiences"] == [{"id": audience, "name": "Spring", "type": "on_demand", "prospectCount": 0}]
    assert refused["error"]["code"] == "NOT_FOUND" and "list_audiences" in refused["next"]


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_the_protocol_is_the_newest_that_both_speak(tenant: Tenant, mode: str, version: str) -> None:
    async def look(agent: Agent) -> str:
        return agent.client.protocol_version

    assert with_agent(tenant, look, mode=mode) == version


def test_the_client_of_the_previous_major_version_is_understood_over_http(tenant: Tenant) -> None:
    tenant.create_audience("Spring")
    answers = [post(tenant, each["message"], **each["headers"]) for each in RECORDED]
    assert [each.status_code for each in answers] == [200, 202, 200, 200, 200]
    check_recorded([message_in(each) for each in answers if each.status_code == 200])


def test_the_client_of_the_previous_major_version_is_understood_over_stdio(tenant: Tenant) -> None:
    tenant.create_audience("Spring")
    sent = "".join(json.dumps(each["message"]) + "\n" for each in RECORDED)
    program = start(tenant, STDIO_TO_SERVICE)
    assert program.stdin is not None and program.stdout is not None
    program.stdin.write(sent)
    program.stdin.flush()
    # The input stays open until everything is answered: closing it ends the calls that still run.
    answers = [json.loads(program.stdout.readline()) for _ in range(4)]
    program.stdin.close()
    assert program.wait(20) == 0
    check_recorded(sorted(answers, key=lambda each: int(each["id"])))


def check_recorded(answers: list[dict[str, Any]]) -> None:
    hello, tools, audiences, refused = (each["result"] for each in answers)
    assert hello["protocolVersion"] == "2025-11-25" and hello["serverInfo"]["name"] == "leadyard"
    assert "preview_transfer" in hello["instructions"]
    [move] = [each for each in tools["tools"] if each["name"] == "move_leads"]
    assert move["annotations"] == {
        "title": "Move listed people", "readOnlyHint": False, "destructiveHint": True, "idempotentHint": True,
        "openWorldHint": False,
    }  # fmt: skip
    assert [each["name"] for each in audiences["structuredContent"]["audiences"]] == ["Spring"]
    assert refused["isError"] is True and refused["structuredContent"]["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("way_in", [HTTP, STDIO_TO_SERVICE])
def test_a_key_sees_only_the_tools_that_it_can_use(tenant: Tenant, way_in: str) -> None:
    key = tenant.key_with(Permission.AUDIENCES_READ)

    async def look(agent: Agent) -> tuple[set[str], dict[str, Any]]:
        return set(await agent.tools()), await agent.refusal("find_prospects", audienceId="0" * 24)

    tools, refused = with_agent(tenant, look, way_in=way_in, key=key)
    assert tools == {"list_account_groups", "list_audiences", "get_audience", "list_changes", "get_job"}
    # An agent that calls a tool from memory is refused by the API, with its sentence.
    assert refused["error"]["code"] == "FORBIDDEN" and "prospects:read" in refused["error"]["details"]


@pytest.mark.parametrize("key", ["", "sk_live_wrong", "revoked"])
def test_http_needs_a_valid_key(tenant: Tenant, key: str) -> None:
    if key == "revoked":
        key = tenant.key_with(Permission.AUDIENCES_READ, expires_at=1)
    headers = {**ACCEPT, "Authorization": f"Bearer {key}"} if key else ACCEPT
    answer = httpx.post(f"{tenant.service.base_url}/mcp", json=HELLO, headers=headers)
    refusal(answer, 401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_stdio_explains_a_key_that_is_not_valid(tenant: Tenant) -> None:
    async def look(agent: Agent) -> dict[str, Any]:
        return await agent.refusal("list_audiences")

    refused = with_agent(tenant, look, way_in=STDIO_TO_SERVICE, key="sk_live_wrong")
    assert refused["error"]["code"] == "UNAUTHORIZED" and "from the user" in refused["next"]


def test_a_page_of_another_origin_is_refused(tenant: Tenant) -> None:
    own = tenant.service.base_url
    assert post(tenant, HELLO, Origin=own).status_code == 200
    for origin in ("https://evil.example", "null", own + "1", f"http://127.0.0.1.evil.example:{tenant.service.port}"):
        refusal(post(tenant, HELLO, Origin=origin), 403, "FORBIDDEN")


def test_a_public_host_name_is_accepted_because_the_key_protects(tenant: Tenant) -> None:
    assert post(tenant, HELLO, Host="leads.example.com").status_code == 200


def test_there_are_no_sessions_to_take_over(tenant: Tenant) -> None:
    answer = post(tenant, HELLO)
    assert "mcp-session-id" not in answer.headers
    for method in ("GET", "DELETE"):
        refused = httpx.request(method, f"{tenant.service.base_url}/mcp", headers=headers_of(tenant))
        refusal(refused, 405, "METHOD_NOT_ALLOWED")
        assert refused.headers["Allow"] == "POST"


def test_a_body_that_is_too_large_is_refused(tenant: Tenant) -> None:
    large = {**HELLO, "params": {**HELLO["params"], "capabilities": {"experimental": {"x": {"y": "z" * 2_200_000}}}}}
    assert post(tenant, large).status_code == 413


def test_an_agent_of_another_tenant_sees_and_changes_nothing(tenant: Tenant) -> None:
    other = make_tenant(tenant.service, "Other")
    audience = tenant.create_audience("Spring")

    async def look(agent: Agent) -> list[dict[str, Any]]:
        theirs = {"accountGroupId": tenant.account_group_id}
        return [
            await agent.refusal("list_audiences", **theirs),
            await agent.refusal("get_audience", audienceId=audience, **theirs),
            await agent.refusal("get_audience", audienceId=audience),
        ]

    for way_in in WAYS_IN:
        codes = [each["error"]["code"] for each in with_agent(other, look, way_in=way_in)]
        assert codes == ["FORBIDDEN", "FORBIDDEN", "NOT_FOUND"], way_in


def test_a_key_of_several_groups_has_to_name_one(tenant: Tenant) -> None:
    other = make_tenant(tenant.service, "Other")
    groups = [tenant.account_group_id, other.account_group_id]
    _, key = make_key(tenant.service.database_url, groups)

    async def look(agent: Agent) -> tuple[dict[str, Any], dict[str, Any]]:
        refused = await agent.refusal("list_audiences")
        return refused, await agent.call("list_audiences", accountGroupId=other.account_group_id)

    refused, shown = with_agent(tenant, look, key=key)
    assert refused["error"]["code"] == "ACCOUNT_GROUP_NEEDED"
    assert [each["id"] for each in refused["error"]["accountGroups"]] == groups
    assert shown["audiences"] == []


def test_the_log_has_one_trace_for_the_call_and_its_requests(new_service: Callable[..., Service]) -> None:
    tenant = make_tenant(new_service())
    tenant.create_audience()

    async def look(agent: Agent) -> None:
        await agent.call("list_audiences", accountGroupId=tenant.account_group_id)

    with_agent(tenant, look)
    lines = [each for each in tenant.service.log_lines() if each["event"] == "request"]
    read = [each for each in lines if each["method"] == "GET"]
    [listed] = [each for each in read if each["route"] == "/v1/accounts/{accountGroupId}/audiences"]
    together = [each["route"] for each in lines if each["trace_id"] == listed["trace_id"]]
    assert sorted(together) == ["/mcp", "/v1/accounts/{accountGroupId}/audiences"]
    assert listed["api_key_id"] == tenant.api_key_id


def test_limits_count_the_requests_of_the_tools(new_service: Callable[..., Service]) -> None:
    tenant = make_tenant(new_service(LEADYARD_RATE_LIMITS="key=8/hour"))

    async def look(agent: Agent) -> dict[str, Any]:
        arguments = {"accountGroupId": tenant.account_group_id}
        while True:
            result = await agent.answer("list_audiences", arguments)
            if result.is_error:
                data: dict[str, Any] = result.structured_content
                return data

    try:
        refused = with_agent(tenant, look)
    except BaseExceptionGroup as group:
        # The last request counted was the one to /mcp itself.
        assert group.subgroup(MCPError) is not None or group.subgroup(httpx.HTTPError) is not None
    except MCPError:
        pass
    else:
        assert refused["error"]["code"] == "RATE_LIMITED"
        assert refused["error"]["retryAfterSeconds"] >= 1


def test_the_path_can_be_switched_off(new_service: Callable[..., Service]) -> None:
    tenant = make_tenant(new_service(LEADYARD_MCP="off"))
    refusal(post(tenant, HELLO), 404, "NOT_FOUND")


def test_a_service_loads_the_library_only_for_agents(tenant: Tenant) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import sys, leadyard.http.server, leadyard.agents.door; print('mcp' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout == "False\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        ([], {}, "Set LEADYARD_URL and LEADYARD_API_KEY, or give --account-group."),
        ([], {"LEADYARD_URL": "http://127.0.0.1:9"}, "LEADYARD_API_KEY: it is empty"),
        ([], {"LEADYARD_URL": "leads", "LEADYARD_API_KEY": "k"}, "LEADYARD_URL='leads': must be a URL"),
        (["--account-group", "0" * 24], {"LEADYARD_URL": "http://127.0.0.1:9"}, "Choose one of them."),
        (["--account-group", "0" * 24], {}, "The account group was not found."),
    ],
)
def test_a_wrong_start_says_what_to_set(
    arguments: list[str], environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEADYARD_")}
    done = subprocess.run(
        [sys.executable, "-m", "leadyard", "mcp", *arguments],
        env={**kept, "LEADYARD_DATA_DIR": str(tmp_path), **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2) and done.stdout == ""
    assert sentence in " ".join(done.stderr.replace("│", "").split())


@pytest.mark.parametrize("way_in", [STDIO_TO_SERVICE, STDIO_ON_DATABASE])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_while_its_input_is_open(tenant: Tenant, way_in: str, number: signal.Signals) -> None:
    program = start(tenant, way_in)
    assert program.stdin is not None and program.stdout is not None
    program.stdin.write(json.dumps(HELLO) + "\n")
    program.stdin.flush()
    assert json.loads(program.stdout.readline())["result"]["serverInfo"]["name"] == "leadyard"
    program.send_signal(number)
    assert program.wait(20) == 0


def start(tenant: Tenant, way_in: str) -> subprocess.Popen[str]:
    arguments, environment = stdio_command(tenant, way_in)
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def headers_of(tenant: Tenant) -> dict[str, str]:
    return {**ACCEPT, "Authorization": f"Bearer {tenant.key}"}


def post(tenant: Tenant, message: dict[str, Any], **headers: str) -> httpx.Response:
    return httpx.post(
        f"{tenant.service.base_url}/mcp", json=message, headers={**headers_of(tenant), **headers}, timeout=60
    )


def message_in(answer: httpx.Response) -> dict[str, Any]:
    """Returns the message in a stream of one event."""
    [line] = [each for each in answer.text.splitlines() if each.startswith("data: {")]
    message: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return message
