"""Backup and restore: the copy shows one moment, whatever else goes on, and restoring never replaces intact data by
accident."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from leadyard.database import Database
from leadyard.errors import BackupRefused, ServiceUnavailable
from leadyard.ids import id_of, key_of, number_of
from leadyard.model import AudienceType, Caller, Profile
from leadyard.operations.audiences import create_audience
from leadyard.operations.backup import back_up
from leadyard.operations.moves import move_leads
from leadyard.operations.prospects import add_prospects
from leadyard.people.checking import check_profiles
from leadyard.store.db import open_database
from leadyard.store.db.sqlite_engine import open_file
from leadyard.store.schema import head_revision
from rig.commands import command, new_group
from rig.service import Service, on_database, run_sql
from rig.sqlite_file import open_sqlite
from rig.throwaway_postgres import system_directories, wheel_directory

PAGE = (Path(__file__).parents[2] / "docs" / "backup.md").read_text()
LEADS = 5_000


def blocks(section: str) -> list[str]:
    """Returns the two blocks of commands of a section of docs/backup.md: backup and restore."""
    text = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (chosen,) = [part for part in text if part.startswith(section)]
    found = re.findall(r"```bash\n(.*?)```", chosen, re.DOTALL)
    assert len(found) == 2, found
    return found


def run_as_documented(block: str, *, url: str, folder: Path, programs: Path | None) -> str:
    path = [str(Path(sys.executable).parent), *([str(programs)] if programs else []), os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env={**os.environ, "PATH": os.pathsep.join(path), "LEADYARD_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def programs_for(url: str) -> Path:
    """Returns the folder of a pg_dump of the server's own version, or of the oldest newer version."""
    version = int(run_sql(url, "SHOW server_version_num")[0][0]) // 10_000
    wheel = wheel_directory()
    on_path = shutil.which("pg_dump")
    places = [*system_directories(), *([wheel] if wheel else []), *([Path(on_path).parent] if on_path else [])]
    fit: list[tuple[int, Path]] = []
    for place in places:
        if not (place / "pg_dump").exists():
            continue
        said = subprocess.run([place / "pg_dump", "--version"], capture_output=True, text=True, check=True).stdout
        match = re.search(r"\(PostgreSQL\) (\d+)", said)
        if match and int(match[1]) >= version:
            fit.append((int(match[1]), place))
    assert fit, f"no pg_dump for PostgreSQL {version} in {places}"
    return min(fit, key=lambda each: each[0])[1]


@dataclass
class Yard:
    """An account group with two audiences, between which all leads are moved back and forth, some at a time."""

    url: str
    group: str
    audiences: tuple[str, str] = ("", "")
    lead_ids: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)

    async def fill(self, db: Database) -> None:
        caller = Caller.operator(self.group)
        first = await create_audience(db, caller, name="here", type=AudienceType.ON_DEMAND, description=None)
        second = await create_audience(db, caller, name="there", type=AudienceType.ON_DEMAND, description=None)
        self.audiences = (first.id, second.id)
        profiles = [Profile(email=f"lead-{n}@example.com", headline="x" * 400) for n in range(LEADS)]
        for start in range(0, LEADS, 500):
            await add_prospects(db, caller, audience_id=first.id, checked=check_profiles(profiles[start : start + 500]))

    async def move_some(self, db: Database) -> None:
        """The n-th round moves a slice of 50 over. Once all slices are there, the same slices go back."""
        turn, slice_number = divmod(len(self.moves), LEADS // 50)
        source, target = self.audiences if turn % 2 == 0 else reversed(self.audiences)
        done = await move_leads(
            db,
            Caller.operator(self.group),
            source_audience_id=source,
            target_audience_id=target,
            lead_ids=self.lead_ids[slice_number * 50 : slice_number * 50 + 50],
        )
        self.moves.append(done.move.id)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Moves without a pause for as long as the block runs."""
        stop, failed = threading.Event(), []

        async def work() -> None:
            db = open_database(self.url, pool_size=2, wait_s=30)
            try:
                while not stop.is_set():
                    await self.move_some(db)
            finally:
                await db.close()

        def run() -> None:
            import asyncio

            try:
                asyncio.run(work())
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
        assert not failed, failed

    def expect_one_moment(self, url: str) -> int:
        """Checks that the database has exactly the state after some number of moves. Returns that number."""
        healthy = command("doctor", "--json", url=url)
        assert healthy.code == 0, healthy
        recorded = run_sql(
            url, "SELECT id FROM changes WHERE account_group_id = $1 AND kind = 'move'", number_of(self.group)
        )
        found = [id_of(row[0]) for row in recorded]
        assert set(found) == set(self.moves[: len(found)]), "the moves of the copy are not the first ones made"
        turn, slices = divmod(len(found), LEADS // 50)
        there = slices * 50 if turn % 2 == 0 else LEADS - slices * 50
        counts = dict(
            run_sql(url, "SELECT id, prospect_count FROM audiences WHERE account_group_id = $1", number_of(self.group))
        )
        one, other = (key_of(audience) for audience in self.audiences)
        assert counts == {one: LEADS - there, other: there}
        return len(found)


@pytest.fixture
def yard(migrated_database: Callable[[], str]) -> Yard:
    url = migrated_database()
    made = Yard(url, new_group(url))
    on_database(url, made.fill)
    asked = "SELECT id FROM leads WHERE account_group_id = $1 ORDER BY id"
    made.lead_ids = [id_of(row[0]) for row in run_sql(url, asked, number_of(made.group))]
    assert len(made.lead_ids) == LEADS
    return made


@pytest.fixture
def small(tmp_path: Path) -> str:
    """An embedded database with one account group, closed."""
    url = f"sqlite:///{tmp_path}/small.db"
    new_group(url)
    return url


def groups_in(file: Path) -> int:
    with closing(open_sqlite(f"sqlite:///{file}")) as connection:
        count: Any = connection.execute("SELECT count(*) FROM account_groups").get
        return int(count)


def test_the_documented_commands_under_load(
    yard: Yard, new_database: Callable[[], str], tmp_path: Path, backend: str
) -> None:
    programs = programs_for(yard.url) if backend == "postgresql" else None
    back, restore = blocks("PostgreSQL" if backend == "postgresql" else "SQLite")
    with yard.busy():
        run_as_documented(back, url=yard.url, folder=tmp_path, programs=programs)
        at_the_end = len(yard.moves)
    restored = new_database()
    said = run_as_documented(restore, url=restored, folder=tmp_path, programs=programs)
    assert "Healthy: 1 account group" in said
    in_the_copy = yard.expect_one_moment(restored)
    assert at_the_end > 0, "nothing moved while the backup was made"
    assert in_the_copy <= at_the_end
    assert yard.expect_one_moment(yard.url) == len(yard.moves)


def test_writing_between_two_steps_changes_nothing_in_the_copy(yard: Yard, tmp_path: Path, backend: str) -> None:
    """The backup copies step by step, and a moving service can write between two steps."""
    if backend == "postgresql":
        command("backup", str(tmp_path / "copy"), url=yard.url).refused(1, "PostgreSQL", "docs/backup.md")
        return
    on_database(yard.url, yard.move_some)
    steps = []

    def between(done: int, total: int) -> None:
        steps.append((done, total))
        thread = threading.Thread(target=lambda: on_database(yard.url, yard.move_some))
        thread.start()
        thread.join(30)

    copy = tmp_path / "copy.db"
    made = back_up(yard.url, file=copy, progress=between)
    assert len(steps) >= 3, steps
    assert [done for done, _ in steps] == sorted({done for done, _ in steps}), "it never began again"
    assert len(yard.moves) == 1 + len(steps)
    assert yard.expect_one_moment(f"sqlite:///{copy}") == 1
    assert made.size_bytes > 1_000_000


def test_a_backup_is_private_and_alone(small: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    done = command("backup", str(file), url=small)
    assert done.code == 0, done
    assert re.fullmatch(rf"Backed up to {file}: \d+ bytes, schema \d{{4}}, checked.\n", done.out)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.glob("*copy*")) == ["copy.db"]
    assert command("backup", str(tmp_path / "second.db"), "--json", url=small).json() == {
        "file": str(tmp_path / "second.db"),
        "sizeBytes": file.stat().st_size,
        "revision": head_revision(),
    }
    again = command("backup", str(file), "--json", url=small)
    assert (again.code, again.json()["error"]["code"]) == (1, "BACKUP_REFUSED")
    assert groups_in(file) == 1


def test_a_backup_that_fails_leaves_nothing_behind(small: str, tmp_path: Path) -> None:
    command("backup", str(tmp_path / "none" / "copy.db"), url=small).refused(1, "cannot be written")
    command("backup", str(tmp_path / "copy.db"), url=f"sqlite:///{tmp_path}/absent.db").refused(1, "does not exist")
    assert not (tmp_path / "absent.db").exists()

    def interrupted(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(small, file=tmp_path / "copy.db", progress=interrupted)
    damage(Path(small.removeprefix("sqlite:///")))
    command("backup", str(tmp_path / "copy.db"), url=small).refused(1, "damaged")
    assert list(tmp_path.glob("*copy*")) == []


def damage(database: Path) -> None:
    """A row that refers to a missing row, as a careless edit leaves. The pages are intact, the content is not."""
    with closing(open_sqlite(f"sqlite:///{database}", foreign_keys=False)) as connection:
        connection.execute("INSERT INTO api_key_account_groups (account_group_id, api_key_id) VALUES ('x', 'y')")


def test_a_backup_does_not_migrate(tmp_path: Path) -> None:
    """A backup is made before an upgrade, perhaps with the new version. The old version must still be able to use
    both."""
    url = f"sqlite:///{tmp_path}/old.db"
    new_group(url)
    run_sql(url, "UPDATE alembic_version SET version_num = '0001'")
    assert command("backup", str(tmp_path / "copy.db"), "--json", url=url).json()["revision"] == "0001"
    assert run_sql(url, "SELECT version_num FROM alembic_version") == [("0001",)]


def test_restoring_into_nothing_and_over_something(small: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    assert command("backup", str(file), url=small).code == 0
    empty = tmp_path / "elsewhere" / "new.db"
    done = command("restore", str(file), "--json", url=f"sqlite:///{empty}")
    assert (done.code, done.json()["file"]) == (0, str(file))
    assert groups_in(empty) == 1

    new_group(small, "Made after the backup")
    command("restore", str(file), url=small).refused(1, "2 account groups", "--force")
    assert command("account-groups", "list", url=small).out.count("\n") == 2
    assert command("restore", str(file), "--force", url=small).code == 0
    assert command("account-groups", "list", url=small).out.count("\n") == 1
    assert command("doctor", url=small).code == 0


def test_what_is_no_backup_is_refused(small: str, tmp_path: Path) -> None:
    database = Path(small.removeprefix("sqlite:///"))
    before = run_sql(small, "SELECT id FROM account_groups")
    text, torn, foreign, newer = (tmp_path / name for name in ("text.db", "torn.db", "foreign.db", "newer.db"))
    text.write_text("no database at all " * 100)
    assert command("backup", str(newer), url=small).code == 0
    torn.write_bytes(newer.read_bytes()[: newer.stat().st_size // 2])
    with closing(open_sqlite(f"sqlite:///{foreign}")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    run_sql(f"sqlite:///{newer}", "UPDATE alembic_version SET version_num = '9999'")
    for file in (tmp_path / "absent.db", text, torn, foreign, newer):
        done = command("restore", str(file), "--force", url=small)
        done.refused(1, "9999" if file == newer else str(file))
    assert run_sql(small, "SELECT id FROM account_groups") == before
    text.rename(database)
    assert command("backup", str(tmp_path / "of-text.db"), url=small).code == 1
    assert not (tmp_path / "of-text.db").exists()


def test_a_running_service_is_not_restored_over(
    new_service: Callable[..., Service], migrated_database: Callable[[], str], tmp_path: Path, backend: str
) -> None:
    if backend == "postgresql":
        command("restore", "x.db", url="postgresql://h/db").refused(1, "PostgreSQL", "docs/backup.md")
        return
    url = migrated_database()
    new_group(url)
    file = tmp_path / "copy.db"
    assert command("backup", str(file), url=url).code == 0
    service = new_service(database_url=url)
    command("restore", str(file), "--force", url=url).refused(1, "in use", "Stop every process")
    service.stop()
    assert command("restore", str(file), "--force", url=url).code == 0
    service.start()
    assert service.doctor()["healthy"]
    service.stop()


def test_a_locked_database_is_not_waited_for_for_ever(small: str, tmp_path: Path) -> None:
    from leadyard.store.db import sqlite_copy

    file = tmp_path / "copy.db"
    with closing(open_sqlite(small)) as source, closing(open_file(file, mode="rwc", wait_s=0.1)) as target:
        with closing(open_file(file, wait_s=0)) as other, pytest.raises(ServiceUnavailable, match="locked"):
            other.execute("BEGIN EXCLUSIVE")
            sqlite_copy._copy(source, target, lambda _done, _total: None)
        sqlite_copy._copy(source, target, lambda _done, _total: None)
    assert groups_in(file) == 1
    with pytest.raises(BackupRefused):
        back_up("postgresql://h/db", file=tmp_path / "x", progress=lambda _done, _total: None)
