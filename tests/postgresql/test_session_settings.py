"""The service itself sets what a promise needs, whatever the role, the database or the URL have set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from leadyard.store.db.session_settings import SESSION_SETTINGS, startup_settings
from rig.moving import at_work
from rig.racing import on_postgresql_only
from rig.service import Service, make_tenant, run_sql

pytestmark = [on_postgresql_only, pytest.mark.usefixtures("backend")]
NewService = Callable[..., Service]
_ODD = {
    "default_transaction_isolation": "serializable",
    "standard_conforming_strings": "off",
    "synchronous_commit": "off",
    "plan_cache_mode": "auto",
    "enable_seqscan": "on",
    "jit": "on",
    "lock_timeout": "1ms",
    "statement_timeout": "1s",
    "idle_in_transaction_session_timeout": "1s",
}


def shown(url: str, settings: dict[str, str]) -> dict[str, str]:
    """Returns what is in force in a session that starts with these settings."""

    async def ask() -> dict[str, str]:
        connection: Any = await asyncpg.connect(url, server_settings=settings)
        try:
            return {name: await connection.fetchval(f"SHOW {name}") for name in _ODD}
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.fixture
def odd_url(migrated_database: Callable[[], str]) -> str:
    """A migrated database whose settings are all wrong for us."""
    url = migrated_database()
    for name, value in _ODD.items():
        [(database,)] = run_sql(url, "SELECT current_database()")
        run_sql(url, f"ALTER DATABASE {database} SET {name} = '{value}'")
    return url


def test_every_setting_of_the_table_wins_over_the_database(odd_url: str) -> None:
    assert {each.name for each in SESSION_SETTINGS} == set(_ODD)
    normal = {name: value.replace("60s", "1min") for name, value in startup_settings(odd_url).items()}
    assert shown(odd_url, {}) == _ODD
    found = shown(odd_url, startup_settings(odd_url))
    assert found == {name: normal[name] for name in _ODD}
    assert all(each.why.endswith(".") for each in SESSION_SETTINGS)


def test_the_service_works_on_such_a_database(odd_url: str, new_service: NewService) -> None:
    """Serializable transactions would be retried and given up, and without conforming strings no filter works."""
    service = new_service(database_url=odd_url)
    tenant = make_tenant(service)
    audience = tenant.create_audience()
    tenant.add_leads(audience, 3)
    for query in ({"q": "lead_1\\%"}, {"company": "x_%\\"}, {"q": "lead-1"}):
        answer = tenant.client.get(f"/audiences/{audience}/prospects", params=query)
        assert answer.status_code == 200, answer.text
    with at_work(service, one=3, two=3, three=3, four=3) as scene:
        for _ in range(5):
            scene.wait_for_success()
    assert set().union(*(mover.told for mover in scene.movers)) == {"200"}
    [conflicts] = [[line for line in service.log_lines() if line["event"] == "transaction_conflict"]]
    assert conflicts == []


def test_the_plan_mode_is_a_setting(migrated_database: Callable[[], str], new_service: NewService) -> None:
    url = migrated_database()
    for mode, value in (("generic", "force_generic_plan"), ("custom", "force_custom_plan"), ("auto", "auto")):
        assert shown(url, startup_settings(url, plan_mode=mode))["plan_cache_mode"] == value
    service = new_service(database_url=url, LEADYARD_DATABASE_PLAN_MODE="auto")
    tenant = make_tenant(service)
    one, other = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(one, 5)
    assert tenant.move(one, other, leads).status_code == 200
    assert set(tenant.members(other)) == set(leads)


def test_the_url_may_ask_for_more_durability(odd_url: str) -> None:
    stricter = f"{odd_url}{'&' if '?' in odd_url else '?'}synchronous_commit=remote_apply&jit=on"
    settings = startup_settings(stricter)
    assert (settings["synchronous_commit"], settings["jit"]) == ("remote_apply", "off")


def test_the_page_lists_every_setting() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
    table = page.partition("**What Leadyard sets itself**")[2].partition("**What was seen**")[0]
    for each in SESSION_SETTINGS:
        [row] = [line for line in table.splitlines() if line.startswith("|") and f"`{each.name}`" in line]
        assert f"`{each.value}`" in row
