"""Readers of the feed and receivers of webhooks through a storm: many clients and every kind of change, while server
and worker are killed.

Each reader must get each committed change exactly once, in the one order of the feed, and nothing that was rolled back.
Each receiver that lives must get each of them at least once.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from leadyard.ids import id_of
from rig.jobs import start_import
from rig.killing import wait_for_orphans
from rig.racing import TORTURE, assert_healthy, wait_until
from rig.receivers import CLOSES, Received, Receiver, Receivers, receivers
from rig.service import Service, Tenant, WorkerProcess, make_tenant
from tests.webhooks.conftest import HERE, create

SECONDS = 60 if TORTURE else 12
KILLS = 5 if TORTURE else 3
CLIENTS = 16
Event = dict[str, Any]

pytestmark = pytest.mark.timeout(400)


class Storm:
    """Clients that change a few audiences at random until they are stopped. They ignore refusals and lost
    connections, because only what was committed counts."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.is_over = threading.Event()
        self.audiences = [tenant.create_audience(f"{n}") for n in range(6)]
        self.done: Counter[str] = Counter()
        tenant.add_leads(self.audiences[0], 300)
        self._lead_ids = tenant.members(self.audiences[0])

    def run(self, seed: int) -> None:
        chance, client = random.Random(seed), self.tenant.new_client()
        changes = (
            self._move, self._move, self._move, self._copy, self._remove, self._add, self._rename, self._edit,
            self._erase, self._undo, self._make_and_delete, self._merge,
        )  # fmt: skip
        with client:
            while not self.is_over.is_set():
                change = chance.choice(changes)
                try:
                    answer = change(chance, client)
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                self.done[f"{change.__name__} {answer.status_code}"] += 1

    def has_done_everything(self) -> bool:
        """Returns whether each kind of change has succeeded a few times."""
        kinds = ("move", "copy", "remove", "add", "rename", "edit", "erase", "merge", "undo", "make_and_delete")
        return all(self.done[f"_{kind} 200"] >= 3 for kind in kinds)

    def _some(self, chance: random.Random, client: httpx.Client, audience_id: str) -> list[str]:
        answer = client.get(f"/audiences/{audience_id}/prospects", params={"limit": 50})
        items = answer.json()["data"]["items"] if answer.status_code == 200 else []
        return [item["id"] for item in chance.sample(items, min(len(items), chance.randint(1, 8)))] or ["0" * 24]

    def _move(self, chance: random.Random, client: httpx.Client, verb: str = "move-leads") -> httpx.Response:
        here, there = chance.sample(self.audiences, 2)
        body = {"targetAudienceId": there, "leadIds": self._some(chance, client, here)}
        return client.post(f"/audiences/{here}/{verb}", json=body)

    def _copy(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        return self._move(chance, client, "copy-leads")

    def _remove(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        here = chance.choice(self.audiences)
        return client.post(f"/audiences/{here}/remove-leads", json={"leadIds": self._some(chance, client, here)[:2]})

    def _add(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        people = [{"email": f"new-{chance.randint(0, 400)}@example.com"} for _ in range(chance.randint(1, 6))]
        return client.post(f"/audiences/{chance.choice(self.audiences)}/prospects", json={"prospects": people})

    def _rename(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        return client.patch(f"/audiences/{chance.choice(self.audiences)}", json={"name": f"{chance.random()}"})

    def _edit(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        return client.patch(f"/prospects/{chance.choice(self._lead_ids)}", json={"title": f"{chance.random()}"})

    def _erase(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        return client.delete(f"/prospects/{self._some(chance, client, chance.choice(self.audiences))[0]}")

    def _merge(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        one, *others = self._some(chance, client, chance.choice(self.audiences))
        return client.post(f"/prospects/{one}/merge", json={"prospectId": others[0] if others else one})

    def _undo(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        answer = client.get("/changes", params={"limit": 20})
        if answer.status_code != 200 or not answer.json()["data"]["items"]:
            return answer
        change = chance.choice(answer.json()["data"]["items"])
        return client.post(f"/changes/{change['id']}/undo", json={"skipChanged": chance.random() < 0.5})

    def _make_and_delete(self, chance: random.Random, client: httpx.Client) -> httpx.Response:
        made = client.post("/audiences", json={"name": "short", "type": "on_demand"})
        if made.status_code != 201:
            return made
        return client.delete(f"/audiences/{made.json()['data']['id']}")


class Reader:
    """A reader of the feed that goes on through every kill. `read` returns what one answer has and how to continue."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.seen: list[Event] = []
        self.is_over = threading.Event()
        self._cursor: str | None = None

    def run(self) -> None:
        """Reads until the end of the feed after `is_over`."""
        client = self.tenant.new_client()
        with client:
            while True:
                last_look = self.is_over.is_set()
                before = len(self.seen)
                try:
                    is_answered = self.read(client)
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if last_look and is_answered and len(self.seen) == before:
                    return

    def read(self, client: httpx.Client) -> bool:
        raise NotImplementedError


class Polling(Reader):
    """Follows `nextCursor`, with a wait."""

    def __init__(self, tenant: Tenant, *, limit: int) -> None:
        super().__init__(tenant)
        self._limit = limit

    def read(self, client: httpx.Client) -> bool:
        start = {"from": "start"} if self._cursor is None else {"cursor": self._cursor}
        answer = client.get("/events", params={**start, "limit": self._limit, "wait": 1})
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text
            return False
        data = answer.json()["data"]
        self.seen += data["items"]
        self._cursor = data["nextCursor"]
        return not data["hasMore"]


class Streaming(Reader):
    """Follows a stream, and connects again with the id of the last event."""

    def read(self, client: httpx.Client) -> bool:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self._cursor} if self._cursor else {})}
        try:
            with client.stream("GET", "/events", params={"from": "start"}, headers=headers, timeout=2) as answer:
                if answer.status_code != 200:
                    return False
                block: dict[str, str] = {}
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if line:
                        block[name] = value
                        continue
                    # Only a whole block counts, as in browsers.
                    self._cursor = block.get("id", self._cursor)
                    if "data" in block:
                        self.seen.append(json.loads(block["data"]))
                    block = {}
        except httpx.ReadTimeout:
            return True
        return False


class Hooks:
    """Ten receivers with a webhook each. Some are slow, some fail at times, and four are as good as dead."""

    def __init__(self, tenant: Tenant, receiving: Receivers) -> None:
        self._tenant = tenant
        self._living = [
            receiving.start(),
            receiving.start(200),
            receiving.start(delay_s=0.01),
            receiving.start(delay_s=0.03),
            receiving.start(_fails_at_first(500)),
            receiving.start(_fails_at_first(CLOSES)),
        ]
        self._gone = receiving.start(410)
        dead = [receiving.start(500), receiving.start(CLOSES), receiving.start(delay_s=60), self._gone]
        self._secrets = [(each, create(tenant, each.url)["secret"]) for each in (*self._living, *dead)]

    def assert_got(self, events: list[Event]) -> None:
        """Waits until the living ones have all of the events, and checks every request that any of them got."""
        expected = {event["id"]: event for event in events}
        rows = self._tenant.sql("SELECT id FROM leads WHERE account_group_id = $1", self._tenant.number)
        people = {id_of(key) for (key,) in rows}
        for receiver in self._living:
            wait_until(partial(_has_all, receiver, set(expected)), "a receiver has every event", within_s=150)
        for receiver, secret in self._secrets:
            for request in receiver.received:
                request.verify(secret)
                _assert_same(request.body, expected[request.id], people)
        # It was disabled by its first answer. Requests that were on their way then, and after a kill, still come.
        assert len(self._gone.received) <= 4 * (KILLS + 1)


def _fails_at_first(status: int) -> Callable[[Received], int]:
    """Returns manners that answer with the status when one of every five events comes for the first time."""
    seen: set[str] = set()

    def manner(request: Received) -> int:
        is_first = request.id not in seen
        seen.add(request.id)
        return status if is_first and int(request.id, 16) % 5 == 0 else 200

    return manner


def _assert_same(sent: Event, read: Event, people: set[str]) -> None:
    """The listed leads may differ if one of them is gone: erased people are left out from then on, and merged ones are
    replaced by the person who stays."""
    sent, read = ({**event, "data": dict(event["data"])} for event in (sent, read))
    one, other = (event["data"].pop("leadIds", []) for event in (sent, read))
    assert sent == read
    assert one == other or not people.issuperset([*one, *other])


def _has_all(receiver: Receiver, ids: set[str]) -> bool:
    return ids <= set(receiver.ids)


def test_every_reader_gets_every_change_once_and_every_receiver_at_least_once(
    new_service: Callable[..., Service], new_worker: Callable[..., WorkerProcess]
) -> None:
    with receivers() as receiving:
        _storm_with_readers_and(receiving, new_service, new_worker)


def _storm_with_readers_and(
    receiving: Receivers, new_service: Callable[..., Service], new_worker: Callable[..., WorkerProcess]
) -> None:
    service = new_service(LEADYARD_STOP_TIMEOUT_S="5", LEADYARD_WEBHOOK_NETWORKS=HERE)
    tenant = make_tenant(service)
    hooks = Hooks(tenant, receiving)
    storm = Storm(tenant)
    readers = [Polling(tenant, limit=200), Polling(tenant, limit=3), Streaming(tenant)]
    worker = new_worker(service, LEADYARD_WORKER_LEASE_S="2")
    job_ids = [start_import(tenant, 6_000, prefix=f"job{n}") for n in range(3)]
    chance = random.Random(6)
    with ThreadPoolExecutor(CLIENTS + len(readers)) as pool:
        reading = [pool.submit(reader.run) for reader in readers]
        changing = [pool.submit(storm.run, seed) for seed in range(CLIENTS)]
        for _ in range(KILLS):
            time.sleep(SECONDS / KILLS * chance.uniform(0.7, 1))
            worker.kill()
            service.kill()
            wait_for_orphans(service.database_url)
            service.start()
            worker.start()
        # A busy machine does less in a second.
        wait_until(storm.has_done_everything, "each kind of change was made several times", within_s=120)
        storm.is_over.set()
        for each in changing:
            each.result()
        wait_for_jobs(tenant, len(job_ids))
        for reader in readers:
            reader.is_over.set()
        for each in reading:
            each.result()
    first = readers[0].seen
    ids = [event["id"] for event in first]
    assert ids == sorted(set(ids))
    for reader in readers[1:]:
        assert [event["id"] for event in reader.seen] == ids
    hooks.assert_got(first)
    assert_all_changes_reported(tenant, first)
    assert_counts_continue(tenant, first)
    assert tenant.sql("SELECT count(*) FROM event_outbox WHERE account_group_id = $1", tenant.number) == [(0,)]
    assert_healthy(tenant)


def wait_for_jobs(tenant: Tenant, count: int, within_s: float = 90) -> None:
    deadline = time.monotonic() + within_s
    asked = "SELECT count(*) FROM jobs WHERE account_group_id = $1 AND status NOT IN ('queued', 'running')"
    while tenant.sql(asked, tenant.number) != [(count,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def assert_all_changes_reported(tenant: Tenant, events: list[Event]) -> None:
    """Each change of the record is reported once, and each reported change is in the record, with its numbers."""
    rows = tenant.sql(
        "SELECT id, kind, lead_count, already_in_target_count FROM changes WHERE account_group_id = $1", tenant.number
    )
    recorded = {id_of(key): (kind, leads, already) for key, kind, leads, already in rows}
    # The deletion that an undo makes again is reported with the undo, whose id it has.
    with_change = [event for event in events if "changeId" in event["data"]]
    reported = Counter(
        event["data"]["changeId"]
        for event in with_change
        if event["type"] != "audience.deleted" or recorded[event["data"]["changeId"]][0] == "delete_audience"
    )
    assert reported == Counter(recorded.keys())
    for event in with_change:
        if "leadCount" in event["data"] and "alreadyInTargetCount" in event["data"]:
            kind, leads, already = recorded[event["data"]["changeId"]]
            assert (event["data"]["leadCount"], event["data"]["alreadyInTargetCount"]) == (leads, already), kind
    kinds = {kind for kind, _, _ in recorded.values()}
    assert kinds >= {"move", "copy", "remove", "add", "import", "undo", "erase", "merge", "delete_audience"}
    ended = Counter(event["type"] for event in events if event["type"].startswith("job."))
    assert (ended["job.started"], ended["job.completed"]) == (3, 3)
    created = [event["data"]["audienceId"] for event in events if event["type"] == "audience.created"]
    made = tenant.sql("SELECT id FROM audiences WHERE account_group_id = $1", tenant.number)
    assert sorted(created) == sorted(id_of(key) for (key,) in made)


def assert_counts_continue(tenant: Tenant, events: list[Event]) -> None:
    """A reader that replays the feed has the exact count of each audience after each event that reports it."""
    count: dict[str, int] = {}
    for event in events:
        data, type = event["data"], event["type"]
        if type in ("prospect.erased", "prospect.merged"):
            for each in data["audiences"]:
                # Of two merged people who were both in it, one is gone.
                fallen = count[each["id"]] - each["prospectCount"]
                assert fallen == 1 if type == "prospect.erased" else fallen in (0, 1), event
                count[each["id"]] = each["prospectCount"]
        if type in ("audience.created", "audience.updated"):
            assert count.setdefault(data["audienceId"], data["prospectCount"]) == data["prospectCount"], event
        source, target = data.get("sourceAudience"), data.get("targetAudience")
        if source:
            left = data["leadCount"] if type in ("leads.moved", "leads.removed") else 0
            if type != "change.undone" and source["id"] in count:
                assert source["prospectCount"] == count[source["id"]] - left, event
            count[source["id"]] = source["prospectCount"]
        if target:
            entered = data["leadCount"] - data["alreadyInTargetCount"]
            if target["id"] in count:
                assert target["prospectCount"] == count[target["id"]] + entered, event
            count[target["id"]] = target["prospectCount"]
    for audience_id, number in tenant.sql(
        "SELECT id, prospect_count FROM audiences WHERE account_group_id = $1 AND deleted_at IS NULL", tenant.number
    ):
        assert count.get(id_of(audience_id), number) == number
