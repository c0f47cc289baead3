"""Refusals to use the secret key of the installation."""

from __future__ import annotations

from leadyard.errors.leadyard_error import LeadyardError


class SecretKeyMissing(LeadyardError):
    """This service has no secret key."""

    code = "SECRET_KEY_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "The operator must set LEADYARD_SECRET_KEY, to the same value in all processes of the installation."
        )


class SecretKeyDiffers(LeadyardError):
    """The database was used with another secret key."""

    code = "SECRET_KEY_DIFFERS"

    def __init__(self) -> None:
        super().__init__(
            "The operator must set LEADYARD_SECRET_KEY to the key of the other processes, or restore the file "
            "secret.key beside the SQLite file from the backup."
        )
