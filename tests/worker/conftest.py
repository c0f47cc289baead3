"""The worker of these tests runs in their own process, which does not configure its log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from structlog.typing import EventDict


@pytest.fixture(autouse=True)
def log() -> Iterator[list[EventDict]]:
    """The log lines. Rendered for a terminal, the traceback of one exception would take seconds."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of this process looks for jobs more often."""
    monkeypatch.setattr("leadyard.worker.jobs.worker._LOOK_EVERY_S", 0.03)
