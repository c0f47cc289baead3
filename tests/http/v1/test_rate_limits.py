"""Rate limits as a client sees them: headers, weights, whose requests count together, one count for all processes.

The counts do not depend on the database, so these services run on SQLite alone.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard.ids import new_id
from leadyard.store import schema
from rig.answers import UNKNOWN_ID, data_of, refusal
from rig.racing import wait_until
from rig.service import Service, Tenant, make_key, make_tenant
from rig.throwaway_redis import ThrowawayRedis
from rig.watching import scraped

Start = Callable[..., Service]
_ITEM = re.compile(r'"([a-z0-9-]+)"((?:;[a-z]+=\d+)+)')


@pytest.fixture(scope="module")
def start(log_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A function that starts a service with these rate limits and settings."""
    services: list[Service] = []

    def make(limits: str, *arguments: str, **environment: str) -> Service:
        url = f"sqlite:///{tmp_path_factory.mktemp('limits')}/leadyard.db"
        asyncio.run(schema.migrate(url))
        service = Service(url, log_dir, {"LEADYARD_RATE_LIMITS": limits, **environment})
        services.append(service)
        return service.start(*arguments)

    yield make
    for service in services:
        service.stop()


@pytest.fixture(scope="module")
def hourly(start: Start) -> Service:
    """Windows longer than these tests run, so that no quota comes back."""
    return start("key=30/hour;group=50/hour;address=400/day;guesses=3/hour", LEADYARD_TRUSTED_PROXIES="127.0.0.1")


_numbers = iter(range(1, 255))


@pytest.fixture
def limited(hourly: Service) -> Iterator[Tenant]:
    """A tenant whose requests have their own address."""
    tenant = make_tenant(hourly)
    tenant.client.headers["X-Forwarded-For"] = f"203.0.113.{next(_numbers)}"
    yield tenant
    tenant.client.close()


def structured(value: str) -> dict[str, dict[str, int]]:
    """Returns the list of strings with whole numbers as parameters, as RFC 9651 writes it: `"a";q=1;w=2, "b";q=3`."""
    items: dict[str, dict[str, int]] = {}
    for part in value.split(", "):
        match = _ITEM.fullmatch(part)
        assert match, value
        assert match[1] not in items
        items[match[1]] = {name: int(number) for name, _, number in (p.partition("=") for p in match[2][1:].split(";"))}
    return items


def told(answer: httpx.Response) -> tuple[dict[str, Any], dict[str, Any]]:
    policy, left = structured(answer.headers["RateLimit-Policy"]), structured(answer.headers["RateLimit"])
    assert list(policy) == list(left)
    assert all(set(each) == {"q", "w"} for each in policy.values())
    assert all(set(each) == {"r", "t"} for each in left.values())
    assert all(left[name]["r"] <= policy[name]["q"] and left[name]["t"] <= policy[name]["w"] for name in left)
    return policy, left


# ------------------------------------------------------------------------------------------------------------- headers


def test_every_answer_tells_what_is_left(limited: Tenant) -> None:
    policy, left = told(limited.client.get("/audiences"))
    assert policy == {"key": {"q": 30, "w": 3600}, "group": {"q": 50, "w": 3600}}
    assert left == {"key": {"r": 29, "t": 120}, "group": {"r": 49, "t": 72}}
    refused = limited.client.post("/audiences", json={})
    refusal(refused, 400, "VALIDATION_ERROR")
    assert told(refused)[1]["key"]["r"] == 28
    for answer in (limited.client.get("/nothing"), limited.client.put("/audiences"), limited.client.get("/../../../x")):
        assert answer.status_code in (404, 405)
        assert list(told(answer)[0]) == ["address"]
    for path in ("/docs", "/openapi.json", "/nowhere"):
        answer = limited.client.get(limited.service.base_url + path)
        assert told(answer)[0] == {"address": {"q": 400, "w": 86400}}
    without = limited.client.get("/audiences", headers={"Authorization": ""})
    refusal(without, 401, "UNAUTHORIZED")
    assert list(told(without)[0]) == ["address", "guesses"]
    foreign = limited.client.get(f"{limited.service.base_url}/v1/accounts/{UNKNOWN_ID}/audiences")
    refusal(foreign, 403, "FORBIDDEN")
    assert list(told(foreign)[0]) == ["key"], "quotas do not disclose which groups exist either"


def test_a_service_without_limits_tells_none(service: Service) -> None:
    answer = httpx.get(f"{service.base_url}/v1/accounts")
    assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in answer.headers


# --------------------------------------------------------------------------------------------------- whose requests


def test_keys_of_one_group_share_its_quota_and_other_groups_have_their_own(limited: Tenant) -> None:
    second = make_key(limited.service.database_url, [limited.account_group_id])[1]
    other = make_tenant(limited.service)
    both = make_key(limited.service.database_url, [limited.account_group_id, other.account_group_id])[1]
    for _ in range(30):
        data_of(limited.client.get("/audiences"))
    refused = limited.client.get("/audiences")
    assert "This key may send 30" in refusal(refused, 429, "RATE_LIMITED")["details"]
    assert told(refused)[1]["key"] == {"r": 0, "t": int(refused.headers["Retry-After"])}, "both contain the same time"
    with_second = {"Authorization": f"Bearer {second}"}
    for _ in range(20):
        data_of(limited.client.get("/audiences", headers=with_second))
    refused = limited.client.get("/audiences", headers=with_second)
    assert "All keys together" in refusal(refused, 429, "RATE_LIMITED")["details"]
    assert told(refused)[1]["key"]["r"] == 10
    assert told(refused)[1]["group"]["r"] == 0
    with_both = {"Authorization": f"Bearer {both}"}
    refusal(limited.client.get("/audiences", headers=with_both), 429, "RATE_LIMITED")
    url = f"{limited.service.base_url}/v1/accounts/{other.account_group_id}/audiences"
    data_of(limited.client.get(url, headers=with_both))


def test_an_address_is_limited_before_anybody_asks_for_its_key(start: Start) -> None:
    """Without trusted proxies no client can pretend to have another address, not even on this very machine."""
    service = start("address=5/hour")
    url = f"{service.base_url}/v1/accounts"
    statuses = [
        httpx.get(url, headers={"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"})
        for number in range(6)
    ]
    # The wait for the start of the service has used one request of this address.
    assert [answer.status_code for answer in statuses] == [401] * 4 + [429] * 2
    tenant = make_tenant(service)
    started = len(service.log_lines())
    refused = tenant.client.get("/audiences")
    assert "This address may send 5 in 3600 s" in refusal(refused, 429, "RATE_LIMITED")["details"]
    assert told(refused)[1]["address"]["r"] == 0
    for path in ("/docs", "/nowhere", "/v1/nowhere"):
        refusal(httpx.get(service.base_url + path), 429, "RATE_LIMITED")
    # The housekeeping, which no request starts, has no trace id.
    asked = [line["event"] for line in service.log_lines()[started:] if "trace_id" in line]
    assert asked == ["request"] * 4, "no statement was sent"


def test_a_trusted_proxy_tells_the_addresses_apart(hourly: Service) -> None:
    url = f"{hourly.base_url}/v1/accounts"

    def left(*forwarded: str) -> int:
        headers = [("X-Forwarded-For", value) for value in forwarded]
        remaining: int = told(httpx.get(url, headers=headers))[1]["address"]["r"]
        return remaining

    first = left("198.51.100.1")
    assert (left("198.51.100.2"), left("198.51.100.1"), left("198.51.100.9, 198.51.100.1")) == (399, 398, 397)
    assert left("198.51.100.9", "198.51.100.1") == 396
    assert first == 399
    assert (left("2001:db8::1"), left("2001:db8::2"), left("2001:db8:0:1::1")) == (399, 398, 399)


def test_guessing_keys_is_limited_and_a_known_key_still_gets_in(limited: Tenant) -> None:
    data_of(limited.client.get("/audiences"))
    guess = f"sk_live_{'0' * 56}"
    for secret in (
        guess,
        "hunter2",
        make_key(limited.service.database_url, [limited.account_group_id], expires_at=1)[1],
    ):
        wrong = limited.client.get("/audiences", headers={"Authorization": f"Bearer {secret}"})
        refusal(wrong, 401, "UNAUTHORIZED")
        assert list(told(wrong)[0]) == ["address", "guesses"]
    refused = limited.client.get("/audiences", headers={"Authorization": f"Bearer {guess}"})
    assert "wrong keys" in refusal(refused, 429, "RATE_LIMITED")["details"]
    assert told(refused)[1]["guesses"]["r"] == 0
    data_of(limited.client.get("/audiences"))
    time.sleep(3.1)
    # By now the remembered key must be looked up in the database again.
    data_of(limited.client.get("/audiences"))
    refusal(limited.client.get("/audiences", headers={"Authorization": f"Bearer {guess}"}), 429, "RATE_LIMITED")
    elsewhere = {"Authorization": f"Bearer {guess}", "X-Forwarded-For": "198.51.100.77"}
    refusal(limited.client.get("/audiences", headers=elsewhere), 401, "UNAUTHORIZED")


def test_who_sends_no_key_does_not_guess(limited: Tenant) -> None:
    for _ in range(5):
        refusal(limited.client.get("/audiences", headers={"Authorization": ""}), 401, "UNAUTHORIZED")


# -------------------------------------------------------------------------------------------------------------- weights


def test_a_move_of_many_leads_weighs_more(limited: Tenant) -> None:
    def left_after(leads: int) -> int:
        body = {"targetAudienceId": new_id(), "leadIds": [new_id() for _ in range(leads)]}
        answer = limited.client.post(f"/audiences/{new_id()}/move-leads", json=body)
        refusal(answer, 404, "NOT_FOUND")
        remaining: int = told(answer)[1]["key"]["r"]
        return remaining

    assert [left_after(leads) for leads in (1, 99, 100, 250, 1000)] == [29, 28, 26, 23, 12]


def test_what_does_not_fit_is_refused_before_the_work(limited: Tenant) -> None:
    audience = limited.create_audience()
    people = [{"firstName": "A", "email": f"{number}@example.com"} for number in range(1000)]
    path = f"/audiences/{audience}/prospects"
    assert data_of(limited.client.post(path, json={"prospects": people}))["added"] == 1000
    refused = limited.client.post(path, json={"prospects": people * 3})
    refusal(refused, 429, "RATE_LIMITED")
    assert told(refused)[1]["key"]["r"] == 17, "a refused move counts as one request, without its leads"
    assert refused.json()["error"]["details"].endswith(
        f"Wait {refused.headers['Retry-After']} s and send the request again."
    )


def test_the_largest_move_fits_into_the_smallest_quota(start: Start) -> None:
    service = start("key=2/second;group=3/second")
    tenant = make_tenant(service)
    body = {"targetAudienceId": new_id(), "leadIds": [new_id() for _ in range(10_000)]}
    path = f"/audiences/{new_id()}/move-leads"
    refusal(tenant.client.post(path, json=body), 404, "NOT_FOUND")
    for _ in range(2):
        # If a second is over before the next body has been sent, the next move fits as well; so go on until one does
        # not.
        for _ in range(30):
            refused = tenant.client.post(path, json=body)
            if refused.status_code == 429:
                break
        refusal(refused, 429, "RATE_LIMITED")
        time.sleep(int(refused.headers["Retry-After"]))
        refusal(tenant.client.post(path, json=body), 404, "NOT_FOUND")


def test_waiting_as_long_as_told_is_enough(start: Start) -> None:
    """Both at the start, where only the length of the body is known, and after the body has been read."""
    # A quota so small that even a slow machine uses it up before it comes back. A move of 700 leads weighs 8.
    tenant = make_tenant(start("key=10/second;3000/hour;group=50/second"))
    path, body = f"/audiences/{new_id()}/move-leads", {"targetAudienceId": new_id(), "leadIds": [new_id()] * 700}
    for at_the_door in (False, True):
        answer = tenant.client.post(path, json=body)
        while answer.status_code != 429:
            answer = tenant.client.post(path, json=body)
        while at_the_door and told(answer)[1]["key-1s"]["r"]:
            answer = tenant.client.get("/audiences")
        if at_the_door:
            answer = tenant.client.post(path, json=body)
        refusal(answer, 429, "RATE_LIMITED")
        assert int(answer.headers["Retry-After"]) in [each["t"] for each in told(answer)[1].values()]
        time.sleep(int(answer.headers["Retry-After"]))
        refusal(tenant.client.post(path, json=body), 404, "NOT_FOUND")


# ------------------------------------------------------------------------------------------------------- with Redis


def get(tenant: Tenant) -> httpx.Response:
    """A request on a new connection, which any of the processes may accept."""
    with tenant.new_client() as client:
        return client.get("/audiences")


def test_several_processes_count_together_in_redis(start: Start, redis_url: str) -> None:
    service = start("key=40/hour", "--workers", "2", LEADYARD_REDIS_URL=redis_url)
    for _ in range(10):
        tenant = make_tenant(service)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _, tenant=tenant: get(tenant), range(100)))
        statuses = sorted(answer.status_code for answer in answers)
        if statuses == [200] * 40 + [429] * 60:
            break
        # Redis has 50 ms to answer. On a machine that is busy with other tests it does not always succeed, and then a
        # process counts alone. Processes that never count together would accept up to twice as many every time.
        time.sleep(1)
    assert statuses == [200] * 40 + [429] * 60
    left = sorted(told(answer)[1]["key"]["r"] for answer in answers if answer.status_code == 200)
    assert left == list(range(40)), "no two answers are the same, so both processes count in one place"


def test_without_redis_the_service_goes_on_and_says_so_once(start: Start) -> None:
    """On a machine that is busy with other tests Redis may be late, or a request, although the service is right; see
    above."""
    for attempt in range(4):
        try:
            return go_on_without_redis(start)
        except AssertionError:
            if attempt == 3:
                raise
            time.sleep(1)
    return None


def go_on_without_redis(start: Start) -> None:
    with ThrowawayRedis() as redis:
        service = start("key=100000/hour", LEADYARD_REDIS_URL=redis.url, LEADYARD_ADMIN_PORT="0")
        tenant = make_tenant(service)
        answers: list[tuple[int, float]] = []
        stop = threading.Event()

        def ask() -> None:
            with tenant.new_client() as client:
                while not stop.is_set():
                    started = time.perf_counter()
                    status = client.get("/audiences").status_code
                    answers.append((status, time.perf_counter() - started))
                    time.sleep(0.005)

        def events(name: str) -> int:
            return sum(line["event"] == name for line in service.log_lines(while_busy=True))

        def told_of(name: str, times: int) -> bool:
            return events(name) >= times

        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        try:
            for times in (1, 2):
                time.sleep(0.3)
                redis.kill()
                wait_until(partial(told_of, "rate_limit_storage_lost", times), "the log tells it", within_s=10)
                # Long enough for a second line, if each request logged one.
                time.sleep(0.3)
                assert events("rate_limit_storage_lost") == times
                assert scraped(service)["leadyard_rate_limits_alone"] == 1
                in_memory = told(get(tenant))[1]["key"]["r"]
                assert in_memory > 90_000
                redis.start()
                wait_until(partial(told_of, "rate_limit_storage_back", times), "the log tells it", within_s=10)
        finally:
            stop.set()
            for client in clients:
                client.join()
        assert {status for status, _ in answers} == {200}
        assert len(answers) > 100
        slow = sorted(seconds for _, seconds in answers)[-1]
        assert slow < 2, f"a request took {slow:.2f} s"
        assert (events("rate_limit_storage_lost"), events("rate_limit_storage_back")) == (2, 2)
        # They concern all requests. A reader who follows the trace of one must not find events of minutes later.
        storage = [line for line in service.log_lines() if str(line["event"]).startswith("rate_limit_storage")]
        assert not any("trace_id" in line for line in storage)
        told_by_metrics = scraped(service)
        assert told_by_metrics["leadyard_rate_limits_alone"] == 0
        assert told_by_metrics["leadyard_rate_limit_storage_losses_total"] == 2
        assert not any(line["event"] == "unhandled_error" for line in service.log_lines())


def test_a_service_starts_without_its_redis_and_never_tells_its_password(start: Start) -> None:
    with ThrowawayRedis() as redis:
        url = redis.url.replace("redis://", "redis://:hush@")
    service = start("key=2/hour", LEADYARD_REDIS_URL=url)
    tenant = make_tenant(service)
    assert [get(tenant).status_code for _ in range(3)] == [200, 200, 429]
    assert "hush" not in service.log_file.read_text()
