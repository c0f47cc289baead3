"""Distributes the tables over the nodes of a Citus cluster, and finds out whether they are distributed.

Everything runs on the coordinator, in the transaction of the given connection. Citus has no functions of ours and is no
dependency. Without its extension a database is not distributed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from leadyard.errors import DatabaseUnfit
from leadyard.model import Distribution
from leadyard.store.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

GROUP = "account_group_id"
# Small, and needed before the account group is known, so each node has a copy of them.
REFERENCE_TABLES = ("account_groups", "api_keys", "api_key_account_groups", "page_sessions", "secret_key_checks")
# All others are distributed by the account group and lie beside the first one.
FIRST = "audiences"
TENANT_TABLES = (FIRST, *sorted(set(metadata.tables) - {FIRST, *REFERENCE_TABLES}))


def _oids(tables: Iterable[str]) -> str:
    """Returns the condition's list of these tables of ours, found by the search_path as in every statement."""
    return "ANY(ARRAY[" + ", ".join(f"to_regclass('{name}')" for name in tables) + "]::oid[])"


_HAS_CITUS = "SELECT to_regclass('pg_dist_partition') IS NOT NULL AND to_regproc('create_reference_table') IS NOT NULL"
_IS_COORDINATOR = "SELECT citus_is_coordinator()"
_NODES = """SELECT count(*) FILTER (WHERE isactive AND shouldhaveshards) AS usable,
    count(*) FILTER (WHERE NOT isactive) AS inactive FROM pg_dist_node WHERE noderole = 'primary'"""
# Citus also lists a local table that a foreign key leads to (method n, replication s): that one is not distributed.
_PLACED = f"""SELECT c.relname AS name, p.partmethod = 'h' AS is_distributed, p.colocationid AS colocation
    FROM pg_dist_partition p JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid
    WHERE c.oid = {_oids(metadata.tables)} AND (p.partmethod <> 'n' OR p.repmodel <> 's')"""
_SEQUENTIAL = "SET LOCAL citus.multi_shard_modify_mode = 'sequential'"
_QUIETLY = ("SET LOCAL client_min_messages = warning", "SET LOCAL lock_timeout = '10s'")
# Only of our own tables: the shards of reference tables lie in the same schema, and cannot be altered.
_FOREIGN_KEYS = """SELECT t.relname AS of_table, format('%I', c.conname) AS name,
    pg_get_constraintdef(c.oid) AS definition
    FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND t.oid = {ours} AND (t.oid = {missing} OR c.confrelid = {missing})
    ORDER BY t.relname, c.conname"""


class _Placed(NamedTuple):
    name: str
    is_distributed: bool
    colocation: int


def has_citus(connection: Connection) -> bool:
    """Returns whether the database has the extension."""
    return bool(connection.exec_driver_sql(_HAS_CITUS).scalar())


def is_distributed(connection: Connection) -> bool:
    """Returns whether the tables of the database are distributed, perhaps not all of them."""
    return has_citus(connection) and any(each.is_distributed for each in _placed(connection))


def prepare_migration(connection: Connection) -> bool:
    """Lets the migration in this transaction change distributed tables. Returns whether there are any."""
    if not is_distributed(connection):
        return False
    connection.exec_driver_sql(_SEQUENTIAL)
    return True


def plan(connection: Connection) -> Distribution:
    """Returns what `distribute` would do, and the problems of what is there. Changes nothing. Raises DatabaseUnfit if
    this database cannot be distributed, with the step that is missing."""
    _refuse_unfit(connection)
    placed = {each.name: each for each in _placed(connection)}
    reference = tuple(name for name in REFERENCE_TABLES if name not in placed)
    distributed = tuple(name for name in TENANT_TABLES if name not in placed)
    keys = _foreign_keys(connection, (*reference, *distributed))
    return Distribution(
        reference=reference,
        distributed=distributed,
        foreign_keys=len(keys),
        problems=tuple(_problems(placed.values())),
    )


def distribute(connection: Connection) -> Distribution:
    """Distributes the tables that are not distributed yet, with their rows, and returns what it did. It locks them
    against everybody. Raises DatabaseUnfit if this database cannot be distributed, with the step that is missing."""
    for statement in (*_QUIETLY, _SEQUENTIAL):
        connection.exec_driver_sql(statement)
    found = plan(connection)
    if found.problems:
        raise DatabaseUnfit(" ".join(found.problems))
    if not found.missing:
        return found
    # In one order and all at once, so that a request that uses two of them waits and does not stop in between.
    connection.exec_driver_sql(f"LOCK TABLE {', '.join(sorted(metadata.tables))} IN ACCESS EXCLUSIVE MODE")
    keys = _foreign_keys(connection, found.missing)
    for key in keys:
        connection.exec_driver_sql(f"ALTER TABLE {key.of_table} DROP CONSTRAINT {key.name}")
    for table in found.reference:
        connection.exec_driver_sql(f"SELECT create_reference_table('{table}')")
    for table in found.distributed:
        beside = "none" if table == FIRST else FIRST
        connection.exec_driver_sql(
            f"SELECT create_distributed_table('{table}', '{GROUP}', colocate_with => '{beside}')"
        )
    for key in keys:
        connection.exec_driver_sql(f"ALTER TABLE {key.of_table} ADD CONSTRAINT {key.name} {key.definition}")
    return found


def free_local_copies(connection: Connection, tables: Iterable[str]) -> None:
    """Removes the rows of newly distributed tables from the coordinator, where nothing reads them any more."""
    for table in tables:
        connection.exec_driver_sql(f"SELECT truncate_local_data_after_distributing_table('{table}')")


def _refuse_unfit(connection: Connection) -> None:
    if not has_citus(connection):
        raise DatabaseUnfit(
            "It has no extension citus. An administrator installs Citus on every node, runs CREATE EXTENSION citus in "
            "this database on every node, and adds the nodes (docs/scaling.md)."
        )
    if not connection.exec_driver_sql(_IS_COORDINATOR).scalar():
        raise DatabaseUnfit("This server is a worker of the cluster. Name the coordinator in LEADYARD_DATABASE_URL.")
    if not connection.exec_driver_sql(_NODES).one().usable:
        raise DatabaseUnfit(
            "The cluster has no node that takes data. On the coordinator, an administrator runs SELECT "
            "citus_add_node('host', 5432) for each worker (docs/scaling.md)."
        )


def _placed(connection: Connection) -> list[_Placed]:
    rows = connection.exec_driver_sql(_PLACED)
    return [_Placed(row.name, row.is_distributed, row.colocation) for row in rows]


def _foreign_keys(connection: Connection, missing: Sequence[str]) -> list[Any]:
    asked = _FOREIGN_KEYS.format(ours=_oids(metadata.tables), missing=_oids(missing))
    return list(connection.exec_driver_sql(asked))


def _problems(placed: Iterable[_Placed]) -> Iterable[str]:
    """Yields what another program, or a person, has distributed in a way that the statements of the service cannot
    use."""
    colocations = set()
    for each in sorted(placed):
        if each.is_distributed == (each.name in REFERENCE_TABLES):
            now, right = ("distributed", "a reference table") if each.is_distributed else ("not", "distributed")
            yield (
                f"The table {each.name} is {now}, but must be {right}. Run SELECT "
                f"undistribute_table('{each.name}'), then 'leadyard distribute' again."
            )
        elif each.is_distributed:
            colocations.add(each.colocation)
    if len(colocations) > 1:
        yield (
            f"The tables are in {len(colocations)} colocation groups, so those of one account group are on several "
            f"nodes. Run SELECT update_distributed_table_colocation(…, colocate_with => '{FIRST}') for those that are "
            "not beside it."
        )


def examine(connection: Connection) -> Distribution | None:
    """Returns the state of a distributed database, None for one that is not distributed. Tables that are missing and
    nodes that do not answer are problems too."""
    if not is_distributed(connection):
        return None
    found = plan(connection)
    problems = list(found.problems)
    if found.missing:
        problems.append(
            f"Not all tables are distributed: {', '.join(found.missing)}. Stop the service, and run 'leadyard "
            "distribute'."
        )
    if inactive := connection.exec_driver_sql(_NODES).one().inactive:
        problems.append(
            f"{inactive} of the cluster's nodes are not active. SELECT * FROM pg_dist_node WHERE NOT isactive "
            "lists them."
        )
    return replace(found, problems=tuple(problems))
