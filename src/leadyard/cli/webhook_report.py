"""Webhooks as the commands print them: one JSON object with the field names of the API, or text for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.clock import to_iso
from leadyard.model import Delivery, Webhook


def webhook_as_dict(webhook: Webhook) -> dict[str, Any]:
    """Returns the webhook with the names and values of the API."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "types": list(map(str, webhook.types)),
        "audienceIds": list(webhook.audience_ids),
        "description": webhook.description,
        "status": str(webhook.status),
        "disabledReason": None if webhook.disabled_reason is None else str(webhook.disabled_reason),
        "createdAt": to_iso(webhook.created_at),
        "lastSuccessAt": _iso(webhook.last_success_at),
        "failingSince": _iso(webhook.failing_since),
    }


def delivery_as_dict(delivery: Delivery) -> dict[str, Any]:
    """Returns the delivery with the names and values of the API."""
    return {
        "id": delivery.event_id,
        "eventId": delivery.event_id,
        "type": str(delivery.type),
        "status": str(delivery.status),
        "attempts": [
            {
                "at": to_iso(each.at),
                "statusCode": each.status_code,
                "durationMs": each.duration_ms,
                "error": each.error,
            }
            for each in delivery.attempts
        ],
        "nextAttemptAt": _iso(delivery.next_attempt_at),
    }


def webhook_as_text(webhook: Webhook) -> str:
    """Returns two lines about the webhook."""
    reason = f" ({webhook.disabled_reason})" if webhook.disabled_reason else ""
    failing = f", failing since {to_iso(webhook.failing_since)}" if webhook.failing_since else ""
    last = "never" if webhook.last_success_at is None else to_iso(webhook.last_success_at)
    wanted = ", ".join(webhook.types) or "all events"
    return f"{webhook.id}  {webhook.status}{reason}  {webhook.url}\n    {wanted}; last success: {last}{failing}"


def deliveries_as_table(deliveries: Sequence[Delivery]) -> str:
    """Returns one line per delivery, under a heading."""
    lines = [f"{'EVENT':<24}  {'TYPE':<18}  {'STATUS':<9}  {'TRIES':>5}  LAST ANSWER"]
    for each in deliveries:
        last = each.attempts[-1] if each.attempts else None
        answer = "-" if last is None else f"{last.status_code or last.error} in {last.duration_ms} ms"
        again = f", next at {to_iso(each.next_attempt_at)}" if each.next_attempt_at else ""
        lines.append(f"{each.event_id}  {each.type:<18}  {each.status:<9}  {len(each.attempts):>5}  {answer}{again}")
    return "\n".join(lines)


def _iso(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else to_iso(milliseconds)
