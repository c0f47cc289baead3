"""The sixteen rules of a schema and statements that also fit Citus, as a checker: SQL text in, broken rules out.

Rule 2 is decided strictly. In every SELECT, UPDATE and DELETE, sub-queries and CTEs too, each tenant table must have
`account_group_id = :account_group_id`, or be joined by equality of `account_group_id` to a tenant table, of the same
query or one around it, that has. Only conditions that must hold count: those joined by AND in WHERE or in the ON of an
inner join; the ON of a LEFT JOIN counts for the joined table alone. A group id that arrives by way of a derived table
or a CTE does not count, nor does any other bound value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from leadyard.store.tables import metadata

Database = Literal["sqlite", "postgresql"]

GROUP = "account_group_id"
# Needed before the group is known. They are small, so that on Citus every node has a copy (rule 3).
REFERENCE_TABLES = frozenset(
    {"account_groups", "api_keys", "api_key_account_groups", "page_sessions", "secret_key_checks"}
)
TENANT_TABLES = frozenset(metadata.tables) - REFERENCE_TABLES

# Everything that is sent in addition to the statements of the store.
COMMANDS = frozenset(
    {"BEGIN", "BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "COMMIT", "ROLLBACK"}
    # Of calls that commit together, on SQLite.
    | {"SAVEPOINT call", "RELEASE call", "ROLLBACK TO call"}
)

_DIALECTS: dict[Database, str] = {"sqlite": "sqlite", "postgresql": "postgres"}
_BLOCK = (exp.Select, exp.Update, exp.Delete)
_TOP = (exp.Select, exp.Update, exp.Delete, exp.Insert, exp.SetOperation)
_FIRST_WORDS = {
    "EXPLAIN": "rule 13: no EXPLAIN",
    "PREPARE": "rule 13: no PREPARE of our own",
    "DEALLOCATE": "rule 13: no DEALLOCATE of our own",
    "MERGE": "rule 8: no MERGE",
    "LISTEN": "rule 4: no LISTEN",
    "UNLISTEN": "rule 4: no UNLISTEN",
    "NOTIFY": "rule 4: no NOTIFY",
    "LOCK": "rule 4: no LOCK TABLE",
}
_PER_NODE = re.compile(r"\b(pg_(?:try_)?advisory_\w+|pg_notify)\s*\(", re.IGNORECASE)
_STRING = re.compile(r"'(?:[^']|'')*'")
# Features newer than PostgreSQL 15 and SQLite 3.35, the oldest versions that we supported.
_NEWER: dict[Database, re.Pattern[str]] = {
    "postgresql": re.compile(
        r"""\b(?:any_value|array_sample|array_shuffle|array_sort|array_reverse|date_add|date_subtract|random_normal
        |pg_input_is_valid|pg_input_error_info|erf|erfc|to_bin|to_oct|uuidv4|uuidv7|uuid_extract_\w+|casefold|crc32c?
        |json_table|json_query|json_value|json_exists|json_scalar|json_serialize|json_array|json_arrayagg|json_object
        |json_objectagg|xmltext|bytea_sort)\s*\(
        |\bIS\s+(?:NOT\s+)?JSON\b|\bAT\s+LOCAL\b|\bWITHOUT\s+OVERLAPS\b|\bPERIOD\s+\w|\bDO\s+SELECT\b
        |\bRETURNING\s+(?:WITH\b|(?:old|new)\.)|\b\d+_\d|\b0[xob][0-9a-f]""",
        re.IGNORECASE | re.VERBOSE,
    ),
    "sqlite": re.compile(
        r"""->|\b(?:RIGHT|FULL)\s+(?:OUTER\s+)?JOIN\b|\bIS\s+(?:NOT\s+)?DISTINCT\s+FROM\b|\bWITHIN\s+GROUP\b
        |\b(?:unixepoch|format|concat|concat_ws|string_agg|octet_length|timediff|jsonb\w*|unhex|json_pretty)\s*\(""",
        re.IGNORECASE | re.VERBOSE,
    ),
}

# Only SQLite has it. It changes which rows are written, and not of which account group. sqlglot cannot read it.
_OR_IGNORE = re.compile(r"^UPDATE OR IGNORE ")


def broken_rules(sql: str, *, database: Database, across_groups: bool = False) -> list[str]:
    """Returns a sentence for each rule that the text breaks. Bound values are written `:name` on both databases.

    `across_groups` exempts it from rule 2 only.
    """
    first_word = sql.split(maxsplit=1)[0].upper()
    if first_word in _FIRST_WORDS:
        return [_FIRST_WORDS[first_word]]
    try:
        trees = sqlglot.parse(_OR_IGNORE.sub("UPDATE ", sql), dialect=_DIALECTS[database])
    except ParseError as error:
        return [f"it cannot be parsed: {error}"]
    tree = trees[0]
    if len(trees) != 1 or not isinstance(tree, _TOP):
        return ["only one SELECT, INSERT, UPDATE or DELETE is a statement of a request"]
    found = [] if across_groups else list(_rule_2(tree))
    found += [*_rule_4(tree, sql), *_rule_5(tree), *_rule_6(tree), *_rule_9(tree), *_rule_13(tree)]
    # SQLite has no shards between which the rows might have to travel, so statements for SQLite only may copy.
    found += [*_rule_7(tree), *_rule_16(tree)] if database == "postgresql" else ()
    if tree.find(exp.Merge):
        found.append("rule 8: no MERGE")
    if newer := _NEWER[database].search(_STRING.sub("''", sql)):
        found.append(f"rule 15: {newer[0]!r} is too new")
    return found


def _rule_2(tree: exp.Expr) -> Iterator[str]:
    shadows = {cte.alias for cte in tree.find_all(exp.CTE)} & TENANT_TABLES
    if shadows:
        yield f"rule 2: a CTE named like the tenant table {min(shadows)} hides it from this check"
    for block in tree.find_all(*_BLOCK):
        for alias, table in sorted(_tenant_tables(block).items()):
            if alias not in _filtered(block):
                yield f"rule 2: {table} (as {alias}) is not held to one account group"
    for update in tree.find_all(exp.Update):
        if any(each.this.name == GROUP for each in update.expressions if isinstance(each, exp.EQ)):
            yield "rule 2: no row changes its account group"
    for insert in tree.find_all(exp.Insert):
        yield from _group_of_inserted(insert)


def _sources(block: exp.Expr) -> list[exp.Expr]:
    """Returns what the query block itself reads or changes: tables, functions, derived tables."""
    return [
        source
        for source in block.find_all(exp.Table, exp.Subquery)
        if source.find_ancestor(*_BLOCK, exp.Insert) is block
        and isinstance(source.parent, exp.From | exp.Join | exp.Update | exp.Delete | exp.Lateral)
    ]


def _tenant_tables(block: exp.Expr) -> dict[str, str]:
    """Returns alias → name of the tenant tables of the query block."""
    return {
        source.alias_or_name: source.name
        for source in _sources(block)
        if isinstance(source, exp.Table) and source.name in TENANT_TABLES
    }


def _filtered(block: exp.Expr) -> set[str]:
    """Returns the aliases of this block, and of the blocks around it, that are restricted to the account group."""
    around = block.find_ancestor(*_BLOCK)
    outer = _filtered(around) if around is not None else set()
    own = _tenant_tables(block)
    filtered: set[str] = outer - set(own)
    conditions = list(_group_equalities(block))
    while True:
        more = {
            left
            for left, right, only in conditions
            if left in own and left not in filtered and only in (None, left) and (right is None or right in filtered)
        }
        if not more:
            return filtered
        filtered |= more


def _group_equalities(block: exp.Expr) -> Iterator[tuple[str, str | None, str | None]]:
    """Yields (alias, the alias it equals or None for the bound group, the only alias the condition counts for)."""
    for condition, only in _conditions(block):
        if not isinstance(condition, exp.EQ):
            continue
        for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
            if not (isinstance(one, exp.Column) and one.name == GROUP):
                continue
            alias = _alias_of(one, block)
            if isinstance(other, exp.Placeholder) and other.name == GROUP:
                yield alias, None, only
            elif isinstance(other, exp.Column) and other.name == GROUP:
                yield alias, _alias_of(other, block), only


def _conditions(block: exp.Expr) -> Iterator[tuple[exp.Expr, str | None]]:
    where = block.args.get("where")
    if where is not None:
        yield from ((each, None) for each in _conjuncts(where.this))
    for join in block.find_all(exp.Join):
        on, side = join.args.get("on"), join.side
        if on is None or join.find_ancestor(*_BLOCK) is not block or side in ("RIGHT", "FULL"):
            continue
        yield from ((each, join.this.alias_or_name if side == "LEFT" else None) for each in _conjuncts(on))


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _alias_of(column: exp.Column, block: exp.Expr) -> str:
    """An unqualified column belongs to the only source of its block. With several sources this check assigns it to
    none."""
    if column.table:
        return column.table
    sources = _sources(block)
    return sources[0].alias_or_name if len(sources) == 1 else ""


def _group_of_inserted(insert: exp.Insert) -> Iterator[str]:
    table = insert.find(exp.Table)
    assert table is not None
    if table.name not in TENANT_TABLES:
        return
    columns = [each.name for each in insert.this.expressions] if isinstance(insert.this, exp.Schema) else []
    if GROUP not in columns:
        yield f"rule 2: rows for {table.name} without {GROUP}"
        return
    place = columns.index(GROUP)
    for row in _inserted_rows(insert):
        value = row[place].unalias()
        if not (isinstance(value, exp.Placeholder) and value.name == GROUP):
            yield f"rule 2: rows for {table.name} take another {GROUP} than that of the transaction"


def _inserted_rows(insert: exp.Insert) -> Iterable[Sequence[exp.Expr]]:
    source = insert.expression
    if isinstance(source, exp.Values):
        return [row.expressions for row in source.expressions]
    return [select.expressions for select in source.find_all(exp.Select) if select.parent is insert]


def _rule_4(tree: exp.Expr, sql: str) -> Iterator[str]:
    if per_node := _PER_NODE.search(sql):
        yield f"rule 4: {per_node[1]} works on one node only"
    for select in tree.find_all(exp.Select):
        # A statement that skips locked rows never waits, so the order does not matter there.
        waits = [lock for lock in select.args.get("locks") or () if lock.args.get("wait") is not False]
        order = select.args.get("order")
        names = [(each.this.name, bool(each.args.get("desc"))) for each in order.expressions] if order else []
        if waits and names not in ([("id", False)], [(GROUP, False), ("id", False)]):
            yield "rule 4: rows are locked in the order of their ids: ORDER BY id"


def _rule_5(tree: exp.Expr) -> Iterator[str]:
    if any(case.this is not None for case in tree.find_all(exp.Case)):
        yield "rule 5: CASE WHEN column = value, never CASE column WHEN value"


def _rule_6(tree: exp.Expr) -> Iterator[str]:
    for conflict in tree.find_all(exp.OnConflict):
        for change in conflict.expressions:
            value = change.expression
            calls = [
                each
                for each in value.find_all(exp.Func, exp.Query, exp.Subquery)
                if not isinstance(each, exp.Cast | exp.Connector)
            ]
            if calls:
                yield f"rule 6: {calls[0].sql()} in ON CONFLICT DO UPDATE SET; pass the value"


def _rule_7(tree: exp.Expr) -> Iterator[str]:
    for insert in tree.find_all(exp.Insert):
        source = insert.expression
        read = {table.name for table in source.find_all(exp.Table)} & TENANT_TABLES if source else set()
        if read:
            yield f"rule 7: INSERT ... SELECT from {min(read)}"


def _rule_9(tree: exp.Expr) -> Iterator[str]:
    for insert in tree.find_all(exp.Insert):
        table = insert.find(exp.Table)
        if table is None or table.name != "changes":
            continue
        columns = [each.name for each in insert.this.expressions] if isinstance(insert.this, exp.Schema) else []
        if not isinstance(insert.expression, exp.Values) or len(insert.expression.expressions) != 1:
            yield "rule 9: a change is one row of VALUES"
        elif "lead_ids" not in columns:
            yield "rule 9: the record of a change holds its lead ids"


def _rule_13(tree: exp.Expr) -> Iterator[str]:
    """A server, or a pooler, that keeps a statement cannot run it any more when its result has another column."""
    for block in tree.find_all(exp.Select, exp.Returning):
        if any(isinstance(each.this if isinstance(each, exp.Column) else each, exp.Star) for each in block.expressions):
            yield "rule 13: name the columns, because * changes its meaning when a migration adds a column"


def _rule_16(tree: exp.Expr) -> Iterator[str]:
    for insert in tree.find_all(exp.Insert):
        copies = isinstance(insert.expression, exp.Query) and not isinstance(insert.expression, exp.Values)
        if copies and insert.args.get("conflict") and not insert.args.get("returning"):
            yield "rule 16: Citus miscounts INSERT ... SELECT ... ON CONFLICT; count what RETURNING returns"
