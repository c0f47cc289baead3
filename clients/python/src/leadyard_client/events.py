"""Reads an event, from the list of events or from a webhook, as the class of its type."""

from __future__ import annotations

from typing import Any

from leadyard_client.json_values import from_json
from leadyard_client.models import EVENT_TYPES, AnyEvent, Event


def event_from_json(data: Any) -> AnyEvent:
    """Returns the event as the class of its type, and as `Event` if a newer service sends a type that is unknown here.

    Raises KeyError, TypeError, ValueError or AttributeError if `data` is not an event.
    """
    kind = EVENT_TYPES.get(data["type"])
    return from_json(kind, data) if kind is not None else from_json(Event, data)
