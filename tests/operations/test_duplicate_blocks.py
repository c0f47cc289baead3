"""The keys by which duplicates are found always belong to the leads: after any edits, erasures and merges, in any
order with the housekeeping, and with more keys than fit into a block."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from leadyard.database import Database
from leadyard.ids import id_of, key_of
from leadyard.model import DuplicateReason
from leadyard.operations.duplicates import compare_leads
from leadyard.people.duplicates import duplicate_texts
from leadyard.store import leads
from leadyard.store.duplicate_blocks import _ENTRY, _MOST_ENTRIES
from leadyard.store.duplicates import _key_from
from rig.answers import data_of
from rig.people import patch
from rig.service import Tenant, on_database


def compare(tenant: Tenant) -> None:
    while on_database(tenant.service.database_url, compare_leads):
        pass


def check(tenant: Tenant) -> None:
    """Fails unless the three tables have exactly the keys of the leads. A key may be missing in the blocks if an
    index of leads has it: the mailbox of a lead that owns this address."""
    leads_of, owned = _leads_of_keys(tenant)
    shared = {key: ids for key, ids in leads_of.items() if len(ids) > 1}
    blocks = _rows(tenant, "duplicate_blocks", "first, entries")
    entries = [entry for first, content in blocks for entry in _entries(content)]
    keys = [key for key, _ in entries]
    assert keys == sorted(set(keys)), "each key once, in order"
    assert all(lead in leads_of[key] for key, lead in entries)
    assert {key for key, ids in leads_of.items() if ids != {owned.get(key)}} <= set(keys)
    for (first, content), (end, _) in zip(blocks, [*blocks[1:], (2**48, b"")], strict=True):
        assert all(first <= key < end for key, _ in _entries(content)), "in the block that a look-up finds"
        assert 0 < len(content) <= _MOST_ENTRIES * _ENTRY.size
    members = _rows(tenant, "duplicate_keys", "key, lead_id")
    assert members == sorted((key, lead) for key, ids in shared.items() for lead in ids)
    assert _rows(tenant, "duplicate_groups", "key") == [(key,) for key in sorted(shared)]


def _leads_of_keys(tenant: Tenant) -> tuple[dict[int, set[int]], dict[int, int]]:
    """Returns the leads of each key, and the leads that own the mailbox of a key as their address."""
    ids = [id_of(key) for (key,) in _rows(tenant, "leads", "id")]

    async def read(db: Database) -> list[Any]:
        async with db.read(tenant.account_group_id) as tx:
            return await leads.find_all(tx, ids)

    found, owned = defaultdict[int, set[int]](set), dict[int, int]()
    for lead in on_database(tenant.service.database_url, read):
        for key, text in duplicate_texts(lead.profile).items():
            found[_key_from(key)].add(key_of(lead.id))
            if key.reason is DuplicateReason.EMAIL and text == lead.profile.email and not lead.shares_email:
                owned[_key_from(key)] = key_of(lead.id)
    return found, owned


def _rows(tenant: Tenant, table: str, columns: str) -> list[tuple[Any, ...]]:
    return sorted(tenant.sql(f"SELECT {columns} FROM {table} WHERE account_group_id = $1", tenant.number))


def _entries(content: bytes) -> list[tuple[int, int]]:
    return [(int.from_bytes(key), lead) for key, lead in _ENTRY.iter_unpack(content)]


def _person(number: int) -> dict[str, Any]:
    """Returns one of 40 people, in many spellings: about half of them have something in common with another one."""
    who = number % 40
    return {
        "email": f"p{who}@acme.com" if number % 11 == 0 else f"p{who}+{number}@acme.{('com', 'de')[number % 3 == 0]}",
        "name": f"Person {number % 97}",
        "company": {"name": f"Acme {number % 7} GmbH", "website": "acme.com"},
        "phone": f"+49 30 12345{number % 61:03}",
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_keys_are_those_of_the_leads(tenant: Tenant, seed: int) -> None:
    chance, audience = random.Random(seed), tenant.create_audience()
    here, number = set[str](), 0
    steps: dict[str, Callable[[], Any]] = {
        "add": lambda: tenant.client.post(
            f"/audiences/{audience}/prospects",
            json={"prospects": [_person(number + n) for n in range(chance.choice((1, 5, 150)))]},
        ),
        "edit": lambda: patch(tenant, chance.choice(sorted(here)), **_without_email(chance.randrange(400))),
        "erase": lambda: tenant.client.delete(f"/prospects/{chance.choice(sorted(here))}"),
        "merge": lambda: _merge(tenant, *chance.sample(sorted(here), 2)),
        "compare": partial(compare, tenant),
    }
    data_of(steps["add"]())
    for _ in range(60):
        here = set(tenant.members(audience))
        number += 1_000
        step = chance.choice(list(steps))
        answer = steps[step]() if step in ("add", "compare") or len(here) > 2 else None
        assert answer is None or answer.status_code in (200, 204), answer.text
        if step == "compare":
            check(tenant)
    compare(tenant)
    check(tenant)


def _without_email(number: int) -> dict[str, Any]:
    return {name: value for name, value in _person(number).items() if name != "email"}


def _merge(tenant: Tenant, kept: str, other: str) -> Any:
    return tenant.client.post(f"/prospects/{kept}/merge", json={"prospectId": other})


def test_an_erasure_before_the_comparison_leaves_no_key(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    people = [{"name": "Ada", "phone": f"+49 30 1234500{n}"} for n in range(3)]
    data_of(tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people}))
    compare(tenant)
    one, other, _ = tenant.members(audience)
    data_of(patch(tenant, one, phone="+49 30 99999"))
    data_of(patch(tenant, one, phone="+49 30 88888888"))
    data_of(patch(tenant, other, phone=None))
    data_of(tenant.client.delete(f"/prospects/{one}"))
    # The keys that it had before the edits are gone now, and not only after the next comparison.
    entries = [
        lead for _, content in _rows(tenant, "duplicate_blocks", "first, entries") for _, lead in _entries(content)
    ]
    assert key_of(one) not in entries and key_of(other) in entries
    compare(tenant)
    check(tenant)
