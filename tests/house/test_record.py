"""No path adds or removes a membership without a record: only operations/changes, and the function of the move."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import leadyard
import leadyard.store
from leadyard.store import move_statements
from leadyard.store.db import NewRows, Procedure, Statement

SOURCE = Path(leadyard.__file__).parent
WRITERS = {"membership_changes", "move_statements"}
WRITES = re.compile(r"\b(INSERT INTO|UPDATE( OR \w+)?|DELETE FROM) memberships\b")


def writers_in_the_store() -> set[str]:
    """Returns the modules of the store with a statement that writes memberships."""
    found = set()
    for module in pkgutil.iter_modules(leadyard.store.__path__):
        if module.ispkg:
            continue
        for value in vars(importlib.import_module(f"leadyard.store.{module.name}")).values():
            texts = (value.postgresql, value.sqlite) if isinstance(value, Statement) else ()
            if any(WRITES.search(text) for text in texts) or (
                isinstance(value, NewRows) and value.table == "memberships"
            ):
                found.add(module.name)
    return found


def importers_of(name: str) -> set[str]:
    """Returns the files, relative to the package, that import this module of the store."""
    found = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{each.name}" for each in node.names] + [str(node.module)]
            elif isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            if f"leadyard.store.{name}" in names:
                found.add(file.relative_to(SOURCE).as_posix())
    return found


def test_two_modules_of_the_store_write_memberships() -> None:
    assert writers_in_the_store() == WRITERS
    elsewhere = {
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if WRITES.search(file.read_text()) and file.stem not in WRITERS and "migrations" not in file.parts
    }
    assert elsewhere == set()


def test_only_the_operations_that_record_use_them() -> None:
    users = importers_of("membership_changes")
    assert users and all(name.startswith("operations/changes/") for name in users), users
    # It also has the look-up of missing leads, for the guards.
    assert importers_of("move_statements") == {"operations/moves.py", "operations/guards.py"}
    guards = (SOURCE / "operations/guards.py").read_text()
    assert set(re.findall(r"move_statements\.(\w+)", guards)) == {"list_missing"}


def test_the_move_records_itself_in_both_databases() -> None:
    assert isinstance(move_statements._MOVE, Procedure)
    body = move_statements.FUNCTION_OF_POSTGRESQL
    assert body.index("UPDATE memberships") < body.index("INSERT INTO changes")
    steps = ast.parse((SOURCE / "store/move_statements.py").read_text())
    [function] = [each for each in steps.body if isinstance(each, ast.FunctionDef) and each.name == "_steps"]
    ran = re.findall(r"\brun\((\w+)", ast.unparse(function))
    assert {"_CHANGE_AUDIENCE", "_LEAVE_SOURCE", "_RECORD"} <= set(ran)
