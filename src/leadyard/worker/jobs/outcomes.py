"""The permanent failure of a job, other than the errors of a provider, which are in provider/trouble.py."""

from __future__ import annotations


class CannotGoOn(Exception):
    """The source cannot continue, and a retry would not help. `code` and `message` become the job's error."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)
