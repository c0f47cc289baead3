"""The sender: finds the webhooks that have something to send, and runs many of them side by side."""

from __future__ import annotations

import asyncio
import random
import time

import structlog

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.operations.events.placing import place_events
from leadyard.operations.webhooks.sending import list_due_webhooks
from leadyard.webhooks.client import WebhookClient
from leadyard.worker.webhooks.places import Places
from leadyard.worker.webhooks.webhook_run import WebhookRun

MAX_RUNS = 1_000
"""How many webhooks send at the same time. The others wait for a turn."""
# Of all runs together, and of one. An event has at most 20 kB, and usually 3.
_EVENTS_IN_MEMORY = 5_000
_FEWEST_EVENTS = 4
_MOST_EVENTS = 100

_LOOK_EVERY_S = 0.2
# After some time without anything to send.
_LOOK_EVERY_S_WHEN_IDLE = 0.5
_IDLE_AFTER_S = 10.0
_PAUSE_AFTER_TROUBLE_S = 2.0
_STOP_WITHIN_S = 2.0
_ROUNDS_OF_PLACING = 20
_log = structlog.get_logger("leadyard.webhooks")


class WebhookSender:
    """Sends the events of all account groups to their webhooks, as long as it runs, together with the senders of other
    processes. `lease_s` is how long a webhook stays with a silent worker before another one takes it over."""

    def __init__(self, db: Database, client: WebhookClient, *, lease_s: float) -> None:
        self._db = db
        self._client = client
        self._lease_ms = round(lease_s * 1000)
        self._places = Places()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._found_at = time.monotonic()

    def stop(self) -> None:
        """Ends the sender: it starts no new request, and saves what those that run have brought."""
        self._stopping.set()

    async def run(self) -> None:
        """Works until `stop` is called, or until it is cancelled, which has the same effect. Closes the client."""
        try:
            while not self._stopping.is_set():
                await self._sleep(await self._look())
        except asyncio.CancelledError:
            self.stop()
            raise
        finally:
            await self._end()
            await self._client.close()

    async def _look(self) -> float:
        """Starts a run for each webhook that is due. Returns the time to wait until the next look, random so that many
        workers spread out."""
        try:
            await self._start_due()
        except ServiceUnavailable as error:
            _log.warning("webhooks_wait_for_database", **error.for_log())
            return _PAUSE_AFTER_TROUBLE_S
        except Exception:
            # A failed look must not end the sender. The log contains the reason.
            _log.exception("webhooks_look_failed")
            return _PAUSE_AFTER_TROUBLE_S
        is_idle = time.monotonic() - self._found_at > _IDLE_AFTER_S
        pause_s = _LOOK_EVERY_S_WHEN_IDLE if is_idle else _LOOK_EVERY_S
        return pause_s * random.uniform(0.75, 1.25)  # noqa: S311  (jitter, not a secret)

    async def _start_due(self) -> None:
        async with self._places.database:
            for _ in range(_ROUNDS_OF_PLACING):
                if not await place_events(self._db) or self._stopping.is_set():
                    break
            free = MAX_RUNS - len(self._running)
            due = await list_due_webhooks(self._db, limit=free) if free else []
        for account_group_id, webhook_id in due:
            self._found_at = time.monotonic()
            if webhook_id not in self._running:
                self._start(account_group_id, webhook_id)

    def _start(self, account_group_id: str, webhook_id: str) -> None:
        run = WebhookRun(
            db=self._db,
            client=self._client,
            places=self._places,
            account_group_id=account_group_id,
            webhook_id=webhook_id,
            lease_ms=self._lease_ms,
            events_at_once=self._events_at_once,
            is_stopping=self._stopping.is_set,
            others_wait=lambda: len(self._running) >= MAX_RUNS,
        )
        task = self._running[webhook_id] = asyncio.create_task(run.run())
        task.add_done_callback(lambda _: self._running.pop(webhook_id, None))

    def _events_at_once(self) -> int:
        return max(_FEWEST_EVENTS, min(_MOST_EVENTS, _EVENTS_IN_MEMORY // max(1, len(self._running))))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _end(self) -> None:
        """Waits a moment for the requests that run, and cancels the rest. This loses nothing: what was not saved is
        sent again."""
        if not self._running:
            return
        _, late = await asyncio.wait(set(self._running.values()), timeout=_STOP_WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
