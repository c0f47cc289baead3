"""Programs that some tests run and that not every machine has: who needs them, and what a run without them left out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from rig.browser import find_chromium
from rig.real_parts import find
from rig.throwaway_redis import find_program


@dataclass(frozen=True)
class Tool:
    """A program, and what is not tested without it. `look` finds a program that is not on the PATH; `feature` is a word
    that its `--version` must print."""

    program: str
    tests: str
    look: Callable[[str], object] = shutil.which
    feature: str = ""

    def __str__(self) -> str:
        return f"{self.program} with {self.feature}" if self.feature else self.program


# By the marker of the tests that run the program.
TOOLS: Mapping[str, Tool] = {
    "needs_java": Tool("java", "Java's own HTTP client, and those that openapi-generator makes of openapi.json"),
    "needs_curl_http2": Tool("curl", "curl with an offer of HTTP/2", feature="HTTP2"),
    "needs_nginx": Tool("nginx", "pauses and restarts behind nginx"),
    "needs_caddy": Tool("Caddy", "the configuration for Caddy that we ship, with restarts (Debian: caddy)", find),
    "needs_pgbouncer": Tool("PgBouncer", "the service behind a pooler in transaction mode (Debian: pgbouncer)", find),
    # The wheel's PostgreSQL is built without TLS.
    "needs_tls_server": Tool("PostgreSQL of the system", "TLS to PostgreSQL", find),
    "needs_redis": Tool("redis-server", "rate limits in Redis while it stands still", find_program),
    # Valkey may also come from a Python wheel.
    "needs_valkey": Tool("valkey-server", "rate limits in Valkey while it stands still", find_program),
    "needs_npm": Tool(
        "npm",
        "the TypeScript client, whether that of openapi-generator compiles, and whether the built page is up to date",
    ),
    "needs_n8n": Tool("n8n", "the workflow of recipes/n8n (npm install --global n8n, with Node 24)", find),
    "needs_chromium": Tool("Chromium", "the page in a browser (Debian: chromium)", lambda _: find_chromium()),
}


def can_run(item: pytest.Item) -> bool:
    """Returns whether the machine has every program that the test runs."""
    return not any(item.get_closest_marker(marker) for marker in TOOLS if _is_missing(marker))


def left_out() -> list[str]:
    """Returns a sentence for each program that the machine lacks."""
    return [f"no {tool}: NOT tested: {tool.tests}" for marker, tool in TOOLS.items() if _is_missing(marker)]


@cache
def _is_missing(marker: str) -> bool:
    """Searched once for each program, because the run checks them for each of its tests."""
    tool = TOOLS[marker]
    return tool.look(tool.program) is None or tool.feature not in _version(tool)


def _version(tool: Tool) -> str:
    if not tool.feature:
        return ""
    return subprocess.run([tool.program, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
