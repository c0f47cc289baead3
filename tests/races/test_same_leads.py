"""Movers of the same leads: exactly one wins; opposite directions and circles never end in a deadlock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import httpx
import pytest

from rig.racing import TORTURE, Replay, assert_exact, assert_healthy, assert_nothing_leaked, at_once, recorded_moves
from rig.service import Service, Tenant, make_tenant

ROUNDS = 200 if TORTURE else 15
MOVERS = 8


@pytest.fixture(scope="module")
def own_service(new_service: Callable[..., Service]) -> Service:
    """A server whose log contains only these tests."""
    return new_service()


@pytest.fixture
def movers(own_service: Service) -> tuple[Tenant, list[httpx.Client]]:
    """A new account group and a client for each mover."""
    tenant = make_tenant(own_service)
    return tenant, [tenant.new_client() for _ in range(MOVERS)]


def deadlocks(service: Service) -> list[str]:
    return [line["reason"] for line in service.log_lines() if "Deadlock" in line.get("reason", "")]


def test_of_eight_movers_of_the_same_leads_exactly_one_wins(movers: tuple[Tenant, list[httpx.Client]]) -> None:
    tenant, clients = movers
    source = tenant.create_audience("Source")
    targets = [tenant.create_audience(f"Target {n}") for n in range(MOVERS)]
    leads = tenant.add_leads(source, 20)
    place = source
    winners = []
    for _ in range(ROUNDS):
        ways = [target for target in (*targets, source) if target != place][:MOVERS]
        answers = at_once(
            *(partial(tenant.move, place, way, leads, client) for way, client in zip(ways, clients, strict=True))
        )

        assert sorted(answer.status_code for answer in answers) == [200] + [422] * (MOVERS - 1)
        for answer, target in zip(answers, ways, strict=True):
            if answer.status_code == 200:
                data = answer.json()["data"]
                assert data["movedCount"] == 20
                told = (data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"])
                assert told == (0, 20)
                winners.append(answer.headers["Move-Id"])
                place = target
            else:
                error = answer.json()["error"]
                assert (error["code"], error["leadCount"]) == ("LEADS_NOT_IN_SOURCE", 20)
                assert error["leadIds"] == leads
    assert_exact(tenant, {audience: set(leads) if audience == place else set() for audience in (source, *targets)})
    assert [item["id"] for item in tenant.walk("/moves")] == winners[::-1]
    assert_healthy(tenant)


def test_moves_in_opposite_directions_both_succeed_and_never_deadlock(
    movers: tuple[Tenant, list[httpx.Client]],
) -> None:
    tenant, clients = movers
    one, other = tenant.create_audience("One"), tenant.create_audience("Other")
    here = [tenant.add_leads(one, 40, prefix=f"here{n}") for n in range(MOVERS // 2)]
    there = [tenant.add_leads(other, 40, prefix=f"there{n}") for n in range(MOVERS // 2)]
    for _ in range(ROUNDS):
        answers = at_once(
            *(partial(tenant.move, one, other, leads, clients[n]) for n, leads in enumerate(here)),
            *(partial(tenant.move, other, one, leads, clients[n + MOVERS // 2]) for n, leads in enumerate(there)),
        )
        assert [answer.status_code for answer in answers] == [200] * MOVERS
        here, there = there, here
    assert_exact(tenant, {one: {lead for leads in here for lead in leads}, other: {x for xs in there for x in xs}})
    assert len(tenant.walk("/moves")) == ROUNDS * MOVERS
    assert deadlocks(tenant.service) == []
    assert_healthy(tenant)
    assert_nothing_leaked(tenant.service)


def test_the_same_leads_there_and_back_at_once_are_moved_once_or_twice_never_half(
    movers: tuple[Tenant, list[httpx.Client]],
) -> None:
    tenant, clients = movers
    one, other = tenant.create_audience("One"), tenant.create_audience("Other")
    leads = tenant.add_leads(one, 30)
    accepted: list[httpx.Response] = []
    for _ in range(ROUNDS):
        there, back = at_once(
            partial(tenant.move, one, other, leads, clients[0]), partial(tenant.move, other, one, leads, clients[1])
        )
        accepted += [answer for answer in (there, back) if answer.status_code == 200]
        refused = [answer for answer in (there, back) if answer.status_code != 200]
        assert len(refused) <= 1
        assert all(answer.json()["error"]["leadCount"] == 30 for answer in refused)
    record = recorded_moves(tenant)
    assert set(record) == {answer.headers["Move-Id"] for answer in accepted}
    replay = Replay({one: set(leads), other: set()}).run(record.values(), accepted)
    for answer in accepted:
        replay.assert_answer(answer)
    assert_exact(tenant, replay.members)
    assert_healthy(tenant)


def test_a_circle_of_moves_never_deadlocks(movers: tuple[Tenant, list[httpx.Client]]) -> None:
    tenant, clients = movers
    circle = [tenant.create_audience(f"Audience {n}") for n in range(MOVERS)]
    leads = [tenant.add_leads(audience, 10, prefix=f"of{n}") for n, audience in enumerate(circle)]
    for turn in range(ROUNDS):
        place = [circle[(n + turn) % MOVERS] for n in range(MOVERS)]
        following = [circle[(n + turn + 1) % MOVERS] for n in range(MOVERS)]
        answers = at_once(*(partial(tenant.move, place[n], following[n], leads[n], clients[n]) for n in range(MOVERS)))
        assert [answer.status_code for answer in answers] == [200] * MOVERS
    assert_exact(tenant, {circle[(n + ROUNDS) % MOVERS]: set(leads[n]) for n in range(MOVERS)})
    assert deadlocks(tenant.service) == []


def test_of_two_moves_that_share_one_lead_one_wins_and_the_other_moves_nobody(
    movers: tuple[Tenant, list[httpx.Client]],
) -> None:
    tenant, clients = movers
    source, left, right = (tenant.create_audience(name) for name in ("Source", "Left", "Right"))
    leads = tenant.add_leads(source, 19)
    claims = {left: leads[:10], right: leads[9:]}
    for _ in range(ROUNDS):
        answers = at_once(
            partial(tenant.move, source, left, claims[left], clients[0]),
            partial(tenant.move, source, right, claims[right], clients[1]),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422]
        winner, loser = (left, right) if answers[0].status_code == 200 else (right, left)
        error = next(answer for answer in answers if answer.status_code == 422).json()["error"]
        assert (error["code"], error["leadCount"], error["leadIds"]) == ("LEADS_NOT_IN_SOURCE", 1, [leads[9]])
        assert_exact(tenant, {source: set(leads) - set(claims[winner]), winner: set(claims[winner]), loser: set()})
        assert tenant.move(winner, source, claims[winner]).status_code == 200
    assert len(tenant.walk("/moves")) == 2 * ROUNDS
    assert_healthy(tenant)
