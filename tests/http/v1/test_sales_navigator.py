"""GET {g}/sales-navigator/lead-lists and /saved-searches: passed on from the provider, whose failures are 503s."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from leadyard.model import Permission
from rig.answers import data_of, refusal, violations
from rig.providers import TOKEN, Stage, made_up, staged_provider
from rig.service import Service, Tenant, make_tenant

LISTS = ["lead-lists", "saved-searches"]
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# How long the hasty service waits for its provider; the other one waits as long as necessary.
MODEST, PATIENT = 0.5, 60


@dataclass
class Scene:
    """A service with a provider, and a tenant there."""

    service: Service
    tenant: Tenant
    stage: Stage


def settings_for(stage: Stage, timeout_s: float) -> dict[str, str]:
    return {
        "LEADYARD_PROVIDER_URL": f"{stage.url}/",
        "LEADYARD_PROVIDER_TOKEN": TOKEN,
        "LEADYARD_PROVIDER_TIMEOUT_S": str(timeout_s),
    }


@pytest.fixture(scope="module")
def scenery(new_service: Callable[..., Service]) -> Iterator[Scene]:
    with staged_provider(made_up(10)) as stage:
        service = new_service(**settings_for(stage, PATIENT))
        yield Scene(service, make_tenant(service), stage)


@pytest.fixture(scope="module")
def hasty(scenery: Scene, new_service: Callable[..., Service]) -> Tenant:
    service = new_service(**settings_for(scenery.stage, MODEST))
    return make_tenant(service)


@pytest.fixture
def scene(scenery: Scene) -> Scene:
    scenery.stage.fail()
    scenery.stage.canned = None
    scenery.stage.asked.clear()
    return scenery


@pytest.mark.parametrize("name", LISTS)
def test_without_a_provider_there_is_no_source(tenant: Tenant, name: str) -> None:
    error = refusal(tenant.client.get(f"/sales-navigator/{name}"), 422, "SOURCE_NOT_CONFIGURED")
    assert "LEADYARD_PROVIDER_URL" in error["details"]
    # Faults of the request itself come first.
    assert violations(tenant.client.get(f"/sales-navigator/{name}", params={"limit": 0})) == {("limit", "TOO_SMALL")}
    reader = tenant.new_client(tenant.key_with(Permission.PROSPECTS_READ))
    assert "prospecting:read" in refusal(reader.get(f"/sales-navigator/{name}"), 403, "FORBIDDEN")["details"]


def test_the_lists_of_the_provider(scene: Scene) -> None:
    found = data_of(scene.tenant.client.get("/sales-navigator/lead-lists"))
    assert found == {
        "items": [
            {"id": "people-all", "name": "people: everybody", "leadCount": 10},
            {"id": "people-first-half", "name": "people: first half", "leadCount": 5},
            {"id": "people-second-half", "name": "people: second half", "leadCount": 5},
        ],
        "nextCursor": None,
        "hasMore": False,
    }
    searches = data_of(scene.tenant.client.get("/sales-navigator/saved-searches"))
    assert [each["id"] for each in searches["items"]] == ["people-every-second", "people-first-ten"]


def test_the_provider_is_told_who_asks_and_the_trace(scene: Scene) -> None:
    client = scene.tenant.client
    data_of(client.get("/sales-navigator/lead-lists", params={"limit": 200}, headers={"traceparent": TRACEPARENT}))
    data_of(client.get("/sales-navigator/saved-searches", headers={"traceparent": "00-wrong-01"}))
    first, second = scene.stage.asked
    assert first["path"] == "/v1/sales-navigator/lead-lists"
    assert first["query"] == f"accountGroupId={scene.tenant.account_group_id}&limit=200"
    assert first["authorization"] == f"Bearer {TOKEN}"
    assert first["traceparent"] == TRACEPARENT
    assert "traceparent" not in second
    # The key of our own client must not reach the provider.
    assert scene.tenant.key not in json.dumps(scene.stage.asked)


@pytest.mark.parametrize(("name", "count"), [("lead-lists", 3), ("saved-searches", 2)])
def test_page_by_page(scene: Scene, name: str, count: int) -> None:
    items = scene.tenant.walk(f"/sales-navigator/{name}", 1)
    assert len({item["id"] for item in items}) == len(items) == count
    assert len(scene.stage.asked) == count


def test_a_cursor_is_that_of_its_list_and_account_group(scene: Scene) -> None:
    cursor = data_of(scene.tenant.client.get("/sales-navigator/lead-lists", params={"limit": 1}))["nextCursor"]
    # A cursor of the provider itself is not valid here.
    for path, client, used in (
        ("/sales-navigator/saved-searches", scene.tenant.client, cursor),
        ("/sales-navigator/lead-lists", make_tenant(scene.service).client, cursor),
        ("/sales-navigator/lead-lists", scene.tenant.client, "from-1"),
    ):
        assert violations(client.get(path, params={"cursor": used})) == {("cursor", "WRONG_CURSOR")}
    assert len(scene.stage.asked) == 1


def test_the_longest_cursor_a_provider_may_have(scene: Scene) -> None:
    client, longest = scene.tenant.client, "~" * 400
    scene.stage.canned = json.dumps({"items": [{"id": "1", "name": "One"}], "nextCursor": longest})
    found = data_of(client.get("/sales-navigator/lead-lists"))
    assert found["items"] == [{"id": "1", "name": "One", "leadCount": None}]
    scene.stage.canned = json.dumps({"items": [], "nextCursor": None})
    assert data_of(client.get("/sales-navigator/lead-lists", params={"cursor": found["nextCursor"]}))["items"] == []
    assert f"cursor={longest}" in scene.stage.asked[1]["query"].replace("%7E", "~")
    over = {"cursor": found["nextCursor"] + "A"}
    assert violations(client.get("/sales-navigator/lead-lists", params=over)) == {("cursor", "TOO_LONG")}

    scene.stage.canned = json.dumps({"items": [], "nextCursor": longest + "~"})
    error = refusal(client.get("/sales-navigator/lead-lists"), 503, "PROVIDER_UNAVAILABLE")
    assert error["reason"] == "PROVIDER_GARBAGE"
    assert "breaks the protocol" in error["details"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("fail", "reason", "retry_after"),
    [
        ("500", "PROVIDER_ERROR", 5),
        ("429", "PROVIDER_RATE_LIMITED", 1),
        ("drop", "PROVIDER_UNREACHABLE", 5),
        ("garbage", "PROVIDER_GARBAGE", 5),
    ],
)
def test_trouble_of_the_provider(scene: Scene, name: str, fail: str, reason: str, retry_after: int) -> None:
    scene.stage.fail(f"{fail}:first=1")
    assert_trouble(scene.tenant.client.get(f"/sales-navigator/{name}"), reason, retry_after)
    data_of(scene.tenant.client.get(f"/sales-navigator/{name}"))


@pytest.mark.parametrize("name", LISTS)
def test_a_provider_that_does_not_answer_in_time(scene: Scene, hasty: Tenant, name: str) -> None:
    scene.stage.fail("timeout:first=1")
    started = time.monotonic()
    answer = hasty.client.get(f"/sales-navigator/{name}")
    assert MODEST <= time.monotonic() - started < MODEST + 20
    assert_trouble(answer, "PROVIDER_TIMEOUT", 5)
    data_of(scene.tenant.client.get(f"/sales-navigator/{name}"))


def assert_trouble(answer: httpx.Response, reason: str, retry_after: int) -> None:
    error = refusal(answer, 503, "PROVIDER_UNAVAILABLE")
    assert error["reason"] == reason
    assert int(answer.headers["Retry-After"]) == retry_after
    assert error["details"].startswith("The prospect provider")


@pytest.mark.parametrize(
    "canned",
    [
        {"items": [{"id": str(n), "name": "x"} for n in range(4)], "nextCursor": None},
        {"items": [{"id": "", "name": "x"}], "nextCursor": None},
        {"items": [{"id": 7, "name": "x"}], "nextCursor": None},
        {"items": [{"id": "7"}], "nextCursor": None},
        {"items": [{"id": "7", "name": "x", "leadCount": -1}], "nextCursor": None},
        {"items": []},
        {"items": [], "nextCursor": "sp ace"},
        {"leads": "secret of somebody"},
        [],
    ],
    ids=range(9),
)
def test_what_breaks_the_protocol_is_not_handed_on(scene: Scene, canned: object) -> None:
    scene.stage.canned = json.dumps(canned)
    answer = scene.tenant.client.get("/sales-navigator/lead-lists", params={"limit": 3})
    assert refusal(answer, 503, "PROVIDER_UNAVAILABLE")["reason"] == "PROVIDER_GARBAGE"
    assert not re.search("secret|_Prospect|BaseModel", answer.text)


def test_the_log_tells_the_code_and_no_secret(scene: Scene) -> None:
    """At debug level, at which our libraries log most."""
    scene.stage.fail("500:first=1")
    refusal(scene.tenant.client.get("/sales-navigator/lead-lists"), 503, "PROVIDER_UNAVAILABLE")
    troubles = [line for line in scene.service.log_lines() if line["event"] == "provider_trouble"]
    assert troubles[-1]["code"] == "PROVIDER_ERROR"
    assert troubles[-1]["call"] == "v1/sales-navigator/lead-lists"
    assert len(troubles[-1]["trace_id"]) == 32
    log = scene.service.log_file.read_text()
    assert TOKEN not in log
    assert "Traceback" not in log
