"""A host that has only IPv6: the service, its admin port and its PostgreSQL listen on ::1 and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx

from rig.answers import data_of
from rig.racing import on_postgresql_only
from rig.service import Service, leadyard, make_tenant
from rig.tcp_postgres import TcpPostgres
from rig.watching import admin_url


class Ipv6Service(Service):
    """A service that the clients of the tests reach by its IPv6 address."""

    @property
    def base_url(self) -> str:
        return f"http://[::1]:{self.port}"


def move_one_lead(service: Service) -> None:
    tenant = make_tenant(service)
    source, target = tenant.create_audience(), tenant.create_audience()
    [lead] = tenant.add_leads(source, 1)
    answer = tenant.move(source, target, [lead])
    assert (answer.status_code, data_of(answer)["movedCount"]) == (200, 1)
    assert (tenant.count(source), tenant.count(target)) == (0, 1)
    assert service.doctor()["healthy"]
    tenant.client.close()


def test_the_service_and_its_admin_port(migrated_database: Callable[[], str], log_dir: Path) -> None:
    admin = {"LEADYARD_ADMIN_HOST": "::1", "LEADYARD_ADMIN_PORT": "0"}
    service = Ipv6Service(migrated_database(), log_dir, admin).start("--host", "::1")
    try:
        move_one_lead(service)
        assert admin_url(service).startswith("http://[::1]:")
        assert httpx.get(f"{admin_url(service)}/readyz").status_code == 200
        assert f"Leadyard is running on http://[::1]:{service.port}" in service.log_file.read_text()
    finally:
        service.stop()


@on_postgresql_only
def test_postgresql(backend: str, log_dir: Path) -> None:
    with TcpPostgres(settings={"listen_addresses": "::1"}) as server:
        url = server.url_of("postgres", f"[::1]:{server.port}")
        migrated = leadyard("migrate", url=url)
        assert migrated.returncode == 0, migrated.stderr
        service = Ipv6Service(url, log_dir).start("--host", "::1")
        try:
            move_one_lead(service)
        finally:
            service.stop()
