"""The result of an operation as an answer, before it is serialised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leadyard.http.answer.envelope import Shape, Success


@dataclass(frozen=True, slots=True)
class Shown:
    """The type of the answer, its data, and headers. `job_id` is the job that the request has started, if a repetition
    of the answer shows that it has ended. `has_secret`: the answer contains a secret that is shown this once. `status`
    is None for the status of the route."""

    shape: type[Success[Any]]
    data: Shape
    headers: Mapping[str, str] = field(default_factory=dict)
    job_id: str | None = None
    has_secret: bool = False
    status: int | None = None
