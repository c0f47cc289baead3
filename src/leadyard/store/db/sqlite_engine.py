"""The SQLite library: its version, its known faults, and how the service opens a database file with it.

This is the only SQLite library of the process. Two of them break each other's POSIX locks: if one closes a file, the
operating system drops the locks that the other holds on the same file. So nothing imports Python's own sqlite3.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

import apsw

Version = tuple[int, ...]
_MODES = {
    "ro": apsw.SQLITE_OPEN_READONLY,
    "rw": apsw.SQLITE_OPEN_READWRITE,
    "rwc": apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE,
}
# More than we have statements, so that the library plans each of them once.
_CACHED_STATEMENTS = 256
# As many as SQLite copies by itself: four mebibytes of its usual pages.
_PAGES_BEFORE_CHECKPOINT = 1000
_WAL_RESET = (
    "Connections that write and checkpoint at the same moment can damage the database (the WAL-reset bug of SQLite). "
    "Leadyard makes checkpoints one at a time to avoid it. Use SQLite 3.51.3 or newer: install the apsw wheel of PyPI."
)
_WITHDRAWN = "SQLite withdrew the release 3.52.0. Install the apsw wheel of PyPI, which contains a newer one."


def engine_version() -> str:
    """Returns the version of the library that runs, such as 3.54.1."""
    return apsw.sqlite_lib_version()


def known_faults(version: str | None = None) -> list[str]:
    """Returns a sentence for each known fault of that version, or of the library that runs, with what to do."""
    numbers = _numbers(version or engine_version())
    faults = []
    if _has_wal_reset_bug(numbers):
        faults.append(_WAL_RESET)
    if numbers == (3, 52, 0):
        faults.append(_WITHDRAWN)
    return faults


def must_checkpoint_alone() -> bool:
    """Returns whether a checkpoint beside a commit of another connection can damage the database."""
    return _has_wal_reset_bug(_numbers(engine_version()))


def _numbers(version: str) -> Version:
    return tuple(int(part) for part in version.split("."))


def _has_wal_reset_bug(numbers: Version) -> bool:
    """Fixed in 3.51.3, and in two releases of older lines."""
    fixed_in_its_line = numbers[:2] in ((3, 44), (3, 50)) and numbers >= {44: (3, 44, 6), 50: (3, 50, 7)}[numbers[1]]
    return numbers < (3, 51, 3) and not fixed_in_its_line


def open_file(path: Path, *, mode: Literal["ro", "rw", "rwc"] = "rw", wait_s: float) -> apsw.Connection:
    """Returns a connection to the file. `ro` and `rw` refuse to create it; `wait_s` bounds the wait for a lock, in
    seconds. Raises apsw.Error."""
    connection = apsw.Connection(str(path), flags=_MODES[mode], statementcachesize=_CACHED_STATEMENTS)
    connection.set_busy_timeout(round(wait_s * 1000))
    if must_checkpoint_alone():
        connection.wal_autocheckpoint(0)
    return connection


def fetch(connection: apsw.Connection, sql: str, values: Any = ()) -> list[Mapping[str, Any]]:
    """Runs the statement to its end and returns its rows, by the names of their columns."""
    cursor = connection.execute(sql, values)
    first = cursor.fetchone()
    if first is None:
        return []
    names = [name for name, _ in cursor.get_description()]
    # In C from row to row, because a page has 200 of them.
    return list(map(dict, map(zip, repeat(names), (first, *cursor))))


class LoneCheckpoints:
    """Checkpoints of a writing connection for a library with the WAL-reset bug.

    The bug needs a checkpoint beside a commit that restarts the WAL. These checkpoints hold the write lock, so no
    connection, of any process, can commit at that moment. The last connection that closes a database also checkpoints;
    SQLite makes that one with an exclusive lock on the file.
    """

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._pages = 0
        connection.set_wal_hook(self._note)

    def make_if_due(self) -> None:
        """Copies a long WAL into the database file. Leaves it to a later commit if another connection writes."""
        if self._pages < _PAGES_BEFORE_CHECKPOINT:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            return
        try:
            # A connection that writes cannot checkpoint, so this needs another one.
            with closing(open_file(self._path, wait_s=0)) as other:
                # Until its first read it does not know that there is a WAL, and would copy nothing.
                fetch(other, "SELECT 1 FROM sqlite_schema LIMIT 1")
                other.wal_checkpoint()
        finally:
            self._connection.execute("ROLLBACK")

    def _note(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK
