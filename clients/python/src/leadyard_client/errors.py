"""The errors of the client, all in one place: each is a `LeadyardError`.

A refusal of the service is an `ApiError`, with a subclass for each code, such as `LeadsNotInSource`.
"""

from __future__ import annotations

from leadyard_client.refusal import ApiError as ApiError
from leadyard_client.refusal import JobNotCompleted as JobNotCompleted
from leadyard_client.refusal import LeadyardError as LeadyardError
from leadyard_client.refusal import NoAnswer as NoAnswer
from leadyard_client.refusal import UnexpectedAnswer as UnexpectedAnswer
from leadyard_client.refusal import WaitTimeout as WaitTimeout
from leadyard_client.refusal import WebhookVerificationError as WebhookVerificationError
from leadyard_client.refusal import WrongAccountGroup as WrongAccountGroup
from leadyard_client.refusals import *  # noqa: F403
