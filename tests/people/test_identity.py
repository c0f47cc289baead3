"""How a profile is normalised, whose it is, and how two accounts of one person are joined."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import InvalidProspect
from leadyard.people.email_address import normalised_email, one_case
from leadyard.people.fields import ATTRIBUTES, MAX_CUSTOM_FIELDS, TEXT_FIELDS, Profile
from leadyard.people.identity import fill_empty, identity_key, normalise_profile
from leadyard.people.linkedin_urls import (
    better_spelling,
    identifier_key,
    is_member_id,
    linkedin_public_identifier,
    normalised_identifier,
)

REASONS = {
    "INVALID_CHARACTER",
    "VALUE_TOO_LONG",
    "TOO_MANY_CUSTOM_FIELDS",
    "INVALID_CUSTOM_FIELD_NAME",
    "INVALID_EMAIL",
    "INVALID_LINKEDIN_URL",
    "CONTRADICTING_IDENTITY",
    "EMPTY_PROSPECT",
}
FIELD_OF_ATTRIBUTE = {field.attribute: field for field in TEXT_FIELDS}
MEMBER_ID = "ACoAAAK1e4MBv9RYkOQXjQ6rH3Qk7nqZq8c3nWA"
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30)


def knowing(field: str, value: str) -> Profile:
    known: dict[str, Any] = {field: value}
    return Profile(**known)


def refusal(profile: Profile) -> InvalidProspect:
    with pytest.raises(InvalidProspect) as caught:
        normalise_profile(profile)
    return caught.value


def test_texts_are_trimmed_and_empty_ones_unknown() -> None:
    raw = Profile(first_name="\u00a0 Ada\u2003", last_name=" \t", custom_fields={" tier ": " gold\n", "note": "  "})
    profile = normalise_profile(raw)
    assert (profile.first_name, profile.last_name) == ("Ada", None)
    assert dict(profile.custom_fields) == {"tier": "gold"}


@pytest.mark.parametrize("field", FIELD_OF_ATTRIBUTE)
@pytest.mark.parametrize("control", ["\0", "\x1b", "\x7f", "\x85", "\ud800", "\x1f"])
def test_control_characters_are_refused_in_every_field_and_at_its_edges(field: str, control: str) -> None:
    for value in (f"a{control}b", f"a{control}", f"{control}a"):
        refused = refusal(knowing(field, value))
        assert refused.reason_code == "INVALID_CHARACTER"
        assert FIELD_OF_ATTRIBUTE[field].json_name in refused.details
        assert control not in refused.details


def test_only_long_texts_hold_several_lines() -> None:
    profile = normalise_profile(Profile(about="one\r\n\ttwo", custom_fields={"note": "one\ntwo"}))
    assert (profile.about, profile.custom_fields["note"]) == ("one\r\n\ttwo", "one\ntwo")
    assert refusal(Profile(title="one\ntwo")).reason_code == "INVALID_CHARACTER"
    assert refusal(Profile(custom_fields={"a\nb": "x"})).reason_code == "INVALID_CHARACTER"


@pytest.mark.parametrize("field", sorted(FIELD_OF_ATTRIBUTE.keys() - {"email", "linkedin_url", "public_identifier"}))
def test_a_text_may_be_as_long_as_its_limit_and_no_longer(field: str) -> None:
    limit = FIELD_OF_ATTRIBUTE[field].max_length
    assert getattr(normalise_profile(knowing(field, f" {'x' * limit} ")), field) == "x" * limit
    refused = refusal(knowing(field, "x" * (limit + 1)))
    assert refused.reason_code == "VALUE_TOO_LONG"
    assert f"{limit:,}" in refused.details


@pytest.mark.parametrize(
    "field, length, allowed",
    [("email", 254, True), ("email", 255, False), ("public_identifier", 300, True), ("public_identifier", 301, False)],
)
def test_identifying_texts_have_limits_too(field: str, length: int, allowed: bool) -> None:
    domain = "@" + ".".join(["d" * 60] * 3) + ".org"
    value = "x" * (length - len(domain)) + domain if field == "email" else "x" * length
    if allowed:
        assert getattr(normalise_profile(knowing(field, value)), field) == value
    else:
        assert refusal(knowing(field, value)).reason_code == "VALUE_TOO_LONG"


def test_an_identifier_whose_address_would_be_too_long_is_refused() -> None:
    # Four bytes a character, three characters for each byte: within 300 characters, but 3,600 once percent-encoded.
    assert refusal(Profile(public_identifier="\U00020000" * 300)).reason_code == "VALUE_TOO_LONG"


def test_custom_fields_are_limited_in_number_name_and_value() -> None:
    most = {f"field {n}": "x" for n in range(MAX_CUSTOM_FIELDS)}
    assert len(normalise_profile(Profile(custom_fields=most)).custom_fields) == MAX_CUSTOM_FIELDS
    assert refusal(Profile(custom_fields={**most, "one more": "x"})).reason_code == "TOO_MANY_CUSTOM_FIELDS"
    assert len(normalise_profile(Profile(custom_fields={**most, "empty": ""})).custom_fields) == MAX_CUSTOM_FIELDS
    assert refusal(Profile(custom_fields={"n" * 101: "x"})).reason_code == "VALUE_TOO_LONG"
    assert refusal(Profile(custom_fields={"n": "x" * 5_001})).reason_code == "VALUE_TOO_LONG"
    assert refusal(Profile(custom_fields={" ": "x"})).reason_code == "INVALID_CUSTOM_FIELD_NAME"
    assert refusal(Profile(custom_fields={"a": "x", "a ": "y"})).reason_code == "INVALID_CUSTOM_FIELD_NAME"


@pytest.mark.parametrize("raw", [Profile(), Profile(name=" ", custom_fields={"note": " "})])
def test_a_prospect_of_whom_nothing_is_known_is_refused(raw: Profile) -> None:
    assert refusal(raw).reason_code == "EMPTY_PROSPECT"


def test_messages_never_carry_the_whole_hostile_value() -> None:
    for field in ATTRIBUTES:
        refused = refusal(knowing(field, "\u202eevil\x00" * 5_000))
        assert len(refused.details) < 250
        assert refused.details.isprintable()


@pytest.mark.parametrize(
    "given_address, kept",
    [
        (" Ada.Lovelace@Example.ORG\u200b", "ada.lovelace@example.org"),
        ("MAILTO:ada@example.org", "ada@example.org"),
        ("o'brien+leads!#$%&*/=?^_`{|}~@example.co.uk", "o'brien+leads!#$%&*/=?^_`{|}~@example.co.uk"),
        ("ada@münchen.de", "ada@münchen.de"),
        ("ada@mu\u0308nchen.de", "ada@münchen.de"),
        ("用户@例子。公司", "用户@例子.公司"),
        ("ada@xn--p1ai", "ada@xn--p1ai"),
        (".dots..everywhere.@example.org", ".dots..everywhere.@example.org"),
        ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
    ],
)
def test_one_spelling_for_an_email(given_address: str, kept: str) -> None:
    assert normalise_profile(Profile(email=given_address)).email == kept


@pytest.mark.parametrize(
    "address",
    ["ada", "ada@", "@example.org", "ada@example", "a@b@example.org", "a da@example.org", "ada@example..org",
     "ada@example.org.", "Ada <ada@example.org>", "ada@example.org, bob@example.org", "ada@example.org;", "n/a",
     f"ada@{'d' * 64}.org", "'ada@example.org'", "mailto:ada@example.org?subject=x", "ada@exam\u200bple.org"],
)  # fmt: skip
def test_what_cannot_be_an_email_is_refused(address: str) -> None:
    assert refusal(Profile(email=address)).reason_code == "INVALID_EMAIL"


SPELLINGS = [
    "https://www.linkedin.com/in/{}",
    "http://linkedin.com/in/{}/",
    "HTTPS://WWW.LinkedIn.COM/IN/{}",
    "www.linkedin.com/in/{}",
    "linkedin.com/in/{}?trk=people&x=/in/other",
    "//www.linkedin.com/in/{}#about",
    "https://de.linkedin.com/in/{}/",
    "https://www.de.linkedin.com/in/{}",
    "https://m.linkedin.com/in/{}",
    "https://touch.www.linkedin.com/in/{}",
    "https://www.linkedin.com:443/in/{}",
    "https://www.linkedin.com./in/{}",
    "https://www.linkedin.com/in/{}/details/experience/",
    "https://www.linkedin.com/in/{}/de",
    "https://www.linkedin.com/in/{}/recent-activity/all/",
    "https://www.linkedin.com/mwlite/in/{}",
    "https://www.linkedin.com/mwlite/profile/in/{}",
    "https://www.linkedin.com/comm/in/{}?midToken=x",
    "https://www.linkedin.com/pub/{}",
    "https://www.linkedin.com//in//{}//",
    "in/{}",
    "/in/{}/",
    " \u200bhttps://www.linkedin.com/in/{}\u00a0\n",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name, identifier", [("Ada-Lovelace_1", "ada-lovelace_1"), ("ZOË", "zoë"), ("m", "m")])
def test_any_spelling_gives_the_same_identifier(spelling: str, name: str, identifier: str) -> None:
    assert linkedin_public_identifier(spelling.format(name)) == identifier
    assert linkedin_public_identifier(spelling.format(quote(name))) == identifier


@settings(deadline=None)
@given(NAMES, st.sampled_from(SPELLINGS), st.integers(0, 3))
def test_any_name_survives_any_spelling(name: str, spelling: str, encodings: int) -> None:
    expected = linkedin_public_identifier(f"https://www.linkedin.com/in/{quote(name)}")
    spelled = name
    for _ in range(encodings):
        spelled = quote(spelled)
    if name != "dir":
        assert linkedin_public_identifier(spelling.format(spelled)) == expected
    assert expected == one_case(name)


@pytest.mark.parametrize(
    "old, identifier",
    [
        ("https://sy.linkedin.com/pub/krzysztof-marzec/a7/576/b50?trk=x", "krzysztof-marzec-b50576a7"),
        ("linkedin.com/pub/ada/1/2A/3b", "ada-03b02a1"),
        ("linkedin.com/pub/ada/details/2/3", "ada"),
    ],
)
def test_an_old_public_address_becomes_what_linkedin_redirects_it_to(old: str, identifier: str) -> None:
    assert linkedin_public_identifier(old) == identifier


BIDI_NAME = "\u202bfirst-last\u202c\u200e-1a2b3c4d"


@pytest.mark.parametrize(
    "spelling",
    [
        f"https://www.linkedin.com/in/{quote(BIDI_NAME)}/",
        f"https://www.linkedin.com/in/{quote(BIDI_NAME).lower()}",
        f"https://www.linkedin.com/in/{BIDI_NAME}/",
        f"\u202ahttps://www.linkedin.com/in/{quote(BIDI_NAME)}\u202c\u200e",
        f"in/{BIDI_NAME}\u200f",
    ],
)
def test_direction_marks_inside_a_name_belong_to_it(spelling: str) -> None:
    assert linkedin_public_identifier(spelling) == BIDI_NAME
    profile = normalise_profile(Profile(public_identifier=BIDI_NAME))
    assert profile.linkedin_url == f"https://www.linkedin.com/in/{quote(BIDI_NAME)}"
    assert normalise_profile(profile) == profile


def test_direction_marks_from_the_clipboard_do_not() -> None:
    for marked in ("\u202aada\u202c", "\u200eada", "ada\u202c\u200e", "\u2066ada\u2069"):
        assert normalise_profile(Profile(public_identifier=marked)).public_identifier == "ada"


@pytest.mark.parametrize(
    "address",
    [
        f"https://www.linkedin.com/in/{MEMBER_ID}",
        f"https://www.linkedin.com/in/{MEMBER_ID},NAME_SEARCH,Ab1c",
        f"https://www.linkedin.com/sales/lead/{MEMBER_ID}",
        f"https://www.linkedin.com/sales/lead/{MEMBER_ID},NAME_SEARCH,Ab1c",
        f"https://www.linkedin.com/sales/lead/{MEMBER_ID}%2CNAME_SEARCH%2CAb1c",
        f"https://www.linkedin.com/sales/people/{MEMBER_ID},OUT_OF_NETWORK,ek2n?_ntb=x%3D%3D",
        f"linkedin.com/sales/lead/{MEMBER_ID}",
        f"urn:li:fsd_profile:{MEMBER_ID}",
        f"urn:li:fs_miniProfile:{MEMBER_ID}",
        f"URN:LI:fs_salesProfile:({MEMBER_ID},NAME_SEARCH,VAKJ)",
        f"urn%3Ali%3Afsd_profile%3A{MEMBER_ID}",
        f" {MEMBER_ID}\u200b",
    ],
)
def test_any_address_with_a_member_id_gives_the_member_id(address: str) -> None:
    assert linkedin_public_identifier(address) == MEMBER_ID
    assert normalised_identifier(address) == MEMBER_ID


def test_member_ids_are_compared_without_case_and_names_as_they_are() -> None:
    lower = linkedin_public_identifier(f"https://www.linkedin.com/in/{MEMBER_ID.lower()}")
    assert identifier_key(MEMBER_ID) == identifier_key(lower) == lower
    assert is_member_id(MEMBER_ID) and is_member_id(lower) and not is_member_id("ada-lovelace")
    assert better_spelling(lower, MEMBER_ID) == better_spelling(MEMBER_ID, lower) == MEMBER_ID


def test_a_member_id_gets_its_case_back() -> None:
    known = normalise_profile(Profile(linkedin_url=f"linkedin.com/in/{MEMBER_ID.lower()}", title="CEO"))
    incoming = normalise_profile(Profile(linkedin_url=f"linkedin.com/in/{MEMBER_ID}", title="CFO"))
    filled = fill_empty(known, incoming)
    assert filled == replace(incoming, title="CEO")
    assert fill_empty(filled, known) is filled


def test_member_ids_keep_their_case_because_another_case_is_another_person() -> None:
    profile = normalise_profile(Profile(linkedin_url=f"https://www.linkedin.com/in/{MEMBER_ID}?x=1"))
    assert profile.public_identifier == MEMBER_ID
    assert profile.linkedin_url == f"https://www.linkedin.com/in/{MEMBER_ID}"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.linkedin.com/company/acme",
        "https://www.linkedin.com/school/acme",
        "https://www.linkedin.com/sales/lead/ACwAAA,NAME_SEARCH",
        "https://www.linkedin.com/sales/people/ACwAAA",
        f"https://www.linkedin.com/sales/profile/{MEMBER_ID}",
        f"https://www.linkedin.com/company/{MEMBER_ID}",
        f"https://www.linkedin.com/talent/profile/{MEMBER_ID}",
        "urn:li:member:122138853",
        f"urn:li:person:{MEMBER_ID}",
        "https://www.linkedin.com/profile/view?id=123",
        "https://www.linkedin.com/pub/dir/ada/lovelace",
        "https://www.linkedin.com/",
        "https://www.linkedin.com",
        "https://www.linkedin.com/in/",
        "https://linkedin.com.evil.com/in/ada",
        "https://evil-linkedin.com/in/ada",
        "https://evillinkedin.com/in/ada",
        "https://linkedin.com@evil.com/in/ada",
        "https://www.linkedin.com:pass@evil.com/in/ada",
        "https://ada@www.linkedin.com/in/ada",
        "https://evil.com/https://www.linkedin.com/in/ada",
        "https://evil.com\\.linkedin.com/in/ada",
        "https://www.linkedin.com\\@evil.com/in/ada",
        "https://www.l\u0131nkedin.com/in/ada",
        "https://www.linkedin.com:8080/in/ada",
        "javascript://www.linkedin.com/in/ada",
        "https:/www.linkedin.com/in/ada",
        "https://www.linkedin.com/in/../company/acme",
        "https://www.linkedin.com/in/..",
        "https://www.linkedin.com/in/a%2Fb",
        "https://www.linkedin.com/in/a%00b",
        "https://www.linkedin.com/in/a b",
        "https://www.linkedin.com/in/%E9",
        "https://www.linkedin.com/in/100%",
        "https://www.linkedin.com/in/https://www.linkedin.com/in/ada",
        "https://www.linkedin.com/in/a\u037eb",
        "https://lnkd.in/ada",
        "ada-lovelace",
        "n/a",
        "",
    ],
)
def test_what_is_not_a_profile_is_refused(url: str) -> None:
    with pytest.raises(InvalidProspect) as caught:
        linkedin_public_identifier(url)
    assert caught.value.reason_code == "INVALID_LINKEDIN_URL"


@settings(deadline=None)
@given(ANY_TEXT | st.builds("https://www.linkedin.com/{}/{}".format, st.sampled_from(["in", "pub"]), ANY_TEXT))
def test_the_identifier_is_found_or_refused_and_never_changes_again(url: str) -> None:
    try:
        identifier = linkedin_public_identifier(url)
    except InvalidProspect:
        return
    assert linkedin_public_identifier(f"in/{identifier}") == identifier
    assert linkedin_public_identifier(f"https://www.linkedin.com/in/{quote(identifier, safe='')}") == identifier


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", ["m/", "in/", "%25", "%E9", " ", "//", "linkedin.com/", "\u0345"])
def test_a_very_long_address_is_answered_in_no_time(unit: str) -> None:
    for start in ("", "https://www.linkedin.com/", "https://www.linkedin.com/in/x"):
        url = f"{start}{unit * 200_000}x"
        try:
            answer = linkedin_public_identifier(url)
        except InvalidProspect as refused:
            answer = refused.details
        assert len(answer) <= 300


def test_an_identifier_alone_gives_the_url_and_may_be_an_address_itself() -> None:
    for value in ("ZO%C3%8B", "zoë", "https://fr.linkedin.com/in/Zoë/", "in/zoë"):
        profile = normalise_profile(Profile(public_identifier=value))
        assert profile.public_identifier == "zoë"
        assert profile.linkedin_url == "https://www.linkedin.com/in/zo%C3%AB"


def test_url_and_identifier_must_agree() -> None:
    agreeing = Profile(linkedin_url="https://linkedin.com/in/Ada", public_identifier="ADA")
    assert normalise_profile(agreeing).public_identifier == "ada"
    assert refusal(replace(agreeing, public_identifier="bob")).reason_code == "CONTRADICTING_IDENTITY"


@pytest.mark.parametrize(
    "url, identifier",
    [
        ("https://www.linkedin.com/company/Acme%20Inc/about/", None),
        ("https://www.linkedin.com/company/Acme-Inc/about/", "acme-inc"),
        ("linkedin.com/company/12345", "12345"),
        ("https://www.linkedin.com/school/m%C3%BCnchen/", "münchen"),
        ("https://www.linkedin.com/showcase/acme-labs", "acme-labs"),
        ("https://www.linkedin.com/sales/company/1", None),
        ("https://evil.com/company/acme", None),
        ("not an address", None),
    ],
)
def test_a_company_is_never_a_reason_to_refuse(url: str, identifier: str | None) -> None:
    profile = normalise_profile(Profile(company_linkedin_url=f" {url} "))
    assert (profile.company_linkedin_url, profile.company_linkedin_identifier) == (url, identifier)


def test_a_given_company_identifier_is_kept() -> None:
    given_both = Profile(company_linkedin_url="https://www.linkedin.com/company/acme", company_linkedin_identifier="42")
    assert normalise_profile(given_both).company_linkedin_identifier == "42"


def test_lower_casing_every_character_is_final() -> None:
    unstable = [c for c in map(chr, range(sys.maxunicode + 1)) if one_case(one_case(c)) != one_case(c)]
    assert unstable == []


TEXTS = st.none() | ANY_TEXT
PROFILES = st.builds(
    Profile,
    **dict.fromkeys(ATTRIBUTES, TEXTS),
    custom_fields=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=4),
)
LIKELY_PROFILES = st.builds(
    Profile,
    name=st.none() | NAMES,
    linkedin_url=st.none() | st.builds(str.format, st.sampled_from(SPELLINGS), NAMES),
    email=st.none() | st.builds("{}@{}.Org".format, NAMES, NAMES),
    provider_id=st.none() | NAMES,
    company_linkedin_url=st.none() | st.builds("linkedin.com/company/{}".format, NAMES),
    custom_fields=st.dictionaries(NAMES, NAMES, max_size=4),
)


@settings(deadline=None)
@given(PROFILES | LIKELY_PROFILES)
def test_normalising_again_changes_nothing_and_refusals_have_known_reasons(raw: Profile) -> None:
    try:
        profile = normalise_profile(raw)
    except InvalidProspect as refused:
        assert refused.reason_code in REASONS
        return
    assert normalise_profile(profile) == profile
    assert "" not in profile_values(profile)


def profile_values(profile: Profile) -> set[str | None]:
    named = {getattr(profile, field) for field in ATTRIBUTES}
    return named | set(profile.custom_fields) | set(profile.custom_fields.values())


def test_the_strongest_key_identifies() -> None:
    profile = Profile(public_identifier="ada", email="ada@example.org", provider_id="7")
    assert identity_key(profile) == ("linkedin", "ada")
    assert identity_key(replace(profile, public_identifier=None)) == ("email", "ada@example.org")
    assert identity_key(Profile(provider_id="7")) == ("provider_id", "7")
    assert identity_key(Profile(name="Ada")) is None


def test_filling_keeps_what_is_known() -> None:
    known = Profile(name="Ada", custom_fields={"tier": "gold"})
    incoming = Profile(name="Augusta", title="Countess", custom_fields={"tier": "lead", "since": "1843"})
    filled = fill_empty(known, incoming)
    assert filled == Profile(name="Ada", title="Countess", custom_fields={"tier": "gold", "since": "1843"})
    assert dict(known.custom_fields) == {"tier": "gold"}


def test_filling_stops_at_the_most_custom_fields() -> None:
    known = Profile(custom_fields={f"k{n}": "x" for n in range(MAX_CUSTOM_FIELDS - 1)})
    filled = fill_empty(known, Profile(custom_fields={"a": "1", "b": "2"}))
    assert dict(filled.custom_fields) == {**known.custom_fields, "a": "1"}
    assert fill_empty(filled, Profile(custom_fields={"c": "3"})) is filled


@settings(deadline=None)
@given(LIKELY_PROFILES, LIKELY_PROFILES)
def test_filling_twice_is_filling_once_and_nothing_known_is_lost(known: Profile, incoming: Profile) -> None:
    filled = fill_empty(known, incoming)
    assert fill_empty(filled, incoming) is filled
    assert fill_empty(known, known) is known
    for field in ATTRIBUTES:
        assert getattr(filled, field) == (getattr(known, field) or getattr(incoming, field))
    assert {**incoming.custom_fields, **known.custom_fields} == dict(filled.custom_fields)


@given(
    st.from_regex(
        r"[A-Za-z0-9._%+\-']{0,70}(@|@@|)[A-Za-z0-9.\-_\u00e9\u212a]{0,70}(\.[A-Za-z]{0,64}|)\n?", fullmatch=True
    )
)
@settings(max_examples=500)
def test_the_usual_spelling_of_an_address_is_only_a_faster_way(address: str) -> None:
    """With a blank in front it takes the slow way, and the answer must be the same."""
    assert _outcome_of_email(address) == _outcome_of_email(f" {address}")


def _outcome_of_email(address: str) -> str:
    try:
        return normalised_email(address)
    except InvalidProspect as refusal:
        return refusal.reason_code
