"""An id has one spelling. Inside, account groups and audiences have a number, the low end of their id. A request with
the right number and another time in front of it must not reach them."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from leadyard.ids import NO_KEY, NUMBERS, id_of, key_of, number_of
from rig.answers import data_of, refusal
from rig.commands import command
from rig.service import Tenant, make_key, make_tenant


def at_another_time(id: str) -> str:
    """Returns an id with the same number, of the millisecond before."""
    other = id_of(key_of(id) - NUMBERS)
    assert number_of(other) == number_of(id) and other != id
    return other


def with_a_longer_number(id: str) -> str:
    """Returns a text with the pattern of an id, that has no key. Its low 21 bits are the same number."""
    other = f"{id[:12]}{number_of(id) + NUMBERS:012x}"
    assert key_of(other) == NO_KEY
    return other


def in_another_century(id: str) -> str:
    """Returns the same with a bit too many in the time, which a shift would lose."""
    other = f"4{id[1:]}"
    assert key_of(other) == NO_KEY
    return other


SPELLINGS = [at_another_time, with_a_longer_number, in_another_century]
respelled = pytest.mark.parametrize("spell", SPELLINGS)
Spell = Callable[[str], str]


@respelled
def test_an_account_group_is_reached_by_its_own_id_only(tenant: Tenant, spell: Spell) -> None:
    audience, group = tenant.create_audience(), spell(tenant.account_group_id)
    base = f"{tenant.service.base_url}/v1/accounts"
    with httpx.Client(headers={"Authorization": f"Bearer {tenant.key}"}, timeout=60) as client:
        for _ in range(2):
            # Also when the key was recognised a moment ago.
            assert client.get(f"{base}/{tenant.account_group_id}/audiences/{audience}").status_code == 200
            refusal(client.get(f"{base}/{group}/audiences"), 403, "FORBIDDEN")
            refusal(client.get(f"{base}/{group}/audiences/{audience}"), 403, "FORBIDDEN")
            body = {"name": "New", "type": "on_demand"}
            refusal(client.post(f"{base}/{group}/audiences", json=body), 403, "FORBIDDEN")
        assert [each["id"] for each in data_of(client.get(base))["items"]] == [tenant.account_group_id]
    assert len(tenant.walk("/audiences")) == 1


@respelled
def test_a_command_finds_an_account_group_by_its_own_id_only(tenant: Tenant, spell: Spell) -> None:
    url, group = tenant.service.database_url, spell(tenant.account_group_id)
    audience = tenant.create_audience()
    for arguments in (
        ("jobs", "list", "--account-group", group),
        ("export", "--account-group", group, "--audience", audience),
        ("keys", "create", "--account-group", group, "--permission", "audiences:read"),
        ("account-groups", "update", group, "--max-results", "7"),
    ):
        command(*arguments, url=url).refused(1, "account group", group)


def test_a_key_of_two_groups_reaches_both_by_their_own_ids_only(tenant: Tenant) -> None:
    other = make_tenant(tenant.service)
    _, secret = make_key(tenant.service.database_url, [tenant.account_group_id, other.account_group_id])
    mixed = id_of((key_of(tenant.account_group_id) // NUMBERS) * NUMBERS + number_of(other.account_group_id))
    assert mixed not in (tenant.account_group_id, other.account_group_id)
    base = f"{tenant.service.base_url}/v1/accounts"
    with httpx.Client(headers={"Authorization": f"Bearer {secret}"}, timeout=60) as client:
        for group in (tenant.account_group_id, other.account_group_id):
            assert client.get(f"{base}/{group}/audiences").status_code == 200
        refusal(client.get(f"{base}/{mixed}/audiences"), 403, "FORBIDDEN")


@respelled
def test_an_audience_is_found_by_its_own_id_only(tenant: Tenant, spell: Spell) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads, client = tenant.add_leads(source, 3), tenant.client
    wrong = spell(source)
    people = {"prospects": [{"email": "new@example.com"}]}
    for answer in (
        client.get(f"/audiences/{wrong}"),
        client.patch(f"/audiences/{wrong}", json={"name": "Other"}),
        client.delete(f"/audiences/{wrong}"),
        client.get(f"/audiences/{wrong}/prospects"),
        client.get(f"/audiences/{wrong}/prospects", params={"q": "lead-1"}),
        client.get(f"/audiences/{wrong}/prospects.csv"),
        client.post(f"/audiences/{wrong}/prospects", json=people),
        client.post(f"/audiences/{wrong}/remove-from-folder"),
        tenant.move(wrong, target, leads),
        tenant.move(target, wrong, leads),
        tenant.move(source, wrong, leads),
        client.post(
            "/prospecting",
            json={"type": "url_upload", "audience": {"id": wrong}, "profileUrls": ["https://www.linkedin.com/in/ada"]},
        ),
    ):
        assert wrong in refusal(answer, 404, "NOT_FOUND")["details"], "the client's own spelling"
    assert (tenant.members(source), tenant.members(target)) == (leads, [])
    assert tenant.walk("/moves") == []


@respelled
def test_a_lead_is_found_by_its_own_id_only(tenant: Tenant, spell: Spell) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)
    wrong = spell(leads[1])
    refusal(tenant.client.get(f"/prospects/{wrong}"), 404, "NOT_FOUND")
    refusal(tenant.client.delete(f"/prospects/{wrong}"), 404, "NOT_FOUND")
    error = refusal(tenant.move(source, target, [leads[0], wrong, leads[2]]), 422, "LEADS_NOT_IN_SOURCE")
    assert error["leadIds"] == [wrong]
    # Twice the same person in two spellings is not one lead.
    error = refusal(tenant.move(source, target, [leads[1], wrong]), 422, "LEADS_NOT_IN_SOURCE")
    assert error["leadIds"] == [wrong]
    assert tenant.members(source) == leads


@respelled
def test_a_record_of_a_move_is_found_by_its_own_id_only(tenant: Tenant, spell: Spell) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    move_id = tenant.move(source, target, tenant.add_leads(source, 1)).headers["Move-Id"]
    assert data_of(tenant.client.get(f"/moves/{move_id}"))["id"] == move_id
    refusal(tenant.client.get(f"/moves/{spell(move_id)}"), 404, "NOT_FOUND")
