"""Whole copies of an SQLite database, there and back. PostgreSQL has programs of its own for that (docs/backup.md)."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from leadyard.errors import BackupRefused, ServiceUnavailable

Progress = Callable[[int, int], None]
"""Called with how many pages are copied and how many there are."""

_PAGES_A_STEP = 256  # a mebibyte of SQLite's usual pages
_WAIT_S = 30


def copy_to_new_file(database: Path, file: Path, progress: Progress) -> None:
    """Writes a copy of the database, as it is at this moment, to a file that must not exist. It is checked before it
    gets its name, and only its owner may read it. Raises BackupRefused and leaves nothing behind, or
    ServiceUnavailable when the database is locked.
    """
    if not database.is_file():
        raise BackupRefused(f"There is no database {database}. Check LEADYARD_DATABASE_URL and LEADYARD_DATA_DIR.")
    with _reserved(file) as part, _problems(file):
        with closing(_open(database)) as source, closing(sqlite3.connect(part, isolation_level=None)) as copy:
            # A read transaction of ours pins the moment. Without it every write of the service would start the copying
            # again from the first page, and under load it would never end.
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master").fetchone()
            source.backup(copy, pages=_PAGES_A_STEP, progress=_reporting(progress))
            # One file and no companions, so that it can be read from a place where nothing can be written.
            copy.execute("PRAGMA journal_mode=DELETE")
        check_integrity(part)
        _sync(part)


def check_integrity(file: Path) -> None:
    """Raises BackupRefused unless the file is an SQLite database without a fault."""
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}.")
    with closing(_open(file, mode="ro")) as connection, _problems(file):
        faults = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        broken_keys = connection.execute("PRAGMA foreign_key_check").fetchmany(3)
    if faults != ["ok"] or broken_keys:
        found = "; ".join(faults) if faults != ["ok"] else f"rows without the row they point to: {broken_keys}"
        raise BackupRefused(f"{file} is damaged ({found}). Take another copy.")


def copy_over(file: Path, database: Path, progress: Progress, *, even_if_in_it: bool) -> None:
    """Replaces the content of the database by that of the file, in one transaction: all of it or nothing.

    Raises BackupRefused while another process has the database open, and when there are account groups in it unless
    `even_if_in_it`.
    """
    with closing(_open(file, mode="ro")) as source, closing(_open(database, mode="rwc")) as target, _problems(database):
        _take_for_ourselves(target, database)
        groups = _count_account_groups(target)
        if groups and not even_if_in_it:
            raise BackupRefused(
                f"{database} holds {groups} account groups. Copy it away with 'leadyard backup', then say --force."
            )
        source.backup(target, pages=_PAGES_A_STEP, progress=_reporting(progress))


def _open(path: Path, *, mode: str = "rw") -> sqlite3.Connection:
    # By URI because only that can say "but do not make it".
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT_S)


def _take_for_ourselves(target: sqlite3.Connection, database: Path) -> None:
    """Whoever uses the database holds a shared lock for as long as it is connected, because of the WAL; leaving the WAL
    needs all locks. From the exclusive transaction on nobody comes in until we are gone."""
    try:
        target.execute("PRAGMA busy_timeout=200")
        target.execute("PRAGMA journal_mode=DELETE")
        target.execute("PRAGMA locking_mode=EXCLUSIVE")
        target.execute("BEGIN EXCLUSIVE")
        target.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        raise BackupRefused(f"{database} is in use. Stop every process of the service, then restore.") from None


def _count_account_groups(connection: sqlite3.Connection) -> int:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'account_groups'").fetchone():
        return 0
    count: int = connection.execute("SELECT count(*) FROM account_groups").fetchone()[0]
    return count


def _reporting(progress: Progress) -> Callable[[int, int, int], None]:
    def report(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            # Python would try again for ever.
            raise ServiceUnavailable("The database is locked; try again in a moment.", retry_after_s=_WAIT_S)
        progress(total - remaining, total)

    return report


@contextmanager
def _reserved(file: Path) -> Iterator[Path]:
    """Takes the name at once, so that two backups cannot both get it; fills it in one step, or takes it back."""
    try:
        file.touch(mode=0o600, exist_ok=False)
        number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except FileExistsError:
        raise BackupRefused(
            f"{file} is there already, and a backup never replaces anything. Choose another name."
        ) from None
    except OSError as error:
        raise BackupRefused(f"{file} cannot be written: {error.strerror}.") from None
    os.close(number)
    part = Path(name)
    try:
        yield part
        part.replace(file)
    except BaseException:
        for leftover in (file, part, Path(f"{part}-journal")):
            leftover.unlink(missing_ok=True)
        raise


@contextmanager
def _problems(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"{path}: {error}.") from error
    except OSError as error:
        raise BackupRefused(f"{path}: {error.strerror}.") from error


def _sync(file: Path) -> None:
    """What is called a backup must survive a power cut from then on."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
