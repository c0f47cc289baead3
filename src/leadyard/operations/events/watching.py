"""Readers that wait for events.

All readers of a process share one watcher. A commit in this process wakes it at once, and a look at the database every
few tenths of a second finds the commits of others, in one statement for all account groups. It then gives the events
their places, reads them once, and hands them to all readers. So a waiting reader holds no connection, and costs nothing
but its place in a list. A reader that is slow, or joins late, reads from the database again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import structlog

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.model import Event
from leadyard.operations import commits
from leadyard.operations.events.placing import place_all, read_placed
from leadyard.operations.operation import retried
from leadyard.store import events

LOOK_EVERY_S = 0.15
_EVENTS_A_READ = 200
# Enough for readers that were just being answered. Others read from the database.
_RECENT = 200
# A reader that polls comes back at once, and then finds its feed still watched.
_FORGET_AFTER_S = 10.0
_log = structlog.get_logger("leadyard.events")


class Reader:
    """One reader of the feed of an account group, at a position. Use it in one task only; any may call `leave`."""

    __slots__ = ("_account_group_id", "_has_left", "_watch", "_woken", "position")

    def __init__(self, watch: Watch, account_group_id: str, position: str) -> None:
        self._watch = watch
        self._account_group_id = account_group_id
        self._woken: asyncio.Future[None] | None = None
        self.position = position
        self._has_left = False

    async def wait(self, *, within_s: float) -> Sequence[Event] | None:
        """Returns the events after the position as soon as there are any, and an empty list after the time or after
        `leave`. None if the reader is so far behind that it has to read from the database. Does not change the
        position."""
        if self.has_left():
            return ()
        feed = self._watch.feed(self._account_group_id, self.position)
        if (found := feed.after(self.position)) is None or found:
            return found
        self._woken = asyncio.get_running_loop().create_future()
        feed.waiting.add(self)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._woken
        finally:
            feed.waiting.discard(self)
            self._woken = None
        return () if self.has_left() else feed.after(self.position)

    def leave(self) -> None:
        """Ends the waiting, now and later: the service stops, or the client is gone."""
        self._has_left = True
        self.wake()

    def has_left(self) -> bool:
        """Returns whether `leave` was called."""
        return self._has_left

    def wake(self) -> None:
        """Lets `wait` look again."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


class _Feed:
    """The watched part of the feed of an account group: its end, and the events before the end, without a gap,
    that follow `_recent_after`."""

    def __init__(self, position: str) -> None:
        self.waiting: set[Reader] = set()
        self.end = position
        self.is_new = True
        self.unused_since = 0.0
        self._recent_after = position
        self._recent: deque[Event] = deque()

    def after(self, position: str) -> Sequence[Event] | None:
        """Returns the events that follow the position, None if they are not all known any more."""
        if position >= self.end:
            return ()
        if position < self._recent_after:
            return None
        return [event for event in self._recent if event.id > position]

    def add(self, found: Sequence[Event]) -> None:
        """Adds the events that follow the end, and wakes the readers that wait for them."""
        if not found:
            return
        self._recent.extend(found)
        while len(self._recent) > _RECENT:
            self._recent_after = self._recent.popleft().id
        self.end = found[-1].id
        for reader in self.waiting:
            if reader.position < self.end:
                reader.wake()


class Watch:
    """The watcher of a process. It works only while there are readers."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._feeds: dict[str, _Feed] = {}
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def reader(self, account_group_id: str, position: str) -> Reader:
        """Returns a reader that has read all events up to the position."""
        return Reader(self, account_group_id, position)

    def feed(self, account_group_id: str, position: str) -> _Feed:
        """Returns the feed, which is watched from now on, at the latest from this position on."""
        feed = self._feeds.get(account_group_id)
        if feed is None:
            feed = self._feeds[account_group_id] = _Feed(position)
            # Some events may have committed since the reader has read.
            self._note(account_group_id)
        if self._task is None:
            commits.listen(self._note)
            self._task = asyncio.get_running_loop().create_task(self._run())
        return feed

    async def close(self) -> None:
        """Ends the watcher and all waiting."""
        for feed in self._feeds.values():
            for reader in tuple(feed.waiting):
                reader.leave()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _note(self, account_group_id: str) -> None:
        if account_group_id in self._feeds:
            self._changed.add(account_group_id)
            self._news.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time() + LOOK_EVERY_S
        try:
            while self._feeds:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(look_at):
                        await self._news.wait()
                self._news.clear()
                changed, self._changed = self._changed, set()
                if loop.time() >= look_at:
                    changed |= await self._look()
                    look_at = loop.time() + LOOK_EVERY_S
                    self._forget(loop.time())
                for account_group_id in changed:
                    await self._advance(account_group_id)
        finally:
            commits.stop_listening(self._note)
            self._task = None

    async def _look(self) -> set[str]:
        """Returns the watched account groups whose feeds have gone on, or are about to."""
        try:
            found = await _find_ends(self._db, list(self._feeds))
        except ServiceUnavailable as error:
            _log.info("events_postponed", **error.for_log())
            return set()
        return {
            id
            for id, feed in self._feeds.items()
            if feed.is_new or (id in found and (found[id].is_waiting or found[id].last_id > feed.end))
        }

    async def _advance(self, account_group_id: str) -> None:
        """Gives places to what has committed, and reads on. After a failure the next look tries again."""
        feed = self._feeds.get(account_group_id)
        if feed is None:
            return
        try:
            await place_all(self._db, account_group_id)
            feed.is_new = False
            while True:
                found = await read_placed(self._db, account_group_id, after=feed.end, limit=_EVENTS_A_READ)
                feed.add(found)
                if len(found) < _EVENTS_A_READ:
                    break
        except ServiceUnavailable as error:
            _log.info("events_postponed", **error.for_log())
        except Exception:
            # One feed must not stop the others. The next request of its readers gets the rest.
            _log.exception("events_failed", account_group_id=account_group_id)

    def _forget(self, now: float) -> None:
        for account_group_id, feed in list(self._feeds.items()):
            if feed.waiting:
                feed.unused_since = 0.0
            elif not feed.unused_since:
                feed.unused_since = now
            elif now - feed.unused_since > _FORGET_AFTER_S:
                del self._feeds[account_group_id]


@retried
async def _find_ends(db: Database, account_group_ids: Sequence[str]) -> dict[str, events.FeedEnd]:
    async with db.read(None) as tx:
        return await events.find_ends(tx, account_group_ids)
