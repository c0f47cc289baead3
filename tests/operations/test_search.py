"""Searches against a model of plain Python, with the same random people, edits and searches on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from leadyard.database import Database
from leadyard.model import AudienceType, Caller, LeadFilter, MemberFilter, Profile
from leadyard.operations import prospects
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience
from leadyard.operations.doctor import check_account_group
from leadyard.operations.lead_search import find_leads
from leadyard.operations.leads import erase_lead, update_lead
from leadyard.operations.moves import move_leads
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.people.checking import check_profiles
from leadyard.store import search_blocks
from leadyard.store.db import open_database

R = TypeVar("R")

# What a search must see in each character, written down by hand. The texts consist of these only.
SEEN = {
    "a": "a", "Å": "a", "å": "a", "A": "a", "n": "n", "ñ": "n", "O": "o", "ø": "o", "ö": "o", "ß": "ss", "s": "s",
    "’": "'", "'": "'", "–": "-", "-": "-", "ﬁ": "fi", "f": "f", "i": "i", "İ": "i", "1": "1", "１": "1", "%": "%",
    "N": "n", "Ö": "o", "e": "e", "l": "l", "_": "_", "\\": "\\", "小": "小", "\u0301": "", " ": " ", "\u00a0": " ",
}  # fmt: skip
WORDS = st.text(st.sampled_from(sorted(SEEN)), min_size=1, max_size=6)
TEXTS = st.one_of(st.none(), WORDS, st.sampled_from(["Åsa Öna", "fin O’Neil", "1% ﬁa", "a"]))
EDITED = ("name", "location", "company_name", "title", "phone")
STEPS = st.one_of(
    st.tuples(st.just("add"), st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=12)),
    st.tuples(st.just("fill"), st.tuples(st.integers(0, 99), TEXTS)),
    st.tuples(st.just("edit"), st.tuples(st.integers(0, 99), st.sampled_from(EDITED), TEXTS)),
    st.tuples(st.just("erase"), st.integers(0, 99)),
    st.tuples(st.just("move"), st.integers(0, 99)),
)
FILTERS = st.builds(MemberFilter, q=TEXTS, company=TEXTS, title=TEXTS, has_email=st.sampled_from([None, True]))


def seen(text: str | None) -> list[str]:
    """Returns the words in a text, as the table above shows them."""
    return "".join(SEEN[character] for character in text or "").split()


@dataclass
class Person:
    """A lead as the model remembers it. The e-mail is `NUMBER@example.com`."""

    lead_id: str
    number: str
    audience: int
    texts: dict[str, str | None]

    def fits(self, wanted: MemberFilter) -> bool:
        company, title = (seen(self.texts.get(name)) for name in ("company_name", "title"))
        others = [word for name in ("name", "location", "phone") for word in seen(self.texts.get(name))]
        digits = "".join(character for character in self.texts.get("phone") or "" if character.isdigit())
        everything = [*others, *company, *title, f"{self.number}@example.com", *seen(digits)]
        asked = ((wanted.q, everything), (wanted.company, company), (wanted.title, title))
        return all(
            text is None or (seen(text) and all(any(word in other for other in there) for word in seen(text)))
            for text, there in asked
        )


@dataclass
class World:
    """An account group with two audiences, in the service and in the model."""

    runner: asyncio.Runner
    db: Database
    people: list[Person] = field(default_factory=list)
    made: int = 0

    def do(self, work: Awaitable[R]) -> R:
        async def run() -> R:
            return await work

        return self.runner.run(run())

    def begin(self) -> None:
        self.people, self.made = [], 0
        self.caller = Caller.operator(self.do(create_account_group(self.db, name="Search")).id)
        made = [
            create_audience(self.db, self.caller, name=name, type=AudienceType.ON_DEMAND, description=None)
            for name in "ab"
        ]
        self.audiences = [self.do(each).id for each in made]

    def add(self, people: list[tuple[str | None, str | None, str | None]]) -> None:
        new = []
        for name, company, title in people:
            self.made += 1
            new.append(Profile(email=f"p{self.made}@example.com", name=name, company_name=company, title=title))
        self.bring_in(new)
        page = list_prospects(self.db, self.caller, audience_id=self.audiences[0], after=None, limit=1_000)
        lead_ids = {member.lead.profile.email: member.lead.id for member in self.do(page).items}
        for profile in new:
            assert profile.email is not None
            texts = {name: kept(getattr(profile, name)) for name in EDITED}
            self.people.append(Person(lead_ids[profile.email], profile.email.partition("@")[0], 0, texts))

    def fill(self, number: int, text: str | None) -> None:
        if person := self.one(number):
            self.bring_in([Profile(email=f"{person.number}@example.com", location=text)])
            person.texts["location"] = person.texts["location"] or kept(text)
            if person.audience == 1:
                # Now it is in both. It leaves the first again.
                self.move(self.people.index(person))

    def edit(self, number: int, name: str, text: str | None) -> None:
        if person := self.one(number):
            changes = {name: text}
            self.do(update_lead(self.db, self.caller, lead_id=person.lead_id, changes=changes, custom={}))
            person.texts[name] = kept(text)

    def erase(self, number: int) -> None:
        if person := self.one(number):
            self.do(erase_lead(self.db, self.caller, lead_id=person.lead_id))
            self.people.remove(person)

    def move(self, number: int) -> None:
        """Moves a person to the second audience."""
        if person := self.one(number):
            source, target = self.audiences
            if person.audience == 0 or self.lists(0, MemberFilter(q=f"{person.number}@")):
                self.do(
                    move_leads(
                        self.db,
                        self.caller,
                        source_audience_id=source,
                        target_audience_id=target,
                        lead_ids=[person.lead_id],
                    )
                )
                person.audience = 1

    def bring_in(self, profiles: list[Profile]) -> None:
        checked = check_profiles(profiles)
        assert checked.invalid == ()
        self.do(add_prospects(self.db, self.caller, audience_id=self.audiences[0], checked=checked))

    def one(self, number: int) -> Person | None:
        return self.people[number % len(self.people)] if self.people else None

    def lists(self, audience: int, wanted: MemberFilter, limit: int = 3) -> list[str]:
        found: list[str] = []
        after: str | None = None
        while True:
            page = self.do(
                list_prospects(
                    self.db,
                    self.caller,
                    audience_id=self.audiences[audience],
                    wanted=wanted,
                    after=after,
                    limit=limit,
                )
            )
            found += [member.lead.id for member in page.items]
            after = page.next_key
            if after is None:
                return found

    def finds(self, wanted: LeadFilter, limit: int = 3) -> list[tuple[str, list[str]]]:
        """Returns the people who match, each with the audiences."""
        found: list[tuple[str, list[str]]] = []
        after: str | None = None
        while True:
            page = self.do(find_leads(self.db, self.caller, wanted=wanted, after=after, limit=limit))
            found += [(each.lead.id, [audience.id for audience in each.audiences]) for each in page.items]
            after = page.next_key
            if after is None:
                return found


def kept(text: str | None) -> str | None:
    """Returns the text as a lead has it."""
    return (text or "").strip() or None


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few people fill a block, and a search reads one or two at a time, so that few people show every case."""
    monkeypatch.setattr(search_blocks, "_MOST_BYTES", 160)
    monkeypatch.setattr(search_blocks, "_SMALL_BYTES", 80)
    monkeypatch.setattr(prospects, "_FIRST_BLOCKS", 1)
    monkeypatch.setattr(prospects, "_MOST_BLOCKS", 2)


@pytest.fixture
def world(migrated_database: Callable[[], str], small_blocks: None) -> Iterator[World]:
    with asyncio.Runner() as runner:
        db = open_database(migrated_database(), pool_size=2, wait_s=30)
        yield World(runner, db)
        runner.run(db.close())


def test_a_search_finds_what_a_walk_over_everybody_would_find(world: World) -> None:
    def check_the_whole_group(wanted: MemberFilter) -> None:
        anywhere = LeadFilter(q=wanted.q, company=wanted.company, title=wanted.title, has_email=wanted.has_email)
        fitting = sorted((each.lead_id, [world.audiences[each.audience]]) for each in world.people if each.fits(wanted))
        assert world.finds(anywhere) == fitting, wanted
        for person in world.people[:2]:
            with_email = replace(anywhere, email=f"{person.number}@example.com")
            assert world.finds(with_email) == [each for each in fitting if each[0] == person.lead_id], with_email

    # The examples are the same on both databases, so both agree with each other as well.
    @settings(
        max_examples=40,
        # Without shrinking, which would take minutes on a real database.
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEPS, min_size=3, max_size=12), st.lists(FILTERS, min_size=5, max_size=8))
    def check(steps: list[tuple[str, Any]], filters: list[MemberFilter]) -> None:
        world.begin()
        for step, values in steps:
            getattr(world, step)(*(values if step in ("fill", "edit") else (values,)))
        for wanted in filters:
            for audience in (0, 1):
                expected = [each.lead_id for each in world.people if each.audience == audience and each.fits(wanted)]
                assert world.lists(audience, wanted) == sorted(expected), wanted
            check_the_whole_group(wanted)
        group_id = world.caller.account_group_id
        assert world.do(check_account_group(world.db, account_group_id=group_id)).findings == ()

    check()
