"""The base of all refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class LeadyardError(Exception):
    """The service refused a request, or failed, in a way that the caller can act on."""

    code: ClassVar[str]

    def __init__(
        self,
        details: str,
        *,
        message: str | None = None,
        retry_after_s: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.details = details
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})
        super().__init__(f"{self.message} {self.details}")
