"""The service against a model of plain Python sets: random operations, and after each of them nothing may differ."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from leadyard.clock import now_ms
from leadyard.errors import AudienceNotReady, LeadsNotInSource, NotFound, SameAudience
from leadyard.ids import new_id
from leadyard.model import AudienceType, Caller, Page, Profile
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience, get_audience, list_audiences
from leadyard.operations.doctor import check_account_group
from leadyard.operations.moves import get_move, list_moves, move_leads
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.store.db import Database, Statement, open_database

R = TypeVar("R")
MOST_AUDIENCES = 5
PEOPLE = 12

INSERT_JOB = Statement(
    "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
    " VALUES (:account_group_id, :id, 'url_upload', :status, :audience_id, :now, :now)"
)
END_JOB = Statement("UPDATE jobs SET status = :status WHERE account_group_id = :account_group_id AND id = :id")


@dataclass
class World:
    """The real service, whose operations run on one event loop that lasts."""

    runner: asyncio.Runner
    db: Database

    def do(self, work: Awaitable[R]) -> R:
        async def run() -> R:
            return await work

        return self.runner.run(run())

    def write(self, group: str, statement: Statement, **values: Any) -> None:
        async def run() -> None:
            async with self.db.write(group) as tx:
                await tx.run(statement, **values)

        self.runner.run(run())


@dataclass
class Person:
    """What the model knows of a lead: its two strongest identities."""

    lead_id: str
    linkedin: str | None
    email: str | None


@dataclass
class Past:
    """A move as the model remembers it."""

    source: str
    target: str
    leads: frozenset[str]
    already: int


@dataclass
class Model:
    """The account group as plain Python."""

    audiences: dict[str, set[str]] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    moves: dict[str, Past] = field(default_factory=dict)

    def ready(self) -> dict[str, set[str]]:
        return {audience: members for audience, members in self.audiences.items() if audience not in self.jobs}


# Who somebody is: number, with LinkedIn, with e-mail. Numbers are few, so that the same people keep coming.
IDENTITIES = st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(["linkedin", "email", "both", "invalid"]))
PICK = st.integers(0, 10_000)


class Yard(RuleBasedStateMachine):
    """One account group of its own for every example."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    @initialize()
    def open(self) -> None:
        group = self.world.do(create_account_group(self.world.db, name="Model"))
        self.stranger = self.world.do(create_account_group(self.world.db, name="Somebody else"))
        self.caller = Caller.operator(group.id)
        theirs = Caller.operator(self.stranger.id)
        self.their_audience = self.create(theirs)
        self.world.do(
            add_prospects(
                self.world.db, theirs, audience_id=self.their_audience, profiles=[Profile(email="p0@example.com")]
            )
        )
        [member] = self.page(theirs, self.their_audience, None, 10).items
        self.their_lead = member.lead.id
        for _ in range(2):
            self.model.audiences[self.create(self.caller)] = set()

    def create(self, caller: Caller) -> str:
        made = create_audience(self.world.db, caller, name="Audience", type=AudienceType.ON_DEMAND, description=None)
        return self.world.do(made).id

    def page(self, caller: Caller, audience_id: str, after: str | None, limit: int) -> Page[Any]:
        return self.world.do(list_prospects(self.world.db, caller, audience_id=audience_id, after=after, limit=limit))

    def choose(self, pick: int) -> str:
        return sorted(self.model.audiences)[pick % len(self.model.audiences)]

    # ------------------------------------------------------------------------------------------------ what may happen

    @precondition(lambda self: len(self.model.audiences) < MOST_AUDIENCES)
    @rule()
    def make_an_audience(self) -> None:
        self.model.audiences[self.create(self.caller)] = set()

    @rule(pick=PICK, identities=st.lists(IDENTITIES, min_size=1, max_size=8))
    def add_people(self, pick: int, identities: list[tuple[int, str]]) -> None:
        audience = self.choose(pick)
        adding = add_prospects(
            self.world.db, self.caller, audience_id=audience, profiles=[profile(*each) for each in identities]
        )
        if audience in self.model.jobs:
            with pytest.raises(AudienceNotReady):
                self.world.do(adding)
            return
        result = self.world.do(adding)

        rejected: dict[int, str] = {}
        found: list[Person] = []
        fresh: list[Person] = []
        for index, (number, kind) in enumerate(identities):
            if kind == "invalid":
                rejected[index] = "INVALID_EMAIL"
                continue
            linkedin = f"person-{number}" if kind in ("linkedin", "both") else None
            email = f"p{number}@example.com" if kind in ("email", "both") else None
            known = [*self.model.people, *fresh]
            by_linkedin = next((person for person in known if linkedin and person.linkedin == linkedin), None)
            by_email = next((person for person in known if email and person.email == email), None)
            if by_linkedin and by_email and by_linkedin is not by_email:
                rejected[index] = "IDENTITY_CONFLICT"
                continue
            person = by_linkedin or by_email
            if person is None:
                person = Person("", linkedin, email)
                fresh.append(person)
            person.linkedin = person.linkedin or linkedin
            person.email = person.email or email
            found.append(person)
        self.model.people += fresh
        members = self.model.audiences[audience]
        people = {id(person): person for person in found}.values()
        already = sum(1 for person in people if person.lead_id in members)

        assert {rejection.index: rejection.code for rejection in result.rejected} == rejected
        assert (result.created, result.matched) == (len(fresh), len(found) - len(fresh))
        assert (result.added, result.already_in_audience) == (len(people) - already, already)
        # Only the service can say which ids the new ones have; everything else about them is the model's to know.
        listed = {member.lead.id: member.lead.profile for member in self.walk(audience, 200)}
        for person in fresh:
            [person.lead_id] = [
                lead_id
                for lead_id, known_as in listed.items()
                if (known_as.public_identifier, known_as.email) == (person.linkedin, person.email)
            ]
        members |= {person.lead_id for person in people}

    @rule(picks=st.tuples(PICK, PICK), choices=st.lists(PICK, min_size=1, max_size=10), twist=st.integers(0, 9))
    def move(self, picks: tuple[int, int], choices: list[int], twist: int) -> None:
        source, target = (self.choose(pick) for pick in picks)
        here = sorted(self.model.audiences[source])
        everybody = sorted(person.lead_id for person in self.model.people) or [new_id()]
        leads = [(here or everybody)[choice % len(here or everybody)] for choice in choices]
        if twist == 0:
            leads += [everybody[choice % len(everybody)] for choice in choices]
        elif twist == 1:
            leads.append(self.their_lead)
        elif twist == 2:
            source = self.their_audience
        elif twist == 3:
            target = new_id()
        moving = move_leads(
            self.world.db, self.caller, source_audience_id=source, target_audience_id=target, lead_ids=leads
        )
        distinct = list(dict.fromkeys(leads))
        refusal = self.refusal_of(source, target, distinct)
        if refusal is not None:
            with pytest.raises(refusal) as refused:
                self.world.do(moving)
            if refusal is LeadsNotInSource:
                missing = [lead for lead in distinct if lead not in self.model.audiences[source]]
                assert refused.value.extra == {"leadIds": missing, "leadCount": len(missing)}  # type: ignore[attr-defined]
            return
        result = self.world.do(moving)

        already = len(set(distinct) & self.model.audiences[target])
        self.model.audiences[source] -= set(distinct)
        self.model.audiences[target] |= set(distinct)
        assert (result.move.moved_count, result.move.already_in_target_count) == (len(distinct), already)
        assert result.source.prospect_count == len(self.model.audiences[source])
        assert result.target.prospect_count == len(self.model.audiences[target])
        self.model.moves[result.move.id] = Past(source, target, frozenset(distinct), already)

    def refusal_of(self, source: str, target: str, leads: list[str]) -> type[Exception] | None:
        """Returns what the contract answers, in its order of precedence."""
        if source not in self.model.audiences or target not in self.model.audiences:
            return NotFound
        if source == target:
            return SameAudience
        if source in self.model.jobs or target in self.model.jobs:
            return AudienceNotReady
        return None if set(leads) <= self.model.audiences[source] else LeadsNotInSource

    @precondition(lambda self: bool(self.model.ready()))
    @rule(pick=PICK, status=st.sampled_from(["queued", "running"]))
    def start_a_job(self, pick: int, status: str) -> None:
        ready = sorted(self.model.ready())
        audience, job = ready[pick % len(ready)], new_id()
        self.world.write(
            self.caller.account_group_id, INSERT_JOB, id=job, status=status, audience_id=audience, now=now_ms()
        )
        self.model.jobs[audience] = job

    @precondition(lambda self: bool(self.model.jobs))
    @rule(pick=PICK, status=st.sampled_from(["completed", "failed", "cancelled"]))
    def end_a_job(self, pick: int, status: str) -> None:
        audience = sorted(self.model.jobs)[pick % len(self.model.jobs)]
        job = self.model.jobs.pop(audience)
        self.world.write(self.caller.account_group_id, END_JOB, id=job, status=status)

    @rule(pick=PICK, limit=st.integers(1, 5))
    def walk_an_audience(self, pick: int, limit: int) -> None:
        audience = self.choose(pick)
        if audience in self.model.jobs:
            with pytest.raises(AudienceNotReady) as refused:
                self.page(self.caller, audience, None, limit)
            assert refused.value.extra == {"audienceId": audience, "jobId": self.model.jobs[audience]}
            return
        assert [member.lead.id for member in self.walk(audience, limit)] == sorted(self.model.audiences[audience])

    def walk(self, audience: str, limit: int) -> list[Any]:
        return self.all_of(lambda after: self.page(self.caller, audience, after, limit))

    def all_of(self, page_after: Callable[[str | None], Page[R]]) -> list[R]:
        items: list[R] = []
        after: str | None = None
        while True:
            page = page_after(after)
            items += page.items
            after = page.next_key
            if after is None:
                return items

    # ---------------------------------------------------------------------------------------------- what always holds

    @invariant()
    def members_and_counts_are_those_of_the_model(self) -> None:
        for audience, members in self.model.ready().items():
            found = self.world.do(get_audience(self.world.db, self.caller, audience_id=audience))
            assert found.prospect_count == len(members)
            assert {member.lead.id for member in self.page(self.caller, audience, None, 200).items} == members
        listed = self.world.do(list_audiences(self.world.db, self.caller, after=None, limit=200))
        assert [each.id for each in listed.items] == sorted(self.model.ready())

    @invariant()
    def the_record_of_moves_is_that_of_the_model(self) -> None:
        listed = self.all_of(
            lambda before: self.world.do(list_moves(self.world.db, self.caller, before=before, limit=7))
        )
        assert [move.id for move in listed] == sorted(self.model.moves, reverse=True)
        for move in listed[:2]:
            move = self.world.do(get_move(self.world.db, self.caller, move_id=move.id))
            past = self.model.moves[move.id]
            assert (move.source_audience_id, move.target_audience_id) == (past.source, past.target)
            assert frozenset(move.lead_ids or ()) == past.leads and move.moved_count == len(past.leads)
            assert move.already_in_target_count == past.already

    @invariant()
    def the_doctor_is_content(self) -> None:
        check_up = self.world.do(check_account_group(self.world.db, account_group_id=self.caller.account_group_id))
        assert check_up.findings == ()
        assert check_up.looked_at == {
            "audiences": len(self.model.audiences),
            "leads": len(self.model.people),
            "memberships": sum(len(members) for members in self.model.audiences.values()),
            "moves": len(self.model.moves),
        }

    def teardown(self) -> None:
        if hasattr(self, "their_audience"):
            [theirs] = self.page(Caller.operator(self.stranger.id), self.their_audience, None, 10).items
            assert theirs.lead.id == self.their_lead


def profile(number: int, kind: str) -> Profile:
    if kind == "invalid":
        return Profile(email=f"p{number}@")
    return Profile(
        linkedin_url=f"https://www.linkedin.com/in/person-{number}" if kind in ("linkedin", "both") else None,
        email=f"P{number}@example.com" if kind in ("email", "both") else None,
    )


@pytest.fixture
def world(migrated_database: Callable[[], str]) -> Iterator[World]:
    """A database of its own and the event loop that its connections belong to."""
    with asyncio.Runner() as runner:
        db = open_database(migrated_database(), pool_size=2, wait_s=30)
        yield World(runner, db)
        runner.run(db.close())


def test_the_service_does_what_plain_sets_would_do(world: World) -> None:
    machine = type("YardOfOneDatabase", (Yard,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            derandomize=True,  # The same examples every time: a failure here is a failure on the build machine, too.
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
