"""How work on a job can end early for good, besides what its provider says (errors.py has that)."""

from __future__ import annotations


class CannotGoOn(Exception):
    """The source will never go on, however often it is tried. `code` and `message` become the job's error."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)
