"""A full or broken disk: writers get an error, the operator reads the reason, no data is damaged, and the service
recovers without help.

The disk is filled by a limit on the size of files, which needs no privilege. SQLite (in the service's process) then has
a write that ends early, as on a full disk, and after that errors of the file system. PostgreSQL is made to treat such a
limit as a full disk.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from leadyard.database import Database
from leadyard.errors import Internal
from leadyard.model import AudienceType, Caller
from leadyard.operations.account_groups import create_account_group, list_account_groups
from leadyard.operations.audiences import create_audience, get_audience
from leadyard.store import schema
from leadyard.store.db import failures
from rig.racing import Session, on_postgresql_only, wait_until
from rig.service import Service, Tenant, make_tenant, on_database
from rig.sqlite_file import open_sqlite
from rig.throwaway_postgres import ThrowawayPostgres

NOISE = "".join(chr(0x4E00 + (n * 7919) % 20000) for n in range(600))  # A text that compresses badly.


def people(first: int) -> list[dict[str, str]]:
    return [{"email": f"{first + n}@example.com", "about": NOISE[n % 300 :] + str(first + n)} for n in range(100)]


def limit_file_size(pid: int, size: int) -> None:
    """Limits how big a file the process may write."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def fill(tenant: Tenant, audience: str) -> httpx.Response:
    """Adds people until an answer is not a success, and returns that answer."""
    for first in range(0, 20_000, 100):
        answer = tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people(first)})
        if answer.status_code != 200:
            return answer
    raise AssertionError("the disk does not become full")


def assert_told(service: Service, answer: httpx.Response, *events: str) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert "Nothing was changed." in answer.json()["error"]["details"]
    assert int(answer.headers["Retry-After"]) > 0
    trace_id = answer.json()["traceId"]
    (line,) = (line for line in service.log_lines() if line.get("trace_id") == trace_id and line["event"] in events)
    assert line["level"] == "error"
    assert line["advice"].endswith(".")


def assert_whole(tenant: Tenant, audience: str, before: int) -> None:
    """Every batch is there wholly or not at all, and everything works again."""
    count = tenant.count(audience)
    assert count % 100 == before
    assert len(tenant.members(audience)) == count >= 100
    other = tenant.create_audience("Other")
    assert tenant.move(audience, other, tenant.members(audience)[:50]).status_code == 200
    assert tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people(90_000)}).status_code == 200
    assert tenant.service.doctor()["healthy"]
    assert [line for line in tenant.service.log_lines() if line["event"] == "unhandled_error"] == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_sqlite_on_a_full_disk(new_service: Callable[..., Service]) -> None:
    # Without the statements, so that the log stays below the limit, because a different disk is full.
    service = new_service(LEADYARD_LOG_LEVEL="info")
    tenant = make_tenant(service)
    audience = tenant.create_audience()
    assert service.process is not None
    path = Path(service.database_url.removeprefix("sqlite:///"))
    # No whole page fits under this limit, so the last write ends in the middle of a page.
    limit_file_size(service.process.pid, Path(f"{path}-wal").stat().st_size + 3_000_000 + 100)
    assert_told(service, fill(tenant, audience), "database_disk_full", "database_io_error")
    refused = tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people(50_000)})
    assert_told(service, refused, "database_disk_full", "database_io_error")
    assert tenant.client.get(f"/audiences/{audience}/prospects").status_code == 200
    limit_file_size(service.process.pid, resource.RLIM_INFINITY)
    assert_whole(tenant, audience, before=0)
    tenant.client.close()
    service.stop()


def test_a_damaged_sqlite_file_is_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'leadyard.db'}"
    asyncio.run(schema.migrate(url))
    group = on_database(url, lambda db: create_account_group(db, name="Acme"))
    who = Caller.operator(group.id)
    audience = on_database(
        url, lambda db: create_audience(db, who, name="A", type=AudienceType.ON_DEMAND, description=None)
    )
    log = Mock()
    monkeypatch.setattr(failures, "_log", log)
    with closing(open_sqlite(url)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page: Any = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audiences'").get
    with (tmp_path / "leadyard.db").open("r+b") as damaged:
        damaged.seek((page - 1) * 4096)
        damaged.write(b"\xa5" * 4096)

    def read(db: Database) -> Awaitable[object]:
        return get_audience(db, who, audience_id=audience.id)

    with pytest.raises(Internal):
        on_database(url, read)
    assert log.error.call_args.args == ("database_corrupt",)
    assert log.error.call_args.kwargs["detail"] == "SQLITE_CORRUPT"
    assert [each.name for each in on_database(url, list_account_groups)] == ["Acme"]


@pytest.fixture
def small_disk() -> Iterator[ThrowawayPostgres]:
    """A PostgreSQL whose write-ahead log comes in small pieces, so that a small limit hits its tables first."""
    with ThrowawayPostgres(fsync=False, wal_segment_mb=1) as server:
        yield server


def limit(server: ThrowawayPostgres, size: str) -> None:
    # As the server's own user, because in some containers not even root may limit a process of another user.
    done = server.user.run("prlimit", "--pid", str(server.pid), f"--fsize={size}:unlimited")
    assert done.returncode == 0, done.stdout


@on_postgresql_only
@pytest.mark.usefixtures("backend")
def test_postgresql_on_a_full_disk(small_disk: ThrowawayPostgres, log_dir: Path) -> None:
    url = small_disk.create_database("small")
    asyncio.run(schema.migrate(url))
    service = Service(url, log_dir, {"LEADYARD_LOG_LEVEL": "info"})
    # All connections of the service are new, so they take over the limit.
    limit(small_disk, "2000100")
    service.start()
    try:
        tenant = make_tenant(service)
        audience = tenant.create_audience()
        assert_told(service, fill(tenant, audience), "database_disk_full")
        assert tenant.client.get(f"/audiences/{audience}/prospects").status_code == 200
        limit(small_disk, "unlimited")
        with Session(small_disk.url) as admin:
            # The only way to give running processes more room is to end them.
            ours = "FROM pg_stat_activity WHERE application_name = 'leadyard'"
            assert all(is_gone for (is_gone,) in admin.run(f"SELECT pg_terminate_backend(pid, 30000) {ours}"))
        wait_until(lambda: tenant.client.get("/audiences").status_code == 200, "it recovers without help")
        assert_whole(tenant, audience, before=0)
        tenant.client.close()
    finally:
        service.stop()
