"""A few at a time, in order: events of one audience never overtake each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from leadyard.model import Event, Sending

AT_A_TIME = 4
"""How many requests a receiver gets at the same time, at most."""


def audiences_of(event: Event) -> frozenset[str]:
    """Returns the audiences that the event is about: for an event about a person those that it lists with their counts,
    for one about a job those that the job has reserved."""
    of_person = [each["id"] for each in event.data.get("audiences", ())]
    of_job = event.data.get("audienceIds", ())
    named = {event.source_audience_id, event.target_audience_id, *of_person, *of_job}
    return frozenset(each for each in named if each is not None)


async def send_in_order(
    sendings: Sequence[Sending],
    send: Callable[[Sending], Awaitable[bool]],
    *,
    is_over: Callable[[], bool],
) -> int:
    """Sends them and returns how many it has sent: the first ones, all of them unless `is_over` became true.

    It starts them in the given order, and waits with the next one until no request with one of its audiences runs.
    `send` returns whether the receiver took it. Until one has, a single request runs, so that a receiver that does not
    answer costs one connection. `send` must not raise. A cancellation cancels the requests, too.
    """
    running: dict[asyncio.Task[bool], frozenset[str]] = {}
    has_answered = False
    started = 0
    try:
        for sending in sendings:
            mine = audiences_of(sending.event)
            while running and (
                len(running) >= (AT_A_TIME if has_answered else 1) or any(mine & theirs for theirs in running.values())
            ):
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del running[task]
                    has_answered = has_answered or task.result()
            if is_over():
                break
            running[asyncio.create_task(send(sending))] = mine  # type: ignore[arg-type]
            started += 1
        if running:
            await asyncio.wait(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return started
