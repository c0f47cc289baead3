"""SQLite's own check of a database file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from leadyard.store.db.sqlite_engine import fetch, open_file

_WAIT_S = 30
_MOST_PROBLEMS = 100


def find_damage(path: Path) -> list[str]:
    """Returns what SQLite finds wrong with the file: at most 100 sentences. Other processes may use it.

    Reads the whole file at least once. Raises apsw.Error when another connection locks the file for too long.
    """
    with closing(open_file(path, wait_s=_WAIT_S)) as connection:
        try:
            found = [row["integrity_check"] for row in fetch(connection, f"PRAGMA integrity_check({_MOST_PROBLEMS})")]
        except (apsw.CorruptError, apsw.NotADBError) as error:
            # So damaged that the check itself cannot read it.
            return [str(error)]
    return [] if found == ["ok"] else found
