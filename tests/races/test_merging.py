"""Two people are merged while other clients move both, add both and erase: afterwards they are one person, in each
audience once, with exact counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from rig.racing import TORTURE, assert_exact, assert_healthy, assert_nothing_leaked, at_once, code_of, membership
from rig.service import Service, leadyard, make_tenant

ROUNDS = 150 if TORTURE else 20
PAIRS = 200 if TORTURE else 40


@pytest.mark.timeout(400)
def test_people_merged_amid_moves_adds_and_erasures_are_one_person(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    one, two, three = (tenant.create_audience(name) for name in ("One", "Two", "Three"))
    clients = [tenant.new_client() for _ in range(8)]
    seen: Counter[str] = Counter()

    def add(audience: str, email: str, client: httpx.Client) -> httpx.Response:
        return client.post(f"/audiences/{audience}/prospects", json={"prospects": [{"email": email}]})

    def merge(kept: str, other: str, client: httpx.Client) -> httpx.Response:
        return client.post(f"/prospects/{kept}/merge", json={"prospectId": other})

    def remove(audience: str, lead: str, client: httpx.Client) -> httpx.Response:
        return client.post(f"/audiences/{audience}/remove-leads", json={"leadIds": [lead]})

    for number in range(ROUNDS):
        pair = tenant.add_leads(one, 2, prefix=f"of{number}")
        emails = [f"of{number}-{n}@example.com" for n in range(2)]
        assert tenant.move(one, two, pair[:1]).status_code == 200
        # Both at once, in both directions: one of the two merges finds the other person gone.
        merged, crossed, *moves, removed, added, added_too = at_once(
            partial(merge, pair[0], pair[1], clients[0]),
            partial(merge, pair[1], pair[0], clients[1]),
            partial(tenant.move, one, three, pair[1:], clients[2]),
            partial(tenant.move, two, one, pair[:1], clients[3]),
            partial(tenant.move, one, two, pair, clients[4]),
            partial(remove, one, pair[1], clients[5]),
            partial(add, two, emails[0], clients[6]),
            partial(add, three, emails[1], clients[7]),
        )

        assert sorted((code_of(merged), code_of(crossed))) == ["", "NOT_FOUND"], (merged.text, crossed.text)
        for answer in (*moves, removed):
            assert code_of(answer) in ("", "LEADS_NOT_IN_SOURCE"), answer.text
        seen.update(f"move {answer.status_code}" for answer in moves)
        assert [answer.json()["data"]["created"] for answer in (added, added_too)] == [0, 0]
        kept, gone = pair if merged.status_code == 200 else pair[::-1]
        assert tenant.client.get(f"/prospects/{gone}").status_code == 404
        found = membership(tenant)
        assert all(gone not in leads for leads in found.values())
        # Both addresses lead to the one person.
        for email in emails:
            assert add(three, email, clients[0]).json()["data"]["matched"] == 1
        assert kept in membership(tenant)[three]
        assert tenant.sql("SELECT count(*) FROM leads WHERE account_group_id = $1", tenant.number) == [(number + 1,)]

    print(f"\n{dict(seen)}")
    assert seen["move 200"] and seen["move 422"], "nothing raced"
    found = membership(tenant)
    assert_exact(tenant, {audience: found.get(audience, set()) for audience in (one, two, three)})
    assert_healthy(tenant)
    assert_nothing_leaked(service)


@pytest.mark.timeout(400)
def test_an_import_beside_merges_finds_each_person_by_either_identity(
    new_service: Callable[..., Service], tmp_path: Path
) -> None:
    service = new_service()
    tenant = make_tenant(service)
    audience, target = tenant.create_audience("Here"), tenant.create_audience("There")
    first = tenant.add_leads(audience, PAIRS, prefix="a")
    second = tenant.add_leads(audience, PAIRS, prefix="b")
    file = tmp_path / "both.csv"
    people = [f"{letter}-{number}@example.com" for number in range(PAIRS) for letter in "ab"]
    # Titles fill an empty field, so the import also writes the people that are being merged.
    file.write_text("email,title\n" + "".join(f"{email},Buyer\n" for email in people * 75))
    client = tenant.new_client()

    def run_import() -> str:
        done = leadyard(
            "import", str(file), "--account-group", tenant.account_group_id, "--audience", "There",
            url=service.database_url,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def merge_all() -> str:
        for kept, other in zip(first, second, strict=True):
            answer = client.post(f"/prospects/{kept}/merge", json={"prospectId": other})
            assert answer.status_code == 200, answer.text
        return ""

    at_once(run_import, merge_all)

    assert tenant.sql("SELECT count(*) FROM leads WHERE account_group_id = $1", tenant.number) == [(PAIRS,)]
    assert_exact(tenant, {audience: set(first), target: set(first)})
    assert all(each["title"] == "Buyer" for each in tenant.walk(f"/audiences/{target}/prospects"))
    assert_healthy(tenant)
    assert_nothing_leaked(service)
