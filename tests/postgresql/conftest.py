"""Servers on a port of 127.0.0.1, for what the shared throwaway server cannot show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadyard.store import schema
from rig.racing import wait_until
from rig.service import Service, run_sql
from rig.tcp_postgres import Standby, TcpPostgres

REPLICATING = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"


@dataclass(frozen=True)
class Pair:
    """A primary with a synchronous standby, and a migrated database on both."""

    primary: TcpPostgres
    standby: Standby

    def url(self, query: str = "?target_session_attrs=read-write") -> str:
        """Returns the usual URL of both servers, the primary first."""
        return self.primary.url_of("leadyard", self.primary.address, self.standby.address, query=query)


@pytest.fixture(scope="module")
def server(backend: str) -> Iterator[TcpPostgres]:
    """A server that the tests of a file share."""
    assert backend == "postgresql"
    with TcpPostgres() as made:
        yield made


@pytest.fixture
def pair(backend: str) -> Iterator[Pair]:
    """A new pair: each failover needs its own. An answer of the primary means that the standby has the change."""
    assert backend == "postgresql"
    with TcpPostgres() as primary:
        asyncio.run(schema.migrate(primary.create_database("leadyard")))
        with Standby(primary) as standby:
            wait_until(lambda: run_sql(primary.url, REPLICATING), "the standby follows the primary")
            # Now, so that the standby waits for no other one when it is a primary.
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()")
            yield Pair(primary, standby)


@pytest.fixture
def new_failing_service(log_dir: Path) -> Iterator[Callable[..., Service]]:
    """A function that starts a service on a URL, with an admin port and short limits. Keyword arguments become its
    settings."""
    services: list[Service] = []

    def make(url: str, **environment: str) -> Service:
        settings = {"LEADYARD_ADMIN_PORT": "0", "LEADYARD_REQUEST_TIMEOUT_S": "4", "LEADYARD_DATABASE_WAIT_S": "5"}
        service = Service(url, log_dir, {**settings, **environment})
        services.append(service)
        return service.start()

    yield make
    for service in services:
        service.stop()
