"""Webhooks: the client accepts exactly the signatures that the reference library of Standard Webhooks makes."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from leadyard_client import errors, models, verify_webhook
from rig.python_clients import Recorded
from rig.receivers import receivers

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = 1_770_000_000
EVENT = {
    "id": "507f1f77bcf86cd799439011",
    "type": "prospect.updated",
    "timestamp": "2026-01-31T09:30:00.250Z",
    "data": {"prospectId": "507f1f77bcf86cd799439012"},
}


def signed(body: str, *, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body)
    return {"Webhook-Id": "msg_1", "WEBHOOK-TIMESTAMP": str(at), "webhook-signature": signature}


def test_an_event_is_returned_as_the_class_of_its_type() -> None:
    body = json.dumps(EVENT)
    event = verify_webhook(SECRET, signed(body), body.encode(), now=NOW)
    assert isinstance(event, models.ProspectUpdated)
    assert event.data.prospect_id == "507f1f77bcf86cd799439012"
    newer = json.dumps({**EVENT, "type": "moon.landed"})
    unknown = verify_webhook(SECRET, signed(newer), newer.encode(), now=NOW)
    assert isinstance(unknown, models.Event)
    assert (unknown.type, unknown.data) == ("moon.landed", EVENT["data"])


def test_after_a_rotation_any_of_the_signatures_and_any_of_the_secrets_fits() -> None:
    other = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    body = json.dumps(EVENT)
    headers = signed(body)
    both = {
        **headers,
        "webhook-signature": f"{signed(body, secret=other)['webhook-signature']} v1a,x {headers['webhook-signature']}",
    }
    assert verify_webhook(SECRET, both, body.encode(), now=NOW).id == EVENT["id"]
    assert verify_webhook([other, SECRET], headers, body.encode(), now=NOW).id == EVENT["id"]
    with pytest.raises(errors.WebhookVerificationError):
        verify_webhook(other, headers, body.encode(), now=NOW)
    # Many receivers keep the secret without its prefix.
    assert verify_webhook(SECRET.removeprefix("whsec_"), headers, body.encode(), now=NOW).id == EVENT["id"]


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_time_within_five_minutes_is_accepted_and_a_second_more_is_not(seconds: int) -> None:
    body = json.dumps(EVENT)
    verify_webhook(SECRET, signed(body, at=NOW + seconds), body.encode(), now=NOW)
    further = NOW + seconds + (1 if seconds > 0 else -1)
    with pytest.raises(errors.WebhookVerificationError, match="300 s"):
        verify_webhook(SECRET, signed(body, at=further), body.encode(), now=NOW)
    verify_webhook(SECRET, signed(body, at=further), body.encode(), now=NOW, tolerance_s=301)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "١٧"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": None},
        {"webhook-id": None},
        {"webhook-timestamp": None},
    ],
)
def test_a_request_that_was_changed_is_refused(change: dict[str, Any]) -> None:
    body = json.dumps(EVENT)
    headers = {name.lower(): value for name, value in signed(body).items()}
    changed = {name: value for name, value in {**headers, **change}.items() if value is not None}
    with pytest.raises(errors.WebhookVerificationError):
        verify_webhook(SECRET, changed, body.encode(), now=NOW)


def test_every_single_changed_bit_of_the_body_is_noticed() -> None:
    body = json.dumps(EVENT).encode()
    headers = signed(body.decode())
    for at in range(len(body)):
        wrong = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        with pytest.raises(errors.WebhookVerificationError):
            verify_webhook(SECRET, headers, wrong, now=NOW)


@pytest.mark.parametrize("body", ["", "[]", "not JSON", '{"type": 1}', '{"type": "prospect.updated"}', "null"])
def test_a_signed_body_that_is_not_an_event_is_refused(body: str) -> None:
    with pytest.raises(errors.WebhookVerificationError, match="not an event"):
        verify_webhook(SECRET, signed(body), body.encode(), now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_?", "whsec_é"])
def test_a_malformed_secret_is_a_mistake_of_the_receiver(secret: str) -> None:
    with pytest.raises(ValueError, match="not valid"):
        verify_webhook(secret, {}, b"")


def test_the_webhooks_of_a_service_are_verified(client: Recorded) -> None:
    with receivers() as receiving:
        receiver = receiving.start()
        made = client.create_webhook(url=receiver.url)
        client.test_webhook(made.id)
        audience = client.create_audience(name="Announced", type="on_demand")
        receiver.wait_for(2)
        test, created = (verify_webhook(made.secret, each.headers, each.text.encode()) for each in receiver.received)
        client.delete_webhook(made.id)
    assert isinstance(test, models.WebhookTestMessage)
    assert isinstance(created, models.AudienceCreated)
    assert created.data.audience_id == audience.id
