"""Three services, three workers and one Redis behind a load balancer, each killed in turn under every kind of load.

With LEADYARD_TEST_TORTURE=1 it lasts a minute, otherwise seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.load.groups import Group, create_groups
from benchmarks.load.proof import check_up, faults_of
from benchmarks.load.run import load
from rig.balancer import Balancer
from rig.racing import TORTURE, on_postgresql_only
from rig.service import Service, WorkerProcess
from rig.throwaway_redis import ThrowawayRedis

pytestmark = [on_postgresql_only, pytest.mark.usefixtures("backend"), pytest.mark.timeout(600)]
EACH = 3
LOAD_S = 60.0 if TORTURE else 9.0
GROUPS, PEOPLE, CLIENTS = 3, 240, 8
# Wrong keys of one address, in all services together.
GUESSES = 5
SETTINGS = {
    "LEADYARD_LOG_LEVEL": "info",
    "LEADYARD_RATE_LIMITS": f"key=off;group=off;guesses={GUESSES}/minute;address=off",
    "LEADYARD_WORKER_LEASE_S": "3",
}
CHANGES = {"leads.moved", "leads.copied", "leads.removed", "leads.added", "change.undone"}


@dataclass
class Cluster:
    url: str
    services: list[Service]
    workers: list[WorkerProcess]

    def kill_each(self, within_s: float) -> None:
        """Kills each process in turn by kill -9, and starts it again at once."""
        processes = [each for pair in zip(self.services, self.workers, strict=True) for each in pair]
        for process in processes:
            time.sleep(within_s / (len(processes) + 1))
            process.kill()
            process.start()


@pytest.fixture
def cluster(migrated_database: Callable[[], str], log_dir: Path) -> Iterator[Cluster]:
    """Three services and three workers on one database and one Redis."""
    with ExitStack() as stack:
        url = migrated_database()
        settings = {**SETTINGS, "LEADYARD_REDIS_URL": stack.enter_context(ThrowawayRedis()).url}
        made = Cluster(url, [], [])
        for _ in range(EACH):
            made.services.append(Service(url, log_dir, settings).start())
            stack.callback(made.services[-1].stop)
            made.workers.append(WorkerProcess(url, log_dir, settings).start())
            stack.callback(made.workers[-1].kill)
        yield made


def test_everything_is_right_while_each_process_is_killed_in_turn(cluster: Cluster) -> None:
    asyncio.run(_storm(cluster))


async def _storm(cluster: Cluster) -> None:
    balancer = Balancer([each.port for each in cluster.services])
    async with balancer.running():
        groups = await asyncio.to_thread(create_groups, [balancer.base_url], cluster.url, GROUPS, PEOPLE)
        try:
            feeds = [await _feed_of(group) for group in groups]
            for group in groups:
                await group.fill()
            outcome, _, *_ = await asyncio.gather(
                load(groups, clients=CLIENTS, seconds=LOAD_S, seed=1), asyncio.to_thread(cluster.kill_each, LOAD_S)
            )
            print(f"\n{dict(outcome.answers)}, {outcome.lost} lost connections, {balancer.connections}")
            assert outcome.faults == []
            assert outcome.answers["move", 200] > 0 and all(balancer.connections.values())
            for group, feed in zip(groups, feeds, strict=True):
                assert await faults_of(group) == []
                await _assert_jobs_completed(group)
                await _assert_every_change_is_in_the_feed_once(group, feed)
            assert await asyncio.to_thread(check_up, cluster.url) == []
            await _assert_one_limit_for_all_services(cluster, groups[0])
        finally:
            for group in groups:
                await group.client.aclose()


async def _data(group: Group, path: str) -> dict[str, Any]:
    """Returns the answer to a request that is repeated while the limit of the key is reached or a service is away."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            answer = await group.client.get(path)
        except httpx.TransportError:
            continue
        if answer.status_code == 200:
            data: dict[str, Any] = answer.json()["data"]
            return data
        assert answer.status_code in (429, 503), answer.text
        await asyncio.sleep(0.2)
    raise AssertionError(f"no answer to {path}")


async def _feed_of(group: Group) -> str:
    """Returns the cursor of the feed from now on."""
    cursor: str = (await _data(group, "/events"))["nextCursor"]
    return cursor


async def _assert_jobs_completed(group: Group) -> None:
    jobs = (await _data(group, "/prospecting?limit=200"))["items"]
    assert Counter(job["status"] for job in jobs) == Counter(completed=len(jobs))


async def _assert_every_change_is_in_the_feed_once(group: Group, cursor: str) -> None:
    seen: Counter[str] = Counter()
    while True:
        page = await _data(group, f"/events?cursor={cursor}&limit=200")
        cursor = page["nextCursor"]
        for event in page["items"]:
            if event["type"] in CHANGES:
                seen[event["data"]["changeId"]] += 1
        if not page["hasMore"]:
            break
    assert set(group.changes) <= set(seen)
    assert {change: times for change, times in seen.items() if times != 1} == {}


async def _assert_one_limit_for_all_services(cluster: Cluster, group: Group) -> None:
    """Three times the limit of wrong keys, to all services in turn: together they let through one limit."""
    began = time.monotonic()
    async with httpx.AsyncClient(headers={"Authorization": "Bearer sk_live_wrong"}, timeout=60) as client:
        addresses = [f"{each.base_url}/v1/accounts/{group.id}/audiences" for each in cluster.services]
        answers = [await client.get(addresses[n % EACH]) for n in range(EACH * GUESSES)]
    given_back = (time.monotonic() - began) * GUESSES / 60
    told = Counter(answer.status_code for answer in answers)
    assert set(told) == {401, 429}
    assert GUESSES <= told[401] <= GUESSES + given_back + 1
