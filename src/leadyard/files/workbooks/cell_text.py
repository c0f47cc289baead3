"""The text of a cell that contains a number: every digit of an id, and dates as ISO 8601.

A workbook stores dates as numbers of days, and only the number format of the cell distinguishes them (ECMA-376 part 1,
18.8.30). Ids and phone numbers are numbers too, so a number is written without exponent and without rounding.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

_BUILT_IN_DATES = frozenset({*range(14, 18), *range(27, 32), 36, *range(50, 59)})
_BUILT_IN_TIMES = frozenset({18, 19, 20, 21, 32, 33, 34, 35, 45, 47})
_BUILT_IN_BOTH = 22
_BUILT_IN_DURATION = 46
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKETS = re.compile(r"\[[^\]]*\]")
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_AM_PM = re.compile(r"am/pm|a/p", re.IGNORECASE)
_ZEROS = re.compile(r'(?:"(\+)"|\\?(\+))?(0{2,40})')
_PLUS = re.compile(r'(?:"\+"|\\?\+)[0#]{1,40}')
_MAX_DIGITS = 40
_MAX_SERIAL = 2_958_466  # 10000-01-01
_EPOCH_1900 = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)


class Look(NamedTuple):
    """The meaning that a number format gives to the number of its cell: a `date`, a `time`, both, a `duration`, or a
    number with at least `digits` digits after `sign`."""

    date: bool = False
    time: bool = False
    duration: bool = False
    digits: int = 0
    sign: str = ""


PLAIN = Look()


def look_of(format_id: int, codes: Mapping[int, str]) -> Look:
    """Returns the look of a number format: one that the workbook defines, else the built-in one with that id."""
    if format_id in codes:
        return _look_of_code(codes[format_id][:255])
    if format_id == _BUILT_IN_DURATION:
        return Look(duration=True)
    both = format_id == _BUILT_IN_BOTH
    look = Look(date=both or format_id in _BUILT_IN_DATES, time=both or format_id in _BUILT_IN_TIMES)
    return look if look.date or look.time else PLAIN


@lru_cache(maxsize=1_000)
def _look_of_code(code: str) -> Look:
    first = code.split(";", 1)[0]
    if zeros := _ZEROS.fullmatch(first):
        return Look(digits=len(zeros[3]), sign=zeros[1] or zeros[2] or "")
    if _PLUS.fullmatch(first):
        return Look(digits=1, sign="+")
    bare = _LITERALS.sub("", first)
    if _ELAPSED.search(bare):
        return Look(duration=True)
    letters = _BRACKETS.sub("", bare).lower()
    if "general" in letters:
        return PLAIN
    has_clock = bool(_AM_PM.search(letters)) or "h" in letters or "s" in letters
    letters = _AM_PM.sub("", letters)
    has_date = "y" in letters or "d" in letters or ("m" in letters and not has_clock)
    return Look(date=has_date, time=has_clock) if has_date or has_clock else PLAIN


def text_of_number(number: str, look: Look, *, since_1904: bool = False) -> str:
    """Returns the text of a cell whose number is written like this. A text that is not a number stays as it is."""
    if look.date or look.time or look.duration:
        moment = _text_of_moment(number, look, since_1904)
        if moment is not None:
            return moment
    plain = number if number.isdigit() else _without_exponent(number)
    return look.sign + plain.zfill(look.digits) if look.digits and plain.isdigit() else plain


def text_of_float(number: float, look: Look, *, since_1904: bool = False) -> str:
    """Returns the text of a cell of a binary workbook, which stores its number as a float."""
    if not math.isfinite(number):
        return ""
    written = str(int(number)) if number.is_integer() and abs(number) < 1e22 else repr(number)
    return text_of_number(written, look, since_1904=since_1904)


def _without_exponent(number: str) -> str:
    text = number.strip()
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return text
    if not exact.is_finite() or abs(exact.adjusted()) > _MAX_DIGITS:
        return text
    if exact != exact.to_integral_value():
        # Excel shows 15 digits, so 0.1 + 0.2 is 0.3 and not 0.30000000000000004.
        exact = Decimal(f"{float(exact):.15g}")
    plain = format(exact, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _text_of_moment(number: str, look: Look, since_1904: bool) -> str | None:
    try:
        days = float(number)
    except ValueError:
        return None
    if not 0 <= days < _MAX_SERIAL:
        return None
    if look.duration:
        return _clock(timedelta(days=days))
    if look.time and not look.date and days < 1:
        return _clock(timedelta(days=days))
    # Excel counts a 29 February 1900, which Lotus 1-2-3 invented. The first two months are one day off.
    epoch = _EPOCH_1904 if since_1904 else _EPOCH_1900
    shift = 1 if not since_1904 and days < 60 else 0
    milliseconds = round((days % 1) * 86_400_000)
    moment = epoch + timedelta(days=int(days) + shift, milliseconds=milliseconds)
    if moment.time() == moment.min.time() and not look.time:
        return moment.date().isoformat()
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _clock(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
