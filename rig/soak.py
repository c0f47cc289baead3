"""A mixed load at the rate limit: clients that send valid and invalid requests, and check every single answer."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from leadyard.model import Permission
from rig.answers import UNKNOWN_ID, data_of, refusal
from rig.racing import UNKNOWN_OUTCOME, assert_documented_503, code_of
from rig.service import Tenant

CLIENTS = 8
# Each client has one of these, and a group allows less than its keys together.
KEYS = 2
RATE_LIMITS = "key=25/second;group=40/second;guesses=5/minute;address=off"
# Shorter than the Retry-After of the answers: a client that waited that long would never reach the limit again.
PAUSE_S, AWAY_PAUSE_S = 0.02, 0.1
# Before the service ends an idle connection (5 s), so that no client sends a request on a closing connection.
KEEP_ALIVE_S = 2.0

ACCOUNTS = "/v1/accounts"
GROUP = "/v1/accounts/{accountGroupId}"
AUDIENCES = f"{GROUP}/audiences"
AUDIENCE = f"{AUDIENCES}/{{audienceId}}"
NAVIGATION = f"{AUDIENCES}/navigation"
PROSPECTS = f"{AUDIENCE}/prospects"
EXPORT = f"{AUDIENCE}/prospects.csv"
MOVE = f"{AUDIENCE}/move-leads"
TO_FOLDER = f"{AUDIENCE}/move-to-folder"
FOLDERS = f"{AUDIENCES}/folders"
FOLDER = f"{FOLDERS}/{{folderId}}"
LEAD = f"{GROUP}/prospects/{{prospectId}}"
MOVES = f"{GROUP}/moves"
MOVE_RECORD = f"{MOVES}/{{moveId}}"
JOBS = f"{GROUP}/prospecting"
JOB = f"{JOBS}/{{jobId}}"
CANCEL = f"{JOB}/cancel"


@dataclass(frozen=True)
class Seen:
    """One answer: when the request was sent and when the answer arrived (seconds of the monotonic clock)."""

    method: str
    route: str
    status: int
    code: str
    began: float
    ended: float


@dataclass
class Soak:
    """The state that the clients share: the leads they all move, and the answers they got."""

    tenant: Tenant
    # Audiences that no client deletes. Each lead of the pool is in exactly one of them; `where` is only a hint in
    # which.
    audiences: list[str]
    where: dict[str, str]
    at_first: dict[str, str]
    keys: list[str]
    seen: list[Seen] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    moves: dict[str, tuple[str, str, frozenset[str]]] = field(default_factory=dict)
    unknown_moves: int = 0
    added: dict[str, set[str]] = field(default_factory=dict)
    perhaps_added: dict[str, set[str]] = field(default_factory=dict)
    once: dict[str, set[str]] = field(default_factory=dict)
    turns: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def of(cls, tenant: Tenant, *, audiences: int, leads_each: int) -> Soak:
        """Returns a soak with a filled pool and existing keys."""
        made = [tenant.create_audience(f"Stable {n}") for n in range(audiences)]
        soak = cls(tenant, made, {}, {}, [tenant.key, *(tenant.key_with(*Permission) for _ in range(KEYS - 1))])
        for number, audience in enumerate(made):
            soak.where.update(dict.fromkeys(tenant.add_leads(audience, leads_each, f"pool{number}"), audience))
            soak.added[audience], soak.perhaps_added[audience] = set(), set()
        soak.at_first.update(soak.where)
        return soak

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """The clients send requests while the block runs. `broken` contains every failure."""
        stop = threading.Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(self._run, number, stop) for number in range(CLIENTS)]
            try:
                yield
            finally:
                stop.set()
                for each in running:
                    each.result()

    def _run(self, number: int, stop: threading.Event) -> None:
        chance = random.Random(next(self.turns))
        limits = httpx.Limits(keepalive_expiry=KEEP_ALIVE_S)
        url = self.tenant.service.base_url
        with httpx.Client(base_url=url, timeout=90, verify=False, limits=limits) as client:
            visitor = Visitor(self, client, self.keys[number % KEYS], chance)
            while not stop.is_set():
                visitor.name = str(next(self.turns))
                try:
                    chance.choices(list(ACTS), list(ACTS.values()))[0](visitor)
                except Exception as error:  # A client that ended here would hide later failures.
                    self.broken.append(f"{time.monotonic():.3f} {type(error).__name__}: {str(error)[:500]}")
                    stop.wait(PAUSE_S)

    def succeeded_since(self, moment: float) -> bool:
        """Whether both a reader and a writer that sent a request after this moment have received a 2xx."""
        ok = {seen.method for seen in self.seen[-500:] if seen.began > moment and 200 <= seen.status < 300}
        return ok >= {"GET", "POST"}

    def told(self) -> dict[str, int]:
        """Returns how many answers there were of each status and code."""
        return dict(sorted(Counter(f"{seen.status} {seen.code}".strip() for seen in self.seen).items()))


@dataclass
class Visitor:
    """One client. `name` is different in every turn."""

    soak: Soak
    client: httpx.Client
    key: str
    chance: random.Random
    name: str = ""

    def ask(self, method: str, route: str, *allowed: str, body: Any = None, **rest: Any) -> httpx.Response:
        """Returns an answer that the document describes: a 2xx, a refusal whose code is allowed, a 429 or a 503.

        `rest` contains `params`, `headers`, and the ids in the path.
        """
        headers = {"Authorization": f"Bearer {self.key}", **rest.pop("headers", {})}
        params = rest.pop("params", None)
        path = route.format(accountGroupId=self.soak.tenant.account_group_id, **rest)
        began = time.monotonic()
        answer = self.client.request(method, path, json=body, headers=headers, params=params)
        code = "" if answer.is_success else code_of(answer)
        self.soak.seen.append(Seen(method, route, answer.status_code, code, began, time.monotonic()))
        check(method, route, answer)
        assert answer.is_success or code in {*allowed, "RATE_LIMITED", "SERVICE_UNAVAILABLE"}, answer.text
        if code in ("RATE_LIMITED", "SERVICE_UNAVAILABLE"):
            time.sleep(PAUSE_S if code == "RATE_LIMITED" else AWAY_PAUSE_S)
        return answer

    def any_audience(self) -> str:
        return self.chance.choice(self.soak.audiences)


# ------------------------------------------------------------------------------------------------- what clients do


def move(visitor: Visitor) -> None:
    """Moves a few leads; other clients may be moving some of them at the same time. Half of the moves have a key and
    are sent twice."""
    soak, chance = visitor.soak, visitor.chance
    source, target = chance.sample(soak.audiences, 2)
    here = [lead for lead, audience in soak.where.copy().items() if audience == source] or list(soak.where)
    leads = frozenset(chance.sample(here, min(len(here), chance.choice((1, 2, 5, 25)))))
    key = {"headers": {"Idempotency-Key": visitor.name}} if chance.random() < 0.5 else {}
    body = {"targetAudienceId": target, "leadIds": sorted(leads)}
    allowed = ("LEADS_NOT_IN_SOURCE", "IDEMPOTENCY_CONFLICT")
    for _ in range(2 if key else 1):
        answer = visitor.ask("POST", MOVE, *allowed, body=body, audienceId=source, **key)
        if is_unknown(answer):
            soak.unknown_moves += 1
        elif answer.is_success:
            assert answer.json()["data"]["movedCount"] == len(leads)
            move_id = answer.headers["Move-Id"]
            if key:
                soak.once.setdefault(visitor.name, set()).add(same_every_time(answer))
            soak.moves[move_id] = (source, target, leads)
            soak.where.update(dict.fromkeys(leads, target))


def add(visitor: Visitor) -> None:
    """Adds new people, whom no client moves."""
    soak, audience = visitor.soak, visitor.any_audience()
    emails = {f"new-{visitor.name}-{n}@example.com" for n in range(visitor.chance.randint(1, 5))}
    body = {"prospects": [{"email": email} for email in sorted(emails)]}
    answer = visitor.ask("POST", PROSPECTS, body=body, audienceId=audience)
    if is_unknown(answer):
        soak.perhaps_added[audience] |= emails
    elif answer.is_success:
        data = answer.json()["data"]
        assert (data["created"], data["added"], data["rejected"]) == (len(emails), len(emails), [])
        soak.added[audience] |= emails


def make_once(visitor: Visitor) -> None:
    """Sends the same request with the same key until it was answered twice, like a client that received no answer."""
    body, headers = {"name": f"Once {visitor.name}", "type": "on_demand"}, {"Idempotency-Key": visitor.name}
    told = []
    for _ in range(6):
        answer = visitor.ask("POST", AUDIENCES, "IDEMPOTENCY_CONFLICT", body=body, headers=headers)
        if answer.is_success:
            told.append(same_every_time(answer))
            visitor.soak.once.setdefault(visitor.name, set()).add(told[-1])
            assert len(told) == 1 or answer.headers["Idempotency-Replayed"] == "true"
        if len(told) == 2:
            return


def make_and_delete(visitor: Visitor) -> None:
    answer = visitor.ask("POST", AUDIENCES, body={"name": f"Brief {visitor.name}", "type": "on_demand"})
    if answer.is_success:
        audience = answer.json()["data"]["id"]
        visitor.ask("PATCH", AUDIENCE, body={"description": "Soon gone."}, audienceId=audience)
        visitor.ask("GET", AUDIENCE, audienceId=audience)
        visitor.ask("DELETE", AUDIENCE, audienceId=audience)


def sort_into_folder(visitor: Visitor) -> None:
    answer = visitor.ask("POST", FOLDERS, body={"name": f"Folder {visitor.name}", "audienceType": "on_demand"})
    if answer.is_success:
        folder = answer.json()["data"]["id"]
        visitor.ask("POST", TO_FOLDER, body={"folderId": folder}, audienceId=visitor.any_audience())
        visitor.ask("PATCH", FOLDER, body={"isPinned": True}, folderId=folder)
        visitor.ask("DELETE", FOLDER, folderId=folder)


def run_job(visitor: Visitor) -> None:
    """Starts a job; sometimes cancels it; deletes its audience, which is refused as long as the job works."""
    urls = [f"https://www.linkedin.com/in/{visitor.name}-{n}" for n in range(3)]
    body = {"type": "url_upload", "audience": {"name": f"Job {visitor.name}"}, "profileUrls": urls}
    started = visitor.ask("POST", JOBS, body=body)
    if not started.is_success:
        return
    job = started.json()["data"]["jobId"]
    if visitor.chance.random() < 0.3:
        visitor.ask("POST", CANCEL, "JOB_NOT_CANCELLABLE", jobId=job)
    found = visitor.ask("GET", JOB, jobId=job)
    if found.is_success:
        visitor.ask("DELETE", AUDIENCE, "AUDIENCE_NOT_READY", audienceId=found.json()["data"]["audienceId"])


def read(visitor: Visitor) -> None:
    audience = visitor.any_audience()
    lead = visitor.chance.choice(list(visitor.soak.where))
    moves = list(visitor.soak.moves)
    choices: list[Callable[[], object]] = [
        lambda: visitor.ask("GET", ACCOUNTS),
        lambda: visitor.ask("GET", AUDIENCE, audienceId=audience),
        lambda: visitor.ask("GET", LEAD, prospectId=lead),
        lambda: visitor.ask("GET", NAVIGATION),
        lambda: visitor.ask("GET", JOBS, params={"limit": 5}),
        lambda: visitor.ask("GET", EXPORT, audienceId=audience),
    ]
    if moves:
        choices.append(lambda: visitor.ask("GET", MOVE_RECORD, moveId=visitor.chance.choice(moves)))
    visitor.chance.choice(choices)()


def walk(visitor: Visitor) -> None:
    """Reads a few pages. No row may come twice."""
    route = visitor.chance.choice((AUDIENCES, PROSPECTS, MOVES))
    ids = {"audienceId": visitor.any_audience()} if route == PROSPECTS else {}
    params, met = {"limit": "20"}, []
    for _ in range(3):
        answer = visitor.ask("GET", route, params=params, **ids)
        if not answer.is_success:
            return
        data = answer.json()["data"]
        met += [item["id"] for item in data["items"]]
        assert len(met) == len(set(met))
        if not data["hasMore"]:
            return
        params = {**params, "cursor": data["nextCursor"]}


def be_wrong(visitor: Visitor) -> None:
    """Sends a request that must be refused, and only with the refusal meant for it."""
    audience = visitor.any_audience()
    nobody = {"targetAudienceId": UNKNOWN_ID, "leadIds": [UNKNOWN_ID]}
    same = {"targetAudienceId": audience, "leadIds": [UNKNOWN_ID]}
    wrong_key = {"Authorization": f"Bearer {visitor.key[:-1]}{'0' if visitor.key[-1] != '0' else '1'}"}
    choices: list[tuple[str, str, str, dict[str, Any]]] = [
        ("POST", AUDIENCES, "VALIDATION_ERROR", {"body": {"name": "", "x": 1}}),
        ("GET", AUDIENCES, "VALIDATION_ERROR", {"params": {"limit": "0"}}),
        ("GET", MOVE_RECORD, "NOT_FOUND", {"moveId": UNKNOWN_ID}),
        ("POST", MOVE, "NOT_FOUND", {"body": nobody, "audienceId": audience}),
        ("POST", MOVE, "SAME_AUDIENCE", {"body": same, "audienceId": audience}),
        ("GET", AUDIENCE, "UNAUTHORIZED", {"audienceId": audience, "headers": wrong_key}),
    ]
    method, route, code, rest = visitor.chance.choice(choices)
    assert not visitor.ask(method, route, code, **rest).is_success


# How often, in relation to each other.
ACTS: dict[Callable[[Visitor], None], int] = {
    move: 10,
    read: 6,
    walk: 3,
    add: 4,
    make_once: 2,
    make_and_delete: 1,
    sort_into_folder: 1,
    run_job: 2,
    be_wrong: 3,
}


# ---------------------------------------------------------------------------------------------------- correct answers


def check(method: str, route: str, answer: httpx.Response) -> None:
    """Asserts that the document has this status for the route, and that head and body are as documented there."""
    validator = validator_of(method, route, answer.status_code)
    if validator is None:
        assert answer.headers["Content-Type"].startswith("text/csv")
        return
    if answer.is_success:
        data_of(answer, answer.status_code)
    else:
        refusal(answer, answer.status_code, code_of(answer))
    validator.validate(answer.json())
    if answer.status_code == 503:
        assert_documented_503(answer)


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parents[1] / "openapi.json").read_text(encoding="utf-8"))
    return found


@cache
def validator_of(method: str, route: str, status: int) -> Draft202012Validator | None:
    """Returns the validator for such a body, None for CSV. Fails when the document does not contain the answer."""
    described = document()["paths"][route][method.lower()]["responses"]
    assert str(status) in described, f"{method} {route} does not document a {status}."
    content = described[str(status)]["content"]
    if "text/csv" in content:
        return None
    schema = {**content["application/json"]["schema"], "components": document()["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def is_unknown(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and UNKNOWN_OUTCOME in answer.json()["error"]["details"]


def same_every_time(answer: httpx.Response) -> str:
    """Returns what must be the same in every answer to one idempotent request."""
    return f"{answer.status_code} {answer.headers.get('Move-Id')} {answer.text}"
