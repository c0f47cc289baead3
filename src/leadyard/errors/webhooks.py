"""Refusals that concern webhooks."""

from __future__ import annotations

from leadyard.errors.leadyard_error import LeadyardError


class UrlNotAllowed(LeadyardError):
    """A webhook may not lead to this URL."""

    code = "URL_NOT_ALLOWED"


class TooManyWebhooks(LeadyardError):
    """The account group has the maximum number of webhooks."""

    code = "TOO_MANY_WEBHOOKS"

    def __init__(self, *, most: int) -> None:
        super().__init__(f"It may have {most}. Delete one that you no longer need.", extra={"maxWebhooks": most})


class SecretUnreadable(LeadyardError):
    """The secret of the webhook cannot be decrypted, because the secret key of the service has changed."""

    code = "SECRET_UNREADABLE"

    def __init__(self) -> None:
        super().__init__("Rotate the secret of the webhook, or ask the operator for the old LEADYARD_SECRET_KEY.")
