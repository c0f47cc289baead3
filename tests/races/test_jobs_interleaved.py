"""Several clients start, cancel, move, add and delete at the same time while workers run. An audience is populating
exactly while a job on it is queued or running."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from leadyard.ids import id_of, key_of, new_id
from rig.answers import data_of, refusal
from rig.jobs import found_job, start_import, wait_for_end
from rig.killing import wait_for_orphans
from rig.racing import (
    TORTURE,
    Session,
    assert_exact,
    assert_healthy,
    assert_nothing_leaked,
    at_once,
    code_of,
    counts,
    membership,
    wait_until,
)
from rig.service import Service, Tenant, WorkerProcess, make_tenant

BUDGET_S = 60.0 if TORTURE else 4.0
CLIENTS = 6
AUDIENCES = 5

AT_WORK = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'leadyard'"
    " AND state <> 'idle'"
)
URLS = ["https://www.linkedin.com/in/somebody"]

# The answers that each request may get, whatever else happens at the time.
EXPLAINED = {
    "start": {"202", "409 AUDIENCE_NOT_READY", "404 NOT_FOUND"},
    "start new": {"202"},
    "cancel": {"200", "422 JOB_NOT_CANCELLABLE"},
    "move": {"200", "409 AUDIENCE_NOT_READY", "404 NOT_FOUND", "422 LEADS_NOT_IN_SOURCE"},
    "add": {"200", "409 AUDIENCE_NOT_READY", "404 NOT_FOUND"},
    "delete": {"200", "409 AUDIENCE_NOT_READY", "404 NOT_FOUND"},
    "look": {"200", "409 AUDIENCE_NOT_READY", "404 NOT_FOUND"},
}

pytestmark = pytest.mark.timeout(300)


@dataclass
class Crowd:
    """Clients that act at random."""

    tenant: Tenant
    audiences: list[str]
    jobs: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, seed: int) -> None:
        chance = random.Random(seed)
        with self.tenant.new_client() as client:
            while not self.stop.is_set():
                self.one(client, chance)

    def one(self, client: httpx.Client, chance: random.Random) -> None:
        name = chance.choices(list(EXPLAINED), [6, 1, 5, 9, 4, 1, 3])[0]
        answer = getattr(self, name.replace(" ", "_"))(client, chance, chance.choice(self.audiences))
        if answer is None:
            return
        said = f"{answer.status_code} {code_of(answer)}".strip()
        self.told[f"{name}: {said}"] += 1
        if said not in EXPLAINED[name]:
            self.wrong.append(f"{name}: {answer.text}")

    def start(self, client: httpx.Client, chance: random.Random, audience: str) -> httpx.Response:
        return self._start(client, {"id": audience}, chance)

    def start_new(self, client: httpx.Client, chance: random.Random, audience: str) -> httpx.Response:
        answer = self._start(client, {"name": "New"}, chance)
        job = found_job(self.tenant, answer.json()["data"]["jobId"])
        self.audiences.append(job.audience_id)
        return answer

    def _start(self, client: httpx.Client, audience: dict[str, str], chance: random.Random) -> httpx.Response:
        urls = [f"https://www.linkedin.com/in/p-{chance.randrange(3_000)}" for _ in range(chance.choice((1, 300)))]
        body = {"type": "url_upload", "audience": audience, "profileUrls": urls}
        answer = client.post("/prospecting", json=body)
        if answer.status_code == 202:
            self.jobs.append(answer.json()["data"]["jobId"])
        return answer

    def cancel(self, client: httpx.Client, chance: random.Random, audience: str) -> httpx.Response | None:
        return client.post(f"/prospecting/{chance.choice(self.jobs[-8:])}/cancel") if self.jobs else None

    def move(self, client: httpx.Client, chance: random.Random, audience: str) -> httpx.Response | None:
        listed = client.get(f"/audiences/{audience}/prospects", params={"limit": 50})
        leads = [item["id"] for item in listed.json()["data"]["items"]] if listed.status_code == 200 else []
        target = chance.choice([each for each in self.audiences if each != audience])
        return self.tenant.move(audience, target, leads or [new_id()], client)

    def add(self, client: httpx.Client, chance: random.Random, audience: str) -> httpx.Response:
        people = [{"linkedinUrl": f"https://www.linkedin.com/in/p-{chance.randrange(3_000)}"} for _ in range(20)]
        return client.post(f"/audiences/{audience}/prospects", json={"prospects": people})

    def delete(self, client: httpx.Client, chance: random.Random, audience: str) -> httpx.Response:
        answer = client.delete(f"/audiences/{audience}")
        if answer.status_code == 200:
            self.audiences.append(self.tenant.create_audience("Another"))
        return answer

    def look(self, client: httpx.Client, chance: random.Random, audience: str) -> httpx.Response:
        return client.get(f"/audiences/{audience}")

    def for_a_while(self, seconds: float, seed: int, *wanted: str) -> None:
        """Runs the clients for that time; on a busy machine until all of `wanted` were also answered, or for a
        minute."""
        self.stop.clear()
        ends_at = time.monotonic() + seconds
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(self.run, seed + n) for n in range(CLIENTS)]
            time.sleep(seconds)
            while not all(map(self.told.get, wanted)) and time.monotonic() < ends_at + 60:
                time.sleep(0.02)
            self.stop.set()
            for each in running:
                each.result()


def assert_populating_exactly_with_a_job(tenant: Tenant) -> int:
    """Requests every audience while no client changes anything. Returns how many are populating."""
    rows = tenant.sql(
        "SELECT audience_id, id FROM jobs WHERE account_group_id = $1 AND status IN ('queued', 'running')",
        tenant.number,
    )
    active = {id_of(audience): id_of(job) for audience, job in rows}
    everyone = tenant.sql("SELECT id, deleted_at FROM audiences WHERE account_group_id = $1", tenant.number)
    for key, deleted_at in everyone:
        audience = id_of(key)
        answer = tenant.client.get(f"/audiences/{audience}")
        if deleted_at is not None:
            assert audience not in active
            refusal(answer, 404, "NOT_FOUND")
        elif audience in active:
            assert refusal(answer, 409, "AUDIENCE_NOT_READY")["jobId"] == active[audience]
        else:
            data_of(answer)
    return len(active)


def test_any_interleaving_is_safe(job_service: Service, new_worker: Callable[..., WorkerProcess]) -> None:
    others_lines = len(job_service.log_lines())
    tenant = make_tenant(job_service)
    crowd = Crowd(tenant, [tenant.create_audience(f"Audience {n}") for n in range(AUDIENCES)])
    workers = [
        new_worker(job_service, LEADYARD_WORKER_LEASE_S="2") for _ in range(3 if job_service.is_postgresql else 1)
    ]
    crowd.for_a_while(BUDGET_S, 1, "start: 202", "cancel: 200")
    for worker in workers:
        worker.kill()
    if job_service.is_postgresql:
        # PostgreSQL's processes finish statements of a dead worker.
        wait_until(lambda: tenant.sql(AT_WORK) == [(0,)], "what the workers had begun is over")
    # No worker runs, so that jobs stay as they are and the clients find busy audiences.
    crowd.for_a_while(BUDGET_S / 4, 100, "start: 409 AUDIENCE_NOT_READY", "move: 409 AUDIENCE_NOT_READY")
    busy = assert_populating_exactly_with_a_job(tenant)

    for worker in workers:
        worker.start()
    active = "SELECT COUNT(*) FROM jobs WHERE account_group_id = $1 AND status IN ('queued', 'running')"
    wait_until(lambda: tenant.sql(active, tenant.number) == [(0,)], "all jobs have ended", within_s=90)

    print(f"\n{busy} busy; {dict(sorted(crowd.told.items()))}")
    assert crowd.wrong == []
    for said in (
        "start: 202",
        "start: 409 AUDIENCE_NOT_READY",
        "cancel: 200",
        "move: 409 AUDIENCE_NOT_READY",
    ):
        assert crowd.told[said], f"no client was answered {said}"
    assert assert_populating_exactly_with_a_job(tenant) == 0
    inside = membership(tenant)
    stored = counts(tenant)
    assert {audience: count for audience, count in stored.items() if count} == {
        audience: len(leads) for audience, leads in inside.items()
    }
    assert_exact(
        tenant,
        {
            each: inside.get(each, set())
            for each in crowd.audiences[-4:]
            if tenant.client.get(f"/audiences/{each}").status_code == 200
        },
    )
    rows = tenant.sql(
        "SELECT status, read_count, created_count + matched_count + rejected_count,"
        " added_count + already_in_audience_count, created_count + matched_count"
        " FROM jobs WHERE account_group_id = $1",
        tenant.number,
    )
    assert {row[0] for row in rows} <= {"completed", "cancelled"}
    assert all(row[1] == row[2] and row[3] <= row[4] for row in rows)
    assert_healthy(tenant)
    assert_nothing_leaked(job_service, since=others_lines)


def test_of_two_starts_on_one_audience_one_is_refused(job_tenant: Tenant) -> None:
    for _ in range(5):
        audience = job_tenant.create_audience()
        body: dict[str, Any] = {"type": "url_upload", "audience": {"id": audience}, "profileUrls": URLS}

        def start(body: dict[str, Any] = body) -> httpx.Response:
            with job_tenant.new_client() as client:
                return client.post("/prospecting", json=body)

        answers = at_once(*[start] * 4)
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
        [job] = {answer.json()["data"]["jobId"] for answer in answers if answer.status_code == 202}
        assert {answer.json()["error"]["jobId"] for answer in answers if answer.status_code == 409} == {job}


def test_a_job_cannot_start_in_the_middle_of_a_move(job_tenant: Tenant) -> None:
    """Another session has locked the audience, as a move does; the start waits for the commit."""
    audience = job_tenant.create_audience()
    body = {"type": "url_upload", "audience": {"id": audience}, "profileUrls": ["https://www.linkedin.com/in/a"]}
    with Session(job_tenant.service.database_url) as session, ThreadPoolExecutor(1) as pool:
        session.begin()
        lock = " FOR UPDATE" if session.is_postgresql else ""
        session.run(f"SELECT id FROM audiences WHERE id = $1{lock}", key_of(audience))
        starting = pool.submit(job_tenant.client.post, "/prospecting", json=body)
        time.sleep(0.4)
        assert not starting.done()
        assert session.run("SELECT id FROM jobs WHERE audience_id = $1", key_of(audience)) == []
        session.commit()
        data_of(starting.result(), 202)
    refusal(job_tenant.client.get(f"/audiences/{audience}"), 409, "AUDIENCE_NOT_READY")


@pytest.mark.timeout(240)
def test_a_killed_server_leaves_no_audience_without_its_job(new_service: Callable[..., Service]) -> None:
    """Starts as fast as possible, and kill -9 of the server: every answered start is there, always with both its parts
    or none."""
    service = new_service()
    tenant = make_tenant(service)
    answered: list[str] = []
    stop = threading.Event()

    def start() -> None:
        with tenant.new_client() as client:
            while not stop.is_set():
                body = {"type": "url_upload", "audience": {"name": "J"}, "profileUrls": ["https://linkedin.com/in/a"]}
                try:
                    answered.append(client.post("/prospecting", json=body).json()["data"]["jobId"])
                except httpx.TransportError:
                    return

    for _ in range(6 if TORTURE else 1):
        stop.clear()
        with ThreadPoolExecutor(4) as pool:
            for _ in range(4):
                pool.submit(start)
            before = len(answered)
            wait_until(lambda before=before: len(answered) > before, "a start is answered")  # type: ignore[misc]
            time.sleep(random.Random(len(answered)).uniform(0.3, 0.6))
            service.kill()
        wait_for_orphans(service.database_url)
        service.start()
    audiences = {row[0] for row in tenant.sql("SELECT id FROM audiences WHERE account_group_id = $1", tenant.number)}
    found = tenant.sql("SELECT id, audience_id FROM jobs WHERE account_group_id = $1", tenant.number)
    jobs = {id_of(job): audience for job, audience in found}
    assert answered
    assert set(answered) <= set(jobs)
    assert set(jobs.values()) == audiences
    assert len(audiences) == len(jobs)
    service.stop()


def test_two_jobs_bring_in_the_same_people_at_once(
    job_tenant: Tenant, new_worker: Callable[..., WorkerProcess]
) -> None:
    """Two audiences, one file twice: every person is one lead, and both audiences contain all of them."""
    rows = 3_000
    jobs = [start_import(job_tenant, rows) for _ in range(2)]
    new_worker(job_tenant.service)
    ended = [wait_for_end(job_tenant, job) for job in jobs]
    assert [each["status"] for each in ended] == ["completed", "completed"]
    assert sum(each["counts"]["created"] for each in ended) == rows
    assert sum(each["counts"]["matched"] for each in ended) == rows
    assert [job_tenant.count(each["audienceId"]) for each in ended] == [rows, rows]
    assert_healthy(job_tenant)
