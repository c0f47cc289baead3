"""Undos at the same moment as other undos, moves and erasures of the same leads: each is done wholly or not at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from rig.racing import TORTURE, assert_exact, assert_healthy, assert_nothing_leaked, at_once, code_of, membership
from rig.service import Service, Tenant, make_tenant

ROUNDS = 120 if TORTURE else 15
# Until both orders have been seen.
MOST_ROUNDS = 2 * ROUNDS + 100


def undo(change: str, client: httpx.Client, *, skip: bool = False) -> httpx.Response:
    return client.post(f"/changes/{change}/undo", json={"skipChanged": skip})


def after(seconds: float, request: Callable[[], httpx.Response]) -> httpx.Response:
    """Sends the request a little later."""
    time.sleep(seconds)
    return request()


@pytest.mark.timeout(300)
def test_of_several_undos_at_once_exactly_one_wins(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 50)
    clients = [tenant.new_client() for _ in range(4)]
    for _ in range(ROUNDS):
        moved = tenant.move(here, there, leads).headers["Change-Id"]
        answers = at_once(*(partial(undo, moved, client) for client in clients))
        assert sorted(map(code_of, answers)) == ["", *["ALREADY_UNDONE"] * 3]
        [winner] = [each.json()["data"]["change"]["id"] for each in answers if each.status_code == 200]
        others = {each.json()["error"]["undoneByChangeId"] for each in answers if each.status_code != 200}
        assert others == {winner}
        assert sorted(tenant.members(here)) == sorted(leads) and tenant.members(there) == []
    assert_healthy(tenant)


@pytest.mark.timeout(400)
def test_undos_beside_moves_and_erasures_of_the_same_leads(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    one, two, three = (tenant.create_audience(name) for name in ("One", "Two", "Three"))
    clients = [tenant.new_client() for _ in range(6)]
    seen: Counter[str] = Counter()
    allowed = {
        "undo": ("", "CHANGED_SINCE"),
        "skip": ("", "ALREADY_UNDONE"),
        "move": ("", "LEADS_NOT_IN_SOURCE"),
        "erase": ("",),
        "remove undone": ("", "CHANGED_SINCE"),
    }
    for number in range(MOST_ROUNDS):
        if number >= ROUNDS and seen["move 422"] and seen["move 200"]:
            break
        leads = tenant.add_leads(one, 6, prefix=f"of{number}")
        moved = tenant.move(one, two, leads[:4]).headers["Change-Id"]
        removed = tenant.client.post(f"/audiences/{one}/remove-leads", json={"leadIds": leads[4:]})
        answers = at_once(
            partial(undo, moved, clients[0]),
            # An undo takes longer than a move, so moves that start at the same moment nearly always come first.
            partial(after, number % 4 * 0.005, partial(tenant.move, two, three, leads[:2], clients[1])),
            partial(after, number % 3 * 0.005, partial(tenant.move, two, one, leads[2:3], clients[2])),
            partial(clients[3].delete, f"/prospects/{leads[3]}"),
            partial(clients[4].delete, f"/prospects/{leads[5]}"),
            partial(undo, removed.headers["Change-Id"], clients[5]),
        )
        names = ("undo", "move", "move", "erase", "erase", "remove undone")
        for name, answer in zip(names, answers, strict=True):
            assert code_of(answer) in allowed[name], answer.text
            seen[f"{name} {answer.status_code}"] += 1
        rest = undo(moved, tenant.client, skip=True)
        assert code_of(rest) in allowed["skip"], rest.text
        found = membership(tenant)
        gone = {leads[3], leads[5]}
        assert not gone & set().union(*found.values())
        for lead in leads[:3]:
            # In one place, wherever the last of them put it.
            assert sum(lead in found.get(audience, ()) for audience in (one, two, three)) == 1
        assert leads[4] in found[one]

    print(f"\n{dict(seen)}")
    assert seen["move 422"] and seen["move 200"], "nothing raced"
    found = membership(tenant)
    assert_exact(tenant, {audience: found.get(audience, set()) for audience in (one, two, three)})
    assert_healthy(tenant)
    assert_nothing_leaked(service)
