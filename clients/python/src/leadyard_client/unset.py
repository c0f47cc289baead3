"""The value of an argument or a field that you leave out. It differs from None, which the service stores as null."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET
"""Leaves a field out of the request: in a PATCH the field keeps its value, elsewhere it gets its default."""
