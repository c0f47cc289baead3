"""Likely duplicates: which leads are reported as one person, for which reason, in which order, and which are not."""

from __future__ import annotations

from typing import Any

import pytest

from leadyard.operations.duplicates import MAX_LEADS_PER_GROUP, compare_leads
from leadyard.people.duplicates import company_core, international_number
from rig.answers import data_of, violations
from rig.people import bring_in, patch, read
from rig.service import Tenant, on_database

MEMBER_ID = "ACoAAB1234567890abcdefghijklmnopqrstuvw"


def listed(tenant: Tenant, **query: Any) -> list[tuple[str, list[str]]]:
    """Returns reason and ids of the groups, after the housekeeping has compared all leads."""
    while on_database(tenant.service.database_url, compare_leads):
        pass
    groups = tenant.walk("/duplicates", **query)
    return [(group["reason"], [each["id"] for each in group["prospects"]]) for group in groups]


@pytest.mark.parametrize(
    ("reason", "one", "other"),
    [
        ("email", {"email": "ada+list@acme.com"}, {"email": "ada@acme.com"}),
        (
            "email",
            {"email": "ada@acme.com"},
            {"email": "ada@acme.de", "company": {"website": "https://www.acme.com/x"}},
        ),
        (
            "name_and_company",
            {"name": "Ada Lovelace", "company": {"name": "Ácme GmbH & Co. KG"}},
            {"firstName": "ADA", "lastName": "Lovelace", "company": {"name": "acme, Inc."}},
        ),
        ("phone", {"phone": "+49 (0)30 1234-567"}, {"phone": "0049 30 1234567"}),
        (
            "linkedin",
            {"linkedinUrl": f"linkedin.com/in/{MEMBER_ID}"},
            {"linkedinUrl": "linkedin.com/in/ada", "providerId": MEMBER_ID},
        ),
    ],
)
def test_leads_with_something_in_common_are_a_group(
    tenant: Tenant, reason: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    audience = tenant.create_audience()
    pair = [bring_in(tenant, audience, **each) for each in (one, other)]
    bring_in(tenant, audience, email="somebody@else.com", name="Grace Hopper", company={"name": "Acme"}, phone="+1 555")
    assert listed(tenant) == [(reason, pair)]
    [group] = tenant.walk("/duplicates")
    shown = read(tenant, pair[0])
    assert group["prospects"][0] == {name: value for name, value in shown.items() if name != "audiences"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # A mailbox of many people, a national number, a switchboard, and namesakes elsewhere.
        ({"email": "info@acme.com"}, {"email": "info@acme.de", "company": {"website": "acme.com"}}),
        ({"phone": "030 1234567"}, {"phone": "030 1234567"}),
        ({"phone": "+49 30 1234567 ext. 1"}, {"phone": "+49 30 1234567 ext. 2"}),
        ({"name": "Ada", "company": {"name": "Acme"}}, {"name": "Ada", "company": {"name": "Acme Labs"}}),
        ({"name": "Ada"}, {"name": "Ada"}),
    ],
)
def test_what_proves_nothing_is_not_reported(tenant: Tenant, one: dict[str, Any], other: dict[str, Any]) -> None:
    audience = tenant.create_audience()
    for each in (one, other):
        bring_in(tenant, audience, **each)
    assert listed(tenant) == []


def test_the_most_certain_groups_come_first_on_any_page_size(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    for n in range(4):
        for _ in range(2):
            bring_in(tenant, audience, phone=f"+49 30 12345{n}")
            bring_in(tenant, audience, name=f"Ada {n}", company={"name": "Acme"})
        bring_in(tenant, audience, email=f"ada{n}@acme.com")
        bring_in(tenant, audience, email=f"ada{n}+x@acme.com")
    whole = listed(tenant)
    assert [reason for reason, _ in whole] == ["email"] * 4 + ["name_and_company"] * 4 + ["phone"] * 4
    for limit in (1, 3, 12):
        assert listed(tenant, limit=limit) == whole
    violations(tenant.client.get("/duplicates", params={"cursor": "bm90IG91cnM"}))


def test_the_same_leads_are_one_group_for_the_most_certain_reason(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    same = {"name": "Ada", "company": {"name": "Acme"}, "phone": "+4930123456"}
    pair = [bring_in(tenant, audience, email=f"ada{tag}@acme.com", **same) for tag in ("", "+x")]
    third = bring_in(tenant, audience, phone="+4930123456")
    assert listed(tenant) == [("email", pair), ("phone", [*pair, third])]


def test_a_group_ends_when_its_leads_are_edited_merged_or_erased(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    pairs = [
        [bring_in(tenant, audience, email=f"ada{n}{tag}@acme.com", phone=f"+49 30 12345{n}") for tag in ("", "+x")]
        for n in range(3)
    ]
    assert len(listed(tenant)) == 3
    data_of(patch(tenant, pairs[0][0], email="new@acme.com", phone=None))
    # Before the housekeeping compares it again.
    assert len(tenant.walk("/duplicates")) == 2
    data_of(tenant.client.post(f"/prospects/{pairs[1][0]}/merge", json={"prospectId": pairs[1][1]}))
    data_of(tenant.client.delete(f"/prospects/{pairs[2][0]}"))
    assert listed(tenant) == []
    # Not even a hash stays of what only one lead has, outside of the blocks.
    for table in ("duplicate_groups", "duplicate_keys"):
        assert tenant.sql(f"SELECT count(*) FROM {table} WHERE account_group_id = $1", tenant.number) == [(0,)]
    data_of(patch(tenant, pairs[0][0], phone="+49 30 123450"))
    assert listed(tenant) == [("phone", pairs[0])]


def test_a_large_group_lists_its_oldest_leads(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    people = [{"phone": "+49 30 123456", "title": str(n)} for n in range(MAX_LEADS_PER_GROUP + 5)]
    data_of(tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people}))
    assert listed(tenant) == [("phone", tenant.members(audience)[:MAX_LEADS_PER_GROUP])]


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("Acme GmbH & Co. KG", "acme"),
        ("ACME, Inc.", "acme"),
        ("Acme S.A.", "acme"),
        ("Ltd", "ltd"),
        ("Marks & Spencer plc", "marks & spencer"),
        ("Co-Op Ltd.", "co op"),
    ],
)
def test_the_core_of_a_company_name(name: str, core: str) -> None:
    assert company_core(name) == core


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("+49 (0) 30/123-45 67", "49301234567"),
        ("0049.30.1234567", "49301234567"),
        ("tel:+14155550100", "14155550100"),
        ("030 1234567", None),
        ("+49 30 1234567 x12", None),
        ("+0 30 1234567", None),
        ("+49 30", None),
        ("+4930123456789012", None),
    ],
)
def test_a_number_is_compared_only_with_its_country(phone: str, number: str | None) -> None:
    assert international_number(phone) == number
