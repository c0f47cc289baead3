"""Webhooks of a real service, on both databases: managed by clients, sent to real receivers (contract section 32)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from leadyard.ids import key_of, new_id
from rig.answers import ID, TIME, UNKNOWN_ID, data_of, refusal
from rig.racing import on_postgresql_only
from rig.receivers import CLOSES, Received, Receivers
from rig.service import Service, Tenant, make_tenant
from tests.webhooks.conftest import HERE, create

KEYS = {
    "id", "url", "types", "audienceIds", "description", "status", "disabledReason", "createdAt", "lastSuccessAt",
    "failingSince",
}  # fmt: skip
FAR = "https://receiver.example/hook"


def get(tenant: Tenant, webhook_id: str) -> Any:
    return data_of(tenant.client.get(f"/webhooks/{webhook_id}"))


def deliveries(tenant: Tenant, webhook_id: str, **query: Any) -> list[Any]:
    items: list[Any] = data_of(tenant.client.get(f"/webhooks/{webhook_id}/deliveries", params=query))["items"]
    return items


def wait_until(is_so: Any, *, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_webhook_is_created_listed_changed_and_deleted(hooks: Tenant) -> None:
    made = create(hooks, FAR, description="  Mine ", types=["leads.moved", "leads.moved"])
    assert set(made) == KEYS | {"secret"}
    assert ID.fullmatch(made["id"])
    assert TIME.fullmatch(made["createdAt"])
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) == 50
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert shown == {
        **shown, "url": FAR, "types": ["leads.moved"], "audienceIds": [], "description": "Mine", "status": "active",
        "disabledReason": None, "lastSuccessAt": None, "failingSince": None,
    }  # fmt: skip
    assert get(hooks, made["id"]) == shown
    other = create(hooks, FAR)
    page = data_of(hooks.client.get("/webhooks", params={"limit": 1}))
    assert (page["items"], page["hasMore"]) == ([shown], True)
    rest = data_of(hooks.client.get("/webhooks", params={"cursor": page["nextCursor"]}))
    assert [each["id"] for each in rest["items"]] == [other["id"]]
    audience = hooks.create_audience()
    body = {"types": [], "audienceIds": [audience], "status": "paused", "url": f"{FAR}?x"}
    changed = data_of(hooks.client.patch(f"/webhooks/{made['id']}", json=body))
    assert changed == {**shown, **body}
    assert get(hooks, made["id"]) == changed
    assert data_of(hooks.client.delete(f"/webhooks/{made['id']}")) == {"deleted": True}
    refusal(hooks.client.get(f"/webhooks/{made['id']}"), 404, "NOT_FOUND")
    refusal(hooks.client.delete(f"/webhooks/{made['id']}"), 404, "NOT_FOUND")


@pytest.mark.parametrize("url", ["http://8.8.8.8/", "https://10.0.0.1/", "https://user@receiver.example/", "ftp://x"])
def test_a_url_that_is_not_allowed_is_refused(hooks: Tenant, url: str) -> None:
    refusal(hooks.client.post("/webhooks", json={"url": url}), 422, "URL_NOT_ALLOWED")
    made = create(hooks, FAR)
    answer = hooks.client.patch(f"/webhooks/{made['id']}", json={"url": url, "description": "x"})
    refusal(answer, 422, "URL_NOT_ALLOWED")
    assert get(hooks, made["id"])["description"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": ""}, {"url": FAR, "types": ["webhook.test"]}, {"url": FAR, "types": "leads.moved"},
        {"url": FAR, "audienceIds": ["x"]}, {"url": FAR, "status": "paused"}, {"url": f"https://{'a' * 2000}"},
        {"url": FAR, "secret": "whsec_x"},
    ],
)  # fmt: skip
def test_a_malformed_webhook_is_refused(hooks: Tenant, body: Any) -> None:
    refusal(hooks.client.post("/webhooks", json=body), 400, "VALIDATION_ERROR")


def test_a_webhook_is_not_for_an_audience_that_does_not_exist(hooks: Tenant) -> None:
    """`f` 24 times is well-formed and cannot be the id of anything."""
    known, deleted = hooks.create_audience(), hooks.create_audience()
    for unknown in (new_id(), "f" * 24):
        answer = hooks.client.post("/webhooks", json={"url": FAR, "audienceIds": [known, unknown]})
        assert unknown in refusal(answer, 404, "NOT_FOUND")["details"]
    made = create(hooks, FAR, audienceIds=[known, deleted])
    refusal(hooks.client.patch(f"/webhooks/{made['id']}", json={"audienceIds": [new_id()]}), 404, "NOT_FOUND")
    data_of(hooks.client.delete(f"/audiences/{deleted}"))
    refusal(hooks.client.post("/webhooks", json={"url": FAR, "audienceIds": [deleted]}), 404, "NOT_FOUND")
    # The webhook keeps an audience that was deleted later, because an undo may bring the audience back.
    kept = data_of(hooks.client.patch(f"/webhooks/{made['id']}", json={"audienceIds": [deleted]}))
    assert kept["audienceIds"] == [deleted]


def test_a_client_cannot_disable_a_webhook(hooks: Tenant) -> None:
    made = create(hooks, FAR)
    for body in ({"status": "disabled"}, {"status": "deleted"}, {}):
        refusal(hooks.client.patch(f"/webhooks/{made['id']}", json=body), 400, "VALIDATION_ERROR")


def test_an_account_group_has_at_most_twenty(hooks: Tenant) -> None:
    made = [create(hooks, FAR)["id"] for _ in range(20)]
    refusal(hooks.client.post("/webhooks", json={"url": FAR}), 422, "TOO_MANY_WEBHOOKS")
    data_of(hooks.client.delete(f"/webhooks/{made[0]}"))
    create(hooks, FAR)


def test_an_event_arrives_signed(hooks: Tenant, receiving: Receivers) -> None:
    receiver = receiving.start()
    made = create(hooks, receiver.url)
    source, target = hooks.create_audience("Source"), hooks.create_audience("Target")
    leads = hooks.add_leads(source, 3)
    moved = hooks.move(source, target, leads[:2])
    got = receiver.wait_for(4)
    for each in got:
        each.verify(made["secret"])
        assert each.headers["content-type"] == "application/json"
        assert abs(float(each.headers["webhook-timestamp"]) - time.time()) < 60
        assert set(each.body) == {"id", "type", "timestamp", "data"}
        assert each.id == each.body["id"]
        assert len(each.text.encode()) < 20_000
    assert [each.body["type"] for each in got] == ["audience.created", "audience.created", "leads.added", "leads.moved"]
    data = got[-1].body["data"]
    assert data["changeId"] == moved.headers["Move-Id"]
    assert sorted(data["leadIds"]) == sorted(leads[:2])
    assert (data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"]) == (1, 2)
    assert "lead-0@example.com" not in got[2].text
    wait_until(lambda: get(hooks, made["id"])["lastSuccessAt"] is not None)
    wait_until(lambda: len(deliveries(hooks, made["id"])) == 4)
    newest = deliveries(hooks, made["id"])[0]
    assert newest == {
        "id": got[-1].id, "eventId": got[-1].id, "type": "leads.moved", "status": "delivered", "nextAttemptAt": None,
        "attempts": newest["attempts"],
    }  # fmt: skip
    [attempt] = newest["attempts"]
    assert (attempt["statusCode"], attempt["error"]) == (204, None)
    assert TIME.fullmatch(attempt["at"])
    assert 0 <= attempt["durationMs"] < 10_000


def test_a_webhook_gets_only_what_it_wants(hooks: Tenant, receiving: Receivers) -> None:
    by_type, by_audience, everything = receiving.start(), receiving.start(), receiving.start()
    first = hooks.create_audience("First")
    create(hooks, by_type.url, types=["leads.removed"])
    create(hooks, by_audience.url, audienceIds=[first])
    create(hooks, everything.url)
    second = hooks.create_audience("Second")
    leads = hooks.add_leads(second, 2)
    data_of(hooks.client.post(f"/audiences/{second}/remove-leads", json={"leadIds": leads[:1]}))
    hooks.move(second, first, leads[1:])
    assert [each.body["type"] for each in everything.wait_for(4)] == [
        "audience.created", "leads.added", "leads.removed", "leads.moved",
    ]  # fmt: skip
    assert [each.body["type"] for each in by_type.wait_for(1)] == ["leads.removed"]
    assert [each.body["type"] for each in by_audience.wait_for(1)] == ["leads.moved"]


def test_a_rotated_secret_signs_beside_the_old_one(hooks: Tenant, receiving: Receivers) -> None:
    receiver = receiving.start()
    made = create(hooks, receiver.url)
    rotated = data_of(hooks.client.post(f"/webhooks/{made['id']}/rotate-secret"))
    assert rotated["secret"] != made["secret"]
    assert set(rotated) == KEYS | {"secret"}
    hooks.create_audience()
    [got] = receiver.wait_for(1)
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    got.verify(made["secret"])
    got.verify(rotated["secret"])


def test_secrets_are_stored_encrypted(hooks: Tenant) -> None:
    key = {"Idempotency-Key": "create-a-webhook"}
    first = hooks.client.post("/webhooks", json={"url": FAR}, headers=key)
    made = data_of(first, 201)
    again = hooks.client.post("/webhooks", json={"url": FAR}, headers=key)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    for table in ("webhooks", "idempotency_answers"):
        stored = str(hooks.sql(f"SELECT * FROM {table} WHERE account_group_id = $1", hooks.number))
        assert len(stored) > 50
        assert made["secret"].removeprefix("whsec_") not in stored
        assert "whsec_" not in stored
    assert made["secret"] not in hooks.client.get("/webhooks").text


def test_a_test_message_is_sent_at_once(hooks: Tenant, receiving: Receivers) -> None:
    receiver, failing = receiving.start(200), receiving.start(500)
    made, other = create(hooks, receiver.url), create(hooks, failing.url)
    data_of(hooks.client.patch(f"/webhooks/{made['id']}", json={"status": "paused"}))
    result = data_of(hooks.client.post(f"/webhooks/{made['id']}/test"))
    assert set(result) == {"statusCode", "durationMs", "error"}
    assert (result["statusCode"], result["error"]) == (200, None)
    [got] = receiver.received
    got.verify(made["secret"])
    assert (got.body["type"], got.body["data"]) == ("webhook.test", {"webhookId": made["id"]})
    result = data_of(hooks.client.post(f"/webhooks/{other['id']}/test"))
    assert (result["statusCode"], result["error"]) == (500, "STATUS")
    nowhere = create(hooks, "https://receiver.invalid/")
    result = data_of(hooks.client.post(f"/webhooks/{nowhere['id']}/test"))
    assert (result["statusCode"], result["error"]) == (None, "ADDRESS_NOT_ALLOWED")
    assert deliveries(hooks, made["id"]) == []


def test_a_failed_delivery_is_sent_again_with_the_same_id(hooks: Tenant, receiving: Receivers) -> None:
    def first_fails(request: Received) -> int:
        return 500 if request.number == 0 else 200

    receiver = receiving.start(first_fails)
    made = create(hooks, receiver.url)
    hooks.create_audience()
    receiver.wait_for(1)
    wait_until(lambda: deliveries(hooks, made["id"], status="pending"))
    [pending] = deliveries(hooks, made["id"], status="pending")
    assert [(each["statusCode"], each["error"]) for each in pending["attempts"]] == [(500, "STATUS")]
    assert TIME.fullmatch(pending["nextAttemptAt"])
    assert get(hooks, made["id"])["failingSince"] is not None
    wait_until(lambda: deliveries(hooks, made["id"], status="delivered"))
    first, second = receiver.received
    assert first.id == second.id
    assert 4.9 < second.at - first.at < 9
    [delivered] = deliveries(hooks, made["id"])
    assert [each["statusCode"] for each in delivered["attempts"]] == [500, 200]
    assert get(hooks, made["id"])["failingSince"] is None


def test_retry_after_is_never_undercut(hooks: Tenant, receiving: Receivers) -> None:
    receiver = receiving.start(lambda request: 503 if request.number == 0 else 200, more_headers="Retry-After: 8\r\n")
    create(hooks, receiver.url)
    hooks.create_audience()
    wait_until(lambda: len(receiver.received) == 1)
    # The receiver asked for silence, so this waits as well.
    hooks.create_audience()
    receiver.wait_for(2)
    assert min(each.at for each in receiver.received[1:]) - receiver.received[0].at > 7.9
    assert len(receiver.received) == 3


def test_410_disables_at_once_and_the_others_learn_of_it(hooks: Tenant, receiving: Receivers) -> None:
    gone, other = receiving.start(410), receiving.start()
    made = create(hooks, gone.url)
    create(hooks, other.url, types=["webhook.disabled"])
    hooks.create_audience()
    [told] = other.wait_for(1)
    assert told.body["data"] == {"webhookId": made["id"], "reason": "gone"}
    shown = get(hooks, made["id"])
    assert (shown["status"], shown["disabledReason"]) == ("disabled", "gone")
    hooks.create_audience()
    time.sleep(1)
    assert len(gone.received) == 1
    # A client may set it to active again. It continues where it stopped.
    gone.manner = lambda _: 200
    active = data_of(hooks.client.patch(f"/webhooks/{made['id']}", json={"status": "active"}))
    assert (active["status"], active["disabledReason"], active["failingSince"]) == ("active", None, None)
    assert [each.body["type"] for each in gone.wait_for(3)][1:] != []


def test_five_days_of_failures_disable(hooks: Tenant, receiving: Receivers) -> None:
    failing, other = receiving.start(500), receiving.start()
    made = create(hooks, failing.url)
    create(hooks, other.url, types=["webhook.disabled"])
    hooks.create_audience()
    wait_until(lambda: get(hooks, made["id"])["failingSince"] is not None)
    # Five days ago, less a minute, and then five days ago.
    day_ms = 24 * 3_600_000
    for since, status in ((5 * day_ms - 60_000, "active"), (5 * day_ms, "disabled")):
        before = len(failing.received)
        hooks.sql(
            "UPDATE webhooks SET failing_since = $1, hold_until = 0 WHERE account_group_id = $2 AND failing_since > 0",
            round(time.time() * 1000) - since,
            hooks.number,
        )
        hooks.create_audience()
        wait_until(lambda before=before: len(failing.received) > before)
        time.sleep(0.5)
        assert get(hooks, made["id"])["status"] == status
    assert get(hooks, made["id"])["disabledReason"] == "failing"
    assert other.wait_for(1)[0].body["data"]["reason"] == "failing"


def test_a_paused_webhook_continues_where_it_stopped(hooks: Tenant, receiving: Receivers) -> None:
    receiver = receiving.start()
    made = create(hooks, receiver.url)
    data_of(hooks.client.patch(f"/webhooks/{made['id']}", json={"status": "paused"}))
    hooks.create_audience()
    hooks.create_audience()
    time.sleep(1)
    assert receiver.received == []
    data_of(hooks.client.patch(f"/webhooks/{made['id']}", json={"status": "active"}))
    receiver.wait_for(2)


def test_redeliver_and_replay_send_again_with_the_same_ids(hooks: Tenant, receiving: Receivers) -> None:
    receiver = receiving.start()
    made = create(hooks, receiver.url)
    hooks.create_audience("Before")
    receiver.wait_for(1)
    time.sleep(0.01)
    began = time.time()
    for name in ("A", "B"):
        hooks.create_audience(name)
    ids = [each.id for each in receiver.wait_for(3)]
    wait_until(lambda: len(deliveries(hooks, made["id"], status="delivered")) == 3)
    again = data_of(hooks.client.post(f"/webhooks/{made['id']}/deliveries/{ids[0]}/redeliver"))
    assert (again["id"], again["status"]) == (ids[0], "pending")
    wait_until(lambda: receiver.times()[ids[0]] == 2)
    moments = {"from": _iso(began), "to": _iso(time.time())}
    data_of(hooks.client.post(f"/webhooks/{made['id']}/replay", json=moments))
    wait_until(lambda: len(receiver.received) == 6)
    time.sleep(0.6)
    assert receiver.times() == {ids[0]: 2, ids[1]: 2, ids[2]: 2}
    assert [len(each["attempts"]) for each in deliveries(hooks, made["id"])] == [2, 2, 2]
    # A new event still comes once.
    hooks.create_audience("C")
    receiver.wait_for(4)
    wrong = {"from": moments["to"], "to": moments["from"]}
    refusal(hooks.client.post(f"/webhooks/{made['id']}/replay", json=wrong), 400, "VALIDATION_ERROR")


def test_a_replay_of_events_that_wait_anyway_sends_each_once(hooks: Tenant, receiving: Receivers) -> None:
    """Some of them are to be retried, and others were never sent."""
    began = time.time() - 1
    receiver = receiving.start(500)
    made = create(hooks, receiver.url)
    hooks.create_audience("Failed")
    wait_until(lambda: deliveries(hooks, made["id"], status="pending"))
    data_of(hooks.client.patch(f"/webhooks/{made['id']}", json={"status": "paused"}))
    hooks.create_audience("New")
    receiver.manner = lambda _: 200
    before = len(receiver.received)
    # The retry becomes due while the webhook is paused, so all of them come together.
    time.sleep(6.5)
    moments = {"from": _iso(began), "to": _iso(time.time())}
    data_of(hooks.client.post(f"/webhooks/{made['id']}/replay", json=moments))
    data_of(hooks.client.patch(f"/webhooks/{made['id']}", json={"status": "active"}))
    wait_until(lambda: len(deliveries(hooks, made["id"], status="delivered")) == 2)
    time.sleep(0.6)
    names = [each.body["data"]["name"] for each in receiver.received[before:]]
    assert sorted(names) == ["Failed", "New"]


def _iso(seconds: float) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{rest:03d}Z"


def test_the_events_of_an_audience_stay_in_order_and_few_run_at_once(hooks: Tenant, receiving: Receivers) -> None:
    receiver = receiving.start(delay_s=0.03)
    audiences = [hooks.create_audience(str(n)) for n in range(6)]
    create(hooks, receiver.url)
    for n in range(8):
        for audience in audiences:
            data_of(hooks.client.patch(f"/audiences/{audience}", json={"name": f"{n}"}))
    got = receiver.wait_for(48)
    assert len(got) == 48
    for audience in audiences:
        names = [each.body["data"]["name"] for each in got if each.body["data"]["audienceId"] == audience]
        assert names == [str(n) for n in range(8)]
    assert 2 <= receiver.most_at_once <= 4


def test_a_deleted_webhook_gets_nothing_and_leaves_nothing(hooks: Tenant, receiving: Receivers) -> None:
    receiver = receiving.start()
    made = create(hooks, receiver.url)
    hooks.create_audience()
    receiver.wait_for(1)
    data_of(hooks.client.delete(f"/webhooks/{made['id']}"))
    hooks.create_audience()
    rows = "SELECT count(*) FROM webhooks WHERE account_group_id = $1"
    wait_until(lambda: hooks.sql(rows, hooks.number) == [(0,)])
    assert hooks.sql("SELECT count(*) FROM webhook_deliveries WHERE account_group_id = $1", hooks.number) == [(0,)]
    assert len(receiver.received) == 1


def test_other_tenants_and_keys_without_the_permission_see_nothing(hooks: Tenant) -> None:
    made = create(hooks, FAR)
    other = make_tenant(hooks.service)
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"description": "x"}),
        ("DELETE", "", None),
        ("POST", "/rotate-secret", None),
        ("POST", "/test", None),
        ("GET", "/deliveries", None),
        ("POST", f"/deliveries/{UNKNOWN_ID}/redeliver", None),
        ("POST", "/replay", {"from": "2026-01-01T00:00:00Z"}),
    ):
        answer = other.client.request(method, f"/webhooks/{made['id']}{path}", json=body)
        refusal(answer, 404, "NOT_FOUND"), path
    assert data_of(other.client.get("/webhooks"))["items"] == []
    missing = hooks.client.post(f"/webhooks/{made['id']}/deliveries/{UNKNOWN_ID}/redeliver")
    refusal(missing, 404, "NOT_FOUND")
    other.client.close()


@pytest.mark.parametrize(("status", "error"), [(302, "REDIRECT"), (CLOSES, "CONNECTION_CLOSED")])
def test_what_is_no_success_is_a_failure(hooks: Tenant, receiving: Receivers, status: int, error: str) -> None:
    trap = receiving.start()
    receiver = receiving.start(status, more_headers=f"Location: {trap.url}\r\n")
    made = create(hooks, receiver.url)
    hooks.create_audience()
    wait_until(lambda: deliveries(hooks, made["id"]))
    [delivery] = deliveries(hooks, made["id"])
    assert (delivery["status"], delivery["attempts"][0]["error"]) == ("pending", error)
    assert trap.received == []


def test_without_the_key_of_its_secret_a_webhook_sends_nothing_until_a_rotation(
    new_service: Callable[..., Service], receiving: Receivers
) -> None:
    """The database was moved to an installation with another secret key."""
    settings = {"LEADYARD_WEBHOOK_NETWORKS": HERE, "LEADYARD_WORKER_IN_SERVE": "on"}
    service = new_service(**settings)
    tenant = make_tenant(service)
    receiver = receiving.start()
    made = create(tenant, receiver.url)
    # As if sealed with another key: this webhook's text, under the name of another one.
    other = create(tenant, FAR)
    [(theirs,)] = tenant.sql("SELECT secrets FROM webhooks WHERE id = $1", key_of(other["id"]))
    tenant.sql("UPDATE webhooks SET secrets = $1 WHERE id = $2", theirs, key_of(made["id"]))
    tenant.create_audience()
    refusal(tenant.client.post(f"/webhooks/{made['id']}/test"), 422, "SECRET_UNREADABLE")
    wait_until(lambda: any(line["event"] == "webhook_secret_unreadable" for line in service.log_lines(while_busy=True)))
    assert receiver.received == []
    rotated = data_of(tenant.client.post(f"/webhooks/{made['id']}/rotate-secret"))
    [got] = receiver.wait_for(1)
    got.verify(rotated["secret"])
    assert " " not in got.headers["webhook-signature"]
    tenant.client.close()


@on_postgresql_only
def test_without_a_secret_key_there_are_no_webhooks(new_service: Callable[..., Service]) -> None:
    tenant = make_tenant(new_service(LEADYARD_SECRET_KEY=""))
    refusal(tenant.client.post("/webhooks", json={"url": FAR}), 422, "SECRET_KEY_MISSING")
    assert data_of(tenant.client.get("/webhooks"))["items"] == []
    tenant.client.close()
