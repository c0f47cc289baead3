"""`leadyard distribute`, and how the service works with distributed tables, with stand-ins for the functions of Citus.

docs/scaling.md lists the results on a real cluster. Here is what plain PostgreSQL can prove.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from leadyard.errors import TransactionConflict
from leadyard.store import distribution
from leadyard.store.db.postgresql import _sent
from leadyard.store.distribution import FIRST, REFERENCE_TABLES, TENANT_TABLES
from leadyard.store.tables import metadata
from rig.commands import command
from rig.racing import Session, assert_healthy, on_postgresql_only
from rig.service import Service, make_tenant, run_sql
from tests.migrations.schema_of import schema_of
from tests.postgresql.citus_stand_in import STAND_INS, install, placed

pytestmark = [on_postgresql_only, pytest.mark.usefixtures("backend")]
NewDatabase = Callable[[], str]
# The default, also where the whole run has another mode.
DETECT = {"LEADYARD_DATABASE_PLAN_MODE": "detect"}


def own_schema(url: str) -> dict[str, Any]:
    return {name: table for name, table in schema_of(url).items() if name not in STAND_INS}


def test_every_table_is_placed_and_the_schema_is_as_before(migrated_database: NewDatabase) -> None:
    url = migrated_database()
    install(url)
    before = own_schema(url)
    keys = sum(len(table["foreign_keys"]) for table in before.values())
    assert keys > 0

    done = command("distribute", "--json", url=url).json()

    assert done["changed"] and done["problems"] == []
    assert (set(done["referenceTables"]), set(done["distributedTables"])) == (set(REFERENCE_TABLES), set(TENANT_TABLES))
    assert done["foreignKeys"] == keys
    assert own_schema(url) == before
    assert placed(url) == dict.fromkeys(REFERENCE_TABLES, ("n", 1)) | dict.fromkeys(TENANT_TABLES, ("h", 7))
    assert {name for (name,) in run_sql(url, "SELECT name FROM truncated")} == set(metadata.tables)
    assert done["roleSettings"].items() >= {"enable_seqscan": "off", "jit": "off", "lock_timeout": "10s"}.items()
    assert done["roleSettings"].get("plan_cache_mode", "auto") == "auto"


def test_the_tables_are_all_of_ours_and_the_first_is_one_of_them() -> None:
    assert set(REFERENCE_TABLES) | set(TENANT_TABLES) == set(metadata.tables)
    assert TENANT_TABLES[0] == FIRST
    assert all("account_group_id" in metadata.tables[name].primary_key.columns for name in TENANT_TABLES)


def test_again_changes_nothing(migrated_database: NewDatabase) -> None:
    url = migrated_database()
    install(url)
    command("distribute", url=url)
    run_sql(url, "DELETE FROM truncated")
    again = command("distribute", "--json", url=url).json()
    assert (again["changed"], again["referenceTables"], again["distributedTables"]) == (False, [], [])
    assert run_sql(url, "SELECT * FROM truncated") == []
    assert "distributed already" in command("distribute", url=url).out


def test_a_dry_run_lists_everything_and_changes_nothing(migrated_database: NewDatabase) -> None:
    url = migrated_database()
    install(url)
    planned = command("distribute", "--dry-run", "--json", url=url).json()
    assert not planned["changed"] and set(planned["distributedTables"]) == set(TENANT_TABLES)
    assert planned["roleSettings"]["jit"] == "off"
    assert placed(url) == {}
    assert "Would have distributed by account group: audiences," in command("distribute", "--dry-run", url=url).out
    [(settings,)] = run_sql(
        url, "SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        " WHERE d.datname = current_database()",
    )  # fmt: skip
    assert settings == 0


def test_each_missing_step_is_named_and_nothing_is_changed(
    new_database: NewDatabase, migrated_database: NewDatabase
) -> None:
    command("distribute", url="sqlite:////nowhere/x.db").refused(2, "is for a cluster of PostgreSQL")
    command("distribute", url=new_database()).refused(1, "Run 'leadyard migrate'")
    url = migrated_database()
    command("distribute", url=url).refused(1, "CREATE EXTENSION citus")
    install(url, nodes=0)
    command("distribute", url=url).refused(1, "citus_add_node")
    run_sql(url, "CREATE OR REPLACE FUNCTION citus_is_coordinator() RETURNS boolean LANGUAGE sql AS 'SELECT false'")
    command("distribute", url=url).refused(1, "Name the coordinator")
    assert placed(url) == {}


def test_tables_that_somebody_has_distributed_in_another_way_are_refused(migrated_database: NewDatabase) -> None:
    url = migrated_database()
    install(url)
    command("distribute", url=url)
    run_sql(url, "UPDATE pg_dist_partition SET colocationid = 8 WHERE logicalrelid = 'leads'::regclass")
    command("distribute", url=url).refused(1, "2 colocation groups")
    found = command("doctor", "--json", url=url)
    assert (found.code, [each["check"] for each in found.json()["findings"]]) == (1, ["distribution"])
    run_sql(url, "UPDATE pg_dist_partition SET colocationid = 7 WHERE logicalrelid = 'leads'::regclass")
    run_sql(url, "UPDATE pg_dist_partition SET partmethod = 'h' WHERE logicalrelid = 'api_keys'::regclass")
    command("distribute", url=url).refused(1, "undistribute_table('api_keys')")


def test_a_local_table_that_the_cluster_only_knows_is_distributed(migrated_database: NewDatabase) -> None:
    url = migrated_database()
    install(url)
    run_sql(url, "INSERT INTO pg_dist_partition VALUES ('jobs', 'n', 's', 0)")
    done = command("distribute", "--json", url=url).json()
    assert "jobs" in done["distributedTables"]


def test_tables_in_use_are_left_alone(migrated_database: NewDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    url = migrated_database()
    install(url)
    monkeypatch.setattr(distribution, "_QUIETLY", ("SET LOCAL lock_timeout = '200ms'",))
    with Session(url) as other:
        other.begin()
        other.run("SELECT count(*) FROM leads")
        refused = command("distribute", url=url)
    refused.refused(1, "The tables are in use, and nothing was changed. Stop 'leadyard serve'")
    assert placed(url) == {}
    assert command("distribute", "--json", url=url).json()["changed"]


def test_a_migration_distributes_a_new_table(migrated_database: NewDatabase) -> None:
    """A table of the next version, as a migration to it would find it: there, with a key, and on one node only."""
    url = migrated_database()
    install(url)
    command("distribute", url=url)
    before = own_schema(url)
    run_sql(url, "DELETE FROM pg_dist_partition WHERE logicalrelid = 'folders'::regclass")
    from leadyard.store import schema
    from tests.migrations.schema_of import on_connection

    on_connection(url, schema._upgrade)
    assert placed(url)["folders"] == ("h", 7)
    assert own_schema(url) == before


def test_the_doctor_names_nodes_and_tables(migrated_database: NewDatabase) -> None:
    url = migrated_database()
    install(url)
    assert command("doctor", url=url).code == 0
    command("distribute", url=url)
    assert command("doctor", url=url).code == 0
    run_sql(url, "UPDATE pg_dist_node SET isactive = false WHERE nodename = 'node1'")
    run_sql(url, "DELETE FROM pg_dist_partition WHERE logicalrelid = 'jobs'::regclass")
    found = command("doctor", url=url)
    assert found.code == 1
    assert "[distribution] 1 of the cluster's nodes are not active" in found.out
    assert "[distribution] Not all tables are distributed: jobs." in found.out


def test_sessions_plan_as_the_database_needs(
    migrated_database: NewDatabase, new_service: Callable[..., Service]
) -> None:
    """Generic plans on plain PostgreSQL; on a distributed one plans that know the values."""
    url = migrated_database()
    assert modes_of(new_service(database_url=url, **DETECT), url) == {"force_generic_plan"}
    install(url)
    assert command("distribute", url=url).code == 0
    assert modes_of(new_service(database_url=url, **DETECT), url) == {"auto"}
    assert modes_of(new_service(database_url=url, LEADYARD_DATABASE_PLAN_MODE="custom"), url) == {"force_custom_plan"}


def modes_of(service: Service, url: str) -> set[str]:
    """Returns the plan modes in which the service inserts: a trigger notes them."""
    run_sql(url, "CREATE TABLE IF NOT EXISTS seen (mode text)")
    run_sql(
        url,
        """CREATE OR REPLACE FUNCTION note_mode() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen VALUES (current_setting('plan_cache_mode')); RETURN NEW; END $$""",
    )
    run_sql(url, "DROP TRIGGER IF EXISTS noted ON audiences")
    run_sql(url, "DELETE FROM seen")
    tenant = make_tenant(service)
    run_sql(url, "CREATE TRIGGER noted BEFORE INSERT ON audiences FOR EACH ROW EXECUTE FUNCTION note_mode()")
    for _ in range(3):
        tenant.create_audience()
    run_sql(url, "DROP TRIGGER noted ON audiences")
    assert_healthy(tenant)
    service.stop()
    return {mode for (mode,) in run_sql(url, "SELECT mode FROM seen")}


@pytest.mark.parametrize(
    "text",
    [
        'duplicate key value violates unique constraint "leads_email_key_102132"',
        'insert or update on table "t_102" violates foreign key constraint "t_fkey_102"',
        "deadlock detected",
        "canceling statement due to lock timeout",
    ],
)
def test_a_failed_copy_of_a_node_is_told_by_its_text(text: str) -> None:
    with pytest.raises(TransactionConflict), _sent("COPY"):
        raise asyncpg.InternalServerError(text)


def test_another_internal_error_stays_one() -> None:
    with pytest.raises(asyncpg.InternalServerError), _sent("COPY"):
        raise asyncpg.InternalServerError("cache lookup failed")
