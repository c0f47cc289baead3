"""Counts the use of each quota in Redis or Valkey, for all processes together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from contextvars import Context
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from leadyard.http.admission.quotas import SLACK, Charge, QuotasLost, Taken, after
from leadyard.watching import metrics

_PATIENCE_S = 0.05
_PATIENCE_TO_CONNECT_S = 1.0
_TRY_AGAIN_EVERY_S = 2.0
# A process that was busy for a moment may mistake a punctual answer for a late one.
_TIMEOUTS_IN_A_ROW = 3
_PREFIX = "leadyard:rate:"
_log = structlog.get_logger("leadyard.http")

# The same arithmetic as in quotas.py, by the clock of Redis, because the clocks of the processes differ. The use is
# written only if all charges fit. A clock that steps back must not block a client for longer than one window.
_TAKE = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local fits, before, answer = true, {{}}, {{1}}
for i, key in ipairs(KEYS) do
  local interval, window, free = tonumber(ARGV[4*i-3]), tonumber(ARGV[4*i-2]), tonumber(ARGV[4*i])
  local ms = (tonumber(redis.call('GET', key)) or 0) - now
  before[i] = math.min(math.max(ms, 0), window)
  answer[i + 1] = string.format('%.4f', before[i])
  if before[i] + (free - {SLACK}) * interval > window then fits = false end
end
if not fits then
  answer[1] = 0
  return answer
end
for i, key in ipairs(KEYS) do
  local ms = before[i] + tonumber(ARGV[4*i-1]) * tonumber(ARGV[4*i-3])
  if ms > 0 then redis.call('SET', key, string.format('%.4f', now + ms), 'PX', math.ceil(ms)) end
end
return answer
"""


_Waiting = tuple[Sequence[Charge], asyncio.Future[Taken]]


class SharedQuotas:
    """The quotas used by all processes together.

    Requests that arrive while an answer is pending are sent together: one connection, one round trip for all of them.
    When Redis does not answer, requests stop waiting for it, and a background task tries to reconnect.
    """

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(
            url.replace("valkey", "redis", 1) if url.startswith("valkey") else url,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_TO_CONNECT_S,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=False,
            max_connections=2,
        )
        self._script = ""
        self._waiting: list[_Waiting] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_sending = False
        self._timeouts = 0
        self.is_reachable = False
        self.times_lost = 0

    async def open(self) -> None:
        """Connects, or starts to reconnect in the background. Never raises; takes at most a second."""
        try:
            await self._connect()
        except (RedisError, OSError) as error:
            self._lose(error)

    async def close(self) -> None:
        """Stops all background tasks and closes the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    async def take(self, charges: Sequence[Charge]) -> Taken:
        """Takes all charges, or none if one does not fit. Raises QuotasLost if Redis does not answer in time."""
        if not self.is_reachable:
            raise QuotasLost
        outcome: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._waiting.append((charges, outcome))
        if not self._is_sending:
            self._is_sending = True
            self._start(self._send_all())
        return await outcome

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        # The task serves many requests and outlives the first of them, so its log lines have no trace id.
        task = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        async with asyncio.timeout(_PATIENCE_TO_CONNECT_S):
            self._script = await self._redis.script_load(_TAKE)
        self._timeouts = 0
        self.is_reachable = True
        metrics.rate_limits_alone(is_alone=False)

    async def _send_all(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    # Around everything, because reconnecting, which may be part of it, has a longer timeout.
                    async with asyncio.timeout(_PATIENCE_S):
                        await self._send(batch)
                except (RedisError, OSError) as error:
                    # Requests that arrived in the meantime have waited too, and would wait again.
                    self._release([*batch, *self._waiting])
                    self._waiting = []
                    self._note_failure(error)
        finally:
            # Also when this task is cancelled or has a bug, so that no request waits indefinitely.
            self._is_sending = False
            self._release([*batch, *self._waiting])
            self._waiting = []

    async def _send(self, batch: Sequence[_Waiting]) -> None:
        answers = await self._ask(batch)
        forgotten = [waiting for waiting, answer in zip(batch, answers, strict=True) if _is_forgotten(answer)]
        if forgotten:
            # Redis has lost the script. Only these requests are sent again, because the others are charged already.
            await self._redis.script_load(_TAKE)
            later = iter(await self._ask(forgotten))
            answers = [next(later) if _is_forgotten(answer) else answer for answer in answers]
        for (charges, outcome), answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                raise answer
            if not outcome.done():
                before_ms = [float(text) for text in answer[1:]]
                outcome.set_result(after(charges, all_taken=bool(answer[0]), before_ms=before_ms))
        self._timeouts = 0

    async def _ask(self, batch: Sequence[_Waiting]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for charges, _ in batch:
            keys = [_PREFIX + charge.key() for charge in charges]
            values: list[Any] = []
            for policy, _subject, take, free, _again in charges:
                values += (policy.interval_ms, policy.window_s * 1000, take, free)
            pipeline.evalsha(self._script, len(keys), *keys, *values)
        return await pipeline.execute(raise_on_error=False)

    def _note_failure(self, error: Exception) -> None:
        if isinstance(error, RedisTimeout | TimeoutError) and self._timeouts + 1 < _TIMEOUTS_IN_A_ROW:
            self._timeouts += 1
            return
        self._lose(error)

    def _release(self, batch: Sequence[_Waiting]) -> None:
        for _, outcome in batch:
            if not outcome.done():
                outcome.set_exception(QuotasLost())

    def _lose(self, error: Exception) -> None:
        self.is_reachable = False
        self.times_lost += 1
        metrics.rate_limits_alone(is_alone=True)
        metrics.rate_limit_storage_lost()
        _log.warning("rate_limit_storage_lost", reason=type(error).__name__)
        self._start(self._reconnect())

    async def _reconnect(self) -> None:
        while not self.is_reachable:
            await asyncio.sleep(_TRY_AGAIN_EVERY_S)
            with contextlib.suppress(RedisError, OSError):
                await self._connect()
        _log.warning("rate_limit_storage_back")


def _is_forgotten(answer: object) -> bool:
    return isinstance(answer, NoScriptError)
