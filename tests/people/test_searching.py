"""The form of texts in searches, and the line of a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadyard.model import MemberFilter, Profile
from leadyard.people.folding import folded
from leadyard.people.searching import LINE_END, WantedWords, searched_line

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Åker", "aker"),
        ("ZOË", "zoe"),
        ("zoe\u0308", "zoe"),
        ("Straße", "strasse"),
        ("Łukasz Ørsted", "lukasz orsted"),
        ("Żółć", "zolc"),
        ("İzmir ılık", "izmir ilik"),
        ("O’Neil", "o'neil"),
        ("O´Neil", "o'neil"),
        ("“quoted” «text»", '"quoted" "text"'),
        ("a–b—c‑d", "a-b-c-d"),
        ("ＷＩＤＥ ﬁne", "wide fine"),
        ("two\u00a0words\u2003apart\u2028now", "two words apart now"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("tab\tand\nline", "tab and line"),
        ("عَلِي", "علي"),
        ("ёж Й", "еж и"),
        ("が", "が"),
        ("किताब", "किताब"),
        ("李 小龍", "李 小龍"),
        ("\u0301", ""),
        ("ASCII & more", "ascii & more"),
    ],
)
def test_what_is_alike_in_a_search(text: str, expected: str) -> None:
    assert folded(text) == expected


@given(TEXTS)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(TEXTS.filter(lambda text: text.isascii()))
def test_the_shortcut_for_ascii_gives_the_same(text: str) -> None:
    other = "Ω"
    assert folded(text).split() == folded(f"{text} {other}").split()[:-1]


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_line_has_three_fields_and_no_line_end(first: str, email: str, company: str, title: str) -> None:
    line = searched_line(Profile(first_name=first, email=email, company_name=company, title=title))
    assert LINE_END not in line
    people, *others = line.split("\t")
    assert [part.split() for part in others] == [folded(company).split(), folded(title).split()]
    assert people.split() == folded(f"{first} {email}").split()


def test_the_line_of_a_person() -> None:
    person = Profile(
        first_name="Marta",
        last_name="Quill",
        name="Marta Quill",
        email="m@example.com",
        phone="+1 (555) 010-0",
        location="Åkersberga",
        company_name="Acme",
        title="CTO",
    )
    assert searched_line(person) == "marta quill m@example.com +1 (555) 010-0 15550100 akersberga\tacme\tcto"
    assert searched_line(Profile(last_name="Quill", name="Dr. Quill", phone="555")) == "quill dr. quill 555\t\t"


def test_a_filter_without_text_has_no_words() -> None:
    assert WantedWords.of(MemberFilter(has_email=True)) is None


@pytest.mark.parametrize("text", ["\u0301", "\u200b", "\u0301 \u00ad"])
def test_a_text_of_marks_only_matches_no_person(text: str) -> None:
    words = WantedWords.of(MemberFilter(q="a", company=text))
    assert words is not None and not words.fit("a\ta\ta")


def test_the_longest_words_are_the_most_selective() -> None:
    words = WantedWords.of(MemberFilter(q="a bcd ef", title="longest a"))
    assert words is not None
    assert words.most_selective(3) == ["longest", "bcd", "ef"]
    assert words.most_selective(5) == ["longest", "bcd", "ef", "a", ""]
