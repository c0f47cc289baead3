"""The SQLite library: what it can do, its known faults, and checkpoints that avoid the worst of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from leadyard.store.db import Statement, open_database, sqlite_engine
from leadyard.store.db.sqlite_connection import SqliteConnection
from leadyard.store.db.sqlite_engine import LoneCheckpoints, fetch, known_faults, open_file

WIDE_ROW = Statement("INSERT INTO wide (content) VALUES (:content)", across_groups=True)


def test_the_library_has_the_fix_and_what_the_statements_need(tmp_path: Path) -> None:
    assert known_faults() == []
    with closing(open_file(tmp_path / "x.db", mode="rwc", wait_s=1)) as connection:
        fetch(connection, "CREATE TABLE s (text)")
        returned = fetch(
            connection, "INSERT INTO s (text) SELECT value FROM json_each('[\"Lovelace\"]') RETURNING text"
        )
        assert returned == [{"text": "Lovelace"}]
        assert fetch(connection, "SELECT text FROM s WHERE instr(text, 'vela')") == returned


@pytest.mark.parametrize(
    ("version", "word"),
    [
        ("3.7.0", "WAL-reset"),
        ("3.40.1", "WAL-reset"),
        ("3.44.5", "WAL-reset"),
        ("3.44.6", ""),
        ("3.45.0", "WAL-reset"),
        ("3.50.6", "WAL-reset"),
        ("3.50.7", ""),
        ("3.51.2", "WAL-reset"),
        ("3.51.3", ""),
        ("3.52.0", "withdrew"),
        ("3.53.0", ""),
        ("3.54.1", ""),
    ],
)
def test_known_faults_by_version(version: str, word: str) -> None:
    faults = known_faults(version)
    assert len(faults) == (1 if word else 0)
    assert all(word in fault for fault in faults)


def on_connection(path: Path, work: Callable[[apsw.Connection], Any], *, for_writing: bool) -> Any:
    async def run() -> Any:
        connection = SqliteConnection(path, for_writing=for_writing)
        try:
            await connection.open()
            return await connection.visit(work)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.parametrize("for_writing", [True, False])
def test_the_settings_of_a_connection(tmp_path: Path, for_writing: bool) -> None:
    """Erased people stay in no free page, and an answered move survives a power failure, whatever the library's own
    defaults are."""

    def read(connection: apsw.Connection) -> dict[str, Any]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout", "temp_store")
        return {name: connection.pragma(name) for name in names}

    assert on_connection(tmp_path / "x.db", read, for_writing=for_writing) == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
        "temp_store": 2 if for_writing else 0,
    }


# ------------------------------------------------------------------------------------------ one checkpoint at a time


@pytest.fixture
def older_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that reports a version with the WAL-reset bug."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    assert sqlite_engine.must_checkpoint_alone()


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    path = tmp_path / "wide.db"
    with closing(open_file(path, mode="rwc", wait_s=1)) as connection:
        fetch(connection, "PRAGMA journal_mode=WAL")
        fetch(connection, "CREATE TABLE wide (content BLOB)")
    return path


def write_mebibytes(path: Path, count: int) -> int:
    """Writes through the service's own code. Returns the longest WAL that was seen, in bytes."""
    longest = 0

    def note_length() -> None:
        nonlocal longest
        longest = max(longest, Path(f"{path}-wal").stat().st_size)

    async def run() -> None:
        db = open_database(f"sqlite:///{path}", pool_size=1, wait_s=5)
        try:
            for _ in range(count):
                async with db.write(None) as tx:
                    await tx.run(WIDE_ROW, content=bytes(1_048_576))
                note_length()
        finally:
            await db.close()

    asyncio.run(run())
    return longest


@pytest.mark.usefixtures("older_library")
def test_the_wal_stays_short_with_an_older_library(wide: Path) -> None:
    assert write_mebibytes(wide, 20) < 8 * 1_048_576
    with closing(open_file(wide, wait_s=1)) as connection:
        assert connection.execute("PRAGMA wal_autocheckpoint").get == 0
        assert connection.execute("SELECT count(*) FROM wide").get == 20


@pytest.mark.usefixtures("older_library")
def test_no_connection_commits_beside_a_checkpoint(wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals: list[type[Exception]] = []
    checkpoint = apsw.Connection.wal_checkpoint

    class Watched(apsw.Connection):
        def wal_checkpoint(self, *arguments: Any, **named: Any) -> tuple[int, int]:
            with closing(open_file(wide, wait_s=0)) as other, pytest.raises(apsw.BusyError) as refused:
                other.execute("BEGIN IMMEDIATE")
            refusals.append(refused.type)
            return checkpoint(self, *arguments, **named)

    monkeypatch.setattr(apsw, "Connection", Watched)
    write_mebibytes(wide, 9)
    assert refusals


@pytest.mark.usefixtures("older_library")
def test_a_checkpoint_waits_for_no_writer(wide: Path) -> None:
    with closing(open_file(wide, wait_s=0)) as writer, closing(open_file(wide, wait_s=0)) as other:
        checkpoints = LoneCheckpoints(writer, wide)
        fetch(writer, "INSERT INTO wide VALUES (zeroblob(6000000))")
        size = wide.stat().st_size
        fetch(other, "BEGIN IMMEDIATE")
        checkpoints.make_if_due()
        assert wide.stat().st_size == size
        fetch(other, "ROLLBACK")
        checkpoints.make_if_due()
        assert wide.stat().st_size > size + 5_000_000


def test_a_current_library_checkpoints_by_itself(wide: Path) -> None:
    assert write_mebibytes(wide, 20) < 8 * 1_048_576
    read = partial(fetch, sql="PRAGMA wal_autocheckpoint")
    assert on_connection(wide, read, for_writing=True) == [{"wal_autocheckpoint": 1000}]
    assert not sqlite_engine.must_checkpoint_alone()
