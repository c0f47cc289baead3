"""A client walks through an audience while people come and go: it sees every lead that stays exactly once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from rig.racing import assert_healthy, assert_nothing_leaked
from rig.service import Service, Tenant, make_tenant

STAYING = 300
WALKS: list[tuple[int, dict[str, Any]]] = [
    (7, {}),
    (50, {}),
    (200, {}),
    (20, {"q": "STAYS-1"}),
    (20, {"hasEmail": True}),
    (40, {"addedAfter": "2001-01-01T00:00:00Z", "q": "st"}),
]


def walk(tenant: Tenant, audience: str, limit: int, filters: dict[str, Any]) -> list[str]:
    """Returns the leads that a walk finds, page by page."""
    met: list[str] = []
    cursor: str | None = None
    with tenant.new_client() as client:
        while True:
            params = {"limit": limit, **filters, **({"cursor": cursor} if cursor else {})}
            answer = client.get(f"/audiences/{audience}/prospects", params=params)
            assert answer.status_code == 200, answer.text
            met += [item["id"] for item in answer.json()["data"]["items"]]
            cursor = answer.json()["data"]["nextCursor"]
            if cursor is None:
                return met


@pytest.mark.timeout(400)
def test_a_walk_amid_adds_and_moves_meets_everybody_who_stays_once(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    here, there = tenant.create_audience("Here"), tenant.create_audience("There")
    # The leads that come and go are before, between and after the leads that stay.
    staying: list[str] = []
    going: list[str] = []
    for part in range(3):
        going += tenant.add_leads(here, 100, prefix=f"goes{part}")
        staying += tenant.add_leads(here, STAYING // 3, prefix=f"stays-{part}")
    going += tenant.add_leads(here, 100, prefix="goes3")
    first = set(staying[STAYING // 3 : 2 * STAYING // 3])
    over = threading.Event()
    done = {"moved": 0, "added": 0}

    def come_and_go() -> None:
        chance = random.Random(4)
        inside, outside = set(going), set[str]()
        with tenant.new_client() as client:
            while not over.is_set():
                some = chance.sample(sorted(inside), min(len(inside), 40))
                if some:
                    assert tenant.move(here, there, some, client).status_code == 200
                    inside, outside = inside - set(some), outside | set(some)
                some = chance.sample(sorted(outside), min(len(outside), 38))
                assert tenant.move(there, here, some, client).status_code == 200
                inside, outside = inside | set(some), outside - set(some)
                done["moved"] += 1

    def add_more() -> None:
        with tenant.new_client() as client:
            while not over.is_set():
                people = [{"email": f"stranger-{done['added']}-{n}@example.com"} for n in range(3)]
                assert client.post(f"/audiences/{here}/prospects", json={"prospects": people}).status_code == 200
                done["added"] += 1

    busy = [threading.Thread(target=come_and_go), threading.Thread(target=add_more)]
    for thread in busy:
        thread.start()
    try:
        for limit, filters in WALKS:
            before = dict(done)
            met = walk(tenant, here, limit, filters)
            assert len(met) == len(set(met)), f"{filters}: a lead was listed twice"
            expected = first if filters.get("q") == "STAYS-1" else set(staying)
            assert expected <= set(met), f"{filters}: {len(expected - set(met))} were not listed"
            if limit <= 20 and not filters:
                assert done["moved"] > before["moved"] and done["added"] > before["added"], (
                    "nothing changed during the walk"
                )
    finally:
        over.set()
        for thread in busy:
            thread.join()
    assert all(done.values())
    assert_healthy(tenant)
    assert_nothing_leaked(service)
