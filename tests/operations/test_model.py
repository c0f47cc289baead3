"""The service against a model of plain Python sets: random operations, and after each of them both must agree."""

from __future__ import annotations

import asyncio
import struct
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
from leadyard.database import Database
from leadyard.errors import AudienceNotReady, LeadsNotInSource, NotFound, SameAudience
from leadyard.ids import id_of, key_of, new_id, number_of
from leadyard.model import AudienceType, Caller, FolderType, MemberFilter, Page, Profile
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import (
    create_audience,
    delete_audience,
    empty_deleted_audiences,
    get_audience,
    list_audiences,
    move_to_folder,
    remove_from_folder,
    update_audience,
)
from leadyard.operations.doctor import check_account_group
from leadyard.operations.folders import create_folder, delete_folder, get_navigation, update_folder
from leadyard.operations.leads import erase_lead, get_lead, update_lead
from leadyard.operations.moves import get_move, list_moves, move_leads
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.people.checking import check_profiles
from leadyard.people.folding import folded
from leadyard.store.db import Statement, open_database
from rig.service import run_sql

R = TypeVar("R")
MOST_AUDIENCES = 5
ERASED_LEAD_ID = "0" * 24
PEOPLE = 12

INSERT_JOB = Statement(
    "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
    " VALUES (:account_group_id, :id, 'url_upload', :status, :audience_id, :now, :now)"
)
END_JOB = Statement("UPDATE jobs SET status = :status WHERE account_group_id = :account_group_id AND id = :id")


@dataclass
class World:
    """The real service, whose operations run on one event loop that stays."""

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
    """The model's view of a lead: its two strongest identities, and two texts that are edited."""

    lead_id: str
    linkedin: str | None
    email: str | None
    title: str | None = None
    company: str | None = None


@dataclass
class Past:
    """A move as the model remembers it."""

    source: str
    target: str
    leads: list[str]
    already: int


@dataclass
class Model:
    """The account group as plain Python."""

    audiences: dict[str, set[str]] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    jobs_started: int = 0
    people: list[Person] = field(default_factory=list)
    moves: dict[str, Past] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    deleted: dict[str, set[str]] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    folder_of: dict[str, str] = field(default_factory=dict)

    def ready(self) -> dict[str, set[str]]:
        return {audience: members for audience, members in self.audiences.items() if audience not in self.jobs}


# The identity of a person: number, with LinkedIn, with e-mail. There are few numbers, so that the same people return
# often.
IDENTITIES = st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(["linkedin", "email", "both", "invalid"]))
PICK = st.integers(0, 10_000)
TEXTS = st.sampled_from([None, "Große Straße", "GROSSE STRASSE", "ﬁne 100%_\\ x", 'the "quoted" OR one', "İç"])
QUERIES = st.sampled_from([None, None, "sse", "STRASSE", "ﬁNE", "0%_\\", '"quoted" or', "i̇ç", "p1", "@EXAMPLE", "xx"])


class Yard(RuleBasedStateMachine):
    """A new account group for every example."""

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
                self.world.db,
                theirs,
                audience_id=self.their_audience,
                checked=check_profiles([Profile(email="p0@example.com")]),
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

    # ------------------------------------------------------------------------------------------------- the operations

    @precondition(lambda self: len(self.model.audiences) < MOST_AUDIENCES)
    @rule()
    def make_an_audience(self) -> None:
        self.model.audiences[self.create(self.caller)] = set()

    @rule(pick=PICK, identities=st.lists(IDENTITIES, min_size=1, max_size=8))
    def add_people(self, pick: int, identities: list[tuple[int, str]]) -> None:
        audience = self.choose(pick)
        adding = add_prospects(
            self.world.db,
            self.caller,
            audience_id=audience,
            checked=check_profiles([profile(*each) for each in identities]),
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
        # Only the service can supply the ids of new leads. The model predicts everything else about them.
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
            target = next(iter(self.model.deleted), new_id())
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
        self.model.moves[result.move.id] = Past(source, target, distinct, already)

    def refusal_of(self, source: str, target: str, leads: list[str]) -> type[Exception] | None:
        """Returns the contract's answer, in its order of precedence."""
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
            self.caller.account_group_id,
            INSERT_JOB,
            id=key_of(job),
            status=status,
            audience_id=key_of(audience),
            now=now_ms(),
        )
        self.model.jobs[audience] = job
        self.model.jobs_started += 1

    @precondition(lambda self: bool(self.model.jobs))
    @rule(pick=PICK, status=st.sampled_from(["completed", "failed", "cancelled"]))
    def end_a_job(self, pick: int, status: str) -> None:
        audience = sorted(self.model.jobs)[pick % len(self.model.jobs)]
        job = self.model.jobs.pop(audience)
        self.world.write(self.caller.account_group_id, END_JOB, id=key_of(job), status=status)

    @rule(pick=PICK, limit=st.integers(1, 5))
    def walk_an_audience(self, pick: int, limit: int) -> None:
        audience = self.choose(pick)
        if audience in self.model.jobs:
            with pytest.raises(AudienceNotReady) as refused:
                self.page(self.caller, audience, None, limit)
            assert refused.value.extra == {"audienceId": audience, "jobId": self.model.jobs[audience]}
            return
        assert [member.lead.id for member in self.walk(audience, limit)] == sorted(self.model.audiences[audience])

    @rule(pick=PICK, name=st.sampled_from(["Änderung", "👩‍👩‍👧 and 𐍈", "שלום"]))
    def rename_an_audience(self, pick: int, name: str) -> None:
        audience = self.choose(pick)
        renaming = update_audience(self.world.db, self.caller, audience_id=audience, changes={"name": name})
        if self.refused_while_populating(audience, renaming):
            return
        self.model.names[audience] = name

    @precondition(lambda self: len(self.model.audiences) > 2)
    @rule(pick=PICK)
    def delete_an_audience(self, pick: int) -> None:
        audience = self.choose(pick)
        if self.refused_while_populating(audience, delete_audience(self.world.db, self.caller, audience_id=audience)):
            return
        self.model.deleted[audience] = self.model.audiences.pop(audience)
        self.model.folder_of.pop(audience, None)
        with pytest.raises(NotFound):
            self.world.do(get_audience(self.world.db, self.caller, audience_id=audience))

    @precondition(lambda self: bool(self.model.deleted))
    @rule()
    def empty_what_was_deleted(self) -> None:
        while self.world.do(empty_deleted_audiences(self.world.db)):
            pass
        for members in self.model.deleted.values():
            members.clear()

    def refused_while_populating(self, audience: str, work: Awaitable[Any]) -> bool:
        """Does the work, unless a job populates the audience: then it must be refused."""
        if audience not in self.model.jobs:
            self.world.do(work)
            return False
        with pytest.raises(AudienceNotReady):
            self.world.do(work)
        return True

    @precondition(lambda self: len(self.model.folders) < 4)
    @rule()
    def make_a_folder(self) -> None:
        making = create_folder(self.world.db, self.caller, name="Folder", audience_type=FolderType.ON_DEMAND)
        self.model.folders.append(self.world.do(making).id)

    @precondition(lambda self: bool(self.model.folders))
    @rule(pick=PICK, position=st.integers(0, 5))
    def put_a_folder_elsewhere(self, pick: int, position: int) -> None:
        folder = self.model.folders.pop(pick % len(self.model.folders))
        self.model.folders.insert(position, folder)
        moved = self.world.do(
            update_folder(self.world.db, self.caller, folder_id=folder, name=None, is_pinned=None, position=position)
        )
        assert moved.position == self.model.folders.index(folder)

    @precondition(lambda self: bool(self.model.folders))
    @rule(pick=PICK)
    def delete_a_folder(self, pick: int) -> None:
        folder = self.model.folders.pop(pick % len(self.model.folders))
        self.world.do(delete_folder(self.world.db, self.caller, folder_id=folder))
        self.model.folder_of = {a: f for a, f in self.model.folder_of.items() if f != folder}

    @precondition(lambda self: bool(self.model.folders))
    @rule(pick=PICK, out=st.booleans())
    def put_into_or_out_of_a_folder(self, pick: int, out: bool) -> None:
        audience, folder = self.choose(pick), self.model.folders[pick % len(self.model.folders)]
        work: Awaitable[Any] = (
            remove_from_folder(self.world.db, self.caller, audience_id=audience)
            if out
            else move_to_folder(self.world.db, self.caller, audience_id=audience, folder_id=folder)
        )
        if self.refused_while_populating(audience, work):
            return
        self.model.folder_of.pop(audience, None)
        if not out:
            self.model.folder_of[audience] = folder

    @precondition(lambda self: bool(self.model.people))
    @rule(pick=PICK, title=TEXTS, company=TEXTS)
    def edit_a_lead(self, pick: int, title: str | None, company: str | None) -> None:
        person = self.model.people[pick % len(self.model.people)]
        person.title, person.company = title, company
        edited = self.world.do(
            update_lead(
                self.world.db,
                self.caller,
                lead_id=person.lead_id,
                changes={"title": title, "company_name": company},
                custom={},
            )
        )
        assert (edited.lead.profile.title, edited.lead.profile.company_name) == (title, company)
        assert {each.id for each in edited.audiences} == self.audiences_of(person)

    @precondition(lambda self: bool(self.model.people))
    @rule(pick=PICK)
    def erase_a_lead(self, pick: int) -> None:
        person = self.model.people.pop(pick % len(self.model.people))
        found = self.world.do(get_lead(self.world.db, self.caller, lead_id=person.lead_id))
        assert {each.id for each in found.audiences} == self.audiences_of(person)
        self.world.do(erase_lead(self.world.db, self.caller, lead_id=person.lead_id))
        for members in (*self.model.audiences.values(), *self.model.deleted.values()):
            members.discard(person.lead_id)
        for past in self.model.moves.values():
            past.leads = [ERASED_LEAD_ID if lead == person.lead_id else lead for lead in past.leads]
        with pytest.raises(NotFound):
            self.world.do(get_lead(self.world.db, self.caller, lead_id=person.lead_id))

    def audiences_of(self, person: Person) -> set[str]:
        return {audience for audience, members in self.model.audiences.items() if person.lead_id in members}

    @precondition(lambda self: bool(self.model.ready()))
    @rule(pick=PICK, q=QUERIES, company=QUERIES, has_email=st.sampled_from([None, None, True, False]))
    def search(self, pick: int, q: str | None, company: str | None, has_email: bool | None) -> None:
        audience = sorted(self.model.ready())[pick % len(self.model.ready())]
        self.compare_search(audience, MemberFilter(q=q, company=company, has_email=has_email), limit=1 + pick % 4)

    def compare_search(self, audience: str, wanted: MemberFilter, *, limit: int) -> None:
        def fits(person: Person) -> bool:
            texts = [folded(text or "").split() for text in (person.email, person.title, person.company)]

            def holds(asked: str | None, words: list[str]) -> bool:
                return all(any(word in other for other in words) for word in folded(asked or "").split())

            return (
                holds(wanted.q, [word for text in texts for word in text])
                and holds(wanted.company, texts[2])
                and (wanted.has_email is None or wanted.has_email == (person.email is not None))
            )

        found = self.all_of(
            lambda after: self.world.do(
                list_prospects(
                    self.world.db, self.caller, audience_id=audience, wanted=wanted, after=after, limit=limit
                )
            )
        )
        members = self.model.audiences[audience]
        expected = sorted(person.lead_id for person in self.model.people if person.lead_id in members and fits(person))
        assert [member.lead.id for member in found] == expected

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

    # ----------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def members_and_counts_are_those_of_the_model(self) -> None:
        for audience, members in self.model.ready().items():
            found = self.world.do(get_audience(self.world.db, self.caller, audience_id=audience))
            assert found.prospect_count == len(members)
            assert found.name == self.model.names.get(audience, "Audience")
            assert found.folder_id == self.model.folder_of.get(audience)
            assert {member.lead.id for member in self.page(self.caller, audience, None, 200).items} == members
        listed = self.world.do(list_audiences(self.world.db, self.caller, after=None, limit=200))
        assert [each.id for each in listed.items] == sorted(self.model.ready())

    @invariant()
    def the_search_finds_who_is_there(self) -> None:
        for audience in sorted(self.model.ready())[:1]:
            for text in ("strasse", "example.com"):
                self.compare_search(audience, MemberFilter(q=text), limit=200)

    @invariant()
    def every_lead_has_one_line_in_its_block(self) -> None:
        if hasattr(self, "caller"):
            number = number_of(self.caller.account_group_id)
            rows = run_sql(
                self.world.db.url, "SELECT id, lead_ids, lines FROM search_blocks WHERE account_group_id = $1", number
            )
            there = {
                id_of(key): block
                for block, lead_ids, lines in rows
                for key, _ in zip(struct.unpack(f">{len(lead_ids) // 8}q", lead_ids), lines.split("\n"), strict=True)
            }
            assert set(there) == {person.lead_id for person in self.model.people}
            named = run_sql(
                self.world.db.url, "SELECT id, search_block_id FROM leads WHERE account_group_id = $1", number
            )
            assert {id_of(key): block for key, block in named} == there

    @invariant()
    def the_navigation_is_that_of_the_model(self) -> None:
        drawn = self.world.do(get_navigation(self.world.db, self.caller))
        assert [(folder.id, folder.position) for folder, _ in drawn.folders] == [
            (folder, place) for place, folder in enumerate(self.model.folders)
        ]
        there = {audience.id: folder.id for folder, inside in drawn.folders for audience in inside}
        ready = self.model.ready()
        assert there == {a: f for a, f in self.model.folder_of.items() if a in ready}
        assert {audience.id for audience in drawn.ungrouped} == set(ready) - set(there)

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
            assert sorted(move.lead_ids or ()) == sorted(past.leads) and move.moved_count == len(past.leads)
            assert move.already_in_target_count == past.already

    @invariant()
    def the_doctor_is_content(self) -> None:
        check_up = self.world.do(check_account_group(self.world.db, account_group_id=self.caller.account_group_id))
        assert check_up.findings == ()
        looked_at = dict(check_up.looked_at)
        # The doctor has replayed them, so they explain every membership. They are more than the moves.
        assert looked_at.pop("changes") >= len(self.model.moves)
        assert looked_at == {
            "audiences": len(self.model.audiences),
            "leads": len(self.model.people),
            "memberships": sum(
                len(members) for members in (*self.model.audiences.values(), *self.model.deleted.values())
            ),
            "jobs": self.model.jobs_started,
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
    """A new database and the event loop that its connections belong to."""
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
