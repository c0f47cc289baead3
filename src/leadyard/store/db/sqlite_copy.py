"""Backs up and restores a whole SQLite database. PostgreSQL has its own programs for this (docs/backup.md)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from leadyard.counted import counted
from leadyard.errors import BackupRefused, ServiceUnavailable
from leadyard.store.db.sqlite_engine import fetch, open_file
from leadyard.store.db.sqlite_errors import is_busy

Progress = Callable[[int, int], None]
"""Called with the number of copied pages and the number of all pages."""

_PAGES_A_STEP = 256  # a mebibyte of SQLite's usual pages
_WAIT_S = 30


def copy_to_new_file(database: Path, file: Path, progress: Progress) -> None:
    """Writes a copy of the current database to a file that must not exist. The copy is checked before it gets its name,
    and only its owner may read it. Raises BackupRefused, or ServiceUnavailable if the database is locked, and then
    leaves no file behind.
    """
    if not database.is_file():
        raise BackupRefused(f"{database} does not exist. Check LEADYARD_DATABASE_URL and LEADYARD_DATA_DIR.")
    with _reserved(file) as part, _problems(file):
        with closing(open_file(database, wait_s=_WAIT_S)) as source, closing(open_file(part, wait_s=_WAIT_S)) as copy:
            # Our own read transaction pins the snapshot. Without it, each write of the service would restart the copy
            # from the first page, and under load the copy would never finish.
            source.execute("BEGIN")
            fetch(source, "SELECT 1 FROM sqlite_master LIMIT 1")
            _copy(source, copy, progress)
            # A single file without a WAL beside it, so that it can be read from a read-only folder.
            fetch(copy, "PRAGMA journal_mode=DELETE")
        check_integrity(part)
        _sync(part)


def check_integrity(file: Path) -> None:
    """Raises BackupRefused unless the file is an intact SQLite database."""
    if not file.is_file():
        raise BackupRefused(f"{file} does not exist.")
    with closing(open_file(file, mode="ro", wait_s=_WAIT_S)) as connection, _problems(file):
        faults = [row["integrity_check"] for row in fetch(connection, "PRAGMA integrity_check(3)")]
        broken_keys = fetch(connection, "PRAGMA foreign_key_check")[:3]
    if faults != ["ok"] or broken_keys:
        found = "; ".join(faults) if faults != ["ok"] else f"rows that refer to a missing row: {broken_keys}"
        raise BackupRefused(f"{file} is damaged ({found}). Take another copy.")


def copy_over(file: Path, database: Path, progress: Progress, *, even_if_in_it: bool) -> None:
    """Replaces the content of the database with the content of the file, in one transaction: all of it or nothing.

    Raises BackupRefused while another process has the database open, and if it contains account groups unless
    `even_if_in_it` is set.
    """
    with (
        closing(open_file(file, mode="ro", wait_s=_WAIT_S)) as source,
        closing(open_file(database, mode="rwc", wait_s=_WAIT_S)) as target,
        _problems(database),
    ):
        _take_for_ourselves(target, database)
        groups = _count_account_groups(target)
        if groups and not even_if_in_it:
            raise BackupRefused(
                f"{database} contains {counted(groups, 'account group')}. Save a copy with 'leadyard backup', then use "
                "--force."
            )
        _copy(source, target, progress)


def _copy(source: apsw.Connection, target: apsw.Connection, progress: Progress) -> None:
    """Copies all pages. Raises ServiceUnavailable if another connection locks the database for too long."""
    with target.backup("main", source, "main") as copying:
        while not copying.done:
            try:
                copying.step(_PAGES_A_STEP)
            except (apsw.BusyError, apsw.LockedError) as error:
                raise ServiceUnavailable(
                    "The database is locked. Try again in a moment.", retry_after_s=_WAIT_S
                ) from error
            progress(copying.page_count - copying.remaining, copying.page_count)


def _take_for_ourselves(target: apsw.Connection, database: Path) -> None:
    """Locks out all other processes until our connection closes, or raises BackupRefused. Because of the WAL, each
    connected process holds a shared lock, and switching the WAL off needs all locks. After the exclusive transaction no
    other process can connect."""
    try:
        target.set_busy_timeout(200)
        for command in ("PRAGMA journal_mode=DELETE", "PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE", "COMMIT"):
            fetch(target, command)
    except apsw.Error as error:
        if not is_busy(error):
            raise
        raise BackupRefused(f"{database} is in use. Stop every process of the service, then restore.") from None


def _count_account_groups(connection: apsw.Connection) -> int:
    if not fetch(connection, "SELECT 1 FROM sqlite_master WHERE name = 'account_groups'"):
        return 0
    count: int = fetch(connection, "SELECT count(*) AS found FROM account_groups")[0]["found"]
    return count


@contextmanager
def _reserved(file: Path) -> Iterator[Path]:
    """Reserves the name at once, so that two backups cannot both use it. The file is then filled in one step, or
    removed after an error."""
    try:
        file.touch(mode=0o600, exist_ok=False)
        number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except FileExistsError:
        raise BackupRefused(
            f"{file} already exists, and a backup never replaces a file. Choose another name."
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
    except apsw.Error as error:
        raise BackupRefused(f"{path}: {error}.") from error
    except OSError as error:
        raise BackupRefused(f"{path}: {error.strerror}.") from error


def _sync(file: Path) -> None:
    """Writes the file to disk, so that the backup survives a power failure."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
