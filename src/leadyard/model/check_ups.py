"""The findings of a check-up of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """A violated invariant. `check` is a stable name; `facts` are the ids and numbers involved."""

    check: str
    facts: Mapping[str, Any]
