"""One SQLite library in every process. Two of them break each other's locks (see store/db/sqlite_engine.py)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "rig", "tests", "benchmarks", "script")
OTHER_LIBRARIES = {"sqlite3", "_sqlite3", "pysqlite3", "aiosqlite", "cysqlite"}

REPORTS_OTHERS = f"""
import sys
from leadyard.cli.main import run
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
print("others:", sorted({OTHER_LIBRARIES!r} & set(sys.modules)), file=sys.stderr)
"""


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def test_nothing_imports_another_library() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    found = {str(file.relative_to(ROOT)) for file in files if OTHER_LIBRARIES & set(imported(file))}
    assert not found, f"use leadyard.store.db.sqlite_engine, or rig.sqlite_file in a test: {found}"


def test_such_an_import_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "each.py"
    file.write_text("import sqlite3.dbapi2\nfrom aiosqlite.core import Connection\nfrom . import pysqlite3\n")
    assert OTHER_LIBRARIES & set(imported(file)) == {"sqlite3", "aiosqlite"}


@pytest.mark.parametrize(
    "arguments",
    [["migrate"], ["account-groups", "create", "Acme"], ["doctor"], ["backup", "copy.db"]],
    ids=lambda arguments: arguments[0],
)
def test_no_command_loads_another_library(arguments: list[str], tmp_path: Path) -> None:
    """Also not through Alembic and SQLAlchemy, which prefer Python's own."""
    environment = {**os.environ, "LEADYARD_DATA_DIR": str(tmp_path)}
    environment.pop("LEADYARD_DATABASE_URL", None)
    subprocess.run([sys.executable, "-m", "leadyard", "migrate"], env=environment, check=True, capture_output=True)
    if arguments == ["migrate"]:
        (tmp_path / "leadyard.db").unlink()
    done = subprocess.run(
        [sys.executable, "-c", REPORTS_OTHERS, *arguments],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stderr.splitlines()[-1:] == ["others: []"], done


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists the libraries of a process")
def test_a_running_service_has_one_library(tmp_path: Path) -> None:
    """The one inside apsw, and not the library of the system beside it."""
    from rig.service import Service

    service = Service(f"sqlite:///{tmp_path}/leadyard.db", tmp_path).start()
    try:
        assert service.process is not None
        maps = Path(f"/proc/{service.process.pid}/maps").read_text()
    finally:
        service.stop()
    assert "/apsw/" in maps
    assert "libsqlite3" not in maps and "_sqlite3." not in maps
