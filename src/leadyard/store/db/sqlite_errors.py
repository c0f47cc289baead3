"""Translates the errors of SQLite: into a refusal, or into the advice to run the work again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import apsw

from leadyard.errors import TransactionConflict
from leadyard.store.db.failures import broken, unavailable

_DAMAGED = (apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB)
_REASONS = {
    apsw.SQLITE_FULL: "disk_full",
    apsw.SQLITE_IOERR: "io_error",
    apsw.SQLITE_READONLY: "read_only",
    apsw.SQLITE_CANTOPEN: "unreachable",
    apsw.SQLITE_NOMEM: "out_of_memory",
}


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raises TransactionConflict for a constraint or a lock, and else what `refuse` raises."""
    try:
        yield
    except apsw.ConstraintError as error:
        raise TransactionConflict(str(error)) from error
    except apsw.Error as error:
        if is_busy(error):
            raise TransactionConflict(str(error)) from error
        refuse(error)


def refuse(error: apsw.Error) -> NoReturn:
    """Raises the refusal for a failure of the database. Raises the error itself when it is a bug."""
    code = _code(error)
    if code in _DAMAGED:
        raise broken("corrupt", detail=_name(error)) from error
    if code in _REASONS:
        raise unavailable(_REASONS[code], detail=_name(error)) from error
    raise error


def is_busy(error: apsw.Error) -> bool:
    """Returns whether another connection holds a lock that this one needs."""
    return _code(error) in (apsw.SQLITE_BUSY, apsw.SQLITE_LOCKED)


def _code(error: apsw.Error) -> int:
    # Errors of apsw itself have no code.
    return getattr(error, "result", 0)


def _name(error: apsw.Error) -> str:
    """Returns the name with the place, such as SQLITE_IOERR_WRITE."""
    extended = getattr(error, "extendedresult", 0)
    return str(apsw.mapping_extended_result_codes.get(extended) or apsw.mapping_result_codes[_code(error)])
