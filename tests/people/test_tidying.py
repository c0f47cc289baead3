"""Rows of files as people have them: the person is kept, and each value is in a field, a custom field or a note."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import InvalidProspect
from leadyard.model import CheckedProfiles
from leadyard.people.checking import check_profiles, check_rows
from leadyard.people.email_address import one_case
from leadyard.people.fields import ATTRIBUTES, MAX_CUSTOM_FIELDS, TEXT_FIELDS, Profile
from leadyard.people.identity import normalise_profile, texts_of
from leadyard.people.placeholders import is_locked_email, is_placeholder
from leadyard.people.text_rules import repaired
from leadyard.people.tidying import tidied

MEMBER_ID = "ACwAAAK1e4MBv9RYkOQXjQ6rH3Qk7nqZq8c3nWA"
JSON_NAMES = {field.attribute: field.json_name for field in TEXT_FIELDS}


def row(**values: Any) -> tuple[Profile, list[str]]:
    """Returns the person in a row that is identified by an outside id, and the codes of the notes."""
    checked = check_rows([texts_of(Profile(**{"provider_id": "7", **values}))])
    assert checked.invalid == ()
    [(index, profile)] = checked.valid
    assert index == 0
    return profile, [note.code for note in checked.notes]


def rejection(**values: Any) -> str:
    checked = check_rows([texts_of(Profile(**values))])
    assert (checked.valid, checked.notes) == ((), ())
    [invalid] = checked.invalid
    return invalid.code


@pytest.mark.parametrize(
    "cell, email, beside",
    [
        ("amy@a.example; amy@b.example", "amy@a.example", ["amy@b.example"]),
        ("amy@a.example, amy@b.example", "amy@a.example", ["amy@b.example"]),
        ("amy@a.example / amy@b.example", "amy@a.example", ["amy@b.example"]),
        ("amy@a.example/amy@b.example", "amy@a.example", ["amy@b.example"]),
        ("amy@a.example ::: amy@b.example ::: amy@c.example", "amy@a.example", ["amy@b.example", "amy@c.example"]),
        ("amy@a.example\r\namy@b.example", "amy@a.example", ["amy@b.example"]),
        ("amy@a.example;amy@a.example;", "amy@a.example", []),
        ("not found; amy@a.example", "amy@a.example", ["not found"]),
        ("bob@; amy@a.example", "amy@a.example", ["bob@"]),
        ("Amy Cobb <amy@a.example>", "amy@a.example", []),
        ("'Cobb, Amy' <amy@a.example>;", "amy@a.example", []),
        ("Bob Ray <amy@a.example>", "amy@a.example", ["Bob Ray"]),
        ("amy@a.example;", "amy@a.example", []),
        ("amy@a.example.", "amy@a.example", []),
        ("'amy@a.example'", "amy@a.example", []),
        ('"amy@a.example"', "amy@a.example", []),
        ("mailto:amy@a.example", "amy@a.example", []),
        ("mailto:amy@a.example?subject=Hello", "amy@a.example", []),
        ("amy＠a.example", "amy@a.example", []),
        ("ａmy＠a．example", "amy@a.example", []),
        ('=HYPERLINK("mailto:amy@a.example","Amy")', "amy@a.example", []),
        ("[Amy](mailto:amy@a.example)", "amy@a.example", []),
        ("amy@a.example (work)", "amy@a.example", ["work"]),
        ("noreply@a.example", None, ["noreply@a.example"]),
        ("noreply@a.example, amy@a.example", "amy@a.example", ["noreply@a.example"]),
    ],
)
def test_the_first_good_address_of_a_cell_is_the_e_mail(cell: str, email: str | None, beside: list[str]) -> None:
    profile, notes = row(first_name="Amy", last_name="Cobb", email=cell)
    assert (profile.email, notes) == (email, [])
    assert dict(profile.custom_fields) == {f"email ({number})": text for number, text in enumerate(beside, 2)}


def test_the_name_beside_an_address_is_the_name_of_a_person_without_one() -> None:
    profile, notes = row(email="Amy Cobb <amy@a.example>")
    assert (profile.name, profile.email, dict(profile.custom_fields), notes) == ("Amy Cobb", "amy@a.example", {}, [])


@pytest.mark.parametrize("cell", ["nope", "amy@", "amy(at)a.example", "/o=ExchangeLabs/ou=x/cn=amy", "a@b@c.example"])
def test_an_unusable_e_mail_is_a_note_and_the_person_stays(cell: str) -> None:
    profile, notes = row(name="Amy", email=cell)
    assert (profile.email, profile.name, notes) == (None, "Amy", ["INVALID_EMAIL"])
    assert rejection(name="Amy", email=cell) == "INVALID_EMAIL"


@pytest.mark.parametrize(
    "locked",
    ["email_not_unlocked@domain.com", "Email_Not_Unlocked@Domain.com", "email_not_available@c.example",
     "noemail@c.example", "no-email@c.example", "none@none.com", "unknown@c.example", "not.found@c.example",
     "na@na.com", "test@test.com"],
)  # fmt: skip
def test_a_locked_address_is_empty_and_makes_no_two_strangers_one(locked: str) -> None:
    assert row(name="Ivo", email=locked) == (Profile(name="Ivo", provider_id="7"), [])
    assert rejection(name="Ivo", email=locked) == "NO_IDENTITY"
    sent = check_profiles([Profile(name="Ivo", email=locked), Profile(name="Jil", email=locked)])
    assert [profile.email for _, profile in sent.valid] == [None, None]


@pytest.mark.parametrize("address", ["na@acme.example", "nomad@c.example", "replay@c.example", "unal@c.example"])
def test_an_address_that_only_looks_locked_is_kept(address: str) -> None:
    assert row(email=address)[0].email == address


PLACEHOLDERS = ["N/A", "n/a", "#N/A", "-", "--", "—", "null", "NULL", "none", "Not found", "NOT FOUND", "unknown",
                "Unknown", "(null)", "?", "nan", "#REF!", "keine Angabe", " n/a ", "Unbekannt"]  # fmt: skip


@pytest.mark.parametrize("attribute", sorted(set(ATTRIBUTES) - {"provider_id"}))
def test_placeholders_are_empty_in_every_field(attribute: str) -> None:
    for text in PLACEHOLDERS:
        assert row(**{attribute: text}) == (Profile(provider_id="7"), []), text
    assert row(**{attribute: "nOt FoUnD", "email": "x"})[0] == Profile(provider_id="7")


def test_placeholders_that_are_answers_or_names_stay() -> None:
    custom = {"email status": "unknown", "children": "none", "rating": "N/A", "phone": "-"}
    profile, notes = row(first_name="Na", last_name="Null", custom_fields=custom)
    assert (profile.first_name, profile.last_name, notes) == ("Na", "Null", [])
    assert dict(profile.custom_fields) == {"email status": "unknown", "children": "none"}


def test_placeholders_that_a_program_sends_do_not_identify() -> None:
    """The rest of the values is the program's business."""
    sent = check_profiles([Profile(email="N/A", linkedin_url="https://www.linkedin.com/in/ada", title="-")])
    [(_, profile)] = sent.valid
    assert (profile.email, profile.public_identifier, profile.title) == (None, "ada", "-")
    assert [invalid.code for invalid in check_profiles([Profile(email="nope", provider_id="7")]).invalid] == [
        "INVALID_EMAIL"
    ]


SALES_LEAD = f"https://www.linkedin.com/sales/lead/{MEMBER_ID},NAME_SEARCH,Ab1c"


@pytest.mark.parametrize(
    "cell, identifier, beside",
    [
        ("c28-f", "c28-f", []),
        ("@c28-f", "c28-f", []),
        ("amycobb", "amycobb", []),
        ("amy", "amy", []),
        ('=HYPERLINK("https://www.linkedin.com/in/c28-l","Profile")', "c28-l", []),
        ('=HYPERLINK("https://www.linkedin.com/in/c28-l";"Amy Cobb, CEO")', "c28-l", ["Amy Cobb CEO"]),
        ("[Profile](https://www.linkedin.com/in/c28-m)", "c28-m", []),
        ("<https://www.linkedin.com/in/c28-m>", "c28-m", []),
        ('"https://www.linkedin.com/in/c28-m"', "c28-m", []),
        ("https://www.linkedin.com/in/c28-m.", "c28-m", []),
        ("https://www.linkedin.com/in/c28-m;", "c28-m", []),
        ("https://www.linkedin.com/in/c28-g and https://c28.example", "c28-g", ["and https://c28.example"]),
        ("linkedin.com/in/one; linkedin.com/in/two", "one", ["https://www.linkedin.com/in/two"]),
        ("linkedin.com/in/one/, linkedin.com/in/two", "one", ["https://www.linkedin.com/in/two"]),
        (
            f"https://www.linkedin.com/in/{MEMBER_ID} https://www.linkedin.com/in/vanity",
            "vanity",
            [f"https://www.linkedin.com/in/{MEMBER_ID}"],
        ),
        ("linkedin.com/company/acme linkedin.com/in/one", "one", ["linkedin.com/company/acme"]),
        (SALES_LEAD, MEMBER_ID, [SALES_LEAD]),
        (f"https://www.linkedin.com/sales/people/{MEMBER_ID}", MEMBER_ID, []),
        (f"urn:li:fs_salesProfile:({MEMBER_ID},NAME_SEARCH,VAKJ)", MEMBER_ID, []),
        (MEMBER_ID, MEMBER_ID, []),
    ],
)
def test_the_best_profile_of_a_cell_is_the_profile(cell: str, identifier: str, beside: list[str]) -> None:
    profile, notes = row(first_name="Amy", last_name="Cobb", linkedin_url=cell)
    assert (profile.public_identifier, notes) == (identifier, [])
    assert dict(profile.custom_fields) == {f"linkedinUrl ({number})": text for number, text in enumerate(beside, 2)}


@pytest.mark.parametrize(
    "cell",
    ["https://www.linkedin.com/talent/profile/AEMAAAc28bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2",
     "https://www.linkedin.com/c28-h", "https://www.linkedin.com/company/c28-i", "https://lnkd.in/c28short",
     "https://www.linkedin.com/profile/view?id=12345", "urn:li:person:AbC123", "Profile", "Connected", "LinkedIn",
     "2nd", "yes", "Amy Cobb", "https://evil.example/https://www.linkedin.com/in/ada", "https://evil-linkedin.com/in/ada"],
)  # fmt: skip
def test_what_names_no_profile_is_kept_beside_and_noted(cell: str) -> None:
    profile, notes = row(last_name="Zorn", linkedin_url=cell)
    assert (profile.public_identifier, profile.linkedin_url, notes) == (None, None, ["INVALID_LINKEDIN_URL"])
    assert dict(profile.custom_fields) == {"linkedinUrl (2)": cell}
    assert rejection(last_name="Zorn", linkedin_url=cell) == "INVALID_LINKEDIN_URL"


def test_a_members_number_is_an_outside_id_because_it_is_no_address() -> None:
    [(_, profile)] = check_rows([texts_of(Profile(linkedin_url="urn:li:member:122138853"))]).valid
    assert profile == Profile(provider_id="urn:li:member:122138853")
    profile, notes = row(linkedin_url="urn:li:member:122138853")
    assert (profile.provider_id, profile.custom_fields["linkedinUrl (2)"]) == ("7", "urn:li:member:122138853")
    assert notes == ["INVALID_LINKEDIN_URL"]


def test_a_public_identifier_comes_before_the_member_id_of_the_row() -> None:
    for url, name in [(f"linkedin.com/in/{MEMBER_ID}", "ada"), ("linkedin.com/in/ada", MEMBER_ID)]:
        profile, notes = row(linkedin_url=url, public_identifier=name)
        assert (profile.public_identifier, notes) == ("ada", [])
        assert dict(profile.custom_fields) == {"linkedinUrl (2)": f"https://www.linkedin.com/in/{MEMBER_ID}"}


def test_two_public_identifiers_in_a_row_are_not_decided() -> None:
    both = {"linkedin_url": "linkedin.com/in/ada", "public_identifier": "bob"}
    profile, notes = row(**both)
    assert (profile.public_identifier, notes) == (None, ["CONTRADICTING_IDENTITY"])
    assert {*profile.custom_fields.values()} == {"https://www.linkedin.com/in/ada", "https://www.linkedin.com/in/bob"}
    assert rejection(**both) == "CONTRADICTING_IDENTITY"


@pytest.mark.parametrize(
    "cell, phone, beside, codes",
    [
        ("+49 171 1234567; +49 30 7654321", "+49 171 1234567", ["+49 30 7654321"], []),
        ("+1 555 010 1234, +1 555 010 4321", "+1 555 010 1234", ["+1 555 010 4321"], []),
        ("+1 555 010 1234 ::: +1 555 010 4321", "+1 555 010 1234", ["+1 555 010 4321"], []),
        ("0171 1234567 / 0172 7654321", "0171 1234567", ["0172 7654321"], []),
        ("0171 1234567\n0172 7654321", "0171 1234567", ["0172 7654321"], []),
        ("030 / 1234567", "030 / 1234567", [], []),
        ("555-0101, ext 3", "555-0101, ext 3", [], []),
        ("+1 (415) 555-2671 (mobile)", "+1 (415) 555-2671 (mobile)", [], []),
        ("tel:+49-171-1234567", "+49-171-1234567", [], []),
        ("491711234567.0", "491711234567", [], []),
        ("555.010.1234", "555.010.1234", [], []),
        ("4.91763E+11", None, [], ["INVALID_PHONE"]),
        ("4,91763E+11", None, [], ["INVALID_PHONE"]),
        ("4.91763E+11; +49 171 1234567", "+49 171 1234567", [], ["INVALID_PHONE"]),
        ("9" * 101, None, [], ["VALUE_TOO_LONG"]),
    ],
)
def test_phones(cell: str, phone: str | None, beside: list[str], codes: list[str]) -> None:
    profile, notes = row(phone=cell)
    assert (profile.phone, notes) == (phone, codes)
    assert dict(profile.custom_fields) == {f"phone ({number})": text for number, text in enumerate(beside, 2)}


@pytest.mark.parametrize("title", ["Mr", "Ms.", "MRS", "Dr.", "Frau Dr.", "Prof. Dr.", "Señora", "Mme"])
def test_a_form_of_address_is_no_job_title(title: str) -> None:
    profile, notes = row(title=title)
    assert (profile.title, dict(profile.custom_fields), notes) == (None, {"title (2)": title}, [])


@pytest.mark.parametrize("title", ["Director", "Ms. Manager", "Professor", "Sir Advisor", "IT"])
def test_a_job_title_stays(title: str) -> None:
    assert row(title=title)[0].title == title


@pytest.mark.parametrize(
    "name, is_kept",
    [
        ("Marta Quill", True),
        ("Quill, Marta", True),
        ("Dr. Marta Jane Quill MBA", True),
        ("M. Quill", True),
        ("MÁRTA QUILL", True),
        ("Fennel Works", False),
        ("Marta Oduya", False),
        ("Ben Quill", False),
    ],
)
def test_first_and_last_name_beat_a_name_that_contradicts_them(name: str, is_kept: bool) -> None:
    profile, notes = row(first_name="Marta", last_name="Quill", name=name)
    assert (profile.first_name, profile.last_name, notes) == ("Marta", "Quill", [])
    expected: tuple[str | None, dict[str, str]] = (name, {}) if is_kept else (None, {"name (2)": name})
    assert (profile.name, dict(profile.custom_fields)) == expected


def test_texts_are_repaired_or_cut_and_noted() -> None:
    profile, notes = row(
        title="Head\r\nof\x0bSales", company_name="O\x92Brien \x07 Ltd", headline="x" * 600, about="one\ntwo\x0bthree"
    )
    assert (profile.title, profile.company_name, profile.about) == ("Head of Sales", "O’Brien  Ltd", "one\ntwo\nthree")
    assert profile.headline == "x" * 500
    assert sorted(notes) == ["INVALID_CHARACTER", "INVALID_CHARACTER", "INVALID_CHARACTER", "VALUE_TOO_LONG"]


@pytest.mark.parametrize(
    "values, code",
    [
        ({"photo_url": "https://a.example/" + "x" * 2_048}, "VALUE_TOO_LONG"),
        ({"company_website": "https://a.example/" + "x" * 2_048}, "VALUE_TOO_LONG"),
        ({"email": "a" * 250 + "@b.example"}, "VALUE_TOO_LONG"),
        ({"linkedin_url": "linkedin.com/in/" + "x" * 301}, "VALUE_TOO_LONG"),
        ({"custom_fields": {"n" * 101: "x"}}, "INVALID_CUSTOM_FIELD_NAME"),
        ({"custom_fields": {"a": "x", "a ": "y"}}, "INVALID_CUSTOM_FIELD_NAME"),
    ],
)
def test_what_would_be_wrong_when_cut_is_left_out_and_noted(values: dict[str, Any], code: str) -> None:
    profile, notes = row(**values)
    assert notes == [code]
    assert profile.provider_id == "7"
    assert [getattr(profile, name) for name in values if name != "custom_fields"] == [None] * len(
        values.keys() - {"custom_fields"}
    )


def test_an_outside_id_is_never_cut_because_two_people_could_share_the_rest() -> None:
    assert rejection(name="Amy", provider_id="7" * 301) == "NO_IDENTITY"
    assert rejection(name="Amy", provider_id="7\x008") == "NO_IDENTITY"


def test_custom_fields_beyond_the_limit_are_noted_one_by_one() -> None:
    profile, notes = row(custom_fields={f"k{number}": "x" for number in range(MAX_CUSTOM_FIELDS + 2)})
    assert (len(profile.custom_fields), notes) == (MAX_CUSTOM_FIELDS, ["TOO_MANY_CUSTOM_FIELDS"])
    [(_, long)] = check_rows([texts_of(Profile(provider_id="7", custom_fields={"Keywords": "x" * 5_199}))]).valid
    assert long.custom_fields == {"Keywords": "x" * 5_000}


def test_what_is_kept_beside_never_replaces_a_custom_field_of_the_file() -> None:
    profile, _ = row(email="amy@a.example; amy@b.example", custom_fields={"email (2)": "mine"})
    assert dict(profile.custom_fields) == {"email (2)": "mine", "email (3)": "amy@b.example"}


# Properties ---------------------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(categories=["L", "N"], max_codepoint=0x24F), min_size=1, max_size=8)
ODD = st.sampled_from([*PLACEHOLDERS, "a\nb", "O\x92Brien", "x" * 600, "Mr.", "4.9E+11", "\x00", "=1+1", "email (2)"])
ANY = st.text(st.characters(codec=None), max_size=30)
SEPARATORS = st.sampled_from(["; ", ", ", " ::: ", "\n", " / ", " ", "|"])
ADDRESSES = st.builds("{}@{}.example".format, WORDS, WORDS) | st.sampled_from(
    ["info@a.example", "noreply@a.example", "Amy Cobb <amy@a.example>", "mailto:x@a.example", "nope", "amy@"]
)
PHONES = st.from_regex(r"\+[1-9][0-9]{7,11}", fullmatch=True)
PROFILES = st.builds("https://www.linkedin.com/in/{}".format, WORDS) | st.sampled_from(
    [SALES_LEAD, f"linkedin.com/in/{MEMBER_ID}", "linkedin.com/company/acme", "a-handle-7", "Profile", "c28-f"]
)


def cells(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Cells with one value or several, or with something else."""
    several = st.builds(
        lambda found, between: between.join(found), st.lists(values, min_size=2, max_size=4), SEPARATORS
    )
    return values | several | ODD


TEXTS = WORDS | st.builds("{} {}".format, WORDS, WORDS) | ODD
PLAIN = sorted(set(ATTRIBUTES) - {"email", "phone", "linkedin_url"})
ROWS = st.builds(
    lambda plain, custom, **cells: Profile(**plain, **cells, custom_fields=custom),
    st.dictionaries(st.sampled_from(PLAIN), TEXTS, max_size=6),
    st.dictionaries(WORDS, TEXTS, max_size=3),
    email=st.none() | cells(ADDRESSES),
    phone=st.none() | cells(PHONES),
    linkedin_url=st.none() | cells(PROFILES),
)
WILD_ROWS = st.builds(
    lambda plain, custom: Profile(**plain, custom_fields=custom),
    st.dictionaries(st.sampled_from(ATTRIBUTES), ANY | ODD, max_size=8),
    st.dictionaries(ANY, ANY | ODD, max_size=3),
)


def checked(raw: Profile) -> tuple[Profile, list[str]] | None:
    """Returns the profile of a row and the messages of its notes, or None if the row was rejected with a reason."""
    result: CheckedProfiles = check_rows([texts_of(raw)])
    if result.invalid:
        assert result.invalid[0].message.endswith(".")
        return None
    assert all(note.message.endswith(".") and len(note.message) < 400 for note in result.notes)
    return result.valid[0][1], [note.message for note in result.notes]


@settings(deadline=None)
@given(ROWS)
def test_every_value_of_a_row_is_in_a_field_in_a_custom_field_or_in_a_note(raw: Profile) -> None:
    found = checked(replace(raw, provider_id="7"))
    assert found is not None
    profile, notes = found
    kept = [getattr(profile, name) for name in ATTRIBUTES if getattr(profile, name)] + [*profile.custom_fields.values()]
    everything = one_case(unquote("\n".join(kept)))
    for attribute in set(ATTRIBUTES) - {"provider_id"}:
        value = (getattr(raw, attribute) or "").strip()
        if not value or is_placeholder(value, attribute) or any(JSON_NAMES[attribute] in note for note in notes):
            continue
        for part in parts_of(attribute, value):
            assert one_case(part) in everything, (attribute, part, kept, notes)
    for name, value in raw.custom_fields.items():
        if value.strip() and not is_placeholder(value.strip()) and not any(name in note for note in notes):
            assert repaired(value, several_lines=True) in kept


def parts_of(attribute: str, value: str) -> list[str]:
    """Returns the parts of a cell that must be found again."""
    if attribute == "email":
        words = [
            word.removeprefix("mailto:").strip("/.=") for word in re.split(r"[\s;,|<>]+|:::|(?<=\s)/(?=\s)", value)
        ]
        return [word for word in words if word and not is_placeholder(word) and not is_locked_email(one_case(word))]
    if attribute == "phone":
        return re.findall(r"\d{5,}", value)
    if attribute in ("linkedin_url", "public_identifier"):
        return re.findall(r"(?<=/in/)\w+", value)
    return [repaired(value, several_lines=attribute == "about")]


@settings(deadline=None)
@given(ROWS | WILD_ROWS)
def test_no_row_fails_and_a_tidy_row_stays_as_it_is(raw: Profile) -> None:
    found = checked(raw)
    if found is not None:
        profile, _ = found
        assert normalise_profile(profile) == profile
        assert checked(profile) == (profile, [])


@settings(deadline=None)
@given(ROWS | WILD_ROWS)
def test_the_fast_way_for_most_rows_gives_what_the_slow_way_gives(raw: Profile) -> None:
    found = checked(raw)
    try:
        slow = tidied(*texts_of(raw))
    except InvalidProspect:
        assert found is None
        return
    if found is not None:
        assert found == (slow.profile, [problem.message for problem in slow.problems])
