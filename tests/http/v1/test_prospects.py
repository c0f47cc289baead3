"""…/prospects: people are added to an audience, identified, and listed (contract section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from leadyard.clock import now_ms, to_iso
from rig.answers import ID, TIME, data_of
from rig.service import Service, Tenant, make_tenant

PROSPECT_KEYS = {
    "id", "firstName", "lastName", "name", "headline", "about", "photoUrl", "linkedinUrl", "publicIdentifier", "title",
    "email", "phone", "location", "company", "customFields", "providerId", "createdAt", "addedAt",
}  # fmt: skip
COMPANY_KEYS = {"name", "linkedinIdentifier", "linkedinUrl", "industry", "website"}

ADA: dict[str, Any] = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "name": "Ada King, Countess of Lovelace",
    "headline": "Analyst of the Engine – ✨",
    "about": "First line\nSecond line\twith a tab",
    "photoUrl": "https://example.com/ada.jpg?size=200",
    "linkedinUrl": "https://www.linkedin.com/in/ada-lovelace",
    "publicIdentifier": "ada-lovelace",
    "title": "Mathematician",
    "email": "ada@example.com",
    "phone": "+44 20 7946 0000",
    "location": "London, 英国",
    "company": {
        "name": "Analytical Engines Ltd",
        "linkedinIdentifier": "analytical-engines",
        "linkedinUrl": "https://www.linkedin.com/company/analytical-engines",
        "industry": "Computing",
        "website": "https://engines.example.com",
    },
    "customFields": {"Born": "1815", "Fürs Leben": "שלום", "Notes": "one\ntwo", "😀": "emoji"},
    "providerId": "crm:4711/ä",
}


def add(tenant: Tenant, audience: str, *prospects: dict[str, Any]) -> Any:
    answer = tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": list(prospects)})
    data = data_of(answer)
    reported = {name for name in ("differing", "suppressed", "notes") if data.get(name, 0) not in (0, [])}
    assert set(data) == {"created", "matched", "added", "alreadyInAudience", "rejected"} | reported
    assert data["created"] + data["matched"] + len(data["rejected"]) == len(prospects)
    for rejected in data["rejected"]:
        assert set(rejected) == {"index", "code", "message"}
        assert len(rejected["message"]) > 10
    return data


def counts(data: Any) -> tuple[int, int, int, int, int]:
    """Returns created, matched, added, alreadyInAudience and the number of rejected."""
    return data["created"], data["matched"], data["added"], data["alreadyInAudience"], len(data["rejected"])


def listed(tenant: Tenant, audience: str) -> list[dict[str, Any]]:
    return tenant.walk(f"/audiences/{audience}/prospects")


@pytest.fixture
def audience(tenant: Tenant) -> str:
    return tenant.create_audience()


# --------------------------------------------------------------------------------------------------------------- shape


def test_every_field_comes_back_as_it_was_brought_in(tenant: Tenant, audience: str) -> None:
    earliest = to_iso(now_ms())
    assert counts(add(tenant, audience, ADA)) == (1, 0, 1, 0, 0)

    [prospect] = listed(tenant, audience)

    assert set(prospect) == PROSPECT_KEYS
    assert set(prospect["company"]) == COMPANY_KEYS
    assert {key: prospect[key] for key in ADA} == ADA
    assert ID.fullmatch(prospect["id"])
    for key in ("createdAt", "addedAt"):
        assert TIME.fullmatch(prospect[key])
        assert earliest <= prospect[key] <= to_iso(now_ms())
    assert tenant.count(audience) == 1


def test_what_is_not_known_is_null(tenant: Tenant, audience: str) -> None:
    add(tenant, audience, {"phone": "1"})
    [prospect] = listed(tenant, audience)
    assert set(prospect) == PROSPECT_KEYS
    known = {"id", "createdAt", "addedAt", "phone", "company", "customFields"}
    assert {key for key, value in prospect.items() if value is not None} == known
    assert prospect["company"] == dict.fromkeys(COMPANY_KEYS)
    assert prospect["customFields"] == {}


@pytest.mark.parametrize("empty", [None, "", "   "], ids=repr)
def test_empty_fields_are_not_known_either(tenant: Tenant, audience: str, empty: str | None) -> None:
    texts = {key: empty for key, value in ADA.items() if isinstance(value, str)}
    add(tenant, audience, {**texts, "phone": "1", "company": dict.fromkeys(COMPANY_KEYS, empty), "customFields": {}})
    [prospect] = listed(tenant, audience)
    assert {key: prospect[key] for key in texts if key != "phone"} == {key: None for key in texts if key != "phone"}
    assert prospect["company"] == dict.fromkeys(COMPANY_KEYS)


def test_company_and_custom_fields_may_be_null(tenant: Tenant, audience: str) -> None:
    assert counts(add(tenant, audience, {"email": "x@example.com", "company": None, "customFields": None}))[0] == 1


def test_without_a_name_first_and_last_name_make_one(tenant: Tenant, audience: str) -> None:
    add(tenant, audience, {"firstName": "Ada", "lastName": "Lovelace"}, {"lastName": "Babbage"}, {"name": "Grace"})
    assert [item["name"] for item in listed(tenant, audience)] == ["Ada Lovelace", "Babbage", "Grace"]


# ------------------------------------------------------------------------------------------------------------ identity


@pytest.mark.parametrize("spelling", [
    "https://www.linkedin.com/in/jos%C3%A9-r",
    "http://www.linkedin.com/in/jos%C3%A9-r",
    "https://linkedin.com/in/jos%C3%A9-r",
    "https://de.linkedin.com/in/jos%C3%A9-r",
    "https://uk.linkedin.com/in/jos%C3%A9-r/",
    "www.linkedin.com/in/jos%C3%A9-r",
    "linkedin.com/in/jos%C3%A9-r",
    "https://www.linkedin.com/in/jos%C3%A9-r/",
    "https://www.linkedin.com/in/jos%C3%A9-r?utm_source=share&x=1",
    "https://www.linkedin.com/in/jos%C3%A9-r/?originalSubdomain=de#top",
    "https://www.linkedin.com/in/JOS%C3%89-R",
    "HTTPS://WWW.LINKEDIN.COM/IN/José-R",
    "https://www.linkedin.com/in/josé-r",
    "https://www.linkedin.com/in/jose\u0301-r",
    "https://www.linkedin.com/in/jos%c3%a9%2Dr",
    "  https://www.linkedin.com/in/josé-r  ",
])  # fmt: skip
def test_a_lead_is_known_by_its_linkedin_profile_in_any_spelling(tenant: Tenant, audience: str, spelling: str) -> None:
    add(tenant, audience, {"linkedinUrl": "https://www.linkedin.com/in/jos%C3%A9-r"})

    assert counts(add(tenant, audience, {"linkedinUrl": spelling})) == (0, 1, 0, 1, 0)

    [prospect] = listed(tenant, audience)
    assert prospect["publicIdentifier"] == "josé-r"
    assert prospect["linkedinUrl"] == "https://www.linkedin.com/in/jos%C3%A9-r"


def test_a_lead_is_known_by_its_public_identifier_as_by_its_address(tenant: Tenant, audience: str) -> None:
    add(tenant, audience, {"publicIdentifier": "Ada-L"})
    assert counts(add(tenant, audience, {"linkedinUrl": "de.linkedin.com/in/ada-l/"})) == (0, 1, 0, 1, 0)
    assert len(listed(tenant, audience)) == 1


@pytest.mark.parametrize(
    "spelling", ["ada@example.com", "ADA@EXAMPLE.COM", " Ada@Example.com ", "mailto:ada@example.com"]
)
def test_a_lead_is_known_by_its_email_in_any_case(tenant: Tenant, audience: str, spelling: str) -> None:
    add(tenant, audience, {"email": "Ada@Example.Com"})
    assert counts(add(tenant, audience, {"email": spelling})) == (0, 1, 0, 1, 0)
    assert [item["email"] for item in listed(tenant, audience)] == ["ada@example.com"]


def test_a_lead_is_known_by_its_provider_id_in_exactly_its_spelling(tenant: Tenant, audience: str) -> None:
    add(tenant, audience, {"providerId": "Crm-1"})
    assert counts(add(tenant, audience, {"providerId": "Crm-1"}, {"providerId": "crm-1"})) == (1, 1, 1, 1, 0)
    assert [item["providerId"] for item in listed(tenant, audience)] == ["Crm-1", "crm-1"]


def test_linkedin_comes_before_email_and_email_before_provider_id(tenant: Tenant, audience: str) -> None:
    add(tenant, audience, {"publicIdentifier": "ada", "firstName": "LinkedIn"})
    add(tenant, audience, {"email": "ada@example.com", "firstName": "E-mail"})
    add(tenant, audience, {"providerId": "p", "publicIdentifier": "grace", "firstName": "Provider"})

    by_linkedin = add(tenant, audience, {"publicIdentifier": "ada", "providerId": "p", "title": "1"})
    by_email = add(tenant, audience, {"email": "ada@example.com", "providerId": "p", "title": "2"})

    assert (counts(by_linkedin), counts(by_email)) == ((0, 1, 0, 1, 0), (0, 1, 0, 1, 0))
    assert [(item["firstName"], item["title"]) for item in listed(tenant, audience)] == [
        ("LinkedIn", "1"),
        ("E-mail", "2"),
        ("Provider", None),
    ]


def test_a_lead_known_by_its_email_is_found_by_the_linkedin_profile_it_was_given_later(
    tenant: Tenant, audience: str
) -> None:
    add(tenant, audience, {"email": "ada@example.com"})
    add(tenant, audience, {"email": "ada@example.com", "publicIdentifier": "ada"})
    assert counts(add(tenant, audience, {"linkedinUrl": "linkedin.com/in/ada", "phone": "1"})) == (0, 1, 0, 1, 0)
    [prospect] = listed(tenant, audience)
    assert (prospect["email"], prospect["publicIdentifier"], prospect["phone"]) == ("ada@example.com", "ada", "1")


def test_people_without_identity_are_always_new(tenant: Tenant, audience: str) -> None:
    nobody = {"firstName": "Ada", "lastName": "Lovelace", "phone": "1"}
    assert counts(add(tenant, audience, nobody, nobody)) == (2, 0, 2, 0, 0)
    assert counts(add(tenant, audience, nobody)) == (1, 0, 1, 0, 0)
    assert len(listed(tenant, audience)) == tenant.count(audience) == 3


def test_the_same_person_is_another_lead_in_another_account_group(tenant: Tenant, service: Service) -> None:
    other = make_tenant(service)
    assert counts(add(other, other.create_audience(), {**ADA, "title": "Theirs"}))[0] == 1
    mine = tenant.create_audience()
    assert counts(add(tenant, mine, {"email": ADA["email"]})) == (1, 0, 1, 0, 0)
    assert listed(tenant, mine)[0]["title"] is None


# ------------------------------------------------------------------------------------------------------------- filling


def test_empty_fields_are_filled_and_nothing_is_overwritten(tenant: Tenant, audience: str) -> None:
    add(
        tenant,
        audience,
        {
            "email": "ada@example.com",
            "firstName": "Ada",
            "company": {"name": "Engines"},
            "customFields": {"Born": "1815"},
        },
    )
    [before] = listed(tenant, audience)
    other = {
        "email": "ADA@example.com",
        "firstName": "Augusta",
        "lastName": "King",
        "title": "Countess",
        "company": {"name": "Nobility", "industry": "Computing"},
        "customFields": {"Born": "1816", "Died": "1852"},
        "providerId": "p-1",
    }

    assert counts(add(tenant, audience, other)) == (0, 1, 0, 1, 0)

    [after] = listed(tenant, audience)
    company = {**before["company"], "industry": "Computing"}
    assert after == {
        **before,
        "lastName": "King",
        "name": "Ada King",
        "title": "Countess",
        "company": company,
        "customFields": {"Born": "1815", "Died": "1852"},
        "providerId": "p-1",
    }


@pytest.mark.parametrize("empty", [None, "", " "], ids=repr)
def test_a_known_value_is_never_cleared(tenant: Tenant, audience: str, empty: str | None) -> None:
    add(tenant, audience, ADA)
    [before] = listed(tenant, audience)
    texts = {key: empty for key, value in ADA.items() if isinstance(value, str)}
    cleared = {
        **texts,
        "email": ADA["email"],
        "company": dict.fromkeys(COMPANY_KEYS, empty),
        "customFields": {"Born": ""},
    }

    assert counts(add(tenant, audience, cleared)) == (0, 1, 0, 1, 0)

    assert listed(tenant, audience) == [before]


def test_a_lead_known_elsewhere_is_filled_there_too_and_added_here(tenant: Tenant) -> None:
    one, other = tenant.create_audience(), tenant.create_audience()
    add(tenant, one, {"email": "ada@example.com"})

    assert counts(add(tenant, other, {"email": "ada@example.com", "title": "Countess"})) == (0, 1, 1, 0, 0)

    [there], [here] = listed(tenant, one), listed(tenant, other)
    assert there["id"] == here["id"]
    assert there["title"] == here["title"] == "Countess"
    assert there["createdAt"] == here["createdAt"]
    assert (tenant.count(one), tenant.count(other)) == (1, 1)


# ----------------------------------------------------------------------------------------- several rows of one request


def test_rows_of_one_request_may_be_one_person(tenant: Tenant, audience: str) -> None:
    data = add(
        tenant,
        audience,
        {"email": "ada@example.com", "firstName": "Ada"},
        {"email": "grace@example.com"},
        {"email": "ADA@example.com", "publicIdentifier": "ada", "firstName": "Augusta", "lastName": "King"},
        {"linkedinUrl": "https://linkedin.com/in/ADA", "title": "Countess"},
    )

    assert counts(data) == (2, 2, 2, 0, 0)
    ada, grace = listed(tenant, audience)
    assert [ada[key] for key in ("firstName", "lastName", "title", "email", "publicIdentifier")] == [
        "Ada", "King", "Countess", "ada@example.com", "ada",
    ]  # fmt: skip
    assert grace["email"] == "grace@example.com"


def test_a_row_that_is_two_known_leads_is_reported_and_changes_neither(tenant: Tenant, audience: str) -> None:
    add(tenant, audience, {"publicIdentifier": "ada"}, {"email": "ada@example.com"})
    before = listed(tenant, audience)
    other = tenant.create_audience()

    data = add(
        tenant,
        other,
        {"email": "first@example.com"},
        {"publicIdentifier": "ada", "email": "ada@example.com", "title": "Countess"},
        {"email": "last@example.com"},
    )

    assert counts(data) == (2, 0, 2, 0, 1)
    assert [(rejected["index"], rejected["code"]) for rejected in data["rejected"]] == [(1, "IDENTITY_CONFLICT")]
    assert listed(tenant, audience) == before
    assert [item["email"] for item in listed(tenant, other)] == ["first@example.com", "last@example.com"]


def test_a_row_that_contradicts_rows_of_its_own_request_is_reported(tenant: Tenant, audience: str) -> None:
    data = add(
        tenant,
        audience,
        {"publicIdentifier": "ada"},
        {"email": "ada@example.com"},
        {"publicIdentifier": "ada", "email": "ada@example.com"},
    )
    assert counts(data) == (2, 0, 2, 0, 1)
    assert [(rejected["index"], rejected["code"]) for rejected in data["rejected"]] == [(2, "IDENTITY_CONFLICT")]


def test_a_row_whose_email_belongs_to_another_linkedin_profile_is_reported(tenant: Tenant, audience: str) -> None:
    add(tenant, audience, {"publicIdentifier": "ada", "email": "ada@example.com"})
    data = add(tenant, audience, {"publicIdentifier": "grace", "email": "ada@example.com"})
    assert counts(data) == (0, 0, 0, 0, 1)
    assert data["rejected"][0]["code"] == "IDENTITY_CONFLICT"


def test_rejected_rows_do_not_stop_the_others(tenant: Tenant, audience: str) -> None:
    data = add(
        tenant,
        audience,
        {"email": "not an address"},
        {"email": "one@example.com"},
        {"linkedinUrl": "https://example.com/in/ada"},
        {"linkedinUrl": "https://www.linkedin.com/company/acme"},
        {"email": "two@example.com"},
        {},
        {"firstName": "x" * 201, "email": "three@example.com"},
        {"linkedinUrl": "linkedin.com/in/ada", "publicIdentifier": "grace"},
        {"email": "one@example.com"},
        {"firstName": "  "},
    )

    assert counts(data) == (2, 1, 2, 0, 7)
    assert [(rejected["index"], rejected["code"]) for rejected in data["rejected"]] == [
        (0, "INVALID_EMAIL"),
        (2, "INVALID_LINKEDIN_URL"),
        (3, "INVALID_LINKEDIN_URL"),
        (5, "EMPTY_PROSPECT"),
        (6, "VALUE_TOO_LONG"),
        (7, "CONTRADICTING_IDENTITY"),
        (9, "EMPTY_PROSPECT"),
    ]
    assert [item["email"] for item in listed(tenant, audience)] == ["one@example.com", "two@example.com"]
    assert tenant.count(audience) == 2


def test_when_every_row_is_rejected_nothing_changes(tenant: Tenant, audience: str) -> None:
    assert counts(add(tenant, audience, {"email": "x"}, {})) == (0, 0, 0, 0, 2)
    assert (tenant.count(audience), listed(tenant, audience)) == (0, [])


def test_a_thousand_prospects_are_taken_at_once_and_a_second_time_change_nothing(tenant: Tenant, audience: str) -> None:
    people = [{"email": f"person-{number}@example.com"} for number in range(1_000)]
    assert counts(add(tenant, audience, *people)) == (1_000, 0, 1_000, 0, 0)
    before = listed(tenant, audience)

    assert counts(add(tenant, audience, *people)) == (0, 1_000, 0, 1_000, 0)

    assert listed(tenant, audience) == before
    assert [item["email"] for item in before] == [person["email"] for person in people]
    assert tenant.count(audience) == 1_000


# ---------------------------------------------------------------------------------------------------------------- list


def test_an_audience_without_leads_has_an_empty_list(tenant: Tenant, audience: str) -> None:
    page = data_of(tenant.client.get(f"/audiences/{audience}/prospects"))
    assert page == {"items": [], "nextCursor": None, "hasMore": False}


@pytest.mark.parametrize("limit", [1, 3, 8, 9, 10, 200])
def test_the_list_comes_in_pages(tenant: Tenant, audience: str, limit: int) -> None:
    leads = tenant.add_leads(audience, 9)
    page = data_of(tenant.client.get(f"/audiences/{audience}/prospects", params={"limit": limit}))
    assert [item["id"] for item in page["items"]] == leads[:limit]
    assert page["hasMore"] == (limit < 9)
    assert tenant.members(audience, limit) == leads


def test_a_page_has_50_items_unless_asked_otherwise(tenant: Tenant, audience: str) -> None:
    tenant.add_leads(audience, 51)
    page = data_of(tenant.client.get(f"/audiences/{audience}/prospects"))
    assert (len(page["items"]), page["hasMore"]) == (50, True)


@pytest.mark.parametrize("limit", [1, 7])
def test_a_full_walk_meets_every_lead_that_stayed_once_while_others_come_and_go(
    tenant: Tenant, audience: str, limit: int
) -> None:
    elsewhere = tenant.create_audience()
    old = tenant.add_leads(elsewhere, 10, prefix="old")  # smaller ids than any in the audience
    leads = tenant.add_leads(audience, 40)
    leaving = leads[::4]
    stayed = [lead for lead in leads if lead not in leaving]
    met: list[str] = []
    query: dict[str, Any] = {"limit": limit}
    step = 0
    while True:
        page = data_of(tenant.client.get(f"/audiences/{audience}/prospects", params=query))
        met += [item["id"] for item in page["items"]]
        if not page["hasMore"]:
            break
        query["cursor"] = page["nextCursor"]
        if leaving:
            # From both ends, so that listed and unlisted leads leave; in one case the lead that was listed last.
            gone = {leaving.pop(0), leaving.pop() if leaving else ""} - {""}
            data_of(tenant.move(audience, elsewhere, gone))
            data_of(tenant.move(elsewhere, audience, [old[step]]))
            tenant.add_leads(audience, 2, prefix=f"new-{step}")
        step += 1

    assert [lead for lead in met if lead in stayed] == stayed
    assert len(met) == len(set(met))
    assert tenant.count(audience) == len(tenant.members(audience))


def test_a_lead_moved_here_is_listed_among_its_elders_by_when_it_was_first_brought_in(tenant: Tenant) -> None:
    one, other = tenant.create_audience(), tenant.create_audience()
    first = tenant.add_leads(one, 2, prefix="first")
    second = tenant.add_leads(other, 2, prefix="second")
    data_of(tenant.move(one, other, first))
    items = listed(tenant, other)
    assert [item["id"] for item in items] == [*first, *second]
    assert items[0]["addedAt"] >= items[2]["addedAt"]
