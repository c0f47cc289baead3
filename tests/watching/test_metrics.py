"""The admin port: metrics that count real events, health that is accurate, and neither on the public port."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from leadyard.ids import key_of
from rig.racing import at_once, wait_until
from rig.service import Service, Tenant, leadyard, make_tenant, run_sql
from rig.watching import admin_url, on_one_database, scraped
from tests.watching.conftest import POOL, QUEUE

MOVE = "/v1/accounts/{accountGroupId}/audiences/{audienceId}/move-leads"


def changes(service: Service, before: dict[str, float]) -> dict[str, float]:
    return {name: value - before.get(name, 0) for name, value in scraped(service).items() if value != before.get(name)}


def test_a_move_is_counted(watched: Service, seen: Tenant) -> None:
    source, target = seen.create_audience(), seen.create_audience()
    leads = seen.add_leads(source, 3)
    before = scraped(watched)
    assert seen.move(source, target, leads).status_code == 200
    assert seen.move(source, target, leads).status_code == 422
    more = changes(watched, before)
    assert more["leadyard_moves_total"] == 1
    assert more["leadyard_leads_moved_total"] == 3
    assert more[f'leadyard_requests_total{{method="POST",route="{MOVE}",status="200"}}'] == 1
    assert more[f'leadyard_requests_total{{method="POST",route="{MOVE}",status="422"}}'] == 1
    assert more[f'leadyard_request_duration_seconds_count{{method="POST",route="{MOVE}"}}'] == 2
    assert more[f'leadyard_request_duration_seconds_sum{{method="POST",route="{MOVE}"}}'] > 0


def test_limits_and_rest(watched: Service, seen: Tenant) -> None:
    now = scraped(watched)
    assert now["leadyard_database_connections_limit"] == POOL
    assert now["leadyard_database_waiters_limit"] == QUEUE
    assert now["leadyard_requests_in_progress"] == 0
    assert now["leadyard_database_waiters"] == 0
    assert now["leadyard_database_answers"] == 1
    assert now["process_resident_memory_bytes"] > 0


def test_whatever_strangers_ask_for_is_one_series(watched: Service) -> None:
    def ask() -> None:
        for path in ("/a", "/b/c", "/v1/nothing", "/wp-login.php?x=1"):
            assert httpx.get(watched.base_url + path).status_code == 404
        for method in ("BREW", "PROPFIND"):
            httpx.request(method, f"{watched.base_url}/v1/accounts")

    ask()
    before = set(scraped(watched))
    ask()
    assert set(scraped(watched)) == before
    text = "".join(before)
    assert "wp-login" not in text
    assert "PROPFIND" not in text
    assert 'route="unknown",status="404"' in text


def test_jobs_by_status_and_age(watched: Service, seen: Tenant) -> None:
    job = seen.insert_job(seen.create_audience(), "queued")
    seen.insert_job(seen.create_audience(), "running")
    seen.sql("UPDATE jobs SET created_at = created_at - 90000 WHERE id = $1", key_of(job))
    now = scraped(watched)
    assert now['leadyard_jobs{status="queued"}'] == 1
    assert now['leadyard_jobs{status="running"}'] == 1
    assert 90 <= now['leadyard_jobs_oldest_seconds{status="queued"}'] < 200
    seen.sql("UPDATE jobs SET status = 'completed'")
    assert scraped(watched)['leadyard_jobs{status="queued"}'] == 0


def test_only_the_admin_port_tells(watched: Service) -> None:
    for path in ("/metrics", "/livez", "/readyz"):
        public = httpx.get(watched.base_url + path, headers={"Host": admin_url(watched).removeprefix("http://")})
        assert public.status_code == 404
        assert public.json()["error"]["code"] == "NOT_FOUND"
    admin = admin_url(watched)
    assert httpx.get(f"{admin}/livez").json() == {"status": "ok"}
    assert httpx.get(f"{admin}/readyz").json() == {"status": "ok"}
    assert httpx.get(f"{admin}/v1/accounts").status_code == 404
    assert httpx.post(f"{admin}/metrics").status_code == 405


def test_ready_means_a_schema_it_can_work_with(watched: Service, seen: Tenant) -> None:
    [(revision,)] = seen.sql("SELECT version_num FROM alembic_version")

    def ready_at(*revisions: str) -> httpx.Response:
        seen.sql("DELETE FROM alembic_version")
        for each in revisions:
            seen.sql("INSERT INTO alembic_version (version_num) VALUES ($1)", each)
        return httpx.get(f"{admin_url(watched)}/readyz")

    try:
        without = ready_at()
        assert without.status_code == 503
        assert without.json()["code"] == ("DATABASE_UNFIT" if watched.is_postgresql else "SCHEMA_OUT_OF_DATE")
        # The next version has migrated already, while this one must still answer its clients.
        assert ready_at("9999").status_code == 200
    finally:
        assert ready_at(revision).status_code == 200


def test_no_secret_and_no_data_in_the_metrics(watched: Service, seen: Tenant) -> None:
    audience = seen.create_audience()
    lead = seen.add_leads(audience, 1)[0]
    seen.client.get(f"/prospects/{lead}")
    seen.client.get(f"/prospects/by-provider-id/{seen.key}")
    text = httpx.get(f"{admin_url(watched)}/metrics").text
    for hidden in (seen.key, lead, audience, seen.account_group_id, "@example.com"):
        assert hidden not in text


def test_changes_that_do_not_get_into_the_index_are_counted(watched: Service, seen: Tenant) -> None:
    source, target = seen.create_audience(), seen.create_audience()
    assert seen.move(source, target, seen.add_leads(source, 3)).status_code == 200

    def all_indexed() -> bool:
        return not seen.sql("SELECT 1 FROM changes WHERE account_group_id = $1 AND NOT is_indexed", seen.number)

    def failures() -> float:
        return scraped(watched)["leadyard_change_index_failures_total"]

    def lines() -> list[dict[str, Any]]:
        return [line for line in watched.log_lines() if line["event"] == "change_index_failed"]

    wait_until(all_indexed, "the housekeeping has entered the move")
    before, logged = failures(), len(lines())
    # Their entries stay, as if another program had written them.
    seen.sql("UPDATE changes SET is_indexed = false WHERE account_group_id = $1", seen.number)
    if not watched.is_postgresql:
        wait_until(all_indexed, "SQLite enters them again")
        assert (failures(), len(lines())) == (before, logged)
        return
    wait_until(lambda: failures() == before + 1, "the failure is counted")
    [line] = lines()[logged:]
    assert (line["account_group_id"], line["reason"]) == (seen.account_group_id, "conflicts")
    # The index of the others goes on.
    other = make_tenant(watched)
    moved = other.create_audience(), other.create_audience()
    assert other.move(*moved, other.add_leads(moved[0], 3)).status_code == 200
    left = "SELECT 1 FROM changes WHERE account_group_id = $1 AND NOT is_indexed"
    wait_until(lambda: not other.sql(left, other.number), "the housekeeping has entered the move of another group")
    seen.sql("UPDATE changes SET is_indexed = true WHERE account_group_id = $1", seen.number)


@on_one_database
def test_two_processes_tell_one_truth(migrated_database: Callable[[], str], log_dir: Path) -> None:
    """Each of the processes reports what all of them did, including work of a process that has died."""
    service = Service(migrated_database(), log_dir, {"LEADYARD_ADMIN_PORT": "0"}).start("--workers", "2")
    try:
        tenant = make_tenant(service)
        source, target = tenant.create_audience(), tenant.create_audience()
        leads = tenant.add_leads(source, 40)

        def move(lead: str) -> None:
            with tenant.new_client() as client:
                assert tenant.move(source, target, [lead], client).status_code == 200

        # On a busy machine the second process may start long after the first one answers.
        wait_until(lambda: scraped(service).get("leadyard_database_connections_limit") == 20, "both run", within_s=60)
        at_once(*(lambda lead=lead: move(lead) for lead in leads[:20]))
        for lead in leads[20:]:
            move(lead)
        for _ in range(6):
            now = scraped(service)
            assert now["leadyard_moves_total"] == 40
            assert now["leadyard_database_connections_limit"] == 20
        workers = {int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", service.log_file.read_text())}
        assert len(workers) == 2
        os.kill(min(workers), signal.SIGKILL)
        wait_until(lambda: service.log_file.read_text().count("Application startup complete") == 3, "a new process")
        now = scraped(service)
        assert now["leadyard_moves_total"] == 40
        assert now["leadyard_database_connections_limit"] == 20
        process = service.process
        assert process is not None
        process.terminate()
        assert process.wait(15) == 0
        tenant.client.close()
    finally:
        service.stop()


def test_an_admin_port_that_is_taken(watched: Service) -> None:
    taken = admin_url(watched).rpartition(":")[2]
    refused = leadyard("serve", "--port", "0", url=watched.database_url, timeout_s=30, LEADYARD_ADMIN_PORT=taken)
    assert refused.returncode == 1
    assert taken in refused.stderr
    assert "Traceback" not in refused.stderr
    assert run_sql(watched.database_url, "SELECT 1") == [(1,)]
