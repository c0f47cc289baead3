"""Keys in several processes: a revocation reaches each within five seconds, and a request does not write a key's
use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.ids import key_of
from leadyard.operations.key_uses import KeyUses
from leadyard.worker import key_uses
from rig.commands import command
from rig.service import Service, Tenant, make_key, make_tenant, on_database, run_sql

CONNECTIONS = 12


@pytest.fixture
def two_processes(migrated_database: Callable[[], str], log_dir: Path) -> Iterator[Service]:
    service = Service(migrated_database(), log_dir).start("--workers", "2")
    yield service
    service.stop()


def last_used_at(url: str, api_key_id: str) -> int | None:
    ((value,),) = run_sql(url, "SELECT last_used_at FROM api_keys WHERE id = $1", key_of(api_key_id))
    return None if value is None else int(value)


def statements(service: Service) -> list[str]:
    return [line["sql"] for line in service.log_lines() if line["event"] == "statement"]


def ask_everywhere(tenant: Tenant, clients: list[httpx.Client]) -> list[int]:
    return [client.get("/audiences").status_code for client in clients]


def test_a_revoked_key_is_refused_by_every_process_within_five_seconds(two_processes: Service) -> None:
    tenant = make_tenant(two_processes)
    # A connection stays with the process that accepted it. With this many, each process has some.
    clients = [tenant.new_client() for _ in range(CONNECTIONS)]
    used_from = now_ms()
    for _ in range(5):
        assert ask_everywhere(tenant, clients) == [200] * CONNECTIONS
    used_until = now_ms()
    looked_up = sum("FROM api_keys" in text for text in statements(two_processes))
    assert looked_up < CONNECTIONS, "most requests must not look up the key in the database"
    assert not any("UPDATE api_keys" in text for text in statements(two_processes))

    revoked = command("keys", "revoke", tenant.api_key_id, url=two_processes.database_url)
    assert revoked.code == 0
    revoked_at = sent_at = time.monotonic()
    while set(statuses := ask_everywhere(tenant, clients)) != {401}:
        # By the time when they were sent, however long they took.
        assert sent_at - revoked_at < 5, statuses
        used_until = now_ms()
        time.sleep(0.1)
        sent_at = time.monotonic()

    assert last_used_at(two_processes.database_url, tenant.api_key_id) is None
    two_processes.stop()
    used_at = last_used_at(two_processes.database_url, tenant.api_key_id)
    assert used_at is not None, "the service writes unwritten uses when it stops"
    assert used_from <= used_at <= used_until
    for client in [*clients, tenant.client]:
        client.close()


def test_a_rotated_key_without_overlap_ends_within_five_seconds(service: Service) -> None:
    tenant = make_tenant(service)
    assert tenant.client.get("/audiences").status_code == 200
    url = service.database_url
    rotated = command("keys", "rotate", tenant.api_key_id, "--overlap", "0", "--json", url=url).json()
    started = sent_at = time.monotonic()
    heir = tenant.new_client(rotated["key"])
    assert heir.get("/audiences").status_code == 200
    while tenant.client.get("/audiences").status_code == 200:
        assert sent_at - started < 5
        time.sleep(0.1)
        sent_at = time.monotonic()
    heir.close()
    tenant.client.close()


# ------------------------------------------------------------------------------------------------------ last used


def test_uses_are_written_together_and_the_later_one_wins(service: Service) -> None:
    url = service.database_url
    tenant = make_tenant(service)
    tenant.client.close()
    early, late = tenant.api_key_id, make_key(url, [tenant.account_group_id])[0]
    unused = make_key(url, [tenant.account_group_id])[0]
    in_the_future = now_ms() + 3_600_000
    run_sql(url, "UPDATE api_keys SET last_used_at = 5 WHERE id = $1", key_of(early))
    run_sql(url, "UPDATE api_keys SET last_used_at = $1 WHERE id = $2", in_the_future, key_of(late))

    async def write(db: Database) -> tuple[int, int]:
        uses = KeyUses()
        for key_id in (early, late, early):
            uses.note(key_id)
        return await uses.write(db), await uses.write(db)

    assert on_database(url, write) == (2, 0), "a use is written once"
    used_at = last_used_at(url, early)
    assert used_at is not None
    assert abs(used_at - now_ms()) < 10_000
    assert last_used_at(url, late) == in_the_future
    assert last_used_at(url, unused) is None


def test_what_could_not_be_written_is_kept(service: Service) -> None:
    tenant = make_tenant(service)
    tenant.client.close()
    uses = KeyUses()
    uses.note(tenant.api_key_id)

    class OutOfReach:
        def write(self, _account_group_id: str | None) -> None:
            raise ServiceUnavailable("Down.", retry_after_s=1)

    with pytest.raises(ServiceUnavailable):
        asyncio.run(uses.write(OutOfReach()))  # type: ignore[arg-type]
    assert on_database(service.database_url, uses.write) == 1
    assert last_used_at(service.database_url, tenant.api_key_id) is not None


def test_the_worker_writes_now_and_then_and_once_more_at_the_end(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_uses, "_WRITE_EVERY_S", 0.05)
    url = service.database_url
    tenant = make_tenant(service)
    tenant.client.close()
    other = make_key(url, [tenant.account_group_id])[0]

    async def run(db: Database) -> None:
        uses = KeyUses()
        work = asyncio.create_task(key_uses.keep_key_uses(db, uses))
        uses.note(tenant.api_key_id)
        async with asyncio.timeout(30):
            while await asyncio.to_thread(last_used_at, url, tenant.api_key_id) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert await uses.write(db) == 0, "the worker has written it"
        uses.note(other)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    on_database(url, run)
    assert last_used_at(url, tenant.api_key_id) is not None
    assert last_used_at(url, other) is not None
