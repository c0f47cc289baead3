"""How a file is divided into batches, and how the next batch is made while the previous one is being saved."""

from __future__ import annotations

import asyncio
import gc
import io
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from leadyard.files.csv_file import CsvFile
from leadyard.files.read_ahead import read_ahead
from leadyard.files.row_batches import BYTES_A_BATCH, row_batches


def sizes(content: str, *, size: int, skip: int = 0) -> list[int]:
    file = CsvFile(io.BytesIO(content.encode()))
    return [len(found.rows) + len(found.bad) for found in row_batches(file, size=size, skip=skip)]


def test_batches_are_of_one_size_and_end_early_when_rows_are_long() -> None:
    short = "email\n" + "".join(f"{n}@example.com\n" for n in range(25))
    assert sizes(short, size=10) == [10, 10, 5]
    long = "email,about\n" + "".join(f"{n}@example.com,{'x' * 100_000}\n" for n in range(100))
    found = sizes(long, size=1_000)
    assert sum(found) == 100
    fitting = BYTES_A_BATCH // 100_000
    assert all(fitting <= each <= fitting + 4 for each in found[:-1]), found


def test_rows_that_were_passed_over_do_not_make_the_next_batch_small() -> None:
    long = "email,about\n" + "".join(f"{n}@example.com,{'x' * 100_000}\n" for n in range(60))
    short = "".join(f"{n}@example.com,\n" for n in range(20))
    assert sizes(long + short, size=10, skip=60) == [10, 10]


async def drained(items: Iterator[Any]) -> list[Any]:
    return [item async for item in read_ahead(items)]


def test_everything_comes_in_order() -> None:
    assert asyncio.run(drained(iter(range(50)))) == list(range(50))
    assert asyncio.run(drained(iter([None, 0, ""]))) == [None, 0, ""], "what is false is no end"
    assert asyncio.run(drained(iter([]))) == []


def test_one_is_made_while_one_is_used_and_never_a_third() -> None:
    begun: list[int] = []
    second_is_begun = threading.Event()

    def items() -> Iterator[int]:
        for n in range(4):
            begun.append(n)
            if n == 1:
                second_is_begun.set()
            yield n

    async def use() -> None:
        used = 0
        async for item in read_ahead(items()):
            if item == 0:
                assert await asyncio.to_thread(second_is_begun.wait, 10), "nothing was read ahead"
            await asyncio.sleep(0.02)
            used += 1
            assert len(begun) <= used + 1, "more than one was made ahead"
        assert used == 4

    asyncio.run(use())


def test_nobody_waits_for_the_moment_at_which_reading_ahead_begins() -> None:
    started = time.monotonic()
    assert len(asyncio.run(drained(iter(range(300))))) == 300
    assert time.monotonic() - started < 300 * 0.045 / 2


def test_trouble_comes_after_what_was_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("line 3")

    async def use() -> list[int]:
        seen: list[int] = []
        with pytest.raises(ValueError, match="line 3"):
            async for item in read_ahead(items()):
                await asyncio.sleep(0.01)
                seen.append(item)
        return seen

    assert asyncio.run(use()) == [1, 2]


def test_whoever_stops_early_hears_nothing_of_what_was_ahead() -> None:
    complaints: list[dict[str, Any]] = []
    raised = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        raised.set()
        raise ValueError("nobody asked")

    async def use() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        async for _ in read_ahead(items()):
            assert await asyncio.to_thread(raised.wait, 10)
            break
        await asyncio.sleep(0.05)
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(use())
    assert complaints == []


def test_a_reader_that_waits_does_not_keep_the_process_alive() -> None:
    never, waits = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 1
        waits.set()
        never.wait()

    async def use() -> None:
        async for _ in read_ahead(items()):
            assert await asyncio.to_thread(waits.wait, 10)
            return

    asyncio.run(asyncio.wait_for(use(), 10))
    waiting = [thread for thread in threading.enumerate() if thread.name == "read-ahead"]
    assert waiting and all(thread.daemon for thread in waiting)
    never.set()


def test_the_thread_knows_for_whom_it_reads() -> None:
    job: ContextVar[str] = ContextVar("job")

    async def use() -> list[str]:
        job.set("a")
        return await drained(job.get() for _ in range(2))

    assert asyncio.run(use()) == ["a", "a"]
