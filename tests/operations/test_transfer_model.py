"""Random transfers and undos by jobs, in parts of a few leads, agree with plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.typing import EventDict

from leadyard.errors import AlreadyUndone, NotFound, NotUndoable
from leadyard.model import (
    ChangeKind,
    Job,
    JobStatus,
    MemberFilter,
    Selection,
    SelectionFilter,
    TransferAction,
    TransferPreview,
    TransferRequest,
)
from leadyard.operations.changes.reading import get_change, list_changed_leads
from leadyard.operations.changes.undoing import undo_change
from leadyard.operations.jobs.leases import claim_this_job
from leadyard.operations.jobs.transfers import get_transfer, preview_transfer, start_transfer
from rig.jobs import LEASE_MS, run_of
from rig.racing import TORTURE
from rig.undo_model import MANY, PEOPLE, Chooser, Past, World, Yard, opened_world

LEADS_A_PART = 2
pytestmark = pytest.mark.timeout(3600 if TORTURE else 120)
KINDS = {
    TransferAction.MOVE: ChangeKind.MOVE,
    TransferAction.COPY: ChangeKind.COPY,
    TransferAction.REMOVE: ChangeKind.REMOVE,
}


class TransferYard(Yard):
    """A yard with transfers. Every undo is made by a job."""

    def run(self, job: Job) -> Job:
        """Runs the job until it has ended, as a worker does, one claim after the other."""

        async def work() -> Job:
            while (found := await get_transfer(self.db, self.caller, job_id=job.id)).status in ("queued", "running"):
                claimed = await claim_this_job(self.db, self.caller.account_group_id, job.id, lease_ms=LEASE_MS)
                assert claimed is not None, found
                await run_of(self.db, claimed).run()
            return found

        return self.do(work())

    def preview(self, asked: TransferRequest) -> TransferPreview:
        return self.do(preview_transfer(self.db, self.caller, asked=asked))

    def transfer(self, asked: TransferRequest, leads: list[str]) -> None:
        """Makes a transfer, which must select these leads, in the service and in the model."""
        action, source, target = asked.action, asked.source_audience_id, asked.target_audience_id
        here = self.model.members[source]
        there = self.model.members[target] if target is not None else {}
        already = [lead for lead in leads if lead in there]
        shown = self.preview(asked)
        ended = self.run(self.do(start_transfer(self.db, self.caller, asked=asked)))
        assert ended.status is JobStatus.COMPLETED, ended.error
        assert (shown.count, shown.already_in_target_count) == (len(leads), len(already))
        assert [each.lead.id for each in shown.sample] == leads
        assert (ended.counts.selected, ended.counts.applied) == (len(leads), len(leads))
        assert ended.counts.already_in_audience == len(already)
        if not leads:
            assert ended.change_id is None
            return
        assert ended.change_id is not None
        change = self.do(get_change(self.db, self.caller, change_id=ended.change_id))
        assert (change.kind, change.lead_count, change.job_id) == (KINDS[action], len(leads), ended.id)
        assert change.already_in_target_count == len(already)
        lines: dict[str, tuple[int | None, bool]] = {}
        for lead in leads:
            left_at = None if action is TransferAction.COPY else here.pop(lead)
            enters = action is not TransferAction.REMOVE and lead not in there
            if enters:
                there[lead] = change.changed_at
            lines[lead] = (left_at, enters)
        self.model.remember(change.id, Past(KINDS[action], source, target, lines))
        assert len(here) == shown.source_count_after
        assert shown.target_count_after == (None if target is None else len(there))
        listed, _ = self.do(list_changed_leads(self.db, self.caller, change_id=change.id, after=0, limit=100))
        assert [each.lead_id for each in listed] == leads
        if target is not None:
            assert [each.lead_id for each in listed if each.was_in_target] == already

    def undo(self, change_id: str, *, skip_changed: bool) -> str | None:
        past, changed = self.model.past[change_id], self.model.changed(change_id)
        sides = [each for each in (past.source, past.target) if each is not None]
        reason: type[Exception] | None = None
        if any(self.model.deleted_by.get(each, change_id) != change_id for each in sides):
            reason = NotFound
        elif past.is_undone:
            reason = AlreadyUndone
        elif past.kind is ChangeKind.ERASE:
            reason = NotUndoable
        work = undo_change(self.db, self.caller, change_id=change_id, skip_changed=skip_changed)
        if reason is not None:
            with pytest.raises(reason):
                self.do(work)
            return None
        result = self.do(work)
        assert isinstance(result, Job)
        job = self.run(result)
        if changed and not skip_changed:
            assert job.error is not None
            assert (job.status, job.error.code) == (JobStatus.FAILED, "CHANGED_SINCE")
            assert set(job.error.extra["leadIds"]) == set(changed)
            assert job.error.extra["leadCount"] == len(changed)
            return None
        assert job.status is JobStatus.COMPLETED and job.change_id is not None, job
        undo = self.do(get_change(self.db, self.caller, change_id=job.change_id))
        for each in sides:
            self.model.deleted_by.pop(each, None)
        undone = self.model.undo(change_id, undo.id, undo.changed_at)
        assert (undo.lead_count, job.counts.selected, job.counts.applied) == (undone, undone, undone)
        assert job.counts.skipped == past.count - undone
        assert self.do(get_change(self.db, self.caller, change_id=change_id)).undone_by_change_id == undo.id
        return undo.id


class TransferChooser(Chooser):
    yard: TransferYard

    def transfer(self) -> None:
        """Makes a random transfer, of none to all leads of an audience."""
        shown = self.yard.model.shown
        if len(shown) < 2:
            return
        source = self.one(list(shown))
        others = [each for each in shown if each != source]
        action = self.one(list(TransferAction))
        members = dict(sorted(shown[source].items()))
        selection = self.selection(members, others)
        asked = TransferRequest(
            action=action,
            source_audience_id=source,
            target_audience_id=None if action is TransferAction.REMOVE else self.one(others),
            selection=selection,
        )
        leads = [lead for lead in members if self.is_selected(selection, lead, members)]
        self.yard.transfer(asked, leads if selection.limit is None else leads[: selection.limit])

    def selection(self, members: dict[str, int], others: list[str]) -> Selection:
        everybody = sorted(self.yard.model.people.values())
        excluded = tuple(self.some(everybody)) if everybody and self.maybe() else ()
        limit = self.data.draw(st.integers(1, 5)) if self.maybe() else None
        if members and self.maybe():
            return Selection(lead_ids=tuple(self.some(list(members))), excluded=excluded, limit=limit)
        wanted = SelectionFilter(
            members=MemberFilter(
                q=f"{self.data.draw(st.integers(0, 9))}@example.com" if self.maybe() else None,
                has_email=self.data.draw(st.booleans()) if self.maybe() and self.maybe() else None,
                added_after=self.one(list(members.values())) if members and self.maybe() else None,
                added_before=self.one(list(members.values())) + 1 if members and self.maybe() else None,
            ),
            in_audience_id=self.one(others) if self.maybe() else None,
            not_in_audience_id=self.one(others) if self.maybe() else None,
        )
        return Selection(filter=wanted, excluded=excluded, limit=limit)

    def is_selected(self, selection: Selection, lead: str, members: dict[str, int]) -> bool:
        wanted, model = selection.filter, self.yard.model
        email = next(email for email, each in model.people.items() if each == lead)
        inside, outside = wanted.in_audience_id, wanted.not_in_audience_id
        texts, after, before = wanted.members.q, wanted.members.added_after, wanted.members.added_before
        return (
            lead not in selection.excluded
            and (selection.lead_ids is None or lead in selection.lead_ids)
            and (texts is None or texts in email)
            and wanted.members.has_email is not False
            and (after is None or members[lead] > after)
            and (before is None or members[lead] < before)
            and (inside is None or lead in model.members[inside])
            and (outside is None or lead not in model.members[outside])
        )

    def maybe(self) -> bool:
        return self.data.draw(st.integers(0, 2)) == 0


@pytest.fixture(scope="module")
def world(migrated_database: Callable[[], str]) -> Iterator[World]:
    with opened_world(migrated_database()) as opened:
        yield opened


@pytest.fixture(autouse=True)
def log() -> Iterator[list[EventDict]]:
    """The log lines. They would take longer than the jobs."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part has two leads, and each undo is one of a large change."""
    monkeypatch.setattr("leadyard.operations.selecting.LEADS_A_PART", LEADS_A_PART)
    monkeypatch.setattr("leadyard.operations.changes.undoing.MAX_LEADS_PER_UNDO", -1)


@MANY
@given(data=st.data())
def test_transfers_changes_and_undos_in_any_order_agree_with_the_model(world: World, data: st.DataObject) -> None:
    yard = TransferYard(world)
    chooser = TransferChooser(yard, data)
    for _ in range(data.draw(st.integers(4, 16))):
        steps: list[Callable[[], Any]] = [
            lambda: chooser.change(may_erase=True),
            chooser.transfer,
            chooser.transfer,
            chooser.undo,
        ]
        steps[data.draw(st.integers(0, len(steps) - 1))]()
        yard.agree()
    yard.check_up()


@MANY
@given(data=st.data())
def test_transfers_undone_in_reverse_order_restore_every_state_before(world: World, data: st.DataObject) -> None:
    yard = TransferYard(world)
    chooser = TransferChooser(yard, data)
    for audience in yard.audiences:
        yard.bring_in(audience, chooser.some(list(range(PEOPLE))), by_import=True)
    states, made = [dict(yard.model.shown)], list(yard.model.past)
    states = [{audience: dict(found) for audience, found in yard.model.shown.items()}]
    undoable: list[str] = []
    for _ in range(data.draw(st.integers(1, 6))):
        chooser.transfer()
        new = [each for each in yard.model.past if each not in made]
        made += new
        if new:
            undoable += new
            states.append({audience: dict(found) for audience, found in yard.model.shown.items()})
    undone: list[str] = []
    for change_id, before in zip(reversed(undoable), reversed(states[:-1]), strict=True):
        undo_id = yard.undo(change_id, skip_changed=False)
        assert undo_id is not None
        undone.append(undo_id)
        yard.agree()
        assert yard.model.shown == before
    yard.check_up()
    for undo_id, after in zip(reversed(undone), states[1:], strict=True):
        assert yard.undo(undo_id, skip_changed=False) is not None
        yard.agree()
        assert yard.model.shown == after
    yard.check_up()
