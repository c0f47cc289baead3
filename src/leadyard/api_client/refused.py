"""A refusal of the API, as its clients get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """A refusal. `extra` are the further fields of the error, such as the job that is in the way.

    `next_step` is a sentence for a model, if a tool has a better one than its table of next steps.
    """

    def __init__(
        self,
        code: str,
        message: str,
        details: str = "",
        *,
        extra: Mapping[str, Any] | None = None,
        wait_s: int | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = details
        self.extra = dict(extra or {})
        self.wait_s = wait_s
        self.next_step = next_step
