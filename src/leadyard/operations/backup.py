"""Backup and restore of the embedded database. A server database has pg_dump and pg_restore (docs/backup.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leadyard.errors import BackupRefused
from leadyard.store import schema
from leadyard.store.db.sqlite_copy import check_integrity, copy_over, copy_to_new_file

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A backup that passed the integrity check: its path, its size, and the revision of its schema."""

    file: Path
    size_bytes: int
    revision: str


def back_up(url: str, *, file: Path, progress: Progress) -> BackupFile:
    """Copies the embedded database at `url` to a new file, even while other processes use it, and checks the copy.

    It migrates nothing, so you can make a backup before an upgrade with either version. It calls `progress` with the
    number of copied pages and the number of all pages. Raises BackupRefused when it cannot use one of the files.
    """
    copy_to_new_file(_embedded(url), file, progress)
    return _inspected(file)


def restore(url: str, *, file: Path, force: bool, progress: Progress) -> BackupFile:
    """Replaces the content of the embedded database at `url` with a backup: all or nothing.

    Raises BackupRefused when the file is not a sound backup, while a process has the database open, and, without
    `force`, when the database contains account groups. Raises SchemaOutOfDate for the backup of a newer version.
    """
    database = _embedded(url)
    check_integrity(file)
    backup = _inspected(file)
    database.parent.mkdir(parents=True, exist_ok=True)
    copy_over(file, database, progress, even_if_in_it=force)
    return backup


def _inspected(file: Path) -> BackupFile:
    revision = asyncio.run(schema.current_revision(f"sqlite:///{file}"))
    schema.refuse_unknown(revision)
    if revision is None:
        raise BackupRefused(f"{file} is a database, but not of Leadyard: it has no schema revision.")
    return BackupFile(file, file.stat().st_size, revision)


def _embedded(url: str) -> Path:
    if not url.startswith("sqlite:///"):
        raise BackupRefused(
            "This command is for the embedded database. docs/backup.md has the commands for PostgreSQL."
        )
    return Path(url.removeprefix("sqlite:///"))
