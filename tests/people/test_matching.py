"""Which lead a prospect is, judged in memory: the same person from two tools, and two people with one mailbox."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import InvalidProspect
from leadyard.model import Lead, OnKnown, OtherIdentity, Profile
from leadyard.people.identity import normalise_profile, shared_email_identity
from leadyard.people.matching import Matches, match_prospects
from leadyard.people.person_names import are_other_people, name_words
from leadyard.people.placeholders import is_shared_mailbox

MEMBER_ID = "ACwAAAc58AbCdEfGhIjKlMnOpQrStUvWxYz01234"
MAILBOX = "info@c31.example"
OWN = "kat@c31.example"


def match(
    *people: dict[str, Any],
    known: tuple[Lead, ...] = (),
    others: tuple[OtherIdentity, ...] = (),
    on_known: OnKnown = OnKnown.FILL,
) -> Matches:
    profiles = [normalise_profile(Profile(**person)) for person in people]
    return match_prospects(list(enumerate(profiles)), known, others, now=1, on_known=on_known)


def kat(**more: Any) -> dict[str, Any]:
    return {"first_name": "Kat", "last_name": "Oakes", **more}


def lou(**more: Any) -> dict[str, Any]:
    return {"first_name": "Lou", "last_name": "Pike", **more}


def test_a_shared_mailbox_never_makes_one_person_of_two() -> None:
    matches = match(kat(email=MAILBOX, title="CEO"), lou(email=MAILBOX, phone="555-0131"))
    first, second = matches.created
    assert (first.profile.email, first.profile.last_name, first.profile.phone) == (MAILBOX, "Oakes", None)
    assert (second.profile.email, second.profile.last_name, second.profile.title) == (MAILBOX, "Pike", None)
    assert (first.shares_email, second.shares_email) == (False, True)
    assert [(note.index, note.code) for note in matches.notes] == [(1, "SHARED_EMAIL")]
    assert matches.rejections == ()


@pytest.mark.parametrize("email", [MAILBOX, OWN])
def test_each_person_with_an_address_is_found_again_by_the_name(email: str) -> None:
    known = match(kat(email=email), lou(email=email), {"name": "Ann Gray", "email": email}).created
    assert len(known) == 3
    again = match(
        {"name": "Gray, Ann", "email": email, "title": "CFO"},
        {"first_name": "L.", "last_name": "PIKE", "email": email, "phone": "555-0131"},
        kat(email=email),
        {"name": "Max Moor", "email": email},
        known=known,
    )
    [new] = again.created
    assert (new.profile.name, new.shares_email, again.matched_count) == ("Max Moor", True, 3)
    assert {lead.id: (lead.profile.title, lead.profile.phone) for lead in again.changed} == {
        known[2].id: ("CFO", None),
        known[1].id: (None, "555-0131"),
    }
    # The owner of the address is found without a note, as in the first import.
    assert [note.index for note in again.notes] == [0, 1, 3]


def test_a_shared_address_fills_a_person_but_replaces_no_address() -> None:
    known = match(kat(email=MAILBOX), lou(linkedin_url="linkedin.com/in/lou")).created
    person = lou(email=MAILBOX, linkedin_url="linkedin.com/in/lou")
    [filled] = match(person, known=known).changed
    assert (filled.id, filled.profile.email, filled.shares_email) == (known[1].id, MAILBOX, True)
    own = match(kat(email=MAILBOX), lou(email="lou@own.example", linkedin_url="linkedin.com/in/lou")).created
    for mode in OnKnown:
        matches = match(person, known=own, on_known=mode)
        assert (matches.changed, matches.differing_count, matches.notes) == ((), 1, ())


def test_an_address_of_their_own_replaces_a_shared_one_only_in_an_update() -> None:
    known = match(kat(email=MAILBOX), lou(email=MAILBOX, linkedin_url="linkedin.com/in/lou")).created
    person = lou(email="lou@own.example", linkedin_url="linkedin.com/in/lou")
    assert match(person, known=known).changed == ()
    matches = match(person, known=known, on_known=OnKnown.UPDATE)
    [updated] = matches.changed
    assert (updated.profile.email, updated.shares_email) == ("lou@own.example", False)
    [identity] = matches.left_behind
    assert (identity.kind, identity.value, identity.lead_id) == ("shared_email", f"{MAILBOX} lou pike", known[1].id)
    found = match(lou(email=MAILBOX), known=(known[0], updated), others=(identity,))
    assert (found.created, found.lead_ids) == ((), (updated.id,))


def test_one_outside_id_and_one_address_are_one_person_under_another_name() -> None:
    known = match(kat(email=MAILBOX), lou(email=MAILBOX, provider_id="7")).created
    matches = match({"first_name": "Louis", "last_name": "Hill", "email": MAILBOX, "provider_id": "7"}, known=known)
    assert (matches.created, matches.lead_ids) == ((), (known[1].id,))
    other = match({"first_name": "Louis", "last_name": "Hill", "email": MAILBOX, "provider_id": "8"}, known=known)
    assert len(other.created) == 1


def test_two_people_of_one_name_with_one_mailbox_are_two_only_by_their_profiles() -> None:
    one, two = (lou(email=MAILBOX, linkedin_url=f"linkedin.com/in/lou-{n}") for n in (1, 2))
    matches = match(kat(email=MAILBOX), one, two, lou(email=MAILBOX))
    assert (len(matches.created), matches.matched_count) == (3, 1)
    assert matches.lead_ids[-1] == matches.created[2].id


def test_the_same_rows_again_change_nothing() -> None:
    people = [
        kat(email=MAILBOX),
        lou(email=MAILBOX, linkedin_url="linkedin.com/in/lou-pike"),
        {"name": "Ann Gray", "email": MAILBOX, "provider_id": "7"},
    ]
    first = match(*people)
    again = match(*people, known=first.created)
    assert (len(first.created), first.rejections) == (3, ())
    assert (again.created, again.changed, again.matched_count, again.rejections) == ((), (), 3, ())
    assert again.lead_ids == first.lead_ids


@pytest.mark.parametrize("email", [MAILBOX, OWN])
def test_one_person_with_one_address_is_one_lead(email: str) -> None:
    matches = match(
        kat(email=email),
        kat(email=email, title="CEO"),
        {"name": "Oakes, Kat", "email": email},
        {"name": "Ms. Kat Oakes", "email": email},
        {"first_name": "K.", "last_name": "OAKES", "email": email},
        {"first_name": "Oakes", "last_name": "Kat", "email": email},
        kat(email=email, linkedin_url="linkedin.com/in/kat"),
    )
    [lead] = matches.created
    assert (lead.profile.title, lead.profile.public_identifier, matches.matched_count) == ("CEO", "kat", 6)
    assert (matches.notes, matches.rejections) == ((), ())


@pytest.mark.parametrize(
    "other, own_is_same, mailbox_is_same",
    [
        ({"first_name": "Kathy", "last_name": "Oakes"}, True, False),
        ({"first_name": "Kat", "last_name": "Pike"}, True, False),
        ({"first_name": "Kat"}, True, True),
        ({"first_name": "Lou"}, True, False),
        ({"name": "Kat"}, True, True),
        ({}, True, False),
        ({"first_name": "Lou", "last_name": "Pike"}, False, False),
        ({"name": "Lou Pike"}, False, False),
        ({"name": "Pike, Lou"}, False, False),
        ({"first_name": "Lou", "last_name": "Oakes-Pike"}, True, False),
    ],
)
def test_an_own_address_identifies_unless_both_names_differ_and_a_mailbox_only_with_the_name(
    other: dict[str, Any], own_is_same: bool, mailbox_is_same: bool
) -> None:
    for email, is_same in ((OWN, own_is_same), (MAILBOX, mailbox_is_same)):
        matches = match(kat(email=email), {**other, "email": email})
        assert (matches.matched_count == 1, len(matches.created)) == (is_same, 1 if is_same else 2), email
        assert matches.rejections == ()


def test_rows_of_a_mailbox_without_names_are_one_lead() -> None:
    matches = match({"email": MAILBOX}, {"email": MAILBOX, "company_name": "Oakes Ltd"})
    assert (len(matches.created), matches.matched_count) == (1, 1)


def test_two_profiles_with_one_address_conflict_unless_it_is_another_person() -> None:
    for email, code in ((OWN, "IDENTITY_CONFLICT"), (MAILBOX, None)):
        matches = match(
            kat(email=email, linkedin_url="linkedin.com/in/kat"), kat(email=email, linkedin_url="linkedin.com/in/kat-2")
        )
        assert [rejection.code for rejection in matches.rejections] == ([code] if code else [])
    matches = match(
        kat(email=OWN, linkedin_url="linkedin.com/in/kat"), lou(email=OWN, linkedin_url="linkedin.com/in/lou")
    )
    assert (len(matches.created), [note.code for note in matches.notes]) == (2, ["SHARED_EMAIL"])


def test_a_known_person_gets_the_address_of_another_one_as_a_shared_one() -> None:
    known = match(kat(email=MAILBOX), lou(linkedin_url="linkedin.com/in/lou")).created
    matches = match(lou(email=MAILBOX, linkedin_url="linkedin.com/in/lou", title="Buyer"), known=known)
    [filled] = matches.changed
    assert (filled.id, filled.profile.email, filled.profile.title) == (known[1].id, MAILBOX, "Buyer")
    assert filled.shares_email
    assert [note.code for note in matches.notes] == ["SHARED_EMAIL"]


def test_a_member_id_in_lower_case_is_the_same_member_and_gets_its_case_back() -> None:
    for spellings in ((MEMBER_ID, MEMBER_ID.lower()), (MEMBER_ID.lower(), MEMBER_ID)):
        matches = match(*({"first_name": "Abel", "linkedin_url": f"linkedin.com/in/{name}"} for name in spellings))
        [lead] = matches.created
        assert lead.profile.public_identifier == MEMBER_ID
        assert lead.profile.linkedin_url == f"https://www.linkedin.com/in/{MEMBER_ID}"
    [known] = match({"linkedin_url": f"linkedin.com/in/{MEMBER_ID.lower()}"}).created
    [filled] = match({"linkedin_url": f"linkedin.com/in/{MEMBER_ID}"}, known=(known,)).changed
    assert (filled.id, filled.profile.public_identifier) == (known.id, MEMBER_ID)


@pytest.mark.parametrize(
    "address, is_shared",
    [
        ("info@a.example", True),
        ("sales.de@a.example", True),
        ("info-uk@a.example", True),
        ("office2@a.example", True),
        ("support+x@a.example", True),
        ("büro@a.example", True),
        ("salesman@a.example", False),
        ("info.anna@a.example", False),
        ("anna@info.example", False),
        ("mark@a.example", False),
    ],
)
def test_a_mailbox_is_shared_by_its_function(address: str, is_shared: bool) -> None:
    assert is_shared_mailbox(address) == is_shared


def test_names_are_compared_without_case_accents_marks_and_forms_of_address() -> None:
    assert name_words("Dr. Seán O’BRIEN-Åker") == {"sean", "obrien", "aker"} == name_words("sean obrien aker")
    assert name_words("Mr.") == {"mr"}


NAMES = (
    st.none()
    | st.sampled_from(["Kat", "Lou", "Oakes", "Pike", "K.", "Dr. Kat", "Oakes-Pike", "Åke"])
    | st.text(max_size=6)
)
PEOPLE = st.fixed_dictionaries(
    {"first_name": NAMES, "last_name": NAMES, "name": NAMES},
    optional={
        "email": st.sampled_from([MAILBOX, OWN, "lou@c31.example"]),
        "linkedin_url": st.sampled_from([f"linkedin.com/in/{name}" for name in ("kat", "lou", MEMBER_ID)]),
        "provider_id": st.sampled_from(["7", "8"]),
        "title": st.sampled_from(["CEO", "CFO"]),
    },
)


@settings(deadline=None)
@given(st.lists(PEOPLE, max_size=6))
def test_matching_again_finds_the_same_leads_and_no_two_leads_share_an_identity(people: list[dict[str, Any]]) -> None:
    profiles = []
    for index, person in enumerate(people):
        try:
            profiles.append((index, normalise_profile(Profile(**person))))
        except InvalidProspect:
            continue
    identified = [(index, one) for index, one in profiles if one.email or one.public_identifier or one.provider_id]
    first = match_prospects(identified, [], now=1)
    identities = [
        *(lead.profile.public_identifier for lead in first.created if lead.profile.public_identifier),
        *(lead.profile.email for lead in first.created if lead.profile.email and not lead.shares_email),
        *(
            shared_email_identity(lead.profile)
            for lead in first.created
            if lead.shares_email and not lead.profile.public_identifier
        ),
    ]
    assert len(identities) == len(set(identities))
    again = match_prospects(identified, first.created, now=2)
    assert again.created == ()
    assert {*again.lead_ids} <= {*first.lead_ids}


@given(PEOPLE, PEOPLE, st.booleans())
def test_being_another_person_goes_both_ways(one: dict[str, Any], other: dict[str, Any], is_shared: bool) -> None:
    names = [
        Profile(first_name=person["first_name"], last_name=person["last_name"], name=person["name"])
        for person in (one, other)
    ]
    assert are_other_people(*names, address_is_shared=is_shared) == are_other_people(
        *reversed(names), address_is_shared=is_shared
    )
    assert not are_other_people(names[0], names[0], address_is_shared=is_shared)
