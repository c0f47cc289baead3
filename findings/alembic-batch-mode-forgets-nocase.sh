#!/usr/bin/env bash
# After any change in Alembic's batch mode, a unique e-mail column of SQLite tells Ada@ and ada@ apart.
#
# Expected: `batch_alter_table` makes a new table with the one change that you asked for, copies the rows, and takes the
# place of the old one. Its manual names what it cannot read from the old table: CHECK constraints, and constraints without
# a name. A UNIQUE column stays unique as it was.
#
# Observed: SQLAlchemy does not read the collation of a column from SQLite, so the new table lacks `COLLATE NOCASE`. The
# triggers of the old table are gone too. There is no warning. Here one column gets another name. From then on SQLite
# accepts a second row for the same person, and a look-up in another case finds no row.
#
# Versions: alembic 1.20.1, SQLAlchemy 2.1.9 (PyPI), the SQLite of Python 3.11. Seen on 2026-11-30:
#
#   before: email TEXT COLLATE NOCASE NOT NULL UNIQUE, 1 trigger, ada@people.example finds 1 row, refused: a second one
#   after:  email TEXT NOT NULL UNIQUE, 0 triggers, ada@people.example finds 0 rows, accepted: a second one
#
# For you: pass the table to `batch_alter_table(copy_from=…)`, with `sa.Text(collation="NOCASE")`, and make the triggers
# again. Leadyard stores addresses in lower case, so that it needs no collation.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check alembic==1.20.1 sqlalchemy==2.1.9 2>/dev/null

"$work/venv/bin/python" -W error - "$work/people.db" <<'PYTHON' | tee "$work/seen"
import re
import sqlite3
import sys

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

path = sys.argv[1]
with sqlite3.connect(path) as connection:
    connection.executescript("""
        CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE NOT NULL UNIQUE, phone TEXT);
        CREATE TABLE log (person INTEGER);
        CREATE TRIGGER logged AFTER INSERT ON people BEGIN INSERT INTO log VALUES (new.id); END;
        INSERT INTO people (email) VALUES ('Ada@People.example');
    """)


def show(when):
    connection = sqlite3.connect(path)
    [table] = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'people'").fetchone()
    email = re.search(r"email [A-Z ]*[A-Z]", table)[0]
    unique = " UNIQUE" if "UNIQUE" not in email and "UNIQUE (email)" in table else ""
    [triggers] = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()
    [found] = connection.execute("SELECT count(*) FROM people WHERE email = 'ada@people.example'").fetchone()
    try:
        connection.execute("INSERT INTO people (email) VALUES ('ada@people.example')")
        second = "accepted"
    except sqlite3.IntegrityError:
        second = "refused"
    connection.close()
    counts = f"{triggers} trigger{'s' * (triggers != 1)}, ada@people.example finds {found} row{'s' * (found != 1)}"
    print(f"{when} {email}{unique}, {counts}, {second}: a second one")


show("before:")
with sa.create_engine(f"sqlite:///{path}").begin() as connection:
    with Operations(MigrationContext.configure(connection)).batch_alter_table("people") as people:
        people.alter_column("phone", new_column_name="mobile")
show("after: ")
PYTHON

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: Alembic no longer changes the table as described."; exit 1; }
before: email TEXT COLLATE NOCASE NOT NULL UNIQUE, 1 trigger, ada@people.example finds 1 row, refused: a second one
after:  email TEXT NOT NULL UNIQUE, 0 triggers, ada@people.example finds 0 rows, accepted: a second one
EXPECTED
