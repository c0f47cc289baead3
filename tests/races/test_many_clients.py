"""Sixteen clients at the same time: only documented answers, exact counts, and a record of exactly what happened."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from leadyard.ids import number_of
from rig.racing import (
    TORTURE,
    Replay,
    assert_exact,
    assert_healthy,
    assert_nothing_leaked,
    code_of,
    membership,
    recorded_moves,
)
from rig.service import Service, Tenant, make_tenant

CLIENTS = 16
AUDIENCES = 6
MOST_AUDIENCES = 30
ENOUGH_MOVES = 60
BUDGET_S = 60.0 if TORTURE else 8.0


@dataclass
class Sent:
    """A client's move request, and the answer."""

    source: str
    target: str
    lead_ids: list[str]
    answer: httpx.Response


@dataclass
class Crowd:
    """The state that the clients share. `where` is only a hint where a lead may be; the races make it wrong all the
    time."""

    tenant: Tenant
    audiences: list[str]
    where: dict[str, str]
    ends_at: float
    moves: list[Sent] = field(default_factory=list)
    adds: list[tuple[str, list[str], httpx.Response]] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def run(self, act: Callable[[Crowd, random.Random, httpx.Client, int], None]) -> None:
        def client_loop(number: int) -> None:
            chance = random.Random(number)
            with self.tenant.new_client() as client:
                turn = 0
                while not self.is_over():
                    act(self, chance, client, number * 1_000_000 + turn)
                    turn += 1

        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(client_loop, number) for number in range(CLIENTS)]:
                done.result()

    def is_over(self) -> bool:
        """The time is up; on a busy machine only if enough has also happened to call it a race."""
        late_s = time.monotonic() - self.ends_at
        return late_s > 0 and (self.statuses["move 200"] >= ENOUGH_MOVES or late_s > 60)

    def note(self, what: str, answer: httpx.Response, *allowed: tuple[int, str]) -> httpx.Response:
        told = (answer.status_code, code_of(answer))
        self.statuses[f"{what} {told[0]} {told[1]}".strip()] += 1
        assert told in allowed, answer.text
        return answer

    def move(self, chance: random.Random, client: httpx.Client) -> None:
        source = chance.choice(self.audiences)
        target = chance.choice(self.audiences)
        here = [lead for lead, audience in self.where.copy().items() if audience == source] or list(self.where)
        leads = chance.sample(here, min(len(here), chance.choice((1, 1, 2, 3, 5, 25))))
        answer = self.tenant.move(source, target, leads + leads[:1], client)
        if source == target:
            self.note("move", answer, (422, "SAME_AUDIENCE"))
            return
        self.note("move", answer, (200, ""), (422, "LEADS_NOT_IN_SOURCE"))
        self.moves.append(Sent(source, target, leads, answer))
        if answer.status_code == 200:
            assert answer.json()["data"]["movedCount"] == len(leads)
            self.where.update(dict.fromkeys(leads, target))

    def add(self, client: httpx.Client, audience: str, emails: list[str]) -> None:
        answer = client.post(f"/audiences/{audience}/prospects", json={"prospects": [{"email": e} for e in emails]})
        self.note("add", answer, (200, ""))
        data = answer.json()["data"]
        assert data["created"] + data["matched"] == data["added"] + data["alreadyInAudience"] == len(emails)
        assert data["rejected"] == []
        self.adds.append((audience, emails, answer))

    def report(self, phase: str, took_s: float) -> None:
        total = self.statuses.total()
        print(f"\n{phase}: {total} requests in {took_s:.1f} s, {total / took_s:.0f}/s; {dict(self.statuses)}")


@pytest.fixture(scope="module")
def crowded_service(new_service: Callable[..., Service]) -> Service:
    """A server whose log contains only these tests."""
    return new_service()


def watch(crowd: Crowd, pool: set[str]) -> None:
    """Looks from outside, each time at one moment: every lead is in exactly one place and every count is true."""
    group = crowd.tenant.account_group_id
    while not crowd.is_over():
        members = membership(crowd.tenant)
        places = Counter(lead for leads in members.values() for lead in leads if lead in pool)
        if len(places) != len(pool) or set(places.values()) != {1}:
            crowd.broken.append(f"seen {len(places)} of {len(pool)} leads, in {set(places.values())} places")
        drifted = crowd.tenant.sql(
            "SELECT a.id FROM audiences a WHERE a.account_group_id = $1 AND a.prospect_count <> (SELECT count(*) FROM"
            " memberships m WHERE m.account_group_id = a.account_group_id AND m.audience_id = a.number)",
            number_of(group),
        )
        if drifted:
            crowd.broken.append(f"counts differ from members in {drifted}")


def one_of_everything(crowd: Crowd, chance: random.Random, client: httpx.Client, ticket: int) -> None:
    """Mostly moves of people who are in one audience at a time; also new people, known people, new audiences,
    readers."""
    draw = chance.random()
    audience = chance.choice(crowd.audiences)
    if draw < 0.62:
        crowd.move(chance, client)
    elif draw < 0.74:
        crowd.add(client, audience, [f"new-{ticket}-{n}@example.com" for n in range(chance.randint(1, 8))])
    elif draw < 0.84:
        # Guests are never moved, so every guest added to an audience must be there at the end.
        guests = chance.sample(range(40), chance.randint(1, 10))
        crowd.add(client, audience, [f"guest-{n}@example.com" for n in guests])
    elif draw < 0.88 and len(crowd.audiences) < MOST_AUDIENCES:
        answer = client.post("/audiences", json={"name": f"Made {ticket}", "type": "on_demand"})
        crowd.audiences.append(crowd.note("create", answer, (201, "")).json()["data"]["id"])
    else:
        answer = client.get(f"/audiences/{audience}/prospects", params={"limit": 200})
        seen = [item["id"] for item in crowd.note("list", answer, (200, "")).json()["data"]["items"]]
        assert len(seen) == len(set(seen))
        # People who were added in between also take part in the moves from now on.
        for item in answer.json()["data"]["items"]:
            if not item["email"].startswith("guest-"):
                crowd.where[item["id"]] = audience


@pytest.mark.timeout(400)
def test_every_lead_is_where_the_answers_say_it_is(crowded_service: Service) -> None:
    tenant = make_tenant(crowded_service)
    audiences = [tenant.create_audience(f"Audience {n}") for n in range(AUDIENCES)]
    where: dict[str, str] = {}
    for number, audience in enumerate(audiences):
        where.update(dict.fromkeys(tenant.add_leads(audience, 60, prefix=f"start{number}"), audience))
    flow = Counter(dict.fromkeys(where.items(), 1))
    crowd = Crowd(tenant, audiences, where, ends_at=time.monotonic() + BUDGET_S * 0.6)

    started = time.monotonic()
    watcher = threading.Thread(target=watch, args=(crowd, set(where)))
    watcher.start()
    crowd.run(one_of_everything)
    watcher.join()
    crowd.report("everything at once", time.monotonic() - started)

    assert crowd.broken == []
    lead_of = tenant.ids_by_email()
    done = [sent for sent in crowd.moves if sent.answer.status_code == 200]
    assert ENOUGH_MOVES <= len(done) < len(crowd.moves), "nothing raced"
    for sent in done:
        for lead in sent.lead_ids:
            flow[lead, sent.source] -= 1
            flow[lead, sent.target] += 1
    for audience, emails, answer in crowd.adds:
        data = answer.json()["data"]
        if emails[0].startswith("new-"):
            assert (data["created"], data["added"]) == (len(emails), len(emails))
            flow.update((lead_of[email], audience) for email in emails)
        else:
            flow.update({(lead_of[email], audience): 1 - flow[lead_of[email], audience] for email in emails})
    assert set(flow.values()) == {0, 1}
    expected: dict[str, set[str]] = {audience: set() for audience in crowd.audiences}
    for (lead, audience), there in flow.items():
        if there:
            expected[audience].add(lead)
    assert_exact(tenant, expected)
    guest_adds = [add for add in crowd.adds if add[1][0].startswith("guest-")]
    guest_ids = {lead for email, lead in lead_of.items() if email.startswith("guest-")}
    assert sum(answer.json()["data"]["created"] for _, _, answer in guest_adds) == len(guest_ids)
    for audience in crowd.audiences:
        told = sum(answer.json()["data"]["added"] for to, _, answer in guest_adds if to == audience)
        assert told == len(guest_ids & expected[audience])

    record = {item["id"]: item for item in tenant.walk("/moves")}
    assert set(record) == {sent.answer.headers["Move-Id"] for sent in done} and len(record) == len(done)
    for sent in done:
        move = record[sent.answer.headers["Move-Id"]]
        told = (move["sourceAudienceId"], move["targetAudienceId"], move["movedCount"])
        assert told == (sent.source, sent.target, len(sent.lead_ids))
    assert crowded_service.doctor()["healthy"]
    print(f"{assert_nothing_leaked(crowded_service)} conflicts between transactions, each run again")


@pytest.mark.timeout(400)
def test_moves_between_overlapping_audiences_have_an_order_in_which_every_count_is_exact(
    crowded_service: Service,
) -> None:
    tenant = make_tenant(crowded_service)
    audiences = [tenant.create_audience(f"Audience {n}") for n in range(AUDIENCES)]
    # The same eighty people in each, so that the target of a move already contains some of its leads.
    for audience in audiences:
        people = tenant.add_leads(audience, 80)
    start = membership(tenant)
    crowd = Crowd(tenant, audiences, dict.fromkeys(people, ""), ends_at=time.monotonic() + BUDGET_S * 0.4)

    def act(crowd: Crowd, chance: random.Random, client: httpx.Client, ticket: int) -> None:
        source, target = chance.sample(crowd.audiences, 2)
        if ticket % 4 == 0:
            page = client.get(f"/audiences/{source}/prospects", params={"limit": 200}).json()["data"]["items"]
            leads = [item["id"] for item in page]
        else:
            leads = people
        leads = chance.sample(leads, min(len(leads), chance.choice((1, 1, 1, 2, 3, 20))))
        if leads:
            answer = tenant.move(source, target, leads, client)
            crowd.note("move", answer, (200, ""), (422, "LEADS_NOT_IN_SOURCE"))
            crowd.moves.append(Sent(source, target, leads, answer))

    started = time.monotonic()
    crowd.run(act)
    crowd.report("overlapping audiences", time.monotonic() - started)

    done = {sent.answer.headers["Move-Id"]: sent for sent in crowd.moves if sent.answer.status_code == 200}
    record = recorded_moves(tenant)
    assert set(record) == set(done)
    assert sum(move["alreadyInTargetCount"] for move in record.values()) > 0, (
        "no move found any of its leads in its target"
    )
    for move_id, move in record.items():
        assert move["leadIds"] == done[move_id].lead_ids
    replay = Replay({audience: set(start[audience]) for audience in audiences})
    replay.run(record.values(), [sent.answer for sent in done.values()])
    for sent in done.values():
        replay.assert_answer(sent.answer)
    assert_exact(tenant, replay.members)
    assert_healthy(tenant)
    assert_nothing_leaked(crowded_service)
