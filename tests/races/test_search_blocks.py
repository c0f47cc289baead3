"""People are added, edited and erased at the same moment. Their texts share blocks: none is lost or left behind."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from leadyard.ids import id_of
from rig.racing import TORTURE, assert_healthy, at_once
from rig.service import Service, Tenant, make_tenant

ROUNDS = 60 if TORTURE else 8


def found(tenant: Tenant, audience_id: str, text: str) -> list[str]:
    return [item["id"] for item in tenant.walk(f"/audiences/{audience_id}/prospects", q=text)]


@pytest.mark.timeout(400)
def test_changes_of_people_who_share_a_block_all_remain(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    one, two = tenant.create_audience("One"), tenant.create_audience("Two")
    clients = [tenant.new_client() for _ in range(8)]
    expected: dict[str, tuple[str, str]] = {}

    def add(audience: str, name: str, client: httpx.Client) -> None:
        person = {"email": f"{name}@example.com", "firstName": name}
        answer = client.post(f"/audiences/{audience}/prospects", json={"prospects": [person]})
        assert answer.status_code == 200, answer.text

    def edit(lead: str, name: str, client: httpx.Client) -> None:
        answer = client.patch(f"/prospects/{lead}", json={"firstName": name})
        assert answer.status_code == 200, answer.text

    def erase(lead: str, client: httpx.Client) -> None:
        assert client.delete(f"/prospects/{lead}").status_code == 200

    for number in range(ROUNDS):
        names = [f"early{number}x{each}y" for each in range(4)]
        for name in names:
            add(one, name, clients[0])
        kept, other, third, gone = (found(tenant, one, name)[0] for name in names)
        at_once(
            partial(edit, kept, f"edited{number}a", clients[0]),
            partial(edit, other, f"edited{number}b", clients[1]),
            partial(edit, third, f"edited{number}c", clients[2]),
            partial(erase, gone, clients[3]),
            partial(add, one, f"new{number}a", clients[4]),
            partial(add, two, f"new{number}b", clients[5]),
            partial(add, one, f"new{number}c", clients[6]),
            # A known person, who is filled and added to another audience.
            partial(add, two, names[0], clients[7]),
        )
        expected |= {
            f"edited{number}{letter}": (one, lead) for letter, lead in zip("abc", (kept, other, third), strict=True)
        }
        for name, audience in ((f"new{number}a", one), (f"new{number}b", two), (f"new{number}c", one)):
            [lead] = found(tenant, audience, name)
            expected[name] = (audience, lead)
        assert not found(tenant, one, names[3])

    for name, (audience, lead) in expected.items():
        assert found(tenant, audience, name) == [lead], name
    # Each lead has one line, in the block that it names. The lines of erased people are gone.
    rows = tenant.sql("SELECT id, lead_ids, lines FROM search_blocks WHERE account_group_id = $1", tenant.number)
    there = [
        (id_of(key), block, line)
        for block, lead_ids, lines in rows
        for key, line in zip(struct.unpack(f">{len(lead_ids) // 8}q", lead_ids), lines.split("\n"), strict=True)
    ]
    named = tenant.sql("SELECT id, search_block_id FROM leads WHERE account_group_id = $1", tenant.number)
    assert sorted((lead, block) for lead, block, _ in there) == sorted((id_of(key), block) for key, block in named)
    assert not any("x3y" in line for _, _, line in there)
    assert_healthy(tenant)
