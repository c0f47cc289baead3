"""The feed of events: which event each change writes, and how readers page, filter, wait and stream."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from leadyard.ids import NUMBER_BITS, id_of, key_of
from leadyard.model import EventType, Permission
from leadyard.operations.api_keys import revoke_api_key, rotate_api_key
from rig.answers import data_of
from rig.jobs import start
from rig.service import Service, Tenant, make_key, make_tenant, on_database

Event = dict[str, Any]
READER = [Permission.AUDIENCES_READ]


def read(tenant: Tenant, **query: Any) -> dict[str, Any]:
    answer = tenant.client.get("/events", params=query)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def all_events(tenant: Tenant, **query: Any) -> list[Event]:
    """Returns everything that is kept, in pages of 7."""
    data = read(tenant, **{"from": "start", "limit": 7, **query})
    found = list(data["items"])
    while data["hasMore"]:
        data = read(tenant, limit=7, cursor=data["nextCursor"], **query)
        found += data["items"]
    return found


def types_of(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


def last(tenant: Tenant) -> Event:
    return all_events(tenant)[-1]


# ------------------------------------------------------------------------------------------ one event a change


def test_a_move_is_reported_with_both_counts_names_and_leads(tenant: Tenant) -> None:
    source, target = tenant.create_audience("From"), tenant.create_audience("To")
    lead_ids = tenant.add_leads(source, 5)
    moved = tenant.move(source, target, lead_ids[:3])
    event = last(tenant)
    assert event["type"] == "leads.moved"
    assert event["timestamp"].endswith("Z")
    assert event["data"] == {
        "changeId": moved.headers["Change-Id"],
        "jobId": None,
        "sourceAudience": {"id": source, "name": "From", "prospectCount": 2},
        "targetAudience": {"id": target, "name": "To", "prospectCount": 3},
        "leadCount": 3,
        "alreadyInTargetCount": 0,
        "leadIds": lead_ids[:3],
    }


def test_leads_that_are_in_the_target_already_are_counted(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = tenant.add_leads(source, 4)
    tenant.copy(source, target, lead_ids[:2])
    copied = last(tenant)
    assert copied["type"] == "leads.copied"
    assert [copied["data"][side]["prospectCount"] for side in ("sourceAudience", "targetAudience")] == [4, 2]
    tenant.move(source, target, lead_ids)
    moved = last(tenant)
    assert moved["data"]["alreadyInTargetCount"] == 2
    assert [moved["data"][side]["prospectCount"] for side in ("sourceAudience", "targetAudience")] == [0, 4]


def test_every_kind_of_change_has_its_event(tenant: Tenant) -> None:
    client = tenant.client
    source, target = tenant.create_audience("A"), tenant.create_audience("B")
    lead_ids = tenant.add_leads(source, 6)
    tenant.copy(source, target, lead_ids[:2])
    tenant.move(source, target, lead_ids[2:4])
    tenant.remove(target, lead_ids[:1])
    removed = last(tenant)["data"]["changeId"]
    assert client.post(f"/changes/{removed}/undo", json={}).status_code == 200
    assert client.patch(f"/audiences/{source}", json={"name": "AA"}).status_code == 200
    assert client.patch(f"/prospects/{lead_ids[4]}", json={"title": "CTO"}).status_code == 200
    assert client.post(f"/prospects/{lead_ids[4]}/merge", json={"prospectId": lead_ids[5]}).status_code == 200
    assert client.delete(f"/prospects/{lead_ids[4]}").status_code == 200
    assert client.delete(f"/audiences/{target}").status_code == 200
    events = all_events(tenant)
    assert types_of(events) == [
        "audience.created",
        "audience.created",
        "leads.added",
        "leads.copied",
        "leads.moved",
        "leads.removed",
        "change.undone",
        "audience.updated",
        "prospect.updated",
        "prospect.merged",
        "prospect.erased",
        "audience.deleted",
    ]
    data = {event["type"]: event["data"] for event in events}
    assert data["leads.removed"]["sourceAudience"] == {"id": target, "name": "B", "prospectCount": 3}
    assert data["leads.removed"]["targetAudience"] is None
    assert data["change.undone"]["undoneChangeId"] == removed
    assert data["change.undone"]["targetAudience"]["prospectCount"] == 4
    assert data["audience.updated"] == {
        "audienceId": source,
        "name": "AA",
        "type": "on_demand",
        "prospectCount": 4,
        "changed": ["name"],
    }
    assert data["prospect.updated"] == {"prospectId": lead_ids[4]}
    merged = data["prospect.merged"]
    assert (merged["prospectId"], merged["mergedProspectId"]) == (lead_ids[4], lead_ids[5])
    assert (merged["audiences"], merged["audienceCount"]) == ([{"id": source, "prospectCount": 3}], 1)
    assert data["prospect.erased"]["prospectId"] == lead_ids[4]
    assert data["prospect.erased"]["audiences"] == [{"id": source, "prospectCount": 2}]
    assert (data["audience.deleted"]["name"], data["audience.deleted"]["leadCount"]) == ("B", 4)
    # Erased since, so earlier events no longer list this person.
    assert data["leads.added"]["leadCount"] == 6
    assert lead_ids[4] not in data["leads.added"]["leadIds"]


def test_the_fields_of_an_event_are_in_one_order(tenant: Tenant) -> None:
    """JSONB of PostgreSQL would put the shortest names first."""
    tenant.create_audience()
    for _ in ("when it gets its place", "read from the feed"):
        assert list(last(tenant)["data"]) == ["audienceId", "name", "type", "prospectCount"]


def test_events_of_folders_and_of_an_undone_deletion(tenant: Tenant) -> None:
    client = tenant.client
    audience = tenant.create_audience("Kept")
    folder = client.post("/audiences/folders", json={"name": "F", "audienceType": "on_demand"}).json()["data"]["id"]
    assert client.post(f"/audiences/{audience}/move-to-folder", json={"folderId": folder}).status_code == 200
    assert client.delete(f"/audiences/folders/{folder}").status_code == 200
    deleted = client.delete(f"/audiences/{audience}").headers["Change-Id"]
    undone = client.post(f"/changes/{deleted}/undo", json={}).headers["Change-Id"]
    assert client.post(f"/changes/{undone}/undo", json={}).status_code == 200
    events = all_events(tenant, audienceId=audience)
    assert types_of(events) == [
        "audience.created",
        "audience.updated",
        "audience.updated",
        "audience.deleted",
        "change.undone",
        "change.undone",
        "audience.deleted",
    ]
    assert [event["data"]["changed"] for event in events[1:3]] == [["folderId"], ["folderId"]]


def test_a_job_is_reported_from_its_start_to_its_end(tenant: Tenant) -> None:
    job_id = start(tenant)
    assert tenant.client.post(f"/prospecting/{job_id}/cancel").status_code == 200
    events = all_events(tenant)
    assert types_of(events) == ["audience.created", "job.started", "job.cancelled"]
    assert events[1]["data"]["jobId"] == job_id
    assert events[2]["data"]["counts"]["read"] == 0


def test_a_name_is_the_one_at_the_time_of_the_change(tenant: Tenant) -> None:
    source, target = tenant.create_audience("Old"), tenant.create_audience()
    lead_ids = tenant.add_leads(source, 1)
    tenant.move(source, target, lead_ids)
    # Nothing has read the feed between the two.
    assert tenant.client.patch(f"/audiences/{source}", json={"name": "New"}).status_code == 200
    moved, renamed = all_events(tenant)[-2:]
    assert moved["data"]["sourceAudience"]["name"] == "Old"
    assert renamed["data"]["name"] == "New"


def test_an_event_lists_a_hundred_leads_and_the_change_has_the_rest(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = tenant.add_leads(source, 150)
    moved = tenant.move(source, target, lead_ids)
    event = last(tenant)
    assert event["data"]["leadCount"] == 150
    assert event["data"]["leadIds"] == lead_ids[:100]
    assert len(json.dumps(event)) < 20_000
    rest = tenant.walk(f"/changes/{moved.headers['Change-Id']}/prospects")
    assert {each["prospectId"] for each in rest} == set(lead_ids)


def test_what_was_refused_or_rolled_back_has_no_event(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = tenant.add_leads(source, 2)
    before = len(all_events(tenant))
    assert tenant.move(source, target, [*lead_ids, "0" * 24]).status_code == 422
    assert tenant.move(source, source, lead_ids).status_code == 422
    assert tenant.copy(target, source, lead_ids).status_code == 422
    assert tenant.client.delete(f"/audiences/{'0' * 24}").status_code == 404
    assert len(all_events(tenant)) == before


def test_no_event_has_anything_about_a_person(tenant: Tenant) -> None:
    """Values that occur nowhere else: none of them is in the feed, whatever happens to the people."""
    client = tenant.client
    source, target = tenant.create_audience("A"), tenant.create_audience("B")
    secret = {
        "email": "zyxw@example.com",
        "firstName": "Zyxw",
        "title": "Zyxw of Zyxw",
        "company": {"name": "Zyxw Ltd"},
        "customFields": {"zyxw": "zyxw"},
    }
    people = {"prospects": [secret, {"email": "zyxw@@example"}, {**secret, "email": "zyxw2@example.com"}]}
    assert client.post(f"/audiences/{source}/prospects", json=people).status_code == 200
    one, other = tenant.members(source)
    tenant.move(source, target, [one])
    client.patch(f"/prospects/{one}", json={"headline": "Zyxw"})
    job_id = start(tenant, profileUrls=["https://www.linkedin.com/in/zyxw"])
    assert client.post(f"/prospecting/{job_id}/cancel").status_code == 200
    client.post(f"/prospects/{one}/merge", json={"prospectId": other})
    client.delete(f"/prospects/{one}")
    events = all_events(tenant)
    assert len(events) == 10
    assert "zyxw" not in json.dumps(events).lower()
    rows = tenant.sql("SELECT data FROM events WHERE account_group_id = $1", tenant.number)
    assert "zyxw" not in str(rows).lower()


def test_a_repeated_request_with_a_key_has_one_event(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = tenant.add_leads(source, 1)
    for _ in range(2):
        answer = tenant.client.post(
            f"/audiences/{source}/move-leads",
            json={"targetAudienceId": target, "leadIds": lead_ids},
            headers={"Idempotency-Key": "once"},
        )
        assert answer.status_code == 200
    assert types_of(all_events(tenant)).count("leads.moved") == 1


# ------------------------------------------------------------------------------------------ pages and filters


def test_without_a_cursor_the_feed_begins_now(tenant: Tenant) -> None:
    tenant.create_audience()
    now = read(tenant)
    assert (now["items"], now["hasMore"]) == ([], False)
    audience = tenant.create_audience("Next")
    assert [event["data"]["audienceId"] for event in read(tenant, cursor=now["nextCursor"])["items"]] == [audience]


def test_ids_rise_and_a_page_continues_where_the_last_one_ended(tenant: Tenant) -> None:
    audiences = [tenant.create_audience(f"{n}") for n in range(20)]
    events = all_events(tenant)
    assert [event["data"]["audienceId"] for event in events] == audiences
    ids = [event["id"] for event in events]
    assert ids == sorted(set(ids))


def test_filters(tenant: Tenant) -> None:
    source, target, other = (tenant.create_audience(name) for name in "abc")
    lead_ids = tenant.add_leads(source, 2)
    tenant.move(source, target, lead_ids[:1])
    tenant.client.delete(f"/prospects/{lead_ids[1]}")
    assert types_of(all_events(tenant, audienceId=target)) == ["audience.created", "leads.moved"]
    assert types_of(all_events(tenant, audienceId=source))[1:] == ["leads.added", "leads.moved", "prospect.erased"]
    assert types_of(all_events(tenant, audienceId=other)) == ["audience.created"]
    assert types_of(all_events(tenant, types="leads.moved,prospect.erased")) == ["leads.moved", "prospect.erased"]
    assert types_of(all_events(tenant, types="leads.moved", audienceId=other)) == []
    # The cursor of a page without events is at its end all the same.
    empty = read(tenant, **{"from": "start", "types": "job.failed"})
    assert empty["items"] == []
    assert read(tenant, cursor=empty["nextCursor"])["items"] == []


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"types": "leads.moved,leads.flown"}, "types"),
        ({"types": "leads.moved,"}, "types"),
        ({"wait": 31}, "wait"),
        ({"wait": -1}, "wait"),
        ({"limit": 201}, "limit"),
        ({"from": "end"}, "from"),
        ({"cursor": "x"}, "cursor"),
        ({"audienceId": "x"}, "audienceId"),
        ({"after": "1"}, "after"),
    ],
)
def test_wrong_queries_are_refused(tenant: Tenant, query: dict[str, Any], path: str) -> None:
    answer = tenant.client.get("/events", params=query)
    assert answer.status_code == 400
    assert [each["path"] for each in answer.json()["error"]["violations"]] == [path]


def test_a_cursor_is_of_one_feed(service: Service, tenant: Tenant) -> None:
    tenant.create_audience()
    cursor = read(tenant)["nextCursor"]
    other = make_tenant(service)
    answer = other.client.get("/events", params={"cursor": cursor})
    assert answer.status_code == 400
    both = tenant.client.get("/events", params={"cursor": cursor, "from": "start"})
    assert [each["path"] for each in both.json()["error"]["violations"]] == ["from"]
    wrong = tenant.client.get("/events", headers={"Last-Event-ID": "x"})
    assert [each["path"] for each in wrong.json()["error"]["violations"]] == ["Last-Event-ID"]


def test_another_tenant_sees_nothing(service: Service, tenant: Tenant) -> None:
    tenant.create_audience()
    assert all_events(make_tenant(service)) == []


def test_reading_needs_the_permission(tenant: Tenant) -> None:
    client = tenant.new_client(tenant.key_with(Permission.PROSPECTS_READ))
    assert client.get("/events").status_code == 403
    assert tenant.new_client(tenant.key_with(Permission.AUDIENCES_READ)).get("/events").status_code == 200


def test_a_position_before_what_is_kept_is_refused(tenant: Tenant) -> None:
    from leadyard.operations.events.placing import prune_events

    tenant.create_audience("old")
    first = read(tenant, **{"from": "start"})
    tenant.create_audience("older")
    kept_from = all_events(tenant)[-1]["id"]
    # As if the two were forty days old.
    forty_days = 40 * 86_400_000 << NUMBER_BITS
    tenant.sql("UPDATE events SET id = id - $2 WHERE account_group_id = $1", tenant.number, forty_days)
    tenant.create_audience("new")
    on_database(tenant.service.database_url, lambda db: prune_events(db, keep_days=30))
    assert [event["data"]["name"] for event in all_events(tenant)] == ["new"]
    removed = id_of(key_of(kept_from) - forty_days)
    answer = tenant.client.get("/events", headers={"Last-Event-ID": "0" * 24})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "EVENTS_GONE")
    # Nothing after the last removed one is missing.
    resumed = tenant.client.get("/events", headers={"Last-Event-ID": removed})
    assert [event["data"]["name"] for event in resumed.json()["data"]["items"]] == ["new"]
    assert read(tenant, cursor=first["nextCursor"])["items"][0]["data"]["name"] == "new"


# ------------------------------------------------------------------------------------------ waiting


def test_a_waiting_reader_is_answered_at_once(tenant: Tenant) -> None:
    cursor = read(tenant)["nextCursor"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            lambda: (tenant.new_client().get("/events", params={"cursor": cursor, "wait": 20}), time.monotonic())
        )
        time.sleep(0.5)
        assert not waiting.done()
        audience = tenant.create_audience()
        committed = time.monotonic()
        answer, at = waiting.result()
    assert [event["data"]["audienceId"] for event in answer.json()["data"]["items"]] == [audience]
    assert at - committed < 2


def test_a_wait_ends_without_an_event(tenant: Tenant) -> None:
    began = time.monotonic()
    data = read(tenant, wait=1)
    assert (data["items"], data["hasMore"]) == ([], False)
    assert 0.9 < time.monotonic() - began < 10
    audience = tenant.create_audience()
    assert read(tenant, cursor=data["nextCursor"], wait=1)["items"][0]["data"]["audienceId"] == audience


def test_a_waiting_reader_gets_only_what_matches(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    cursor = read(tenant)["nextCursor"]
    with ThreadPoolExecutor(1) as pool:
        query = {"cursor": cursor, "wait": 20, "types": "audience.updated"}
        waiting = pool.submit(tenant.new_client().get, "/events", params=query)
        time.sleep(0.3)
        tenant.create_audience()
        time.sleep(0.3)
        assert not waiting.done()
        tenant.client.patch(f"/audiences/{audience}", json={"name": "Renamed"})
        data = waiting.result().json()["data"]
    assert types_of(data["items"]) == ["audience.updated"]
    assert read(tenant, cursor=data["nextCursor"])["items"] == []


def test_a_commit_of_another_process_wakes_a_reader(
    service: Service, tenant: Tenant, new_service: Callable[..., Service]
) -> None:
    other = new_service(database_url=service.database_url)
    elsewhere = httpx.Client(
        base_url=f"{other.base_url}/v1/accounts/{tenant.account_group_id}",
        headers={"Authorization": f"Bearer {tenant.key}"},
    )
    try:
        cursor = read(tenant)["nextCursor"]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(tenant.new_client().get, "/events", params={"cursor": cursor, "wait": 20})
            time.sleep(0.5)
            assert elsewhere.post("/audiences", json={"name": "x", "type": "on_demand"}).status_code == 201
            committed = time.monotonic()
            assert types_of(waiting.result().json()["data"]["items"]) == ["audience.created"]
            assert time.monotonic() - committed < 3
    finally:
        elsewhere.close()
        other.stop()


# ------------------------------------------------------------------------------------------ streams


class Stream:
    """A client of server-sent events that reads in a thread."""

    def __init__(self, tenant: Tenant, last_event_id: str | None = None, key: str | None = None, **query: Any) -> None:
        self.client = tenant.new_client(key)
        self.events: list[Event] = []
        self.refusals: list[dict[str, Any]] = []
        self.last_id = last_event_id
        self.ended = threading.Event()
        self._headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_event_id} if last_event_id else {})}
        self._query = query
        self.began = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self.began.wait(20)

    def _read(self) -> None:
        try:
            with self.client.stream("GET", "/events", params=self._query, headers=self._headers) as answer:
                self.status, self.headers = answer.status_code, answer.headers
                for line in answer.iter_lines():
                    self.began.set()
                    if line.startswith("id: "):
                        self.last_id = line.removeprefix("id: ")
                    if line.startswith("event: "):
                        kind = line.removeprefix("event: ")
                    if line.startswith("data: "):
                        into = self.refusals if kind == "refused" else self.events
                        into.append(json.loads(line.removeprefix("data: ")))
        except httpx.TransportError:
            pass
        finally:
            self.began.set()
            self.ended.set()

    def wait_for(self, count: int, within_s: float = 20) -> list[Event]:
        deadline = time.monotonic() + within_s
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.events) >= count, self.events
        return self.events

    def close(self) -> None:
        self.client.close()


@pytest.fixture
def streams() -> Iterator[list[Stream]]:
    made: list[Stream] = []
    yield made
    for each in made:
        each.close()


def test_a_stream_sends_what_happens(tenant: Tenant, streams: list[Stream]) -> None:
    tenant.create_audience("before")
    stream = Stream(tenant)
    streams.append(stream)
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    audience = tenant.create_audience("after")
    lead_ids = tenant.add_leads(audience, 1)
    sent = stream.wait_for(2)
    assert types_of(sent) == ["audience.created", "leads.added"]
    assert sent == all_events(tenant)[-2:]
    assert sent[1]["data"]["leadIds"] == lead_ids


def test_a_stream_continues_after_the_last_event(tenant: Tenant, streams: list[Stream]) -> None:
    audiences = [tenant.create_audience(f"{n}") for n in range(5)]
    first = Stream(tenant, **{"from": "start"})
    streams.append(first)
    assert [each["data"]["audienceId"] for each in first.wait_for(5)] == audiences
    again = Stream(tenant, last_event_id=first.events[2]["id"], **{"from": "start"})
    streams.append(again)
    assert [each["data"]["audienceId"] for each in again.wait_for(2)] == audiences[3:]


def test_a_stream_that_cannot_begin_is_refused_as_json(tenant: Tenant) -> None:
    headers = {"Accept": "text/event-stream"}
    answer = tenant.client.get("/events", params={"types": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_a_head_request_sends_no_stream(tenant: Tenant) -> None:
    assert tenant.client.head("/events", headers={"Accept": "text/event-stream"}, timeout=10).status_code == 200


def test_a_stream_ends_soon_after_its_key(tenant: Tenant, streams: list[Stream]) -> None:
    """With events in between and without, for a key that is revoked and for one that expires."""
    revoked, expiring = (make_key(tenant.service.database_url, [tenant.account_group_id], READER) for _ in range(2))
    for _, secret in (revoked, expiring):
        streams.append(Stream(tenant, key=secret))
        streams.append(Stream(tenant, key=secret, types="audience.created"))
    lasting = Stream(tenant)
    streams.append(lasting)
    url = tenant.service.database_url
    on_database(url, lambda db: revoke_api_key(db, api_key_id=revoked[0]))
    on_database(url, lambda db: rotate_api_key(db, api_key_id=expiring[0], overlap_ms=0))
    audience = tenant.create_audience()
    began = time.monotonic()
    while not all(each.ended.wait(0.2) for each in streams[:4]):
        assert time.monotonic() - began < 25
        tenant.add_leads(audience, 1, prefix=f"after-{time.monotonic_ns()}")
    for each in streams[:4]:
        refusal = each.refusals[0]
        assert refusal["error"]["code"] == "UNAUTHORIZED"
        assert (refusal["success"], refusal["data"], len(refusal["traceId"])) == (False, None, 32)
        # So a client with a new key continues where this one was.
        assert each.last_id is not None
        assert each.client.get("/events").json()["error"] == refusal["error"]
    again = Stream(tenant, last_event_id=streams[0].last_id)
    streams.append(again)
    assert not lasting.ended.is_set()
    newest = tenant.create_audience()
    for each in (again, lasting):
        deadline_at = time.monotonic() + 20
        while not any(event["data"].get("audienceId") == newest for event in each.events):
            assert time.monotonic() < deadline_at
            time.sleep(0.05)


def test_a_stop_ends_waits_and_streams_cleanly(new_service: Callable[..., Service], streams: list[Stream]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    stream = Stream(tenant)
    streams.append(stream)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(tenant.new_client().get, "/events", params={"wait": 30})
        time.sleep(0.7)
        assert service.process is not None
        began = time.monotonic()
        service.process.terminate()
        answer = waiting.result()
        assert service.process.wait(10) == 0
    assert answer.status_code == 200
    assert answer.json()["data"]["items"] == []
    assert stream.ended.wait(5)
    assert time.monotonic() - began < 5
    service.process = None


def test_a_reader_that_reads_slowly_holds_up_nobody_and_loses_nothing(
    new_service: Callable[..., Service], streams: list[Stream]
) -> None:
    """It reads nothing while more events happen than the buffers between it and the service hold."""
    service = new_service()
    tenant = make_tenant(service)
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 100)
    quick = Stream(tenant)
    streams.append(quick)
    with SlowStream(tenant, buffer=4_096) as slow:
        moves = 300
        for _ in range(moves // 2):
            for source, target in ((here, there), (there, here)):
                data_of(tenant.move(source, target, leads))
        sent = quick.wait_for(moves)
        assert slow.read_events(moves) == sent
    # A service that is stopped does not wait for a reader that reads nothing.
    with SlowStream(tenant, buffer=4_096, start="start"):
        assert service.process is not None
        service.process.terminate()
        assert service.process.wait(20) == 0
    service.process = None


class SlowStream:
    """A stream of which nothing is read until `read_events`, on a socket with a small buffer."""

    def __init__(self, tenant: Tenant, *, buffer: int, start: str = "") -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", tenant.service.port))
        query = f"?from={start}" if start else ""
        self._socket.sendall(
            f"GET /v1/accounts/{tenant.account_group_id}/events{query} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {tenant.key}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        # The head of the answer, so that the stream has begun.
        self._rest = b""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._socket.recv(1)

    def __enter__(self) -> SlowStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def read_events(self, count: int) -> list[Event]:
        """Reads until it has so many events, and returns them."""
        found: list[Event] = []
        while len(found) < count:
            read = self._socket.recv(65_536)
            assert read, "the service ended the stream"
            *lines, self._rest = (self._rest + read).split(b"\n")
            found += [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: ")]
        return found


def test_the_waiting_readers_of_a_key_are_limited(new_service: Callable[..., Service]) -> None:
    from leadyard.http.admission.readers import MAX_READERS_PER_KEY

    service = new_service()
    tenant = make_tenant(service)
    too_many = 5
    many = httpx.Client(
        base_url=str(tenant.client.base_url),
        headers=tenant.client.headers,
        limits=httpx.Limits(max_connections=None),
        timeout=60,
    )
    with many, ThreadPoolExecutor(MAX_READERS_PER_KEY + too_many) as pool:
        query = {"wait": 30}
        waiting = [pool.submit(many.get, "/events", params=query) for _ in range(MAX_READERS_PER_KEY + too_many)]
        deadline = time.monotonic() + 25
        while sum(each.done() for each in waiting) < too_many:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # Reading without a wait is no matter of this limit, nor are the readers of another key.
        assert tenant.client.get("/events").status_code == 200
        other = tenant.new_client(tenant.key_with(Permission.AUDIENCES_READ))
        assert other.get("/events", params={"wait": 1}).status_code == 200
        refused = [each.result() for each in waiting if each.done()]
        assert {answer.json()["error"]["code"] for answer in refused} == {"TOO_MANY_READERS"}
        assert {answer.status_code for answer in refused} == {429}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        tenant.create_audience()
        statuses = [each.result().status_code for each in waiting]
    assert (statuses.count(200), statuses.count(429)) == (MAX_READERS_PER_KEY, too_many)
    assert tenant.client.get("/events", params={"wait": 1}).status_code == 200
    service.stop()


def test_every_type_is_known_to_the_filter(tenant: Tenant) -> None:
    assert read(tenant, types=",".join(EventType))["items"] == []
