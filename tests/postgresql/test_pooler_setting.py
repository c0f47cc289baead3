"""LEADYARD_DATABASE_POOLER, `migrate --role-settings` and a widened schema, as far as they need no pooler."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from leadyard.store.db.session_settings import needed_settings
from leadyard.store.schema import _MIGRATION_LOCK, head_revision
from rig.commands import command
from rig.everyday import use_everything, widen_tables
from rig.jobs import wait_for_end
from rig.racing import Session, assert_healthy, on_postgresql_only
from rig.service import Service, WorkerProcess, make_tenant, run_sql
from tests.migrations.schema_of import schema_of

pytestmark = [on_postgresql_only, pytest.mark.usefixtures("backend")]
POOLED = {"LEADYARD_DATABASE_POOLER": "transaction"}
COMMAND = "Run 'leadyard migrate --role-settings'."


def test_the_role_gets_every_setting_in_one_step(
    migrated_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADYARD_DATABASE_PLAN_MODE", "detect")
    url = migrated_database()
    run_sql(url, "SELECT 1")
    needed = needed_settings(plan_mode="custom")
    command("doctor", url=url, **POOLED).refused(1, COMMAND, "jit = off", "lock_timeout = 10s")
    command("serve", "--port", "0", url=url, **POOLED).refused(1, COMMAND)
    done = command("migrate", "--role-settings", "--json", url=url, LEADYARD_DATABASE_PLAN_MODE="custom").json()
    assert done["roleSettings"].items() <= needed.items()
    # The default plan mode is another one, and this service looks for it.
    command("doctor", url=url, **POOLED).refused(1, "lack settings: plan_cache_mode = force_generic_plan.")
    assert command("doctor", url=url, LEADYARD_DATABASE_PLAN_MODE="custom", **POOLED).code == 0
    written = command("migrate", "--role-settings", url=url, **POOLED)
    assert "Set plan_cache_mode = force_generic_plan for the role" in written.out
    assert "RECONNECT" in written.out
    assert command("doctor", url=url, **POOLED).code == 0
    again = command("migrate", "--role-settings", url=url, **POOLED)
    assert again.out == f"The schema is current ({head_revision()}).\n"


def test_role_settings_are_for_postgresql() -> None:
    command("migrate", "--role-settings", url="sqlite:////nowhere/x.db").refused(2, "is for PostgreSQL")


def test_settings_in_the_url_are_refused_behind_a_pooler(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()
    assert command("doctor", url=f"{url}&search_path=public" if "?" in url else f"{url}?search_path=public").code == 0
    mark = "&" if "?" in url else "?"
    refused = command("doctor", url=f"{url}{mark}search_path=a_secret", **POOLED)
    refused.refused(2, "LEADYARD_DATABASE_POOLER", "ALTER ROLE … SET search_path")
    assert "a_secret" not in refused.err


def test_timeouts_of_the_role_do_not_end_a_migration(new_database: Callable[[], str]) -> None:
    url = new_database()
    [(role, database)] = run_sql(url, "SELECT session_user, current_database()")
    for setting in ("statement_timeout = '800ms'", "lock_timeout = '500ms'"):
        run_sql(url, f"ALTER ROLE {role} IN DATABASE {database} SET {setting}")
    with Session(url) as other, ThreadPoolExecutor(1) as pool:
        other.begin()
        other.run("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
        migrating = pool.submit(command, "migrate", url=url, **POOLED)
        time.sleep(2)
        assert not migrating.done()
        other.commit()
        assert migrating.result().code == 0


def test_a_migration_without_prepared_statements_makes_the_same_schema(
    new_database: Callable[[], str], migrated_database: Callable[[], str]
) -> None:
    url = new_database()
    assert command("migrate", url=url, **POOLED).code == 0
    assert schema_of(url) == schema_of(migrated_database())


@pytest.mark.parametrize("pooler", ["none", "transaction"])
def test_everything_works_before_and_after_a_table_gets_another_column(
    new_service: Callable[..., Service],
    new_worker: Callable[..., WorkerProcess],
    migrated_database: Callable[[], str],
    pooler: str,
) -> None:
    """The statements that the sessions keep were prepared before, and a rolling upgrade does not end the sessions."""
    url, settings = migrated_database(), {"LEADYARD_DATABASE_POOLER": pooler}
    assert command("migrate", "--role-settings", url=url).code == 0
    service = new_service(database_url=url, LEADYARD_DATABASE_POOL_SIZE="1", **settings)
    new_worker(service, LEADYARD_DATABASE_POOL_SIZE="1")
    tenant = make_tenant(service)
    for _ in range(2):
        for job in use_everything(tenant):
            assert wait_for_end(tenant, job)["status"] == "completed"
        widen_tables(url)
    assert [line for line in service.log_lines() if line.get("event") == "unhandled_error"] == []
    assert_healthy(tenant)
