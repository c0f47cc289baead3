"""One operation is one transaction, and its decorator opens it. A list names the functions that open their own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import leadyard

OPERATIONS = Path(leadyard.__file__).parent / "operations"
FILES = sorted(OPERATIONS.rglob("*.py"))
DECORATORS = {"writes", "reads", "snapshot"}
OPENINGS = {"write", "read", "snapshot", "call"}
Function = ast.FunctionDef | ast.AsyncFunctionDef

# Functions that open a transaction and are neither an operation nor `@retried`.
BY_HAND = {
    # The decorators themselves, and the transaction that reserves a key.
    "operation.py: writes", "operation.py: reads", "operation.py: snapshot", "operation.py: write_once",
    # The move: one round trip without a key, and a second transaction that finds the reason of a refusal.
    "moves.py: _move_once", "moves.py: _find_or_move", "moves.py: _refuse",
    # A probe gives up instead of running again.
    "health.py: count_jobs", "health.py: count_webhooks",
    # One transaction for each account group that a `@retried` function has found.
    "audiences.py: _empty_one", "duplicates.py: _compare_groups", "duplicates.py: _compare",
    "idempotency.py: _prune_one", "uploads.py: _prune_one",
    "events/placing.py: _place_some", "events/placing.py: _prune",
    "changes/indexing.py: _index", "changes/indexing.py: _expire",
    "changes/indexing.py: _list_groups_to_expire", "changes/indexing.py: _list_groups_to_index",
    "webhooks/removing.py: _remove_one", "webhooks/removing.py: _prune_one",
    "jobs/leases.py: _claim_in", "jobs/prospecting_steps.py: _prune_in",
}  # fmt: skip


def functions() -> Iterator[tuple[str, Function]]:
    for file in FILES:
        tree = ast.parse(file.read_text())
        holders: list[ast.Module | ast.ClassDef] = [tree]
        holders += [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for holder in holders:
            for node in holder.body:
                if isinstance(node, Function):
                    yield f"{file.relative_to(OPERATIONS).as_posix()}: {node.name}", node


def decorators(function: Function) -> set[str]:
    called = [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]
    return {each.id for each in called if isinstance(each, ast.Name)}


def openings(function: Function) -> int:
    """Returns how often the text of the function opens a transaction: `db.write(…)` and its like, `write_once(…)`."""
    return sum(isinstance(node, ast.Call) and opens(node.func) for node in ast.walk(function))


def opens(called: ast.expr) -> bool:
    if isinstance(called, ast.Name):
        return called.id == "write_once"
    is_on_db = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "db"
    return is_on_db and isinstance(called, ast.Attribute) and called.attr in OPENINGS


def takes(function: Function) -> list[str]:
    return [each.arg for each in (*function.args.posonlyargs, *function.args.args)]


def test_an_operation_gets_its_transaction_and_cannot_open_another() -> None:
    operations = {name: function for name, function in functions() if decorators(function) & DECORATORS}
    assert len(operations) > 25
    for name, function in operations.items():
        assert takes(function)[:2] == ["tx", "caller"], name
        assert "db" not in takes(function), name
        assert openings(function) == 0, name


def test_every_other_function_opens_at_most_one_and_is_run_again_or_listed() -> None:
    found = {name: function for name, function in functions() if openings(function)}
    assert {name: openings(function) for name, function in found.items() if openings(function) > 1} == {}
    assert {name for name, function in found.items() if "retried" not in decorators(function)} == BY_HAND


def test_only_the_move_writes_by_itself() -> None:
    by_itself = [name for name, function in functions() if "writes_by_itself" in decorators(function)]
    assert by_itself == ["moves.py: move_leads"]


def test_a_transaction_by_hand_would_be_seen() -> None:
    [function] = ast.parse("async def f(db):\n  async with db.write(None) as tx:\n    pass").body
    assert isinstance(function, Function)
    assert openings(function) == 1
