"""Ten receivers of every kind, while changes are made and the workers are killed again and again: each living receiver
gets each event at least once, signed, and the dead ones hold up none of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.answers import data_of
from rig.receivers import CLOSES, Received, Receivers
from rig.service import Service, WorkerProcess, make_tenant
from tests.webhooks.conftest import HERE, create

KILLS = 5
# Soon, so that the next worker takes over quickly.
LEASE_S = "2"


def sometimes(status: int, otherwise: int = 200) -> Callable[[Received], int]:
    draw = random.Random(3)
    return lambda _: status if draw.random() < 0.2 else otherwise


@pytest.mark.timeout(180)
def test_no_event_is_lost_when_workers_are_killed(
    new_service: Callable[..., Service], new_worker: Callable[..., WorkerProcess], receiving: Receivers
) -> None:
    service = new_service(LEADYARD_WEBHOOK_NETWORKS=HERE)
    tenant = make_tenant(service)
    living = [
        receiving.start(),
        receiving.start(200),
        receiving.start(delay_s=0.02),
        receiving.start(delay_s=0.2),
        # These fail at times, and get the event again after about 5 s.
        receiving.start(sometimes(500)),
        receiving.start(sometimes(CLOSES)),
    ]
    dead = [receiving.start(500), receiving.start(CLOSES), receiving.start(delay_s=60), receiving.start(410)]
    secrets = [create(tenant, each.url)["secret"] for each in (*living, *dead)]

    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, 60)
    made = 3

    def change(n: int) -> None:
        with tenant.new_client() as client:
            data_of(tenant.move(source, target, [leads[n]], client=client))

    workers = [new_worker(service, LEADYARD_WORKER_LEASE_S=LEASE_S) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        for round in range(KILLS):
            list(pool.map(change, range(round * 12, round * 12 + 12)))
            made += 12
            time.sleep(0.6)
            victim = workers[round % 2]
            victim.kill()
            victim.start()
    # The events of `dead` that were disabled: the one that answers 410.
    made += 1
    for each in living[:4]:
        each.wait_for(made, within_s=30)
    for each in living[4:]:
        each.wait_for(made, within_s=60)
    # The feed has the same events, each once.
    feed = data_of(tenant.client.get("/events", params={"from": "start", "limit": 200}))["items"]
    expected = {each["id"]: each for each in feed}
    assert len(feed) == len(expected) == made
    for receiver, secret in zip((*living, *dead), secrets, strict=True):
        for request in receiver.received:
            request.verify(secret)
            assert request.body == expected[request.id]
    for each in living:
        assert set(each.ids) == set(expected)
    assert len(dead[3].received) <= 1 + KILLS
    assert all(each.most_at_once <= 8 for each in living), "4 of each worker, when a killed one's are still running"
    for worker in workers:
        assert worker.stop() == 0
    tenant.client.close()


@pytest.mark.timeout(120)
def test_a_stopped_worker_leaves_its_webhooks_to_another_one(
    new_service: Callable[..., Service], new_worker: Callable[..., WorkerProcess], receiving: Receivers
) -> None:
    """SIGTERM, with requests on their way: the other worker goes on at once, not after the lease."""
    service = new_service(LEADYARD_WEBHOOK_NETWORKS=HERE)
    tenant = make_tenant(service)
    receiver = receiving.start(delay_s=0.1)
    create(tenant, receiver.url)
    first = new_worker(service, LEADYARD_WORKER_LEASE_S="60")
    audiences = [tenant.create_audience() for _ in range(30)]
    receiver.wait_for(3)
    assert first.stop() == 0
    new_worker(service, LEADYARD_WORKER_LEASE_S="60")
    receiver.wait_for(len(audiences), within_s=15)
    assert len(receiver.received) == len(audiences), "a stop loses nothing and repeats nothing"
    tenant.client.close()
