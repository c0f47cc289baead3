"""Clients that read everything about a big change while it is made, and must never see half of it."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from rig.answers import data_of, refusal
from rig.jobs import ENDED
from rig.racing import assert_documented_503
from rig.service import Tenant

BEFORE, HIDDEN, AFTER = "before", "hidden", "after"
_PAGE = 200
_PAUSE_S = 0.1


@dataclass(frozen=True)
class Whole:
    """A whole state: the numbers of members of both audiences, and those of them that one lead is in."""

    counts: tuple[int, int]
    of_lead: frozenset[str]


@dataclass
class Onlookers:
    """Readers of a change of two audiences by one job. `lead` is one of the leads of the change.

    Each looks again and again, in its own way, whatever dies. It must see the state before, then nothing at all, and
    then the state after, or the state before again if `comes_back`.
    """

    tenant: Tenant
    source: str
    target: str
    lead: str
    before: Whole
    after: Whole
    leads: int
    comes_back: bool = False
    job_id: str = ""
    seen: dict[str, list[str]] = field(default_factory=dict)
    answers: int = 0
    broken: list[str] = field(default_factory=list)
    _recorded: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """They look while the block runs. Afterwards all of them must have seen whole states only, in their order, and
        the last one when the job has ended."""
        self._recorded = len(self._changes(self.tenant.client))
        views = (self._list, self._lead, self._members, self._record, self._job)
        threads = [threading.Thread(target=self._look, args=(view,)) for view in views]
        for thread in threads:
            thread.start()
        try:
            yield
            # Each of them looks once more after the end of the job.
            time.sleep(10 * _PAUSE_S)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(120)
        assert not self.broken, f"{len(self.broken)}, the first: {self.broken[:3]}"
        print(f"\n{self.answers} answers, {self.seen}")
        path = (BEFORE, HIDDEN, BEFORE if self.comes_back else AFTER)
        for name, states in self.seen.items():
            rest = iter(path)
            assert all(state in rest for state in states) and states[-1] == path[-1], f"{name}: {states}"

    def _look(self, view: Callable[[httpx.Client], str]) -> None:
        states = self.seen.setdefault(view.__name__, [])
        with self.tenant.new_client() as client:
            while not self._stop.is_set():
                try:
                    state = view(client)
                    self.answers += 1
                    if not states or states[-1] != state:
                        states.append(state)
                except httpx.TransportError:
                    # The server is dead.
                    time.sleep(0.1)
                except _Unavailable:
                    time.sleep(0.1)
                except Exception as error:  # One that ended here would look no more.
                    place = traceback.extract_tb(error.__traceback__)[-1]
                    self.broken.append(f"{view.__name__}, line {place.lineno}: {error!r:.500}")
                time.sleep(_PAUSE_S)

    def _list(self, client: httpx.Client) -> str:
        """The list of audiences has both with their exact counts, or none of them."""
        items = _read(client, "/audiences", limit=_PAGE)["items"]
        return self._state(
            tuple({item["id"]: item["prospectCount"] for item in items}.get(each) for each in self._both)
        )

    def _lead(self, client: httpx.Client) -> str:
        """A lead shows the audiences that it is in, with their exact counts, or none of both."""
        shown = {each["id"]: each["prospectCount"] for each in _read(client, f"/prospects/{self.lead}")["audiences"]}
        shown = {audience: count for audience, count in shown.items() if audience in self._both}
        if not shown:
            return HIDDEN
        for state, whole in ((BEFORE, self.before), (AFTER, self.after)):
            counts = dict(zip(self._both, whole.counts, strict=True))
            if shown == {audience: counts[audience] for audience in whole.of_lead}:
                return state
        raise AssertionError(f"the lead shows {shown}")

    def _members(self, client: httpx.Client) -> str:
        """The target lists all of its members, or refuses."""
        answer = client.get(f"/audiences/{self.target}/prospects", params={"limit": _PAGE})
        if answer.status_code == 409:
            refusal(answer, 409, "AUDIENCE_NOT_READY")
            return HIDDEN
        found = len(_data(answer)["items"])
        states = {min(self.before.counts[1], _PAGE): BEFORE, min(self.after.counts[1], _PAGE): AFTER}
        assert found in states, f"a page of {found} members"
        return states[found]

    def _record(self, client: httpx.Client) -> str:
        """The record has the whole change or nothing of it."""
        new = self._changes(client)[: -self._recorded or None]
        if not new:
            return BEFORE
        assert [(each["jobId"], each["leadCount"]) for each in new] == [(self.job_id, self.leads)], new
        return AFTER

    def _job(self, client: httpx.Client) -> str:
        """The job names its change once it has completed, and not before."""
        if not self.job_id:
            return BEFORE
        job = _read(client, f"/transfers/{self.job_id}")
        assert (job["changeId"] is not None) == (job["status"] == "completed"), job
        if job["status"] not in ENDED:
            return HIDDEN
        return AFTER if job["status"] == "completed" else BEFORE

    def _changes(self, client: httpx.Client) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = _read(client, "/changes", audienceId=self.source, limit=_PAGE)["items"]
        return items

    @property
    def _both(self) -> tuple[str, str]:
        return self.source, self.target

    def _state(self, counts: tuple[int | None, ...]) -> str:
        states = {self.before.counts: BEFORE, (None, None): HIDDEN, self.after.counts: AFTER}
        assert counts in states, f"half of it: {counts}"
        return states[counts]


class _Unavailable(Exception):
    """The answer was a documented 503: the database is away."""


def _data(answer: httpx.Response) -> Any:
    if answer.status_code == 503:
        assert_documented_503(answer)
        raise _Unavailable
    return data_of(answer)


def _read(client: httpx.Client, path: str, **query: Any) -> Any:
    return _data(client.get(path, params=query))
