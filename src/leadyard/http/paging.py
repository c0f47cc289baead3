"""Lists: cursors that mean nothing to the client and cannot be used on another list."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, LiteralString, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from leadyard.errors import InvalidRequest, Violation
from leadyard.http.envelope import Listing, Shape
from leadyard.model import Page

T = TypeVar("T")
S = TypeVar("S", bound=Shape)

_VERSION = "1"
_CHECK_BYTES = 8
_SLICE = 50
_WRONG_CURSOR: LiteralString = "This cursor was not given out for this list, or it was changed. Start without one."


class Paging(BaseModel):
    """The query of every list."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    cursor: Annotated[
        str | None, Field(max_length=500, description="`nextCursor` of the page before; leave it out for the first.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Items on a page.")] = 50

    @field_validator("cursor")
    @classmethod
    def _well_formed(cls, value: str | None) -> str | None:
        # Here only so that it is listed with whatever else is wrong; `start` looks closer.
        if value is not None and _key_in(value) is None:
            raise PydanticCustomError("wrong_cursor", _WRONG_CURSOR.removesuffix("."))
        return value

    def start(self, *scope: str) -> str | None:
        """Returns the key to continue after, None at the beginning. Raises InvalidRequest for a cursor that was not
        made for exactly this list."""
        if self.cursor is None:
            return None
        key = _open_cursor(self.cursor, scope)
        if key is None:
            raise InvalidRequest([Violation(path="cursor", code="WRONG_CURSOR", message=_WRONG_CURSOR)])
        return key


async def in_slices(items: Sequence[T], to_shape: Callable[[T], S]) -> list[S]:
    """Returns the shape of each item, and lets others have a turn on the way: a page of 200 people takes as long as
    several moves, and whoever moves should not wait for all of it."""
    shapes: list[S] = []
    for start in range(0, len(items), _SLICE):
        shapes += map(to_shape, items[start : start + _SLICE])
        await asyncio.sleep(0)
    return shapes


def listing(shape: type[Listing[S]], page: Page[T], to_shape: Callable[[T], S], *scope: str) -> Listing[S]:
    """Returns the page as it goes out. `scope` names the list (and its filters), the same as in `Paging.start`."""
    cursor = None if page.next_key is None else _make_cursor(page.next_key, scope)
    values: dict[str, Any] = {
        "items": [to_shape(item) for item in page.items],
        "next_cursor": cursor,
        "has_more": cursor is not None,
    }
    return shape.made_of(values)


def _make_cursor(key: str, scope: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(_check(key, scope) + key.encode()).decode().rstrip("=")


def _open_cursor(cursor: str, scope: tuple[str, ...]) -> str | None:
    key = _key_in(cursor)
    # Comparing the text as well refuses the other spellings that base64 would let pass for the same bytes.
    return key if key is not None and _make_cursor(key, scope) == cursor else None


def _key_in(cursor: str) -> str | None:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return raw[_CHECK_BYTES:].decode() or None
    except (binascii.Error, ValueError):
        return None


def _check(key: str, scope: tuple[str, ...]) -> bytes:
    # Not a secret: who forges a cursor only chooses where to start in a list that is open to them anyway. It tells
    # honest mistakes apart: the cursor of another list, account group or version.
    text = "\0".join((_VERSION, *scope, key))
    return hashlib.blake2b(text.encode(), digest_size=_CHECK_BYTES).digest()
