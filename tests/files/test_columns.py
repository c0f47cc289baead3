"""The field that each column fills, for headers as real tools write them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import UnknownColumn
from leadyard.files.column_languages import CITY_NAMES, NAMES
from leadyard.files.column_search import row_filter
from leadyard.files.column_sources import ONLY_BESIDE
from leadyard.files.column_spellings import column_key, custom_column_name
from leadyard.files.columns import ColumnPlan, plan_columns
from leadyard.files.table import Row
from leadyard.files.tables import open_table
from leadyard.model import Profile
from leadyard.people.fields import COLUMN_NAMES, MAX_CUSTOM_NAME_LENGTH, TEXT_FIELDS
from leadyard.people.identity import normalise_profile

LEGISLATORS = Path(__file__).parents[2] / "examples" / "legislators-current.csv"


def named(plan: ColumnPlan) -> dict[str, str]:
    """Returns the most trusted column of each field."""
    return {field: plan.header[indexes[0]] for field, indexes in plan.fields.items()}


def all_named(plan: ColumnPlan) -> dict[str, list[str]]:
    return {field: [plan.header[index] for index in indexes] for field, indexes in plan.fields.items()}


@pytest.mark.parametrize(
    "spelling, field",
    [
        ("First Name", "firstName"), ("first_name", "firstName"), ("firstName", "firstName"),
        ("FIRST-NAME", "firstName"), ("Given Name", "firstName"), ("E-mail", "email"), ("E-mail Address", "email"),
        ("E-mail 1 - Value", "email"), ("LinkedIn URL", "linkedinUrl"), ("Person Linkedin Url", "linkedinUrl"),
        ("Profile URL", "linkedinUrl"), ("linkedinProfileUrl", "linkedinUrl"), ("Company", "company.name"),
        ("Organization Name", "company.name"), ("Account Name", "company.name"), ("Job Title", "title"),
        ("Position", "title"), ("Title", "title"), ("Company Linkedin Url", "company.linkedinUrl"),
        ("companyWebsite", "company.website"), ("Phone Number", "phone"), ("Mobile Phone", "phone"),
        ("Industry", "company.industry"), ("Provider ID", "providerId"), ("\u00a0Ｅｍａｉｌ ", "email"),
    ],
)  # fmt: skip
def test_usual_spellings_are_recognised(spelling: str, field: str) -> None:
    assert named(plan_columns([spelling])) == {field: spelling}


@pytest.mark.parametrize(
    "spelling", ["url", "Website", "type", "state", "city", "country", "bioguide_id", "Description", "ID", "備考"]
)
def test_names_that_mean_many_things_stay_custom(spelling: str) -> None:
    plan = plan_columns([spelling])
    assert (dict(plan.fields), dict(plan.custom)) == ({}, {spelling: 0})


def test_connections_exported_by_linkedin() -> None:
    header = ["First Name", "Last Name", "URL", "Email Address", "Company", "Position", "Connected On"]
    plan = plan_columns(header)
    assert named(plan)["linkedinUrl"] == "URL"
    assert list(plan.custom) == ["Connected On"]


def test_apollo() -> None:
    header = [
        "First Name", "Last Name", "Title", "Company", "Company Name for Emails", "Email", "Email Status", "Seniority",
        "Work Direct Phone", "Mobile Phone", "Corporate Phone", "Industry", "Person Linkedin Url", "Website",
        "Company Linkedin Url", "Facebook Url", "City", "State", "Country", "Company Address",
    ]  # fmt: skip
    plan = plan_columns(header)
    assert named(plan) == {
        "firstName": "First Name", "lastName": "Last Name", "title": "Title", "company.name": "Company",
        "email": "Email", "phone": "Work Direct Phone", "company.industry": "Industry",
        "linkedinUrl": "Person Linkedin Url", "company.website": "Website",
        "company.linkedinUrl": "Company Linkedin Url",
    }  # fmt: skip
    several = {field: columns for field, columns in all_named(plan).items() if len(columns) > 1}
    assert several == {
        "company.name": ["Company", "Company Name for Emails"],
        "phone": ["Work Direct Phone", "Mobile Phone", "Corporate Phone"],
    }
    assert {"Email Status", "Seniority", "Facebook Url", "City", "State", "Country"} <= set(plan.custom)


def test_the_public_profile_is_preferred_to_the_sales_navigator_one() -> None:
    plan = plan_columns(["profileUrl", "fullName", "title", "companyUrl", "regularCompanyUrl", "defaultProfileUrl"])
    assert named(plan)["linkedinUrl"] == "defaultProfileUrl"
    assert named(plan)["company.linkedinUrl"] == "regularCompanyUrl"
    assert all_named(plan)["linkedinUrl"] == ["defaultProfileUrl", "profileUrl"]
    assert list(plan.custom) == ["companyUrl"]


def test_outlooks_title_is_not_the_job() -> None:
    plan = plan_columns(["Title", "First Name", "Job Title", "E-mail Address", "Business Phone"])
    assert all_named(plan)["title"] == ["Job Title", "Title"]
    mrs = plan.profile(("Mrs.", "Ada", "Engineer", "ada@x.org", "1"))
    assert (mrs.title, dict(mrs.custom_fields)) == ("Engineer", {"Title": "Mrs."})
    other = plan_columns(["Title", "Designation"])
    assert other.profile(("Frau Dr.", "Vertrieb")) == Profile(title="Vertrieb", custom_fields={"Title": "Frau Dr."})


def test_the_leftmost_of_equal_spellings_wins_and_the_other_is_kept() -> None:
    plan = plan_columns(["e-mail", "Email", "EMAIL"])
    assert all_named(plan) == {"email": ["e-mail", "Email", "EMAIL"]}
    assert plan.profile(("a@x.org", "b@x.org", "")) == Profile(email="a@x.org", custom_fields={"Email": "b@x.org"})


def test_the_legislators() -> None:
    with open_table(LEGISLATORS) as file:
        plan = plan_columns(file.header, identity_column="bioguide_id")
        is_senator = row_filter(file.header, [("type", "sen")])
        rows = [row for row in file if isinstance(row, Row)]
    profiles = [normalise_profile(plan.profile(row.cells)) for row in rows]
    assert len({profile.provider_id for profile in profiles}) == 537
    assert sum(is_senator(row.cells) for row in rows) == 100
    cantwell = profiles[0]
    assert (cantwell.first_name, cantwell.name, cantwell.provider_id) == ("Maria", "Maria Cantwell", "C000127")
    assert cantwell.custom_fields["url"] == "https://www.cantwell.senate.gov"
    assert "bioguide_id" not in cantwell.custom_fields
    assert "district" not in cantwell.custom_fields


def test_an_identity_column_keeps_its_meaning_or_becomes_the_provider_id() -> None:
    header = ["Email", "Personal Email", "Phone", "code"]
    assert named(plan_columns(header, identity_column="personal_email"))["email"] == "Personal Email"
    by_phone = named(plan_columns(header, identity_column="Phone"))
    assert by_phone["providerId"] == by_phone["phone"] == "Phone"
    assert named(plan_columns(header, identity_column="code"))["providerId"] == "code"


def test_a_mapping_wins_over_what_is_recognised() -> None:
    header = ["Name", "Nick", "Employer", "Segment"]
    mapping = {"name": "Nick", "companyName": "segment", "customFields.boss": "Employer"}
    plan = plan_columns(header, mapping=mapping)
    assert named(plan) == {"name": "Nick", "company.name": "Segment"}
    assert dict(plan.custom) == {"boss": 2, "Name": 0}


def test_a_mapped_column_is_not_used_twice() -> None:
    plan = plan_columns(["Email"], mapping={"customFields.address": "Email"})
    assert (dict(plan.fields), dict(plan.custom)) == ({}, {"address": 0})


def test_two_columns_for_one_identity_are_refused() -> None:
    with pytest.raises(UnknownColumn, match="cannot be fed by two columns"):
        plan_columns(["a", "b"], identity_column="a", mapping={"providerId": "b"})


def test_unknown_columns_and_fields_are_refused_with_suggestions() -> None:
    header = ["bioguide_id", "full_name", *(f"column {n}" for n in range(1_000))]
    for wrong in ({"identity_column": "bioguideid2"}, {"mapping": {"name": "bioguid_id"}}):
        with pytest.raises(UnknownColumn) as caught:
            plan_columns(header, **wrong)
        assert "Did you mean 'bioguide_id'?" in caught.value.details
        assert "982 more" in caught.value.details
    with pytest.raises(UnknownColumn) as caught:
        plan_columns(header, mapping={"linkedInUrll": "full_name"})
    assert "linkedInUrll" in caught.value.message
    assert "Did you mean 'linkedinUrl'" in caught.value.details
    with pytest.raises(UnknownColumn):
        plan_columns(header, mapping={"customFields. ": "full_name"})
    with pytest.raises(UnknownColumn):
        row_filter(header, [("", "x")])


@pytest.mark.timeout(20)
def test_hostile_names_are_answered_soon_and_shortly() -> None:
    header = [f"{'ab' * 20_000}{n}" for n in range(25)]
    with pytest.raises(UnknownColumn) as caught:
        plan_columns(header, identity_column="ab" * 100_000 + "c")
    assert len(caught.value.details) < 2_500


def test_rows_are_filtered_by_all_conditions() -> None:
    passes = row_filter(["type", "state"], [("type", " sen"), ("STATE", "WA")])
    assert passes((" sen ", "WA"))
    assert not passes(("sen", "OR"))
    assert not passes(("Sen", "WA"))
    assert row_filter(["type"], [])(("x",))


def test_no_column_is_ever_lost() -> None:
    header = ["", "a\nb", "x" * 150, "x" * 149, " customFields.Tier ", "Tier", "customFields.Column 1", ""]
    plan = plan_columns(header)
    assert sorted(plan.custom.values()) == list(range(len(header)))
    assert {"Column 1", "a b", "Tier", "Tier (2)", "Column 8", "x" * 100, "x" * 96 + " (2)"} <= set(plan.custom)
    normalise_profile(plan.profile(["v"] * len(header)))


@settings(deadline=None)
@given(st.lists(st.text(max_size=130), max_size=12))
def test_every_header_gives_a_plan_whose_names_may_be_kept(header: list[str]) -> None:
    plan = plan_columns(header)
    used = [index for indexes in plan.fields.values() for index in indexes]
    assert sorted([*used, *plan.custom.values()]) == list(range(len(header)))
    assert all(0 < len(name) <= MAX_CUSTOM_NAME_LENGTH for name in plan.custom)
    cells = [f"cell {n}" for n in range(len(header))]
    profile = plan.profile(cells)
    assert set(plan.custom) <= set(profile.custom_fields)
    # A location made of a city stays a city as well.
    texts = [getattr(profile, field.attribute) for field in TEXT_FIELDS if field.json_name in plan.fields]
    assert sorted(filter(None, [*texts, *profile.custom_fields.values()])) == sorted(cells)
    if profile.custom_fields:
        normalised = normalise_profile(Profile(custom_fields=profile.custom_fields))
        assert dict(normalised.custom_fields) == dict(profile.custom_fields)


def test_our_own_exports_are_recognised() -> None:
    header = [*COLUMN_NAMES, custom_column_name("email"), custom_column_name("Tier")]
    plan = plan_columns(header)
    assert named(plan) == dict(zip(COLUMN_NAMES, COLUMN_NAMES, strict=True))
    assert list(plan.custom) == ["email", "Tier"]


def test_the_table_is_sound() -> None:
    every = [spelling for field in TEXT_FIELDS for spelling in field.spellings]
    assert [spelling for spelling, count in Counter(every).items() if count > 1] == []
    assert [spelling for spelling in every if column_key(spelling) != spelling] == []
    abroad = {*(name for names in NAMES.values() for name in names), *CITY_NAMES}
    assert ONLY_BESIDE.keys() <= {*every, *abroad}
