"""Shared by the tests that make random changes, in the service and in a model of plain dictionaries, and undo them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from leadyard.database import Database
from leadyard.errors import AlreadyUndone, ChangedSince, NotFound, NotUndoable
from leadyard.model import AudienceType, Batch, Caller, ChangeFilter, ChangeKind, Profile, UndoResult, UrlPosition
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience, delete_audience, empty_deleted_audiences
from leadyard.operations.changes.indexing import index_changes
from leadyard.operations.changes.reading import get_change, list_changes
from leadyard.operations.changes.undoing import undo_change
from leadyard.operations.copies import copy_leads
from leadyard.operations.doctor import check_account_group
from leadyard.operations.leads import erase_lead
from leadyard.operations.moves import move_leads
from leadyard.operations.prospects import add_batch, add_prospects, list_prospects
from leadyard.operations.removals import remove_leads
from leadyard.people.checking import check_profiles
from leadyard.store.db import open_database
from rig.racing import TORTURE

R = TypeVar("R")
AUDIENCES, PEOPLE = 3, 7
Members = dict[str, dict[str, int]]


@dataclass
class Past:
    """A change as the model remembers it: for each lead, when it had been added to the source that it left (None if it
    did not), and whether it entered the target."""

    kind: ChangeKind
    source: str | None
    target: str | None
    lines: dict[str, tuple[int | None, bool]]
    undoes: str | None = None
    is_undone: bool = False
    count: int = 0
    created: frozenset[str] = frozenset()


@dataclass
class Model:
    members: Members = field(default_factory=dict)
    deleted_by: dict[str, str] = field(default_factory=dict)
    past: dict[str, Past] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    withdrawn: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def shown(self) -> Members:
        return {audience: found for audience, found in self.members.items() if audience not in self.deleted_by}

    def remember(self, change_id: str, past: Past) -> None:
        past.count = len(past.lines)
        self.past[change_id] = past

    def chain(self, change_id: str) -> list[str]:
        chain = [change_id]
        while (undone := self.past[chain[-1]].undoes) is not None:
            chain.append(undone)
        return chain

    def is_away(self, change_id: str, lead: str) -> bool:
        """Returns whether the lead was withdrawn, and another one has its address now."""
        email = self.withdrawn.get(change_id, {}).get(lead)
        return email is not None and email in self.people

    def changed(self, change_id: str) -> list[str]:
        past = self.past[change_id]
        return [
            lead
            for lead, (left_at, _) in past.lines.items()
            if (past.target is not None and lead not in self.members[past.target])
            or (past.source is not None and left_at is not None and lead in self.members[past.source])
            or self.is_away(change_id, lead)
        ]

    def undo(self, change_id: str, undo_id: str, at: int) -> int:
        """Takes the change back but for the leads that are changed since. Returns how many it was for."""
        past, chain = self.past[change_id], self.chain(change_id)
        origin = self.past[chain[-1]]
        skipped = set(self.changed(change_id))
        lines: dict[str, tuple[int | None, bool]] = {}
        for lead, (left_at, has_entered) in past.lines.items():
            if lead in skipped:
                continue
            came_out = None
            if has_entered and past.target is not None:
                came_out = self.members[past.target].pop(lead)
            if left_at is not None and past.source is not None:
                self.members[past.source][lead] = left_at
            lines[lead] = (came_out, left_at is not None)
        source = None if past.kind is ChangeKind.COPY else past.source
        self.remember(undo_id, Past(ChangeKind.UNDO, past.target, source, lines, undoes=change_id))
        past.is_undone = True
        for lead, email in self.withdrawn.pop(change_id, {}).items():
            if lead not in skipped:
                self.people[email] = lead
        if origin.kind is ChangeKind.IMPORT and len(chain) % 2:
            self._withdraw(undo_id, chain, origin.created & lines.keys())
        if origin.kind is ChangeKind.DELETE_AUDIENCE and len(chain) % 2 == 0:
            assert past.target is not None
            if not self.members[past.target]:
                self.deleted_by[past.target] = undo_id
        return len(lines)

    def _withdraw(self, undo_id: str, chain: list[str], leads: frozenset[str]) -> None:
        others = [past for each, past in self.past.items() if each not in (undo_id, *chain)]
        for email, lead in list(self.people.items()):
            used = any(lead in found for found in self.members.values()) or any(lead in each.lines for each in others)
            if lead in leads and not used:
                del self.people[email]
                self.withdrawn.setdefault(undo_id, {})[lead] = email

    def forget(self, lead: str) -> None:
        for found in self.members.values():
            found.pop(lead, None)
        for past in self.past.values():
            past.lines.pop(lead, None)
        self.people = {email: each for email, each in self.people.items() if each != lead}


@dataclass
class World:
    """The real service, whose operations run on one event loop that stays."""

    runner: asyncio.Runner
    db: Database

    def do(self, work: Awaitable[R]) -> R:
        async def run() -> R:
            return await work

        return self.runner.run(run())


class Yard:
    """A new account group, whose changes are made in the service and in the model."""

    def __init__(self, world: World) -> None:
        self.do, self.db = world.do, world.db
        self.caller = Caller.operator(self.do(create_account_group(self.db, name="Undo")).id)
        self.model = Model()
        self.audiences = [self._new_audience(str(number)) for number in range(AUDIENCES)]

    def _new_audience(self, name: str) -> str:
        made = self.do(create_audience(self.db, self.caller, name=name, type=AudienceType.ON_DEMAND, description=None))
        self.model.members[made.id] = {}
        return made.id

    def read(self, audience: str) -> dict[str, tuple[str, int]]:
        """Returns e-mail → lead and time."""
        page = self.do(list_prospects(self.db, self.caller, audience_id=audience, after=None, limit=100))
        return {str(each.lead.profile.email): (each.lead.id, each.added_at) for each in page.items}

    def agree(self) -> None:
        """The members and their times are the same in the service and in the model."""
        for audience, expected in self.model.shown.items():
            assert dict(self.read(audience).values()) == expected, audience
        for audience in self.model.deleted_by:
            with pytest.raises(NotFound):
                self.do(list_prospects(self.db, self.caller, audience_id=audience, after=None, limit=1))

    def check_up(self) -> None:
        found = self.do(check_account_group(self.db, account_group_id=self.caller.account_group_id))
        assert found.findings == ()
        assert found.looked_at["leads"] == len(self.model.people)

    # ---------------------------------------------------------------------------------- changes

    def bring_in(self, audience: str, numbers: list[int], *, by_import: bool) -> None:
        """Adds people, or imports them."""
        emails = [f"{number}@example.com" for number in dict.fromkeys(numbers)]
        profiles = tuple(Profile(email=email) for email in emails)
        before = dict(self.model.members[audience])
        if by_import:
            rows = tuple((line, ()) for line, _ in enumerate(profiles))
            batch = Batch(profiles=profiles, rows=rows, rejected=(), position=UrlPosition(done=0), progress=1.0)
            _, change_id = self.do(add_batch(self.db, self.caller, audience_id=audience, batch=batch))
        else:
            checked = check_profiles(profiles)
            change_id = self.do(add_prospects(self.db, self.caller, audience_id=audience, checked=checked)).change_id
        assert change_id is not None
        found = self.read(audience)
        created = frozenset(found[email][0] for email in emails if email not in self.model.people)
        lines: dict[str, tuple[int | None, bool]] = {}
        for email in emails:
            lead, added_at = found[email]
            lines[lead] = (None, lead not in before)
            self.model.people[email] = lead
            self.model.members[audience][lead] = added_at
        kind = ChangeKind.IMPORT if by_import else ChangeKind.ADD
        self.model.remember(change_id, Past(kind, None, audience, lines, created=created))

    def move(self, source: str, target: str, leads: list[str]) -> None:
        both = {"source_audience_id": source, "target_audience_id": target}
        moved = self.do(move_leads(self.db, self.caller, lead_ids=leads, **both)).move
        here, there = self.model.members[source], self.model.members[target]
        lines = {lead: (here.pop(lead), lead not in there) for lead in leads}
        there.update({lead: moved.moved_at for lead in leads if lines[lead][1]})
        self.model.remember(moved.id, Past(ChangeKind.MOVE, source, target, {**lines}))

    def copy(self, source: str, target: str, leads: list[str]) -> None:
        both = {"source_audience_id": source, "target_audience_id": target}
        change = self.do(copy_leads(self.db, self.caller, lead_ids=leads, **both)).change
        there = self.model.members[target]
        lines: dict[str, tuple[int | None, bool]] = {lead: (None, lead not in there) for lead in leads}
        there.update({lead: change.changed_at for lead in leads if lines[lead][1]})
        self.model.remember(change.id, Past(ChangeKind.COPY, source, target, lines))

    def remove(self, source: str, leads: list[str]) -> None:
        change = self.do(remove_leads(self.db, self.caller, audience_id=source, lead_ids=leads)).change
        lines: dict[str, tuple[int | None, bool]] = {
            lead: (self.model.members[source].pop(lead), False) for lead in leads
        }
        self.model.remember(change.id, Past(ChangeKind.REMOVE, source, None, lines))

    def delete(self, audience: str) -> None:
        change = self.do(delete_audience(self.db, self.caller, audience_id=audience))
        lines: dict[str, tuple[int | None, bool]] = {
            lead: (added_at, False) for lead, added_at in self.model.members[audience].items()
        }
        self.model.members[audience] = {}
        self.model.deleted_by[audience] = change.id
        self.model.remember(change.id, Past(ChangeKind.DELETE_AUDIENCE, audience, None, lines))

    def erase(self, lead: str) -> None:
        self.do(erase_lead(self.db, self.caller, lead_id=lead))
        self.model.forget(lead)
        page = self.do(list_changes(self.db, self.caller, wanted=NEWEST, before=None, limit=1))
        self.model.remember(page.items[0].id, Past(ChangeKind.ERASE, None, None, {}))

    def undo(self, change_id: str, *, skip_changed: bool) -> str | None:
        """Undoes the change, or checks that it is refused for the right reason. Returns the undo."""
        past, changed = self.model.past[change_id], self.model.changed(change_id)
        sides = [each for each in (past.source, past.target) if each is not None]
        gone = any(self.model.deleted_by.get(each, change_id) != change_id for each in sides)
        reason: type[Exception] | None = None
        if gone:
            reason = NotFound
        elif past.is_undone:
            reason = AlreadyUndone
        elif past.kind is ChangeKind.ERASE:
            reason = NotUndoable
        elif changed and not skip_changed:
            reason = ChangedSince
        work = undo_change(self.db, self.caller, change_id=change_id, skip_changed=skip_changed)
        if reason is not None:
            with pytest.raises(reason) as refused:
                self.do(work)
            if isinstance(refused.value, ChangedSince):
                assert set(refused.value.extra["leadIds"]) == set(changed)
            return None
        result = self.do(work)
        assert isinstance(result, UndoResult)
        for each in sides:
            self.model.deleted_by.pop(each, None)
        undone = self.model.undo(change_id, result.change.id, result.change.changed_at)
        assert (result.undone_count, result.skipped_count) == (undone, past.count - undone)
        assert self.do(get_change(self.db, self.caller, change_id=change_id)).undone_by_change_id == result.change.id
        return result.change.id


class Chooser:
    """Draws a step of a yard from what is possible in it."""

    def __init__(self, yard: Yard, data: st.DataObject) -> None:
        self.yard, self.data = yard, data

    def one(self, choices: list[Any]) -> Any:
        return self.data.draw(st.sampled_from(choices))

    def some(self, choices: list[Any]) -> list[Any]:
        return self.data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=4, unique=True))

    def change(self, *, may_erase: bool) -> None:
        """Makes a change of a random kind."""
        yard, shown = self.yard, self.yard.model.shown
        filled = [audience for audience, found in shown.items() if found]
        kind = self.one(["move", "copy", "remove", "add", "import", "delete", "erase", "housekeeping"])
        if kind == "housekeeping":
            yard.do(empty_deleted_audiences(yard.db))
            yard.do(index_changes(yard.db))
        elif kind == "erase" and may_erase and yard.model.people:
            yard.erase(self.one(sorted(yard.model.people.values())))
        elif kind == "delete" and len(shown) > 1:
            yard.delete(self.one(list(shown)))
        elif kind == "remove" and filled:
            source = self.one(filled)
            yard.remove(source, self.some(list(shown[source])))
        elif kind in ("move", "copy") and filled and len(shown) > 1:
            source = self.one(filled)
            target = self.one([each for each in shown if each != source])
            (yard.move if kind == "move" else yard.copy)(source, target, self.some(list(shown[source])))
        elif shown:
            yard.bring_in(self.one(list(shown)), self.some(list(range(PEOPLE))), by_import=kind == "import")

    def undo(self) -> None:
        """Undoes a random change, which may be refused."""
        if self.yard.model.past:
            self.yard.undo(self.one(list(self.yard.model.past)), skip_changed=self.data.draw(st.booleans()))


NEWEST = ChangeFilter(kind=ChangeKind.ERASE)
MANY = settings(
    max_examples=400 if TORTURE else 40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


@contextmanager
def opened_world(url: str) -> Iterator[World]:
    """Opens the database on an event loop that stays until the end of the block."""
    with asyncio.Runner() as runner:

        async def opened() -> Database:
            return open_database(url, pool_size=2, wait_s=5)

        db = runner.run(opened())
        yield World(runner, db)
        runner.run(db.close())
