"""The decorators of an operation: permission first, one transaction, the answer inside it, metrics after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from leadyard.database import Database, Transaction
from leadyard.errors import Forbidden, TransactionConflict
from leadyard.model import Caller, Permission
from leadyard.operations import operation
from leadyard.operations.operation import Operation, WriteOperation, reads, snapshot, writes

GROUP = "a" * 24
OPERATOR = Caller.operator(GROUP)
STRANGER = Caller(account_group_id=GROUP, permissions=frozenset(), api_key_id="b" * 24)


class Diary:
    """A database that only writes down what happens to it."""

    def __init__(self, conflicts: int = 0) -> None:
        self.entries: list[str] = []
        self._conflicts = conflicts

    @asynccontextmanager
    async def write(self, account_group_id: str | None) -> AsyncIterator[Transaction]:
        self.entries.append("write")
        try:
            yield cast(Transaction, self)
            if self._conflicts:
                self._conflicts -= 1
                raise TransactionConflict
        except BaseException:
            self.entries.append("rollback")
            raise
        assert account_group_id == GROUP
        self.entries.append("commit")

    @asynccontextmanager
    async def read(self, account_group_id: str | None) -> AsyncIterator[Transaction]:
        self.entries.append(f"read {account_group_id}")
        yield cast(Transaction, self)

    @asynccontextmanager
    async def snapshot(self, account_group_id: str | None) -> AsyncIterator[Transaction]:
        self.entries.append(f"snapshot {account_group_id}")
        yield cast(Transaction, self)


def noted(diary: Diary) -> WriteOperation[..., str]:
    """Returns an operation that writes its steps into the diary."""

    @writes(Permission.AUDIENCES_WRITE)
    async def note(tx: Transaction, caller: Caller, *, word: str) -> str:
        diary.entries.append(f"work {word}")
        return word

    @note.after_commit
    def count(word: str) -> None:
        diary.entries.append(f"count {word}")

    return note


def run(diary: Diary, wanted: Operation[..., Any], caller: Caller = OPERATOR, **values: str) -> Any:
    return asyncio.run(wanted(cast(Database, diary), caller, **values))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "_FIRST_PAUSE_S", 0)


def test_a_write_is_one_transaction_and_is_counted_after_the_commit() -> None:
    diary = Diary()
    assert run(diary, noted(diary), word="a") == "a"
    assert diary.entries == ["write", "work a", "commit", "count a"]


def test_the_permission_comes_before_the_transaction() -> None:
    diary = Diary()
    with pytest.raises(Forbidden, match="audiences:write"):
        run(diary, noted(diary), STRANGER, word="a")
    assert diary.entries == []


def test_a_conflict_runs_all_of_it_again_and_counts_once() -> None:
    diary = Diary(conflicts=1)
    run(diary, noted(diary), word="a")
    assert diary.entries == ["write", "work a", "rollback", "write", "work a", "commit", "count a"]


class Notes:
    """A keeper that writes its steps into the diary."""

    def __init__(self, diary: Diary, *, fails_at: str = "") -> None:
        self.diary = diary
        self.fails_at = fails_at

    async def reserve(self, tx: Transaction) -> None:
        self._step("reserve")

    async def store(self, tx: Transaction, word: str) -> None:
        self._step(f"store {word}")

    def _step(self, name: str) -> None:
        self.diary.entries.append(name)
        if name == self.fails_at:
            raise RuntimeError(name)


def keep(diary: Diary, keeper: Notes) -> None:
    asyncio.run(noted(diary).keeping(keeper, cast(Database, diary), OPERATOR, word="a"))


def test_the_key_is_the_first_and_the_answer_the_last_statement_of_the_transaction() -> None:
    diary = Diary()
    keep(diary, Notes(diary))
    assert diary.entries == ["write", "reserve", "work a", "store a", "commit", "count a"]


def test_a_conflict_reserves_the_key_again() -> None:
    diary = Diary(conflicts=1)
    keep(diary, Notes(diary))
    once = ["write", "reserve", "work a", "store a"]
    assert diary.entries == [*once, "rollback", *once, "commit", "count a"]


def test_a_key_that_cannot_be_reserved_prevents_the_change() -> None:
    diary = Diary()
    with pytest.raises(RuntimeError):
        keep(diary, Notes(diary, fails_at="reserve"))
    assert diary.entries == ["write", "reserve", "rollback"]


def test_an_answer_that_cannot_be_stored_undoes_the_change() -> None:
    diary = Diary()
    with pytest.raises(RuntimeError):
        keep(diary, Notes(diary, fails_at="store a"))
    assert diary.entries == ["write", "reserve", "work a", "store a", "rollback"]


def test_reads_and_snapshot_begin_what_they_are_named_for() -> None:
    diary = Diary()

    @reads(Permission.AUDIENCES_READ)
    async def look(tx: Transaction, caller: Caller) -> None:
        assert tx is cast(Transaction, diary)

    @snapshot(Permission.AUDIENCES_READ)
    async def compare(tx: Transaction, caller: Caller) -> None:
        assert caller is OPERATOR

    run(diary, look)
    run(diary, compare)
    assert diary.entries == [f"read {GROUP}", f"snapshot {GROUP}"]
    assert not isinstance(look, WriteOperation), "there is no answer to keep"
