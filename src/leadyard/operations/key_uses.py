"""When each API key was last used: noted in memory, written now and then, never by a request."""

from __future__ import annotations

from collections.abc import Mapping

from leadyard.clock import now_ms
from leadyard.operations.operation import Database, retried
from leadyard.store import api_keys


class KeyUses:
    """The uses of keys that are not written yet. A process that is killed loses those of its last minute."""

    def __init__(self) -> None:
        self._last_used_at: dict[str, int] = {}

    def note(self, api_key_id: str) -> None:
        """The key is used right now."""
        self._last_used_at[api_key_id] = now_ms()

    async def write(self, db: Database) -> int:
        """Writes what was noted since the last time. Returns how many keys that were. What could not be written is kept
        for the next time. Raises ServiceUnavailable."""
        uses, self._last_used_at = self._last_used_at, {}
        try:
            if uses:
                await _write(db, uses)
        except BaseException:
            self._last_used_at = {**uses, **self._last_used_at}
            raise
        return len(uses)


@retried
async def _write(db: Database, uses: Mapping[str, int]) -> None:
    async with db.write(None) as tx:
        await api_keys.set_last_used(tx, uses)
