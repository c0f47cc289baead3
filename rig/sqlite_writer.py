"""A process that writes to a ledger and checkpoints, as fast as it can, until it is killed.

    python -m rig.sqlite_writer PATH NUMBER

It prints the number of each commit once SQLite has confirmed it. Writer NUMBER moves amounts between the accounts, so
their sum never changes, and counts its own commits in the same transaction.
"""

from __future__ import annotations

import random
import sys
from contextlib import closing
from pathlib import Path

import apsw

from leadyard.store.db.sqlite_engine import open_file

ACCOUNTS = 50
BALANCE = 1_000
_CHECKPOINTS = (apsw.SQLITE_CHECKPOINT_PASSIVE, apsw.SQLITE_CHECKPOINT_FULL, apsw.SQLITE_CHECKPOINT_RESTART)


def make_ledger(path: Path, *, writers: int) -> None:
    """Creates the accounts and a counter for each writer."""
    with closing(open_file(path, mode="rwc", wait_s=30)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER, note TEXT)")
        connection.execute("CREATE INDEX accounts_note ON accounts (note)")
        connection.execute("CREATE TABLE commits (writer INTEGER PRIMARY KEY, number INTEGER)")
        connection.executemany("INSERT INTO accounts VALUES (?, ?, '')", [(n, BALANCE) for n in range(ACCOUNTS)])
        connection.executemany("INSERT INTO commits VALUES (?, 0)", [(n,) for n in range(writers)])


def write_for_ever(path: Path, writer: int) -> None:
    """Commits and checkpoints on two connections, so that checkpoints of one process run beside commits of another."""
    chance = random.Random()
    with closing(open_file(path, wait_s=30)) as connection, closing(open_file(path, wait_s=0)) as copier:
        connection.execute("PRAGMA synchronous=FULL")
        # Short, so that the WAL restarts many times a second.
        connection.wal_autocheckpoint(20)
        while True:
            print(_commit(connection, writer, chance), flush=True)
            if chance.random() < 0.3:
                _checkpoint(copier, chance)


def _commit(connection: apsw.Connection, writer: int, chance: random.Random) -> int:
    source, target = chance.sample(range(ACCOUNTS), 2)
    note = f"{chance.random()}" * chance.randint(1, 200)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE accounts SET balance = balance - 1, note = ? WHERE id = ?", (note, source))
    connection.execute("UPDATE accounts SET balance = balance + 1 WHERE id = ?", (target,))
    returned = connection.execute("UPDATE commits SET number = number + 1 WHERE writer = ? RETURNING number", (writer,))
    number = int(returned.get)
    connection.execute("COMMIT")
    return number


def _checkpoint(copier: apsw.Connection, chance: random.Random) -> None:
    try:
        copier.execute("SELECT 1 FROM commits LIMIT 1").fetchall()
        copier.wal_checkpoint(mode=chance.choice(_CHECKPOINTS))
    except (apsw.BusyError, apsw.LockedError):
        # Another process writes or copies. That is what this is for.
        return


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]), int(sys.argv[2]))
