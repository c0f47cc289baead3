"""The Python client of Leadyard: every operation, typed, with retries that never move a lead twice.

`Leadyard` is for programs without asyncio, `AsyncLeadyard` for programs with it. `models` has the types of answers and
arguments, `errors` all errors.
"""

from __future__ import annotations

from leadyard_client import errors as errors
from leadyard_client import models as models
from leadyard_client.async_client import AsyncLeadyard as AsyncLeadyard
from leadyard_client.attempts import NO_RETRIES as NO_RETRIES
from leadyard_client.attempts import RetryPolicy as RetryPolicy
from leadyard_client.client import Leadyard as Leadyard
from leadyard_client.refusal import ApiError as ApiError
from leadyard_client.refusal import LeadyardError as LeadyardError
from leadyard_client.refusal import NoAnswer as NoAnswer
from leadyard_client.unset import UNSET as UNSET
from leadyard_client.unset import Unset as Unset
from leadyard_client.version import __version__ as __version__
from leadyard_client.webhooks import verify_webhook as verify_webhook
