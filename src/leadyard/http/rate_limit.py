"""Rate limits per API key, counted in this process."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from leadyard.errors import RateLimited


class RateLimits:
    """The rules of LEADYARD_RATE_LIMITS, e.g. `100/second;3000/minute`, or `off`."""

    def __init__(self, rules: str) -> None:
        self._items: list[RateLimitItem] = [] if rules == "off" else parse_many(rules)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def hit(self, api_key_id: str) -> None:
        """Counts a request of the key. Raises RateLimited when one of the rules is exceeded."""
        for item in self._items:
            if not await self._limiter.hit(item, api_key_id):
                window = await self._limiter.get_window_stats(item, api_key_id)
                wait_s = max(1, math.ceil(window.reset_time - time.time()))
                raise RateLimited(
                    f"This key may send {item}. Wait {wait_s} s, then send the request again.", retry_after_s=wait_s
                )
