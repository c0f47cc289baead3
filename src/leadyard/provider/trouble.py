"""Failures of a prospect provider. Jobs retry the temporary ones, and requests get 503."""

from __future__ import annotations


class ProviderTrouble(Exception):
    """The prospect provider did not return a usable response. `code` is stable. `message` is a sentence for the client
    that started the job. It contains no secret, and of the provider's text only the message of a refusal, cut to one
    line.

    Raise one of the subclasses, because the caller has to decide whether to retry.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class TemporaryProviderTrouble(ProviderTrouble):
    """A retry may succeed. `retry_after_s` is the wait in seconds (0 to 3,600) if the provider sent one."""

    def __init__(self, code: str, message: str, *, retry_after_s: int | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(code, message)


class PermanentProviderTrouble(ProviderTrouble):
    """A retry would fail in the same way: the provider refused the request, or violates the protocol."""
