"""The statements of leadyard.store as each database gets them, and those of which a rule is relaxed."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass

import leadyard.store
from leadyard.store.db import NewRows, Statement
from tests.house.sql_rules import Database

# SQLite has no functions, see store/move_statements.py, and its index of texts is maintained by hand, see
# store/leads.py. The steps of the move are sent to SQLite one by one. PostgreSQL has them inside its function, but each
# is checked here too.
ONLY_ON = {
    "move_statements._CALL": "postgresql",
    "move_statements._RECORD_ALREADY": "sqlite",
    "duplicate_blocks._WRITE": "postgresql",
}
# They copy rows inside PostgreSQL, which rule 7 forbids where a request waits for it.
COPIES_IN_THE_BACKGROUND = {
    "change_subjects._ADD_WHOLE_CHANGES": "housekeeping, once for up to 200 changes, and no request waits for it",
}
# They look at a whole account group on purpose.
WALKS_A_GROUP = {
    "doctor._IN_INDEX_TOO_EARLY": "reads the oldest changes that are not in the index, by an index of these alone",
    "doctor._ORPHANS": "compares every membership with its lead and its audience",
    "doctor._TOO_MANY_REJECTIONS": "counts every rejected row",
    "doctor._UNDONE_PLANS": "reads every part of a change",
    "doctor._NOT_SEARCHABLE": "compares every lead with its block of searched texts",
    "doctor._TOTALS": "counts everything",
    "addition_state._READ": "looks for one entry in an index of the leads that share an address, if there are any",
    "change_subjects._LOCK_TO_INDEX": "takes the first of those that are not in the index, by an index of these alone",
    "event_outbox._ANY": "takes the first of those that are left, which are few",
    "job_rejections._OLD_REJECTIONS": "takes the first of those that are left",
}


@dataclass(frozen=True)
class Sent:
    """A text as one of the databases gets it; `named` writes its bound values as `:name` for both."""

    name: str
    database: Database
    text: str
    named: str
    across_groups: bool
    value_names: tuple[str, ...]


def _constants() -> Iterator[Sent]:
    for module in pkgutil.iter_modules(leadyard.store.__path__):
        if module.ispkg:
            continue
        for name, value in vars(importlib.import_module(f"leadyard.store.{module.name}")).items():
            if isinstance(value, Statement):
                yield from _of_both_databases(f"{module.name}.{name}", value)
            elif isinstance(value, NewRows):
                # This INSERT, which the checker can read, does the same as COPY.
                insert = value.sqlite
                yield Sent(f"{module.name}.{name}", "sqlite", insert, insert, False, value.columns)
                yield Sent(f"{module.name}.{name}", "postgresql", value.postgresql, insert, False, value.columns)


def _of_both_databases(name: str, statement: Statement) -> Iterator[Sent]:
    across, names = statement.across_groups, statement._names
    if ONLY_ON.get(name) != "postgresql":
        yield Sent(name, "sqlite", statement.sqlite, statement.sqlite, across, names)
    if ONLY_ON.get(name) != "sqlite":
        named = re.sub(r"\$(\d+)", lambda match: f":{names[int(match[1]) - 1]}", statement.postgresql)
        yield Sent(name, "postgresql", statement.postgresql, named, across, names)


CONSTANTS = tuple(_constants())
