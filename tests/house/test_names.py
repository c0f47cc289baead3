"""Names and sizes: a module docstring describes its purpose, a public function's describes the result, and no file
grows without end."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import leadyard

ROOT = Path(__file__).parents[2]
SOURCE = Path(leadyard.__file__).parent
FILES = sorted(file for file in SOURCE.rglob("*.py") if file.read_text().strip())
EMPTY_NAMES = ("util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "base", "core")
LONGEST = 400
# Tables rather than logic, and the nouns of all of them.
MAY_BE_LONGER: set[str] = set()


def place(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


def public_functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def empty_name(name: str) -> bool:
    return any(part in EMPTY_NAMES for part in name.lower().split("_"))


def test_no_module_is_named_for_nothing() -> None:
    assert [place(file) for file in SOURCE.rglob("*") if empty_name(file.stem)] == [], "name it after its content"
    assert empty_name("db_utils")
    assert not empty_name("memberships")


def test_no_class_is_named_for_nothing() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                assert not node.name.endswith(("Manager", "Helper", "Util", "Utils", "Impl")), (
                    f"{place(file)}: {node.name}"
                )


@pytest.mark.parametrize("file", FILES, ids=place)
def test_a_module_says_in_its_first_line_what_it_is_for(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text()))
    assert docstring, f"{place(file)} has no docstring"
    first = docstring.splitlines()[0]
    assert first.endswith((".", ":", "?")) or len(docstring.splitlines()) > 1, first
    assert len(first) >= 20 or file.name == "__main__.py", f"{place(file)}: {first!r} says too little"


@pytest.mark.parametrize(
    "file", [each for each in FILES if place(each).startswith(("operations/", "store/"))], ids=place
)
def test_a_public_function_says_what_it_does(file: Path) -> None:
    if "migrations" in file.parts:
        return
    for function in public_functions(file):
        docstring = ast.get_docstring(function)
        assert docstring, f"{place(file)}: {function.name} has no docstring"
        assert docstring.split("\n\n")[0].rstrip().endswith((".", ":")), f"{place(file)}: {function.name}"


def test_no_file_tells_two_stories(record_property: Callable[[str, object], None]) -> None:
    lengths = {place(file): len(file.read_text().splitlines()) for file in FILES}
    record_property("median lines", statistics.median(lengths.values()))
    too_long = {name: length for name, length in lengths.items() if length > LONGEST and name not in MAY_BE_LONGER}
    assert not too_long, f"split them: {too_long}"
    assert 30 <= statistics.median(lengths.values()) <= 120
    assert not MAY_BE_LONGER - set(lengths)


def test_tests_are_no_packages() -> None:
    """A `tests/http/__init__.py` would hide Python's own `http`."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def imported_modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def test_what_tests_and_benchmarks_share_is_in_the_rig() -> None:
    """A test file that another one imports runs under two names, and a benchmark should not need the tests."""
    importers = [file for top in ("tests", "benchmarks", "rig") for file in (ROOT / top).rglob("*.py")]
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in importers
        for name in imported_modules(file)
        if ".test_" in name or (name.startswith("tests.") and not file.is_relative_to(ROOT / "tests"))
    ]
    assert not wrong, f"move what they share to rig/: {wrong}"
    assert len(importers) > 100
