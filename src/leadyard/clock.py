"""Time in the unit of the service: whole milliseconds since 1970-01-01T00:00Z."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


def now_ms() -> int:
    """Returns the current time in milliseconds."""
    return time.time_ns() // 1_000_000


# Each answer with an audience contains its creation time, and all leads of an import batch share one time.
@lru_cache(maxsize=4096)
def to_iso(milliseconds: int) -> str:
    """Returns the time as ISO 8601 in UTC with milliseconds and `Z`, e.g. 2026-01-31T09:30:00.250Z."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
