"""Rows 15 and 16: what a move pays for webhooks, and how many deliveries a second one worker makes."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from benchmarks.move import make_lanes
from benchmarks.suite.connection import Connection, move_request
from benchmarks.suite.figures import Figure, take_turns
from benchmarks.suite.stage import DATABASES, TITLES, Kind, Stage
from leadyard.database import Database
from leadyard.ids import new_id
from leadyard.model import Caller, EventType
from leadyard.operations.events.placing import place_all
from leadyard.operations.events.recording import record_event
from leadyard.operations.webhooks.managing import create_webhook
from leadyard.secret_key import SecretKey
from leadyard.settings.networks import parse_networks
from leadyard.store.db import open_database
from leadyard.webhooks.client import WebhookClient
from leadyard.webhooks.messages import sample_message
from leadyard.webhooks.signing import Signer, new_secret
from leadyard.worker.webhooks.in_order import AT_A_TIME
from leadyard.worker.webhooks.sender import WebhookSender
from rig.answers import data_of
from rig.secret_key import SECRET_KEY
from rig.service import Tenant, WorkerProcess, make_tenant

HERE = "127.0.0.0/8"
WEBHOOKS = 3
_PAUSE_S = 0.02


def webhooks(stage: Stage) -> list[Figure]:
    """Returns the figures of webhooks on both databases."""
    return [figure for kind in DATABASES for figure in (_moves(stage, kind), _deliveries(stage, kind))]


@contextmanager
def bare_receiver() -> Iterator[str]:
    """Yields the URL of a receiver in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.suite.bare_receiver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


# ------------------------------------------------------------------------------------------ what a move pays


def _moves(stage: Stage, kind: Kind) -> Figure:
    """One client that moves 25 leads again and again, with a pause after each move, while a worker sends."""
    settings = {"LEADYARD_WEBHOOK_NETWORKS": HERE, "LEADYARD_WORKER_IN_SERVE": "off"}
    with stage.service(kind, **settings) as service, bare_receiver() as url:
        with_webhooks, without = make_tenant(service), make_tenant(service)
        for _ in range(WEBHOOKS):
            data_of(with_webhooks.client.post("/webhooks", json={"url": url}), 201)
        worker = WorkerProcess(service.database_url, stage.folder, {**settings, "LEADYARD_LOG_LEVEL": "info"}).start()
        try:
            sides = [_Side(each) for each in (with_webhooks, without)]
            moves = stage.rounds(100, 30)
            found = take_turns(
                lambda: sides[0].median_ms(moves), lambda: sides[1].median_ms(moves), rounds=stage.rounds(9, 3)
            )
            assert int(httpx.get(url).text) > 0, "the worker has sent nothing"
        finally:
            worker.stop()
    return Figure(
        number=15,
        name=f"webhooks-move-{kind}",
        what=f"time of a move of 25 leads with three webhooks, {TITLES[kind]}",
        against="the same move in an account group without webhooks",
        ratio=found.ratio,
        better="lower",
        goal=1.10,
        rounds=found.ratios,
        details={"withWebhooksMs": found.ours, "withoutMs": found.theirs},
    )


class _Side:
    """A client with its leads."""

    def __init__(self, tenant: Tenant) -> None:
        self._port = tenant.service.port
        [lane] = make_lanes(tenant, clients=1, leads=25, audience_size=500)
        self._requests = [
            move_request(tenant, lane.here, lane.there, lane.lead_ids),
            move_request(tenant, lane.there, lane.here, lane.lead_ids),
        ]

    def median_ms(self, moves: int) -> float:
        """Returns the median of the durations of an even number of moves."""
        durations = []
        with Connection(self._port) as connection:
            for number in range(moves):
                began = time.perf_counter()
                connection.ask(self._requests[number % 2], 200)
                durations.append((time.perf_counter() - began) * 1000)
                time.sleep(_PAUSE_S)
        return statistics.median(durations)


# ------------------------------------------------------------------------------------------ deliveries a second


def _deliveries(stage: Stage, kind: Kind) -> Figure:
    events = stage.size(3_000, 600)
    with stage.database(kind) as database_url, bare_receiver() as url:
        found = take_turns(
            lambda: asyncio.run(_send_events(database_url, url, events)),
            lambda: asyncio.run(_send_bare(url, events * WEBHOOKS)),
            rounds=stage.rounds(5, 2),
        )
    return Figure(
        number=16,
        name=f"webhooks-deliveries-{kind}",
        what=f"deliveries a second from one worker to three webhooks, {TITLES[kind]}",
        against="the same client sending signed messages without a database",
        ratio=found.ratio,
        better="higher",
        goal=0.20,
        rounds=found.ratios,
        details={"deliveriesPerSecond": found.ours, "barePerSecond": found.theirs},
    )


async def _send_events(database_url: str, url: str, events: int) -> float:
    """Returns deliveries per second of a sender that finds its events, of a hundred audiences, in the feed."""
    db = open_database(database_url, pool_size=10, wait_s=30, secret_key=SecretKey(SECRET_KEY))
    try:
        await _make_events(db, url, events)
        before, wanted = await _received(url), events * WEBHOOKS
        sender = WebhookSender(db, WebhookClient(parse_networks(HERE)), lease_s=30)
        began = time.perf_counter()
        running = asyncio.create_task(sender.run())
        while await _received(url) - before < wanted:  # noqa: ASYNC110  (another process counts)
            await asyncio.sleep(0.02)
        took = time.perf_counter() - began
        sender.stop()
        await running
        return wanted / took
    finally:
        await db.close()


async def _make_events(db: Database, url: str, events: int) -> None:
    from leadyard.operations.account_groups import create_account_group

    group = await create_account_group(db, name="Bench")
    for _ in range(WEBHOOKS):
        await create_webhook(
            db,
            Caller.operator(group.id),
            url=url,
            types=(),
            audience_ids=(),
            description="",
            secret=new_secret(),
            networks=parse_networks(HERE),
        )
    audiences, leads = [new_id() for _ in range(100)], [new_id() for _ in range(25)]
    for start in range(0, events, 200):
        async with db.write(group.id) as tx:
            for number in range(start, start + 200):
                source, target = audiences[number % 100], audiences[(number + 1) % 100]
                data = {"changeId": source, "leadIds": leads, "leadCount": 25}
                await record_event(
                    tx, EventType.LEADS_MOVED, data, source_audience_id=source, target_audience_id=target
                )
    await place_all(db, group.id)


async def _send_bare(url: str, messages: int) -> float:
    """Returns signed messages per second of the client alone, as many at a time as three webhooks send."""
    client, signer = WebhookClient(parse_networks(HERE)), Signer([new_secret()])

    async def send(count: int) -> None:
        for _ in range(count):
            id, text = sample_message(new_id())
            outcome = await client.post(url, signer.headers(id, int(time.time()), text), text.encode())
            assert outcome.error is None

    at_a_time = AT_A_TIME * WEBHOOKS
    began = time.perf_counter()
    await asyncio.gather(*(send(messages // at_a_time) for _ in range(at_a_time)))
    await client.close()
    return messages / (time.perf_counter() - began)


async def _received(url: str) -> int:
    return int((await asyncio.to_thread(httpx.get, url)).text)
