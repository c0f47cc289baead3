"""Clients of the service behind a proxy, of which either restarts while they work: what they must get all the same."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from rig.answers import data_of
from rig.jobs import ENDED, assert_counts, assert_not_back, csv_of
from rig.racing import assert_exact, assert_healthy, code_of
from rig.service import Service, Tenant

CLIENTS = 4
MOVES_PER_CLIENT = 60
FILES = 3
ROWS = 2_500
# Of the service, or of the proxy while the service is away.
RETRIED = (429, 502, 503, 504)


class Proxy(Protocol):
    """A proxy before one service, that a test starts and stops."""

    @property
    def base_url(self) -> str: ...

    def restart(self) -> None: ...


@dataclass
class Client:
    """Repeats a request that has no answer, or an answer that documents a retry, until it has another one."""

    tenant: Tenant
    base_url: str
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._http = self._connect()

    def send(self, method: str, path: str, *, key: str | None = None, **rest: Any) -> httpx.Response:
        headers = {**rest.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = self._http.request(method, path, headers=headers, **rest)
            except httpx.TransportError as error:
                self.told[type(error).__name__] += 1
                self._http = self._connect()
                time.sleep(0.05)
                continue
            self.told[str(answer.status_code)] += 1
            if answer.status_code not in RETRIED and not (key and _is_in_flight(answer)):
                return answer
            time.sleep(0.1)
        raise AssertionError(f"{method} {path} has no answer: {self.told}")

    def walk(self, path: str, limit: int) -> list[str]:
        """Returns the ids of all items of a list, page by page."""
        ids: list[str] = []
        query: dict[str, Any] = {"limit": limit}
        while True:
            data = data_of(self.send("GET", path, params=query))
            ids += [item["id"] for item in data["items"]]
            if data["nextCursor"] is None:
                return ids
            query["cursor"] = data["nextCursor"]

    def _connect(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.base_url}/v1/accounts/{self.tenant.account_group_id}",
            headers={"Authorization": f"Bearer {self.tenant.key}"},
            timeout=60,
            # The proxy may have a certificate of its own.
            verify=False,
        )


def _is_in_flight(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and code_of(answer) == "IDEMPOTENCY_CONFLICT"


def restart(service: Service) -> Callable[[], None]:
    def run() -> None:
        service.stop()
        service.start()

    return run


def post_around(tenant: Tenant, proxy: Proxy, idle_times_s: Iterable[float]) -> None:
    """Each client pauses for a little more or less than an idle time, then sends a POST, which no proxy may repeat. All
    of them succeed."""
    pauses_s = [idle_s + step / 100 for idle_s in idle_times_s for step in range(-3, 4)]

    def create(pause_s: float) -> Counter[str]:
        client = Client(tenant, proxy.base_url)
        for number in range(4):
            body = {"name": f"After {pause_s}, {number}", "type": "on_demand"}
            client.send("POST", "/audiences", json=body)
            time.sleep(pause_s)
        return client.told

    with ThreadPoolExecutor(len(pauses_s)) as pool:
        assert list(pool.map(create, pauses_s)) == [Counter({"201": 4})] * len(pauses_s)


def move_during(tenant: Tenant, proxy: Proxy, disturb: Callable[[], None]) -> None:
    """Clients move leads with keys, one by one. Every lead is moved once."""
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, CLIENTS * MOVES_PER_CLIENT, prefix=f"moved-{source}")

    def move_all(number: int) -> set[str]:
        client = Client(tenant, proxy.base_url)
        ids = set()
        for lead in leads[number * MOVES_PER_CLIENT : (number + 1) * MOVES_PER_CLIENT]:
            body = {"targetAudienceId": target, "leadIds": [lead]}
            answer = client.send("POST", f"/audiences/{source}/move-leads", key=f"{source}-{lead}", json=body)
            assert answer.status_code == 200, answer.text
            ids.add(answer.headers["Move-Id"])
            time.sleep(0.02)
        return ids

    with ThreadPoolExecutor(CLIENTS) as pool:
        working = [pool.submit(move_all, number) for number in range(CLIENTS)]
        time.sleep(0.3)
        disturb()
        move_ids = set[str]().union(*(each.result() for each in working))

    assert len(move_ids) == len(leads)
    assert_exact(tenant, {source: set(), target: set(leads)})


def import_during(tenant: Tenant, proxy: Proxy, *disturb: Callable[[], None]) -> None:
    """Clients upload files, start an import of each, and watch the jobs, while another client walks a list. Every file
    is imported once, and every walk is complete."""
    walked = tenant.create_audience("Walked")
    leads = tenant.add_leads(walked, 600, prefix=f"walked-{walked}")
    enough = threading.Event()

    def walk() -> Counter[str]:
        client = Client(tenant, proxy.base_url)
        while not enough.is_set():
            assert sorted(client.walk(f"/audiences/{walked}/prospects", 50)) == sorted(leads)
        return client.told

    with ThreadPoolExecutor(FILES + 1) as pool:
        importing = [pool.submit(_import, Client(tenant, proxy.base_url), number) for number in range(FILES)]
        walking = pool.submit(walk)
        try:
            for each in disturb:
                time.sleep(0.5)
                each()
            audiences = [future.result() for future in importing]
        finally:
            enough.set()
        told = walking.result()

    assert set(told) - {"200"}, f"no request of a walk was disturbed: {told}"
    assert len(tenant.walk("/prospecting")) == FILES
    for number, audience in enumerate(audiences):
        emails = {item["email"] for item in tenant.walk(f"/audiences/{audience}/prospects")}
        assert emails == {f"file-{number}-{n}@example.com" for n in range(ROWS) if n % 100 != 99}
    assert_healthy(tenant)


def _import(client: Client, number: int) -> str:
    """Returns the audience that the file has filled."""
    text = csv_of(ROWS, prefix=f"file-{number}", bad_every=100).encode()
    uploaded = client.send("POST", "/uploads", content=text, headers={"Content-Type": "text/csv"})
    body = {
        "type": "csv_upload",
        "audience": {"name": f"File {number}"},
        "uploadId": data_of(uploaded, 201)["uploadId"],
    }
    started = client.send("POST", "/prospecting", key=f"file-{number}", json=body)
    # The answer to a repeat has another status when the job has ended.
    assert started.status_code in (200, 202), started.text
    path = f"/prospecting/{started.json()['data']['jobId']}"
    job = data_of(client.send("GET", path))
    while job["status"] not in ENDED:
        time.sleep(0.05)
        now = data_of(client.send("GET", path))
        assert_not_back(job, now)
        job = now
    assert job["status"] == "completed", job
    assert_counts(job, read=ROWS, created=ROWS - ROWS // 100, rejected=ROWS // 100)
    audience: str = job["audienceId"]
    return audience
