"""The client that drives every contender: one asyncio loop writes bytes made beforehand to open connections."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.contender import Contender, Lane

# A service that takes longer than this for one answer counts as broken.
ANSWER_WITHIN_S = 60


@dataclass
class Connection:
    """One HTTP/1.1 connection that stays open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Returns the status and the body of the answer."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            self.writer.write(request)
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            _, found, rest = head.partition(b"content-length:")
            assert found, f"the answer has no Content-Length, which every contender is set up to send: {head!r}"
            body = await self.reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        return int(head[9:12]), body

    def close(self) -> None:
        self.writer.close()


def post(path: str, body: dict[str, Any], *, authorization: str = "") -> bytes:
    """Returns the bytes of a POST with a JSON body."""
    content = json.dumps(body, separators=(",", ":")).encode()
    header = f"Authorization: {authorization}\r\n" if authorization else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def ask_once(contender: Contender, request: bytes) -> tuple[int, bytes]:
    connection = await Connection.open(contender.port)
    try:
        return await connection.ask(request)
    finally:
        connection.close()


async def move_all(contender: Contender, lanes: list[Lane]) -> None:
    """Each lane makes one move, all at the same time. Raises AssertionError unless every answer reports all leads as
    moved."""
    for lane in lanes:
        status, body = await ask_once(contender, contender.move(lane.here, lane.there, lane.lead_ids))
        assert contender.moved(status, body) == len(lane.lead_ids), f"{contender.name}: {status} {body[:500]!r}"


async def drive(contender: Contender, lanes: list[Lane], seconds: float) -> tuple[int, float]:
    """Returns how many moves were answered in how many seconds. Every client leaves its leads where they began."""
    stop = time.perf_counter() + seconds

    async def client(lane: Lane) -> int:
        connection = await Connection.open(contender.port)
        ways = [contender.move(way.here, way.there, way.lead_ids) for way in (lane, lane.back())]
        done = 0
        while time.perf_counter() < stop or done % 2:
            status, body = await connection.ask(ways[done % 2])
            assert contender.moved(status, body) == len(lane.lead_ids), f"{contender.name}: {status} {body[:500]!r}"
            done += 1
        connection.close()
        return done

    started = time.perf_counter()
    done = await asyncio.gather(*(client(lane) for lane in lanes))
    return sum(done), time.perf_counter() - started


async def contend(contender: Contender, pool: Lane, *, clients: int, seconds: float) -> Counter[str]:
    """Returns how often overlapping moves between the same two audiences were `moved` (and `leads` in all), `refused`
    because some of their leads had left, or answered with anything else, named by its status."""
    stop = time.perf_counter() + seconds
    outcomes: Counter[str] = Counter()

    async def client(number: int) -> None:
        choice = random.Random(number)
        connection = await Connection.open(contender.port)
        while time.perf_counter() < stop:
            size = choice.randint(1, 4)
            # Neighbours, so that two clients often name some of the same leads, and seldom all of them.
            first = choice.randrange(len(pool.lead_ids) - size)
            way = choice.choice([pool, pool.back()])
            request = contender.move(way.here, way.there, pool.lead_ids[first : first + size])
            status, body = await connection.ask(request)
            moved = contender.moved(status, body)
            if moved is None:
                # Cut short, because some errors end in a number that differs each time, although they are of the same
                # kind.
                kind = "refused" if contender.refused(status, body) else f"status {status}: {body[:85]!r}"
                outcomes[kind] += 1
            else:
                assert moved == size, f"{contender.name} moved {moved} of {size} leads"
                outcomes["moved"] += 1
                outcomes["leads"] += moved
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return outcomes
