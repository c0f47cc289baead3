"""One SQL text for two databases.

A statement is written once, in the SQL both databases share, with three notations for the places where they differ:

- `:name` is a bound value. `:account_group_id` is never passed: the transaction binds its own.
- `IN :name[]` is membership in a list of texts bound as ONE value, so that the text stays the same for 1 and for
  10,000 ids and the database plans it once. `:name[]` elsewhere is the list itself, as a value to store.
- `FROM :name{column type, …} AS r` is a table made of a list of dicts, again bound as ONE value (JSON).

`FOR UPDATE`, also with `NO KEY` or `SKIP LOCKED`, is dropped for SQLite, where a write transaction is alone anyway.
Where one text cannot serve both, `sqlite=` holds the other one.

`NewRows` is for many rows that all must be new: PostgreSQL takes them by COPY.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_IN_LIST = re.compile(r"\bIN :(\w+)\[\]")
_LIST = re.compile(r":(\w+)\[\]")
_ROWS = re.compile(r":(\w+)\{([^}]*)\}")
_VALUE = re.compile(r"(?<![:\w]):(\w+)")
_ROW_LOCK = re.compile(r"\s+FOR (?:NO KEY )?UPDATE(?: SKIP LOCKED)?\b")
# A filter, a row that gets the group (the house test looks closer), or a procedure that is given it.
_BOUND_TO_THE_GROUP = (
    "account_group_id = :account_group_id",
    "INSERT",
    "_account_group_id => :account_group_id",
)


class Statement:
    """A named constant of a store module.

    `across_groups=True` marks the few statements that may look beyond one account group (finding a key, operators'
    reports); any other text that never names `:account_group_id` is refused when the module is imported.
    """

    def __init__(self, text: str, *, sqlite: str | None = None, across_groups: bool = False) -> None:
        text = " ".join(text.split())
        sqlite = " ".join(sqlite.split()) if sqlite else text
        for each in (text, sqlite):
            if not across_groups and not any(bound in each for bound in _BOUND_TO_THE_GROUP):
                raise ValueError(f"Without account_group_id = :account_group_id this reaches other groups: {each}")
        self.across_groups = across_groups
        self._lists = frozenset(_LIST.findall(text))
        self._tables = frozenset(name for name, _ in _ROWS.findall(text))
        self.sqlite = _for_sqlite(sqlite)
        self._sqlite_names = frozenset(_VALUE.findall(self.sqlite))
        self.postgresql, self._names = _for_postgresql(text)

    @property
    def in_function(self) -> str:
        """The text as a step of a function of PostgreSQL, whose parameters are called `_name`."""
        return re.sub(r"\$(\d+)", lambda match: f"_{self._names[int(match[1]) - 1]}", self.postgresql)

    def sqlite_arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the values as SQLite wants them: by name, lists and tables as JSON text."""
        return {name: _as_json(values[name]) if self._is_many(name) else values[name] for name in self._sqlite_names}

    def postgresql_arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Returns the values as asyncpg wants them: by position, lists as arrays, tables as JSON text."""
        return [_as_json(values[name]) if name in self._tables else values[name] for name in self._names]

    def _is_many(self, name: str) -> bool:
        return name in self._lists or name in self._tables


class NewRows:
    """Rows of one table, none of which may be there already: `columns` without the account group, which the transaction
    puts in front of every row. A column that holds a document takes its JSON text.

    PostgreSQL takes them by binary COPY: it parses no JSON, plans nothing, and writes a page of rows at a time. An
    INSERT from jsonb_to_recordset, as Statement has it, took 1.7 times as long for leads (docs/decisions/0019).
    """

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self.table = table
        self.columns = ("account_group_id", *columns)
        self.sqlite = (
            f"INSERT INTO {table} ({', '.join(self.columns)}) VALUES ({', '.join(f':{name}' for name in self.columns)})"
        )
        # As asyncpg writes it, so that the log has what was sent.
        quoted = ", ".join(f'"{name}"' for name in self.columns)
        self.postgresql = f'COPY "{table}"({quoted}) FROM STDIN (FORMAT binary)'


def _for_sqlite(text: str) -> str:
    text = _ROW_LOCK.sub("", text)
    text = _IN_LIST.sub(r"IN (SELECT value FROM json_each(:\1))", text)
    text = _LIST.sub(r":\1", text)
    return _ROWS.sub(_sqlite_table, text)


def _sqlite_table(match: re.Match[str]) -> str:
    # The subscripts of json_each are read once per row and column; SQLite has no jsonb_to_recordset.
    columns = [column.split()[0] for column in match[2].split(",")]
    picked = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in columns)
    return f"(SELECT {picked} FROM json_each(:{match[1]}))"


def _for_postgresql(text: str) -> tuple[str, tuple[str, ...]]:
    text = _IN_LIST.sub(r"= ANY(CAST(:\1 AS text[]))", text)
    text = _LIST.sub(r"CAST(:\1 AS text[])", text)
    # jsonb_to_recordset wants the column list at the alias: `FROM jsonb_to_recordset(…) AS r(a text, b bigint)`.
    text = re.sub(r":(\w+)\{([^}]*)\} AS (\w+)", r"jsonb_to_recordset(CAST(:\1 AS jsonb)) AS \3(\2)", text)
    names: dict[str, int] = {}

    def position(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    return _VALUE.sub(position, text), tuple(names)


def from_document(value: Any) -> Any:
    """Returns what a JSON or list column holds: SQLite (and asyncpg, for JSON) hand it over as text."""
    return json.loads(value) if isinstance(value, str) else value


def as_document(value: Any) -> str:
    """Returns the value as the text that a JSON column is bound with."""
    return _as_json(value)


# Made once: json.dumps makes an encoder at every call that does not want the defaults, and a batch has thousands.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _as_json(value: Any) -> str:
    return _ENCODER.encode(value)
