"""Times in the options of commands."""

from __future__ import annotations

import re

Moment = str | None
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?")


def as_moment(text: Moment) -> Moment:
    """Returns the time as the API reads it. A day begins at midnight, and a time without a zone is in UTC. Leaves
    other texts to the API, which refuses them."""
    if text is None or not _WITHOUT_ZONE.fullmatch(text):
        return text
    day, time = text[:10], text[11:] or "00:00"
    return f"{day}T{time if len(time) > len('00:00') else time + ':00'}Z"
