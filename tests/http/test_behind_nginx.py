"""The service behind a real nginx: pauses around the idle times, and restarts of either while clients work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from rig.behind_proxy import import_during, move_during, post_around, restart
from rig.nginx import Nginx
from rig.service import Service, Tenant, WorkerProcess, make_tenant

pytestmark = pytest.mark.needs_nginx
# As in production the proxy gives up an idle connection before the service does.
SERVICE_IDLE_S = 3
NGINX_IDLE_S = 2


@pytest.fixture(scope="module")
def tenant(new_service: Callable[..., Service]) -> Tenant:
    return make_tenant(new_service(LEADYARD_IDLE_TIMEOUT_S=str(SERVICE_IDLE_S)))


@pytest.fixture
def nginx(tenant: Tenant, tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path, service_port=tenant.service.port, idle_s=NGINX_IDLE_S) as proxy:
        yield proxy


def test_an_idle_connection_is_kept_for_the_time_of_the_setting(tenant: Tenant) -> None:
    limits = httpx.Limits(keepalive_expiry=60)
    transport = httpx.HTTPTransport(limits=limits)
    with httpx.Client(base_url=tenant.client.base_url, headers=tenant.client.headers, transport=transport) as client:
        ports = []
        for pause_s in (0, SERVICE_IDLE_S - 1, SERVICE_IDLE_S + 1):
            time.sleep(pause_s)
            answer = client.get("/audiences")
            ports.append(answer.extensions["network_stream"].get_extra_info("client_addr")[1])
    assert ports[0] == ports[1] != ports[2]


def test_no_request_is_lost_around_the_idle_times(tenant: Tenant, nginx: Nginx) -> None:
    post_around(tenant, nginx, (NGINX_IDLE_S, SERVICE_IDLE_S))


@pytest.mark.parametrize("part", ["nginx", "service"])
def test_no_move_is_lost_or_repeated_by_a_restart(tenant: Tenant, nginx: Nginx, part: str) -> None:
    move_during(tenant, nginx, nginx.restart if part == "nginx" else restart(tenant.service))


def test_imports_and_lists_survive_restarts(
    tenant: Tenant, nginx: Nginx, new_worker: Callable[..., WorkerProcess]
) -> None:
    new_worker(tenant.service)
    own = make_tenant(tenant.service)
    import_during(own, nginx, restart(tenant.service), nginx.restart)
