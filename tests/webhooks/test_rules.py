"""The rules of webhooks without a service: retries, the order of requests, messages, signatures, secrets."""

from __future__ import annotations

import asyncio
import json
import random
import string
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from leadyard.clock import now_ms
from leadyard.ids import new_id
from leadyard.model import MAX_AUDIENCES_PER_EVENT, MAX_EVENT_BODY_BYTES, DeliveryStatus, Event, EventType, Sending
from leadyard.operations.webhooks import retries
from leadyard.sealing import Sealer, Unreadable
from leadyard.webhooks.messages import event_text, sample_message
from leadyard.webhooks.signing import Signer, new_secret
from leadyard.worker.webhooks.in_order import AT_A_TIME, audiences_of, send_in_order

DAY_MS = 24 * 3_600_000


# ------------------------------------------------------------------------------------------ retries


def test_the_plan_of_the_contract() -> None:
    hours = [retries.PLAN_S[n] / 3_600 for n in range(len(retries.PLAN_S))]
    assert [round(each, 4) for each in hours] == [0.0014, 0.0833, 0.5, 2, 5, 10, 14, 20, 24]
    for tries, planned_s in enumerate(retries.PLAN_S, start=1):
        waits = [_wait_s(tries, asked_s=None) for _ in range(200)]
        assert planned_s <= min(waits) < max(waits) <= planned_s * 1.2
        assert max(waits) > planned_s * 1.1, "retries of one outage spread out"
    assert retries.after_failure(retries.MAX_TRIES, now=0, asked_s=None) == (DeliveryStatus.FAILED, None)


def test_retry_after_may_only_make_it_later() -> None:
    assert _wait_s(1, asked_s=90) == 90
    assert _wait_s(2, asked_s=1) >= 300
    assert _wait_s(1, asked_s=10**9) == 24 * 3_600
    assert retries.asked_hold_ms(429, 10) == 10_000
    assert retries.asked_hold_ms(503, 10**6) == 3_600_000
    assert retries.asked_hold_ms(500, 10) == retries.asked_hold_ms(429, None) == 0


def _wait_s(tries: int, *, asked_s: int | None) -> float:
    status, at = retries.after_failure(tries, now=5_000, asked_s=asked_s)
    assert status is DeliveryStatus.PENDING
    assert at is not None
    return (at - 5_000) / 1000


def test_a_receiver_that_fails_is_tried_less_and_less_often() -> None:
    now = now_ms()
    pauses = [retries.pause_ms(now - seconds * 1000, now=now) for seconds in (0, 59, 60, 120, 299, 300, 10**6)]
    assert pauses == [0, 0, 6_000, 12_000, 29_900, 30_000, 30_000]
    assert not retries.has_failed_too_long(now - 5 * DAY_MS + 1, now=now)
    assert retries.has_failed_too_long(now - 5 * DAY_MS, now=now)
    assert not retries.has_failed_too_long(None, now=now)


# ------------------------------------------------------------------------------------------ order


@pytest.mark.parametrize("seed", range(20))
def test_events_of_an_audience_never_overlap_and_few_run_at_once(seed: int) -> None:
    draw = random.Random(seed)
    audiences = [new_id() for _ in range(4)]
    sendings = [_sending(*draw.sample(audiences, draw.choice((1, 2)))) for _ in range(60)]
    running: set[str] = set()
    began: list[str] = []
    at_most = 0
    is_first = True

    async def send(sending: Sending) -> bool:
        nonlocal at_most, is_first
        mine = audiences_of(sending.event)
        for other in running:
            assert not mine & by_id[other], "an event has overtaken another one of its audience"
        began.append(sending.event.id)
        running.add(sending.event.id)
        at_most = max(at_most, len(running))
        assert not is_first or len(running) == 1, "one request until the receiver has answered"
        await asyncio.sleep(draw.choice((0, 0.001, 0.003)))
        running.discard(sending.event.id)
        succeeded = draw.random() < 0.5
        is_first = is_first and not succeeded
        return succeeded

    by_id = {each.event.id: audiences_of(each.event) for each in sendings}
    sent = asyncio.run(send_in_order(sendings, send, is_over=lambda: len(began) >= 45))
    assert began == [each.event.id for each in sendings[:sent]], "what was sent is the beginning of the list"
    assert 45 <= sent <= 45 + AT_A_TIME
    assert 1 < at_most <= AT_A_TIME


def _sending(source: str, target: str | None = None) -> Sending:
    event = Event(
        id=new_id(), type=EventType.LEADS_MOVED, occurred_at=1, data={}, source_audience_id=source,
        target_audience_id=target,
    )  # fmt: skip
    return Sending(event=event)


def test_an_event_about_a_person_concerns_all_its_audiences() -> None:
    audiences = [{"id": "a", "prospectCount": 1}, {"id": "b", "prospectCount": 2}]
    data = {"prospectId": new_id(), "audiences": audiences, "audienceCount": 2, "changeId": new_id()}
    event = Event(id=new_id(), type=EventType.PROSPECT_ERASED, occurred_at=1, data=data)
    assert audiences_of(event) == {"a", "b"}
    assert all(map(event.concerns, "ab"))


# ------------------------------------------------------------------------------------------ messages, signatures


def test_the_longest_event_fits() -> None:
    name = "😀" * 200
    audience = {"id": new_id(), "name": name, "prospectCount": 2**53}
    moved = {"sourceAudience": audience, "targetAudience": audience, "leadIds": [new_id() for _ in range(100)]}
    counts = [{"id": new_id(), "prospectCount": 2**53} for _ in range(MAX_AUDIENCES_PER_EVENT)]
    ids = {name: new_id() for name in ("prospectId", "mergedProspectId", "changeId")}
    merged = {**ids, "audiences": counts, "audienceCount": 2**53}
    for data in (moved, merged):
        event = Event(id=new_id(), type=EventType.LEADS_MOVED, occurred_at=now_ms(), data=data)
        text = event_text(event)
        assert len(text.encode()) <= MAX_EVENT_BODY_BYTES
        assert json.loads(text)["data"] == data


def test_the_library_of_the_receivers_verifies_every_secret() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    id, text = sample_message(new_id())
    at = int(datetime.now(UTC).timestamp())
    headers = Signer([new, old]).headers(id, at, text)
    for secret in (old, new):
        assert Webhook(secret).verify(text.encode(), headers) == json.loads(text)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(text, headers)
    for changed in ({"webhook-id": "x"}, {"webhook-timestamp": str(at - 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(new).verify(text, {**headers, **changed})
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(text + " ", headers)


def test_secrets_are_random_and_plain_base64() -> None:
    made = {new_secret() for _ in range(1_000)}
    assert len(made) == 1_000
    allowed = set(string.ascii_letters + string.digits + "+/=")
    assert all(each.startswith("whsec_") and set(each.removeprefix("whsec_")) <= allowed for each in made)


# ------------------------------------------------------------------------------------------ sealing


def test_a_sealed_text_opens_with_its_key_and_in_its_place_only() -> None:
    sealer = Sealer(b"k" * 32)
    sealed = sealer.seal("whsec_x ✓", place="group/webhook")
    assert sealer.open(sealed, place="group/webhook") == "whsec_x ✓"
    assert "whsec" not in sealed
    assert sealer.seal("whsec_x ✓", place="group/webhook") != sealed
    tampered = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for other, text, place in (
        (Sealer(b"o" * 32), sealed, "group/webhook"),
        (sealer, sealed, "group/other"),
        (sealer, tampered, "group/webhook"),
        (sealer, "", "group/webhook"),
        (sealer, "AAAA", "group/webhook"),
        (sealer, "not base64!", "group/webhook"),
    ):
        with pytest.raises(Unreadable):
            other.open(text, place=place)
