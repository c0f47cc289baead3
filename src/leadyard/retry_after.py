"""The header Retry-After of an answer that another service gave to us."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_s(value: str | None, *, longest_s: int = 3_600) -> int | None:
    """Returns the seconds of a Retry-After header, a number or a date, from 0 to `longest_s`, or None if it is
    neither."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        # A thousand digits mean the maximum. int() would refuse to parse them.
        return min(int(text[:20]), longest_s)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date of HTTP is always in GMT. Python leaves the zone out for "-0000".
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0, min(round(seconds), longest_s))
