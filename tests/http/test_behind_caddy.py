"""The service behind a real Caddy with the configuration that we ship."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from rig.answers import data_of, refusal
from rig.behind_proxy import import_during, move_during, post_around, restart
from rig.caddy import Caddy
from rig.service import Service, Tenant, WorkerProcess, make_tenant

pytestmark = pytest.mark.needs_caddy
# As in production the proxy gives up an idle connection before the service does.
SERVICE_IDLE_S = 3
CADDY_IDLE_S = 2


@pytest.fixture(scope="module")
def tenant(new_service: Callable[..., Service]) -> Tenant:
    return make_tenant(new_service(LEADYARD_IDLE_TIMEOUT_S=str(SERVICE_IDLE_S), LEADYARD_TRUSTED_PROXIES="127.0.0.1"))


@pytest.fixture
def caddy(tenant: Tenant, tmp_path: Path) -> Iterator[Caddy]:
    with Caddy(tmp_path, service_port=tenant.service.port, idle_s=CADDY_IDLE_S) as proxy:
        yield proxy


@pytest.fixture
def browser(tenant: Tenant, caddy: Caddy) -> Iterator[httpx.Client]:
    """A client of the proxy that repeats nothing."""
    with httpx.Client(
        base_url=f"{caddy.base_url}/v1/accounts/{tenant.account_group_id}",
        headers={"Authorization": f"Bearer {tenant.key}"},
        verify=False,
    ) as client:
        yield client


def test_no_request_is_lost_around_the_idle_times(tenant: Tenant, caddy: Caddy) -> None:
    post_around(tenant, caddy, (CADDY_IDLE_S, SERVICE_IDLE_S))


@pytest.mark.parametrize("part", ["caddy", "service"])
def test_no_move_is_lost_or_repeated_by_a_restart(tenant: Tenant, caddy: Caddy, part: str) -> None:
    move_during(tenant, caddy, caddy.restart if part == "caddy" else restart(tenant.service))


def test_imports_and_lists_survive_restarts(
    tenant: Tenant, caddy: Caddy, new_worker: Callable[..., WorkerProcess]
) -> None:
    new_worker(tenant.service)
    import_during(make_tenant(tenant.service), caddy, restart(tenant.service), caddy.restart)


def test_a_body_that_is_too_big_hurts_no_other_client(browser: httpx.Client) -> None:
    """With `max_size` and `fail_duration` Caddy avoided the process for 5 s, and all clients got 503."""
    for _ in range(3):
        for headers, status, code in (({}, 413, "BODY_TOO_LARGE"), ({"Authorization": ""}, 401, "UNAUTHORIZED")):
            body = iter([b" " * 65_536] * 48)
            sent = browser.post("/audiences", content=body, headers={"Content-Type": "application/json", **headers})
            refusal(sent, status, code)
            data_of(browser.get("/audiences"))


def test_an_upload_that_is_broken_off_hurts_no_other_client(browser: httpx.Client) -> None:
    """With `fail_duration` Caddy 2.11 avoided the process for 5 s, and all clients got 503."""

    def half() -> Iterator[bytes]:
        yield b"Email\n" + b"ada@example.com\n" * 20_000
        raise ConnectionAbortedError

    for _ in range(3):
        with pytest.raises(ConnectionAbortedError):
            browser.post("/uploads", content=half(), headers={"Content-Type": "text/csv"})
        for _ in range(5):
            data_of(browser.get("/audiences"))


def test_a_big_upload_arrives(browser: httpx.Client) -> None:
    body = b"Email\n" + b"ada@example.com\n" * 300_000
    arrived = data_of(browser.post("/uploads", content=body, headers={"Content-Type": "text/csv"}), 201)
    assert arrived["sizeBytes"] == len(body)


def test_the_address_of_the_client_counts_and_cannot_be_invented(
    new_service: Callable[..., Service], tmp_path: Path
) -> None:
    service = new_service(LEADYARD_RATE_LIMITS="address=6/hour", LEADYARD_TRUSTED_PROXIES="127.0.0.1,::1")
    with Caddy(tmp_path, service_port=service.port, idle_s=CADDY_IDLE_S) as proxy:
        statuses = [
            httpx.get(
                f"{proxy.base_url}/v1/accounts",
                headers={"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"},
                verify=False,
            ).status_code
            for number in range(8)
        ]
    assert (statuses[0], statuses[-2:]) == (401, [429, 429])


@pytest.mark.needs_curl_http2
def test_clients_of_caddy_use_http_2(tenant: Tenant, caddy: Caddy) -> None:
    url = f"{caddy.base_url}/v1/accounts/{tenant.account_group_id}/audiences"
    done = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--insecure", "--http2", "--output", "/dev/null"),
            *("--header", f"Authorization: Bearer {tenant.key}", "--header", "Content-Type: application/json"),
            *("--data", '{"name": "curl", "type": "on_demand"}', "--write-out", "%{http_code} %{http_version}", url),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "201 2", done.stderr
