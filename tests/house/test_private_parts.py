"""The private parts of other libraries that the service uses: one list, each with an upper bound in pyproject.

A new minor version may change such a part without notice, so it is allowed only after the tests ran with it.
"""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadyard

ROOT = Path(__file__).parents[2]
SOURCE = Path(leadyard.__file__).parent

# Distribution → what we use of it that its documentation does not promise, as module:attribute, and where.
PRIVATE_PARTS = {
    "asyncpg": {"asyncpg.pool:PoolConnectionProxy": "store/db/postgresql.py"},
    "typer": {"typer:BadParameter.__bases__": "cli/output.py", "typer.core:TyperGroup": "cli/commands.py"},
    "uvicorn": {
        "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol": "http/wire/protocol.py",
        "uvicorn.protocols.http.httptools_impl:RequestResponseCycle": "http/wire/protocol.py",
        "uvicorn.protocols.http.httptools_impl:STATUS_LINE": "http/wire/protocol.py",
        "uvicorn.protocols.http.httptools_impl:HEADER_RE": "http/wire/cycle.py",
        "uvicorn.protocols.http.httptools_impl:HEADER_VALUE_RE": "http/wire/cycle.py",
        "uvicorn.supervisors:Multiprocess.keep_subprocess_alive": "cli/processes.py",
        "uvicorn.supervisors:Multiprocess.terminate_all": "cli/processes.py",
    },
}
EVERY_PART = [(part, place) for parts in PRIVATE_PARTS.values() for part, place in parts.items()]


@pytest.mark.parametrize(("part", "place"), EVERY_PART, ids=[part for part, _ in EVERY_PART])
def test_a_private_part_is_there_and_is_used_where_the_list_says(part: str, place: str) -> None:
    module, _, path = part.partition(":")
    found = importlib.import_module(module)
    for name in path.split("."):
        # An attribute that only instances have is read from the source of its class.
        found = getattr(found, name, found)
    last = path.rpartition(".")[2]
    assert last in (SOURCE / place).read_text(), f"{place} no longer uses {part}: remove it from the list"


@pytest.mark.parametrize("distribution", PRIVATE_PARTS)
def test_a_library_with_private_parts_has_an_upper_bound(distribution: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [requirement] = [each for each in project["dependencies"] if re.match(rf"{distribution}\b", each)]
    assert "<" in requirement, f"{requirement!r} needs an upper bound: we use {', '.join(PRIVATE_PARTS[distribution])}"


def private_names(file: Path) -> Iterator[str]:
    """Yields names with a leading underscore that are read from something other than ourselves."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(("leadyard", "_typeshed")):
            yield from (alias.name for alias in node.names if re.match(r"_[^_]", alias.name))


def test_no_other_private_part_is_used() -> None:
    # zlib has no public name for the type of its decompressor, and the annotation is all that uses it.
    # os._exit is public, whatever its name.
    known = {"_Decompress", "_exit", *(part.rpartition(".")[2] for part, _ in EVERY_PART)}
    found = {
        f"{file.relative_to(SOURCE)}: {name}"
        for file in SOURCE.rglob("*.py")
        for name in private_names(file)
        if name not in known
    }
    assert not found, f"list them in PRIVATE_PARTS and cap the library, or find a public way: {found}"
    assert list(private_names(SOURCE / "files" / "gzip_unpacking.py")) == ["_Decompress"]
