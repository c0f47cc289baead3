"""A person is erased while other clients move and add that person: afterwards the person is gone, or a new lead, never
half."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from leadyard.ids import key_of
from rig.racing import TORTURE, assert_exact, assert_healthy, assert_nothing_leaked, at_once, code_of, membership
from rig.service import Service, make_tenant

ROUNDS = 200 if TORTURE else 25


@pytest.mark.timeout(400)
def test_whoever_is_erased_amid_moves_and_adds_leaves_nothing_behind(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    one, two, three = (tenant.create_audience(name) for name in ("One", "Two", "Three"))
    clients = [tenant.new_client() for _ in range(6)]
    seen: Counter[str] = Counter()

    def add(audience: str, email: str, client: httpx.Client) -> httpx.Response:
        return client.post(f"/audiences/{audience}/prospects", json={"prospects": [{"email": email}]})

    def erase(lead: str, client: httpx.Client) -> httpx.Response:
        return client.delete(f"/prospects/{lead}")

    for number in range(ROUNDS):
        email = f"of{number}-0@example.com"
        [lead] = tenant.add_leads(one, 1, prefix=f"of{number}")
        # One move is already on record, and names the person.
        assert tenant.move(one, two, [lead]).status_code == 200
        erased, again, *moves, added, added_too = at_once(
            partial(erase, lead, clients[0]),
            partial(erase, lead, clients[1]),
            partial(tenant.move, two, three, [lead], clients[2]),
            partial(tenant.move, two, one, [lead], clients[3]),
            partial(add, one, email, clients[4]),
            partial(add, three, email, clients[5]),
        )

        assert sorted((code_of(erased), code_of(again))) == ["", "NOT_FOUND"]
        for answer in moves:
            assert code_of(answer) in ("", "LEADS_NOT_IN_SOURCE"), answer.text
        assert [answer.status_code for answer in (added, added_too)] == [200, 200]
        seen.update(f"move {answer.status_code}" for answer in moves)
        seen.update("add new" if a.json()["data"]["created"] else "add known" for a in (added, added_too))
        there = tenant.sql("SELECT id FROM leads WHERE account_group_id = $1 AND email = $2", tenant.number, email)
        created = [answer.json()["data"]["created"] for answer in (added, added_too)]
        # At most one lead with that address: a new one, if an add came after the erasure.
        assert len(there) == sum(created) and (key_of(lead),) not in there
        assert tenant.client.get(f"/prospects/{lead}").status_code == 404
        traces = (
            "SELECT (SELECT count(*) FROM memberships WHERE lead_id = $1), (SELECT count(*) FROM leads WHERE id = $1),"
            " (SELECT count(*) FROM changes"
            " WHERE CAST(lead_ids AS text) LIKE '%' || CAST(CAST($1 AS bigint) AS text) || '%')"
        )
        assert tenant.sql(traces, key_of(lead)) == [(0, 0, 0)]

    print(f"\n{dict(seen)}")
    assert seen["add new"] and seen["move 422"], "nothing raced"
    found = membership(tenant)
    assert_exact(tenant, {audience: found.get(audience, set()) for audience in (one, two, three)})
    assert_healthy(tenant)
    assert_nothing_leaked(service)
