"""Refusals of the feed of events."""

from __future__ import annotations

from leadyard.errors.leadyard_error import LeadyardError


class EventsGone(LeadyardError):
    """Events after this position are no longer kept."""

    code = "EVENTS_GONE"

    def __init__(self) -> None:
        super().__init__(
            "Read the audiences again, and then continue with 'from=start', which begins with the oldest event that is "
            "kept."
        )


class TooManyReaders(LeadyardError):
    """The API key has too many requests that wait for events."""

    code = "TOO_MANY_READERS"

    def __init__(self, *, most: int) -> None:
        super().__init__(
            f"A key may wait for events with {most} requests at a time. Let several parts of your program share one "
            "reader, or give them keys of their own.",
            retry_after_s=5,
        )
