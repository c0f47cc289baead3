"""Clients that change the memberships of the same people in every way at once, and check every answer.

ACTS is the table of what they do. A new way to change memberships needs a function and a line there.
"""

from __future__ import annotations

import itertools
import random
import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from leadyard.ids import id_of
from leadyard.store.db import from_document
from rig.answers import UNKNOWN_ID
from rig.racing import code_of
from rig.service import Tenant
from rig.soak import AUDIENCE, AUDIENCES, GROUP, JOBS, LEAD, MOVE, PROSPECTS, check

CLIENTS = 16
AUDIENCES_AT_FIRST = 6
PEOPLE = 80
# So that the undo of an import, and of a deletion, finds enough of both.
RECENT_CHANGES = 60

COPY = f"{AUDIENCE}/copy-leads"
REMOVE = f"{AUDIENCE}/remove-leads"
UNDO = f"{GROUP}/changes/{{changeId}}/undo"
MERGE = f"{LEAD}/merge"
UPLOADS = f"{GROUP}/uploads"
TRANSFERS = f"{GROUP}/transfers"
# The refusals of a change of leads whose audiences and people other clients are changing.
_GONE = ("NOT_FOUND", "AUDIENCE_NOT_READY", "LEADS_NOT_IN_SOURCE")


@dataclass
class Storm:
    """The state that the clients share. All of it is only a hint: other clients make it wrong all the time."""

    tenant: Tenant
    audiences: list[str]
    changes: deque[str] = field(default_factory=lambda: deque(maxlen=RECENT_CHANGES))
    undos: deque[str] = field(default_factory=lambda: deque(maxlen=RECENT_CHANGES))
    statuses: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    turns: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(cls, tenant: Tenant) -> Storm:
        """Returns a storm with audiences of overlapping people."""
        audiences = [tenant.create_audience(f"Audience {n}") for n in range(AUDIENCES_AT_FIRST)]
        for audience in audiences:
            tenant.add_leads(audience, PEOPLE // 2, prefix="person")
        return cls(tenant, audiences)

    def run(self, acts: dict[Callable[[Client], None], int], enough: Callable[[], bool]) -> None:
        """The clients act until there is enough. `broken` then has every failure."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(self._act, acts, enough, number) for number in range(CLIENTS)]:
                done.result()

    def _act(self, acts: dict[Callable[[Client], None], int], enough: Callable[[], bool], number: int) -> None:
        with self.tenant.new_client() as http:
            client = Client(self, http, random.Random(number))
            while not enough():
                client.name = f"{next(self.turns)}"
                try:
                    client.chance.choices(list(acts), list(acts.values()))[0](client)
                except Exception as error:  # A client that ended here would hide later failures.
                    place = traceback.extract_tb(error.__traceback__)[-1]
                    self.broken.append(
                        f"{type(error).__name__} in line {place.lineno} ({place.line}): {str(error)[:500]}"
                    )


@dataclass
class Client:
    """One client. `name` is different in every turn."""

    storm: Storm
    http: httpx.Client
    chance: random.Random
    name: str = ""

    def ask(self, method: str, route: str, *allowed: str, body: Any = None, **rest: Any) -> httpx.Response:
        """Returns an answer that the document describes: a success or a refusal whose code is allowed. `rest` has the
        ids in the path, `content` and `headers`."""
        sent = {name: rest.pop(name) for name in ("content", "headers", "params") if name in rest}
        path = route.format(accountGroupId="", **rest).removeprefix("/v1/accounts/")
        answer = self.http.request(method, path, json=body, **sent)
        code = "" if answer.is_success else code_of(answer)
        self.storm.statuses[f"{method} {route.removeprefix(GROUP)} {answer.status_code} {code}".strip()] += 1
        check(method, route, answer)
        assert answer.is_success or code in allowed, f"{method} {path}: {answer.text}"
        if "Change-Id" in answer.headers:
            (self.storm.undos if route == UNDO else self.storm.changes).append(answer.headers["Change-Id"])
        return answer

    def any_audiences(self, count: int) -> list[str]:
        return self.chance.sample(self.storm.audiences, count)

    def some_members(self, audience_id: str) -> list[str]:
        """Returns a few people who were in the audience a moment ago, none if it is not there or not ready."""
        answer = self.ask(
            "GET", PROSPECTS, "NOT_FOUND", "AUDIENCE_NOT_READY", audienceId=audience_id, params={"limit": "50"}
        )
        if not answer.is_success:
            return []
        found = [item["id"] for item in answer.json()["data"]["items"]]
        assert len(found) == len(set(found)), "a page lists a person twice"
        return self.chance.sample(found, min(len(found), self.chance.choice((1, 1, 2, 5, 25))))

    def some_emails(self) -> list[str]:
        """Returns addresses of people whom every client adds and changes."""
        numbers = self.chance.sample(range(PEOPLE), self.chance.choice((1, 2, 5, 20)))
        return [f"person-{number}@example.com" for number in numbers]


# -------------------------------------------------------------------------------------------------- what clients do


def move(client: Client) -> None:
    _change(client, MOVE, "movedCount")


def copy(client: Client) -> None:
    _change(client, COPY, "copiedCount")


def _change(client: Client, route: str, counted: str) -> None:
    source, target = client.any_audiences(2)
    leads = client.some_members(source)
    if leads:
        body = {"targetAudienceId": target, "leadIds": leads}
        answer = client.ask("POST", route, *_GONE, body=body, audienceId=source)
        if answer.is_success:
            data = answer.json()["data"]
            # A move also takes those out of the source that are in the target already, and counts them.
            assert data[counted] + (data["alreadyInTargetCount"] if route == COPY else 0) == len(leads)


def remove(client: Client) -> None:
    [source] = client.any_audiences(1)
    leads = client.some_members(source)
    if leads:
        answer = client.ask("POST", REMOVE, *_GONE, body={"leadIds": leads}, audienceId=source)
        assert not answer.is_success or answer.json()["data"]["removedCount"] == len(leads)


def add(client: Client) -> None:
    [audience] = client.any_audiences(1)
    emails = client.some_emails()
    body = {"prospects": [{"email": email, "title": f"Title {client.name}"} for email in emails]}
    answer = client.ask("POST", PROSPECTS, "NOT_FOUND", "AUDIENCE_NOT_READY", body=body, audienceId=audience)
    if answer.is_success:
        data = answer.json()["data"]
        # Two of the addresses may belong to one person, because others merge them.
        assert data["created"] + data["matched"] == len(emails) >= data["added"] + data["alreadyInAudience"]


def undo(client: Client) -> None:
    _undo(client, client.storm.changes)


def undo_undo(client: Client) -> None:
    _undo(client, client.storm.undos)


def _undo(client: Client, known: Sequence[str]) -> None:
    changes = list(known)
    if changes:
        body = {"skipChanged": client.chance.random() < 0.7}
        allowed = ("NOT_FOUND", "AUDIENCE_NOT_READY", "ALREADY_UNDONE", "NOT_UNDOABLE", "CHANGED_SINCE")
        # The newest ones, because most of the others are changed since.
        change = client.chance.choice(changes[-15:])
        answer = client.ask("POST", UNDO, *allowed, body=body, changeId=change)
        if answer.is_success:
            data = answer.json()["data"]
            assert data["undoneCount"] == data["change"]["leadCount"]


def run_import(client: Client) -> None:
    """Starts an import of known and new people into a new audience, or into one that others are changing."""
    emails = [*client.some_emails(), *(f"new-{client.name}-{n}@example.com" for n in range(5))]
    file = "email,company\n" + "".join(f"{email},Acme\n" for email in emails)
    upload = client.ask("POST", UPLOADS, content=file.encode(), headers={"Content-Type": "text/csv"})
    existing = client.chance.random() < 0.5
    audience = {"id": client.any_audiences(1)[0]} if existing else {"name": f"Imported {client.name}"}
    body = {"type": "csv_upload", "audience": audience, "uploadId": upload.json()["data"]["uploadId"]}
    started = client.ask("POST", JOBS, "NOT_FOUND", "AUDIENCE_NOT_READY", "TOO_MANY_JOBS", body=body)
    if started.is_success and client.chance.random() < 0.3:
        client.ask("POST", f"{JOBS}/{{jobId}}/cancel", "JOB_NOT_CANCELLABLE", jobId=started.json()["data"]["jobId"])


def transfer(client: Client) -> None:
    """Starts a transfer of all members or of some, and sometimes cancels it."""
    source, target = client.any_audiences(2)
    leads = client.some_members(source)
    action = client.chance.choice(("move", "copy", "remove"))
    select: dict[str, Any] = client.chance.choice(({"all": True}, {"leadIds": leads or [UNKNOWN_ID]}))
    body: dict[str, Any] = {"action": action, "sourceAudienceId": source, "select": select}
    if leads[1:]:
        body["exclude"] = {"leadIds": leads[1:3]}
    if action != "remove":
        body["targetAudienceId"] = target
    started = client.ask("POST", TRANSFERS, *_GONE, "TOO_MANY_JOBS", body=body)
    if started.is_success and client.chance.random() < 0.3:
        job = started.json()["data"]["jobId"]
        client.ask("POST", f"{TRANSFERS}/{{jobId}}/cancel", "JOB_NOT_CANCELLABLE", jobId=job)


def find_changes_of_jobs(client: Client) -> None:
    """Notes the changes of imports and transfers that have ended, so that clients undo them."""
    answer = client.ask("GET", f"{GROUP}/changes", params={"limit": "20"})
    client.storm.changes.extend(item["id"] for item in answer.json()["data"]["items"] if item["jobId"])


def make_and_delete(client: Client) -> None:
    """Replaces an audience by a new one that has some of its people, and deletes it."""
    answer = client.ask("POST", AUDIENCES, body={"name": f"Made {client.name}", "type": "on_demand"})
    new, [old] = answer.json()["data"]["id"], client.any_audiences(1)
    leads = client.some_members(old)
    if leads:
        client.ask("POST", COPY, *_GONE, body={"targetAudienceId": new, "leadIds": leads}, audienceId=old)
    deleted = client.ask("DELETE", AUDIENCE, "NOT_FOUND", "AUDIENCE_NOT_READY", audienceId=old)
    if deleted.is_success or code_of(deleted) == "NOT_FOUND":
        known = client.storm.audiences
        client.storm.audiences = [new if each == old else each for each in known]


def merge(client: Client) -> None:
    leads = _two_people(client)
    if len(leads) == 2:
        allowed = ("NOT_FOUND", "AUDIENCE_NOT_READY", "SAME_PROSPECT")
        client.ask("POST", MERGE, *allowed, body={"prospectId": leads[1]}, prospectId=leads[0])


def erase(client: Client) -> None:
    for lead in _two_people(client)[:1]:
        client.ask("DELETE", LEAD, "NOT_FOUND", prospectId=lead)


def _two_people(client: Client) -> list[str]:
    return [lead for audience in client.any_audiences(2) for lead in client.some_members(audience)[:1]]


def read(client: Client) -> None:
    """Reads the history of a person, of an audience, and the leads of a change."""
    [audience] = client.any_audiences(1)
    client.ask("GET", f"{GROUP}/changes", params={"audienceId": audience})
    for lead in client.some_members(audience)[:1]:
        client.ask("GET", f"{LEAD}/changes", "NOT_FOUND", prospectId=lead)
    for change in list(client.storm.changes)[-1:]:
        client.ask("GET", f"{GROUP}/changes/{{changeId}}/prospects", "NOT_FOUND", changeId=change)


ACTS: dict[Callable[[Client], None], int] = {
    move: 10,
    copy: 5,
    remove: 3,
    add: 5,
    undo: 8,
    undo_undo: 4,
    run_import: 2,
    transfer: 2,
    find_changes_of_jobs: 2,
    make_and_delete: 2,
    merge: 2,
    erase: 1,
    read: 4,
}
"""The acts of the clients, and how often each happens, in relation to the others."""


# --------------------------------------------------------------------------------------------------------- the record

Members = dict[str, dict[str, int]]
"""Audience → lead → since when."""


def members_of(tenant: Tenant) -> Members:
    """Returns all memberships as the table has them, also in deleted audiences."""
    found: Members = defaultdict(dict)
    rows = tenant.sql(
        "SELECT a.id, m.lead_id, m.added_at FROM memberships m JOIN audiences a"
        " ON a.account_group_id = m.account_group_id AND a.number = m.audience_id WHERE m.account_group_id = $1",
        tenant.number,
    )
    for audience, lead, since in rows:
        found[id_of(audience)][id_of(lead)] = since
    return {audience: leads for audience, leads in found.items() if leads}


def replayed(tenant: Tenant, at_first: Members | None = None) -> Members:
    """Makes all recorded changes on plain dictionaries, in the order of their times, without the code of the service.
    Returns what they leave of `at_first`, the memberships before the record began."""
    rows = tenant.sql(
        "SELECT changed_at, id, -1, source_audience_id, target_audience_id, lead_ids, left_at, entered_at"
        " FROM changes WHERE account_group_id = $1 AND lead_ids IS NOT NULL",
        tenant.number,
    ) + tenant.sql(
        "SELECT p.changed_at, p.change_id, p.position, c.source_audience_id,"
        " COALESCE(p.target_audience_id, c.target_audience_id), p.lead_ids, p.left_at, p.entered_at"
        " FROM change_parts p JOIN changes c ON c.account_group_id = p.account_group_id AND c.id = p.change_id"
        " WHERE p.account_group_id = $1 AND NOT p.is_planned",
        tenant.number,
    )
    found: Members = defaultdict(dict, {audience: dict(leads) for audience, leads in (at_first or {}).items()})
    for at, _, _, source, target, *lists in sorted(rows, key=lambda row: row[:3]):
        leads, left_at, entered_at = map(from_document, lists)
        for place, lead in enumerate(leads):
            if not lead:
                continue
            if source is not None and left_at is not None and left_at[place] is not None:
                found[id_of(source)].pop(id_of(lead), None)
            since = at if entered_at is None else entered_at[place]
            if target is not None and since is not None:
                found[id_of(target)][id_of(lead)] = since
    return {audience: leads for audience, leads in found.items() if leads}
