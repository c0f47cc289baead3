"""The body of a request: the event as the feed shows it, as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from leadyard.clock import now_ms, to_iso
from leadyard.ids import new_id
from leadyard.model import Event

TEST_TYPE = "webhook.test"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def event_text(event: Event) -> str:
    """Returns the body that reports the event."""
    return _text(event.id, event.type, event.occurred_at, event.data)


def sample_message(webhook_id: str) -> tuple[str, str]:
    """Returns the id and the body of a test message."""
    message_id = new_id()
    return message_id, _text(message_id, TEST_TYPE, now_ms(), {"webhookId": webhook_id})


def _text(id: str, type: str, at_ms: int, data: Mapping[str, Any]) -> str:
    return _ENCODER.encode({"id": id, "type": type, "timestamp": to_iso(at_ms), "data": data})
