"""One SQL text for two databases.

A statement is written once, in the SQL that both databases share, with three notations for their differences:

- `:name` is a bound value. `:account_group_id` is never passed: the transaction binds the number of its own.
- `IN :name[bigint]` is membership in a list bound as ONE value. So the text is the same for 1 and for 10,000 keys, and
  the database plans it once. `:name[bigint]` elsewhere is the list itself, as a value to store. The other type of a
  list is `text`.
- `FROM :name{column type, …} AS r` is a table made from a list of dicts, also bound as ONE value (JSON).

`FOR UPDATE`, also with `NO KEY` or `SKIP LOCKED`, and `FOR KEY SHARE` are dropped for SQLite, where a write transaction
is alone anyway. Where one text cannot serve both databases, `sqlite=` is the text for SQLite.

`NewRows` is for many rows that must all be new: PostgreSQL reads them by COPY.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as _quoted
from typing import Any

from leadyard.ids import number_of

Row = Mapping[str, Any]

_IN_LIST = re.compile(r"\bIN :(\w+)\[(text|bigint)\]")
_LIST = re.compile(r":(\w+)\[(text|bigint)\]")
_ROWS = re.compile(r":(\w+)\{([^}]*)\}")
_VALUE = re.compile(r"(?<![:\w]):(\w+)")
_ROW_LOCK = re.compile(r"\s+FOR (?:(?:NO KEY )?UPDATE(?: SKIP LOCKED)?|KEY SHARE(?: SKIP LOCKED)?)\b")
# A filter, a row that gets the group (the house test checks this more closely), or a procedure with it as a parameter.
_BOUND_TO_THE_GROUP = (
    "account_group_id = :account_group_id",
    "INSERT",
    "_account_group_id => :account_group_id",
)


class Statement:
    """A named constant of a store module.

    `across_groups=True` marks the few statements that may read beyond one account group (finding a key, operators'
    reports). For any other text without `:account_group_id`, the import of the module fails.
    """

    def __init__(self, text: str, *, sqlite: str | None = None, across_groups: bool = False) -> None:
        text = " ".join(text.split())
        sqlite = " ".join(sqlite.split()) if sqlite else text
        for each in (text, sqlite):
            if not across_groups and not any(bound in each for bound in _BOUND_TO_THE_GROUP):
                raise ValueError(f"Without account_group_id = :account_group_id this affects other groups: {each}")
        self.across_groups = across_groups
        self._lists = frozenset(name for name, _ in _LIST.findall(text) + _LIST.findall(sqlite))
        self._tables = frozenset(name for name, _ in _ROWS.findall(text))
        self.sqlite = _for_sqlite(sqlite)
        self._sqlite_names = frozenset(_VALUE.findall(self.sqlite))
        self.postgresql, self._names = _for_postgresql(text)

    @property
    def in_function(self) -> str:
        """The text as a step of a PostgreSQL function, whose parameters are named `_name`."""
        return re.sub(r"\$(\d+)", lambda match: f"_{self._names[int(match[1]) - 1]}", self.postgresql)

    def sqlite_arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the values for SQLite: by name, with lists and tables as JSON text. A list in the form of a text is
        already JSON, as SQLite returns it."""
        return {name: self._for_sqlite(name, values[name]) for name in self._sqlite_names}

    def postgresql_arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Returns the values for asyncpg: by position, with lists as arrays and tables as JSON text."""
        return [_as_json(values[name]) if name in self._tables else values[name] for name in self._names]

    def _for_sqlite(self, name: str, value: Any) -> Any:
        is_many = name in self._lists or name in self._tables
        return value if not is_many or value is None or isinstance(value, str) else _as_json(value)


class NewRows:
    """Rows of one table, none of which may exist already. `columns` does not contain the account group, which the
    transaction puts in front of each row. The value of a document column is its JSON text.

    PostgreSQL reads them by binary COPY: it parses no JSON, plans nothing, and writes a page of rows at a time. An
    INSERT from jsonb_to_recordset, as Statement uses it, took 1.7 times as long for leads (docs/decisions/0019).

    Behind a pooler it is an INSERT for each row, sent together: PgBouncer 1.26 never takes a session back from a client
    that has used COPY, until all clients wait for one (docs/compatibility.md).
    """

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self.table = table
        self.columns = ("account_group_id", *columns)
        self.sqlite = (
            f"INSERT INTO {table} ({', '.join(self.columns)}) VALUES ({', '.join(f':{name}' for name in self.columns)})"
        )
        # The same text as asyncpg generates, so that the log contains what was sent.
        quoted = ", ".join(f'"{name}"' for name in self.columns)
        self.postgresql = f'COPY "{table}"({quoted}) FROM STDIN (FORMAT binary)'
        places = ", ".join(f"${at}" for at in range(1, len(self.columns) + 1))
        self.pooled_postgresql = f"INSERT INTO {table} ({', '.join(self.columns)}) VALUES ({places})"


def group_number(account_group_id: str | None) -> int | None:
    """Returns what a transaction binds to `:account_group_id`, or None for a transaction across account groups."""
    return None if account_group_id is None else number_of(account_group_id)


def _for_sqlite(text: str) -> str:
    text = _ROW_LOCK.sub("", text)
    text = _IN_LIST.sub(r"IN (SELECT value FROM json_each(:\1))", text)
    text = _LIST.sub(r":\1", text)
    return _ROWS.sub(_sqlite_table, text)


def _sqlite_table(match: re.Match[str]) -> str:
    # SQLite has no jsonb_to_recordset, so each column is extracted from each row of json_each.
    columns = [column.split()[0] for column in match[2].split(",")]
    picked = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in columns)
    return f"(SELECT {picked} FROM json_each(:{match[1]}))"


def _for_postgresql(text: str) -> tuple[str, tuple[str, ...]]:
    text = _IN_LIST.sub(r"= ANY(CAST(:\1 AS \2[]))", text)
    text = _LIST.sub(r"CAST(:\1 AS \2[])", text)
    # jsonb_to_recordset needs the column list at the alias: `FROM jsonb_to_recordset(…) AS r(a text, b bigint)`.
    text = re.sub(r":(\w+)\{([^}]*)\} AS (\w+)", r"jsonb_to_recordset(CAST(:\1 AS jsonb)) AS \3(\2)", text)
    names: dict[str, int] = {}

    def position(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    return _VALUE.sub(position, text), tuple(names)


def from_document(value: Any) -> Any:
    """Returns the value of a JSON or list column, which SQLite (and asyncpg, for JSON) returns as text."""
    # A third of the time of json.loads, which also accepts white space around the document and other kinds of text.
    return _DECODER.raw_decode(value)[0] if isinstance(value, str) else value


def as_document(value: Any) -> str:
    """Returns the value as the text to bind to a JSON column."""
    return _as_json(value)


def as_texts(value: Mapping[str, str]) -> str:
    """Returns a document of texts as the text to bind to a JSON column, in a quarter of the time of `as_document`."""
    return "{" + ",".join([f"{_quoted(name)}:{_quoted(text)}" for name, text in value.items()]) + "}"


_DECODER = json.JSONDecoder()
# Made once, because json.dumps makes an encoder for each call without default options, and a batch has thousands.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _as_json(value: Any) -> str:
    return _ENCODER.encode(value)
