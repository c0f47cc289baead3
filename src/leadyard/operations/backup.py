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
    """A backup that was found sound: its place, its size and the schema revision of what is inside."""

    file: Path
    size_bytes: int
    revision: str


def back_up(url: str, *, file: Path, progress: Progress) -> BackupFile:
    """Writes the embedded database behind `url` to a new file, whatever others are doing to it, and checks the copy.

    Nothing is migrated, so that it can be done before an upgrade with either version. `progress` is called with the
    pages copied and their number. Raises BackupRefused when either file is not fit for it.
    """
    copy_to_new_file(_embedded(url), file, progress)
    return _inspected(file)


def restore(url: str, *, file: Path, force: bool, progress: Progress) -> BackupFile:
    """Replaces the content of the embedded database behind `url` by a backup: all or nothing.

    Raises BackupRefused when the file is no sound backup, while a process has the database open, and, without
    `force`, when account groups are in it; SchemaOutOfDate for the backup of a newer version.
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
        raise BackupRefused(f"{file} is a database, but none of Leadyard: it has no schema revision.")
    return BackupFile(file, file.stat().st_size, revision)


def _embedded(url: str) -> Path:
    if not url.startswith("sqlite:///"):
        raise BackupRefused(
            "This command is for the embedded database. For PostgreSQL docs/backup.md has the commands."
        )
    return Path(url.removeprefix("sqlite:///"))
