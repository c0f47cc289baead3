"""GET /v1/accounts: the account groups a key may use."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from leadyard.ids import key_of, new_id, number_of
from rig.answers import ID, TIME, data_of, violations
from rig.service import Service, make_key, make_tenant, run_sql


def client_of(service: Service, key: str) -> httpx.Client:
    return httpx.Client(base_url=service.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=60, verify=False)


def walk(client: httpx.Client, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": limit}
    while True:
        data = data_of(client.get("/v1/accounts", params=query))
        assert set(data) == {"items", "nextCursor", "hasMore"}
        assert data["hasMore"] == (data["nextCursor"] is not None)
        assert len(data["items"]) <= limit
        items += data["items"]
        if not data["hasMore"]:
            return items
        query["cursor"] = data["nextCursor"]


def test_a_key_lists_the_groups_it_may_use_and_no_other(service: Service) -> None:
    mine, also_mine, foreign = (make_tenant(service, name=name) for name in ("Senate", "Hause 🏛", "Foreign"))
    key = make_key(service.database_url, [also_mine.account_group_id, mine.account_group_id], [])[1]

    items = walk(client_of(service, key), 50)

    assert [(item["id"], item["name"]) for item in items] == [
        (mine.account_group_id, "Senate"),
        (also_mine.account_group_id, "Hause 🏛"),
    ]
    for item in items:
        assert set(item) == {"id", "name", "createdAt"}
        assert ID.fullmatch(item["id"])
        assert TIME.fullmatch(item["createdAt"])
    assert foreign.account_group_id not in [item["id"] for item in items]


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_the_list_comes_in_pages_oldest_first(service: Service, limit: int) -> None:
    groups = [new_id() for _ in range(4)]
    insert = "INSERT INTO account_groups (id, key, name, created_at) VALUES ($1, $2, 'One', 0)"
    for group in groups:
        run_sql(service.database_url, insert, number_of(group), key_of(group))
    key = make_key(service.database_url, groups)[1]

    assert [item["id"] for item in walk(client_of(service, key), limit)] == groups


def test_the_cursor_of_another_key_is_refused(service: Service) -> None:
    one, other = make_tenant(service), make_tenant(service)
    groups = [one.account_group_id, other.account_group_id]
    first, second = (client_of(service, make_key(service.database_url, groups)[1]) for _ in range(2))
    cursor = data_of(first.get("/v1/accounts", params={"limit": 1}))["nextCursor"]

    assert violations(second.get("/v1/accounts", params={"cursor": cursor})) == {("cursor", "WRONG_CURSOR")}
    assert len(data_of(first.get("/v1/accounts", params={"cursor": cursor}))["items"]) == 1
