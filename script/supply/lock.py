"""Reads the lock files: the packages, their exact versions and their hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "requirements.lock"
RUNTIME = ROOT / "requirements-runtime.lock"
BUILD = ROOT / "requirements-build.lock"

_ENTRY = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+?))? \\$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock. `marker` limits it to some platforms, "" means all; `sha256` are the hashes of its
    files."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]


def read_lock(file: Path) -> list[Locked]:
    """Returns the packages of a lock in its order. Raises ValueError for a line that it cannot parse, or without a
    hash."""
    text = file.read_text()
    found = list(_ENTRY.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)][: len(found)]
    locked = [
        Locked(match["name"], match["version"], match["marker"] or "", tuple(_HASH.findall(text, match.end(), end)))
        for match, end in zip(found, ends, strict=True)
    ]
    lines = sum(1 for line in text.splitlines() if line.strip() and not line.startswith(" "))
    if lines != len(locked) or not all(each.sha256 for each in locked):
        raise ValueError(f"{file.name} contains a line without an exact version, or a package without a hash.")
    return locked
