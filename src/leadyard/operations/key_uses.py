"""The last use of each API key: requests note it in memory, and the service writes it from time to time."""

from __future__ import annotations

from collections.abc import Mapping

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.operations.operation import retried
from leadyard.store import api_keys


class KeyUses:
    """The uses of keys that are not written yet. A process that is killed loses the uses of its last minute."""

    def __init__(self) -> None:
        self._last_used_at: dict[str, int] = {}

    def note(self, api_key_id: str) -> None:
        """Notes that the key is used right now."""
        self._last_used_at[api_key_id] = now_ms()

    async def write(self, db: Database) -> int:
        """Writes the uses noted since the last write, and returns their number of keys. After a failure it keeps them
        for the next write. Raises ServiceUnavailable."""
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
