"""Limits how many requests of a key wait for events at a time, because each of them holds a connection for long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from leadyard.errors import TooManyReaders
from leadyard.watching import metrics

MAX_READERS_PER_KEY = 100


class Readers:
    """The waiting requests of this process, by key."""

    def __init__(self) -> None:
        self._of_key: Counter[str] = Counter()

    @contextmanager
    def admit(self, api_key_id: str) -> Iterator[None]:
        """Counts a request as waiting during the block. Raises TooManyReaders."""
        if self._of_key[api_key_id] >= MAX_READERS_PER_KEY:
            raise TooManyReaders(most=MAX_READERS_PER_KEY)
        self._of_key[api_key_id] += 1
        try:
            with metrics.waiting_for_events():
                yield
        finally:
            self._of_key[api_key_id] -= 1
            if not self._of_key[api_key_id]:
                del self._of_key[api_key_id]
