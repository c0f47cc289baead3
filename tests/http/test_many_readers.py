"""500 readers that wait for events cost little memory and no database connection, and are woken quickly."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadyard.http.admission.readers import MAX_READERS_PER_KEY
from leadyard.model import Permission
from rig.racing import soon
from rig.service import Service, Tenant, make_tenant, run_sql

READERS = 500
MOST_MIB = 40
WITHIN_S = 0.3


@pytest.fixture(scope="module")
def tenant_of_many(new_service: Callable[..., Service]) -> Iterator[Tenant]:
    service = new_service(LEADYARD_LOG_LEVEL="info")
    yield make_tenant(service)
    service.stop()


class Waiting:
    """Readers on plain sockets, so that the client costs nothing: half of them wait for a page, half read a stream."""

    def __init__(self, tenant: Tenant, count: int) -> None:
        self.tenant = tenant
        self.count = count
        self._sockets: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        keys_needed = -(-count // MAX_READERS_PER_KEY)
        self._keys = [tenant.key_with(Permission.AUDIENCES_READ) for _ in range(keys_needed)]

    async def open(self) -> None:
        for number in range(self.count):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.tenant.service.port)
            is_stream = number % 2 == 0
            head = (
                f"GET /v1/accounts/{self.tenant.account_group_id}/events?wait=30 HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {self._keys[number // MAX_READERS_PER_KEY]}\r\n"
                f"Accept: {'text/event-stream' if is_stream else 'application/json'}\r\n\r\n"
            )
            writer.write(head.encode())
            self._sockets.append((reader, writer))
            if is_stream:
                await reader.readuntil(b"heartbeat")

    async def all_get(self, text: bytes) -> list[float]:
        """Returns when each of them had read the text, on the clock of time.monotonic."""

        async def one(reader: asyncio.StreamReader) -> float:
            await reader.readuntil(text)
            return time.monotonic()

        return await asyncio.gather(*(one(reader) for reader, _ in self._sockets))

    async def close(self) -> None:
        for _, writer in self._sockets:
            writer.close()
        self._sockets.clear()


def resident_mib(service: Service) -> float:
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


async def create_audience(tenant: Tenant) -> tuple[str, float]:
    """Returns the id of a new audience, and when the client had the answer."""
    answer = await asyncio.to_thread(tenant.client.post, "/audiences", json={"name": "x", "type": "on_demand"})
    return json.loads(answer.text)["data"]["id"], time.monotonic()


def test_waiting_readers_cost_little_and_are_woken_soon(tenant_of_many: Tenant) -> None:
    tenant, service = tenant_of_many, tenant_of_many.service

    few, many = Waiting(tenant, 20), Waiting(tenant, READERS)

    async def scene() -> float:
        await few.open()
        await create_audience(tenant)
        await few.close()
        await asyncio.sleep(0.5)
        before = resident_mib(service)
        await many.open()
        await asyncio.sleep(1)
        grown = resident_mib(service) - before
        assert grown <= MOST_MIB, f"{READERS} readers took {grown:.1f} MiB"
        if service.is_postgresql:
            in_use = await asyncio.to_thread(
                run_sql,
                service.database_url,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
                " AND pid <> pg_backend_pid() AND application_name = 'leadyard'",
            )
            assert in_use[0][0] <= 2
        waiting = asyncio.create_task(many.all_get(b"audience.created"))
        await asyncio.sleep(0.1)
        _, committed = await create_audience(tenant)
        arrived = await asyncio.wait_for(waiting, 30)
        await many.close()
        print(
            f"{READERS} readers: {grown:.1f} MiB, the first had it after {min(arrived) - committed:.3f} s,"
            f" the last after {max(arrived) - committed:.3f} s"
        )
        return max(arrived) - committed

    soon(2, lambda: asyncio.run(scene()))


def test_one_reader_is_woken_within_the_limit(tenant_of_many: Tenant, new_service: Callable[..., Service]) -> None:
    """Also by a commit of another process, which only the look at the database finds."""
    tenant = tenant_of_many
    other = new_service(database_url=tenant.service.database_url, LEADYARD_LOG_LEVEL="info")
    elsewhere = Tenant(other, tenant.account_group_id, tenant.api_key_id, tenant.key)

    def attempt(by: Tenant) -> float:
        one = Waiting(tenant, 1)

        async def scene() -> float:
            await one.open()
            waiting = asyncio.create_task(one.all_get(b"audience.created"))
            await asyncio.sleep(0.5)
            _, committed = await create_audience(by)
            [arrived] = await asyncio.wait_for(waiting, 30)
            await one.close()
            return arrived - committed

        return asyncio.run(scene())

    try:
        attempt(elsewhere)
        soon(WITHIN_S, lambda: attempt(tenant), attempts=5)
        soon(WITHIN_S, lambda: attempt(elsewhere), attempts=5)
    finally:
        other.stop()
