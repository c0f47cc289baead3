"""SQL written by hand against the file of an SQLite database.

It uses the library of the service. A second library in one process would break the locks of the first, and most tests
also open the database with the service's own code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw

from leadyard.store.db.sqlite_engine import open_file


def open_sqlite(url: str, *, foreign_keys: bool = True) -> apsw.Connection:
    """Returns a connection to the database of the URL. Close it."""
    connection = open_file(Path(url.removeprefix("sqlite:///")), mode="rwc", wait_s=30)
    connection.pragma("foreign_keys", foreign_keys)
    return connection


def run_numbered(connection: apsw.Connection, text: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Runs a statement with $1, $2, … for the values, as PostgreSQL writes them."""
    for number in range(len(values), 0, -1):
        text = text.replace(f"${number}", f"?{number}")
    return connection.execute(text, values).fetchall()
