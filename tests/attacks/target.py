"""The service under attack: its process and database, an attacker, and a victim that must not be harmed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from leadyard.ids import key_of, new_id
from rig.answers import refusal
from rig.rows import rows_of
from rig.service import Service, Tenant, make_tenant
from tests.attacks import tally
from tests.attacks.requests import Place, Request, header_places, places_of, requests_of

# Every row of the victim contains this text, and no answer to another client may.
PRIVATE = "Victim Private-Name"
# A line of uvicorn, which logs its start and end as plain text.
_PLAIN_LINE = re.compile(r"(INFO|WARNING|ERROR|DEBUG): {2,}\S")
SLOWEST_ANSWER_S = 10.0


@dataclass
class Target:
    """`attacker` has a key for a group with a little of everything; `victim` has another group on the same service."""

    service: Service
    attacker: Tenant
    victim: Tenant
    document: dict[str, Any]
    values: dict[str, str]
    victims_values: dict[str, str]
    seen_of_log: int = 0
    requests: list[Request] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.requests = requests_of(self.document, self.values)
        self.places = places_of(self.document, self.requests)
        self.header_places = header_places(self.requests)
        self.victims_rows = self.rows_of_victim()
        # One connection pool for all attacks, because the connection must also work after a refused request.
        self.client = httpx.Client(base_url=self.service.base_url, timeout=30)
        self.new_log_lines()

    def close(self) -> None:
        """Closes the connections of all clients."""
        for client in (self.client, self.attacker.client, self.victim.client):
            client.close()

    def send(self, request: Request) -> httpx.Response:
        """Sends it with the attacker's key, unless the request has its own Authorization header."""
        headers = {name.encode(): _header(value) for name, value in request.headers.items()}
        if not any(name.lower() == b"authorization" for name in headers):
            headers[b"Authorization"] = f"Bearer {self.attacker.key}".encode()
        content = request.raw
        if request.body is not None:
            content = json.dumps(request.body).encode()
            headers.setdefault(b"Content-Type", b"application/json")
        query = "?" + urlencode(request.query, errors="surrogatepass") if request.query else ""
        return self.client.request(request.method, request.target + query, content=content, headers=headers)

    def attack(self, family: str, place: Place, text: str) -> httpx.Response:
        """Sends the request with the text in that place and judges the answer."""
        return self.judged(family, self.send(place.with_text(text)), place.request, f"{place}: {text[:200]!r}")

    def judged(self, family: str, answer: httpx.Response, request: Request, what: str) -> httpx.Response:
        """Counts the answer. Fails unless the document lists its status, it has our envelope, it is fast, and it
        discloses neither internals nor data of the victim."""
        tally.note(family, answer.status_code)
        # Also 404 and 405, because a text in the path can turn it into another path.
        allowed = request.documented | {404, 405}
        assert answer.status_code in allowed, f"{what}: {answer.status_code} {answer.text[:500]}"
        assert answer.status_code < 500, f"{what}: {answer.text[:500]}"
        assert answer.elapsed.total_seconds() < SLOWEST_ANSWER_S, what
        assert PRIVATE not in answer.text, what
        if answer.status_code >= 400:
            refusal(answer, answer.status_code, answer.json()["error"]["code"])
        elif answer.headers["Content-Type"] == "application/json":
            assert answer.json()["success"] is True, what
        else:
            assert answer.headers["Content-Type"] in ("text/csv; charset=utf-8", "text/html; charset=utf-8"), what
        return answer

    def assert_unharmed(self) -> None:
        """The process lives and answers, has logged no bug and only lines that it made itself, and the victim's rows
        are unchanged."""
        assert self.service.process is not None
        assert self.service.process.poll() is None
        assert self.attacker.client.get("/audiences?limit=1").status_code == 200
        for line in self.new_log_lines():
            assert is_one_line_of_log(line), line[:2_000]
            assert '"unhandled_error"' not in line, line[:2_000]
            assert "Traceback" not in line, line[:2_000]
        assert self.rows_of_victim() == self.victims_rows

    def rows_of_victim(self) -> dict[str, list[tuple[Any, ...]]]:
        """Returns every row of the victim, to be compared with `victims_rows`."""
        return rows_of(self.victim)

    def new_log_lines(self) -> list[str]:
        """Returns the lines logged since the previous call."""
        with self.service.log_file.open("rb") as log:
            log.seek(self.seen_of_log)
            content = log.read()
        whole = content[: content.rfind(b"\n") + 1]
        self.seen_of_log += len(whole)
        return whole.decode(errors="replace").split("\n")[:-1]


def is_one_line_of_log(line: str) -> bool:
    """Returns whether a line is one JSON object of ours, or a line of uvicorn."""
    if not line.startswith("{"):
        return _PLAIN_LINE.match(line) is not None
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def make_target(service: Service) -> Target:
    """Returns a new target on the service, which only the attacks should use."""
    attacker, victim = make_tenant(service, "Attacker"), make_tenant(service, PRIVATE)
    document = httpx.get(f"{service.base_url}/openapi.json").json()
    return Target(service, attacker, victim, document, furnish(attacker, "own"), furnish(victim, PRIVATE))


def furnish(tenant: Tenant, name: str) -> dict[str, str]:
    """Gives the tenant one of everything. Returns texts by the names that parameters and fields have in the API."""
    client = tenant.client

    def made(path: str, body: dict[str, Any], key: str = "id") -> str:
        answer = client.post(path, json=body)
        assert answer.status_code in (201, 202), answer.text
        found: str = answer.json()["data"][key]
        return found

    source, target, filled = (tenant.create_audience(f"{name} {part}") for part in ("source", "target", "filled"))
    leads = tenant.add_leads(source, 4, prefix="kept")
    moved = tenant.move(source, target, leads[:2])
    folder = made("/audiences/folders", {"name": name, "audienceType": "on_demand"})
    urls = ["https://www.linkedin.com/in/somebody"]
    job = made("/prospecting", {"type": "url_upload", "audience": {"name": name}, "profileUrls": urls}, "jobId")
    upload = client.post("/uploads", content=b"email\na@example.com\n", headers={"Content-Type": "text/csv"})
    tenant.sql("UPDATE leads SET first_name = $1 WHERE account_group_id = $2", name, tenant.number)
    gone = client.post("/suppressions", json={"prospects": [{"email": "gone@example.com"}], "reason": name})
    assert gone.status_code == 200, gone.text
    webhook = made("/webhooks", {"url": "https://receiver.invalid/", "description": name})
    delivery = new_id()
    tenant.sql(
        "INSERT INTO webhook_deliveries (account_group_id, webhook_id, event_id, type, status, tries, attempts)"
        " VALUES ($1, $2, $3, 'leads.moved', 'failed', 1, '[]')",
        tenant.number,
        key_of(webhook),
        key_of(delivery),
    )
    return {
        "accountGroupId": tenant.account_group_id,
        "audienceId": source,
        "targetAudienceId": target,
        "sourceAudienceId": source,
        "inAudienceId": source,
        "notInAudienceId": filled,
        "audienceIds": source,
        "folderId": folder,
        "prospectId": leads[3],
        "leadIds": leads[2],
        "moveId": moved.headers["Move-Id"],
        "changeId": moved.headers["Change-Id"],
        "jobId": job,
        "uploadId": upload.json()["data"]["uploadId"],
        "webhookId": webhook,
        "deliveryId": delivery,
        "hash": client.get("/suppressions").json()["data"]["items"][0]["hash"],
        "providerId": "outside-1",
        "id": filled,  # As the audience of a job's body; from then on it answers 409.
        "profileUrls": urls[0],
        "searchUrl": "https://www.linkedin.com/search/results/people/?keywords=cto",
        "postUrl": "https://www.linkedin.com/feed/update/urn:li:activity:7300000000000000000",
    }


def _header(value: str) -> bytes:
    return value.encode("latin-1", "replace")
