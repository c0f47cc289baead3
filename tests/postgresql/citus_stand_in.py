"""The functions and catalogues of Citus that `leadyard distribute` uses, on plain PostgreSQL.

They move nothing. They note what they are asked for, and refuse what Citus refuses: a table that still has a foreign
key, or a unique index without the column that the rows are distributed by.
"""

from __future__ import annotations

from rig.service import run_sql

_STATEMENTS = (
    "CREATE TABLE pg_dist_node (nodename text, noderole text, isactive boolean, shouldhaveshards boolean)",
    'CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod "char", repmodel "char", colocationid integer)',
    "CREATE TABLE truncated (name text)",
    "CREATE FUNCTION citus_is_coordinator() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    """CREATE FUNCTION refuse_foreign_keys(t regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('citus.multi_shard_modify_mode') <> 'sequential' THEN
            RAISE 'parallel operation on a distributed table in the transaction'; END IF;
        IF EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'f' AND t IN (conrelid, confrelid)) THEN
            RAISE 'cannot create foreign key constraint on %', t; END IF; END $$""",
    """CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        PERFORM refuse_foreign_keys(t);
        INSERT INTO pg_dist_partition VALUES (t, 'n', 't', 1); END $$""",
    """CREATE FUNCTION create_distributed_table(t regclass, by text, colocate_with text) RETURNS void LANGUAGE plpgsql
    AS $$ BEGIN
        PERFORM refuse_foreign_keys(t);
        IF EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t AND i.indisunique AND NOT EXISTS (
            SELECT 1 FROM pg_attribute a WHERE a.attrelid = t AND a.attname = by AND a.attnum = ANY(i.indkey)))
        THEN RAISE 'cannot create constraint on %', t; END IF;
        INSERT INTO pg_dist_partition VALUES (t, 'h', 'c', CASE WHEN colocate_with = 'none' THEN 7 ELSE (
            SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = colocate_with::regclass) END); END $$""",
    """CREATE FUNCTION truncate_local_data_after_distributing_table(t regclass) RETURNS void LANGUAGE sql
    AS 'INSERT INTO truncated VALUES (t::text)'""",
)
STAND_INS = {"pg_dist_node", "pg_dist_partition", "truncated"}


def install(url: str, *, nodes: int = 2) -> None:
    """Makes the database look like the coordinator of a cluster with so many nodes."""
    for statement in _STATEMENTS:
        run_sql(url, statement)
    for n in range(nodes):
        run_sql(url, f"INSERT INTO pg_dist_node VALUES ('node{n}', 'primary', true, true)")


def placed(url: str) -> dict[str, tuple[str, int]]:
    """Returns table → its method (h: distributed, n: a copy on every node) and its group of colocation."""
    rows = run_sql(url, "SELECT logicalrelid::text, partmethod::text, colocationid FROM pg_dist_partition")
    return {name: (method, colocation) for name, method, colocation in rows}
