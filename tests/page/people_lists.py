"""Lists and people for the tests of the page, made over the API while a browser is open."""

from __future__ import annotations

from typing import Any

from rig.answers import data_of
from rig.service import Tenant


def new_list(tenant: Tenant, name: str, count: int = 0, **fields: Any) -> str:
    """Returns a new list with so many people: Person 0001, Person 0002, …"""
    made: str = data_of(tenant.client.post("/audiences", json={"name": name, "type": "on_demand"}), 201)["id"]
    prefix = name.lower().replace(" ", "-")
    people = [
        {"name": f"Person {number:04}", "email": f"{prefix}-{number}@example.com", "title": "Buyer", **fields}
        for number in range(1, count + 1)
    ]
    for start in range(0, count, 1_000):
        data_of(tenant.client.post(f"/audiences/{made}/prospects", json={"prospects": people[start : start + 1_000]}))
    return made


def count_of(tenant: Tenant, list_id: str) -> int:
    """Returns the number of people in the list."""
    count: int = data_of(tenant.client.get(f"/audiences/{list_id}"))["prospectCount"]
    return count


def names_in(tenant: Tenant, list_id: str) -> set[str]:
    """Returns the names of the first 200 people of the list."""
    items = data_of(tenant.client.get(f"/audiences/{list_id}/prospects", params={"limit": 200}))["items"]
    return {person["name"] for person in items}
