"""Every way Leadyard says no. One class per code; the docstring is the message; nothing here knows HTTP.

`message` says what is wrong, `details` what to do about it. `extra` holds the machine-readable keys that the
contract adds to some refusals; it never holds a secret, SQL or another tenant's existence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class LeadyardError(Exception):
    """Something was refused or failed in a way the caller can act on."""

    code: ClassVar[str]

    def __init__(
        self,
        details: str,
        *,
        message: str | None = None,
        retry_after_s: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.details = details
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})
        super().__init__(f"{self.message} {self.details}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing wrong with a request: where (`prospects[3].email`), which rule, and a sentence."""

    path: str
    code: str
    message: str


class InvalidRequest(LeadyardError):
    """The request is not valid."""

    code = "VALIDATION_ERROR"

    def __init__(self, violations: Sequence[Violation], *, left_out: int = 0) -> None:
        self.violations = tuple(violations)
        count = len(self.violations)
        first = self.violations[0]
        more = f" {count - 1} more under violations." if count > 1 else ""
        if left_out:
            more += f" {left_out} more are not listed."
        where = f"{first.path}: " if first.path else ""
        super().__init__(
            f"{where}{first.message}{more}",
            extra={"violations": [{"path": v.path, "code": v.code, "message": v.message} for v in self.violations]},
        )


class Unauthorized(LeadyardError):
    """The API key is missing, unknown, revoked or expired."""

    code = "UNAUTHORIZED"

    def __init__(self) -> None:
        super().__init__("Send a valid key in the header 'Authorization: Bearer <key>'.")


class KeyNotValid(LeadyardError):
    """The API key is revoked or expired."""

    code = "KEY_NOT_VALID"

    def __init__(self) -> None:
        super().__init__("Make a new one with 'leadyard keys create'.")


class Forbidden(LeadyardError):
    """The API key may not do this."""

    code = "FORBIDDEN"


class NotFound(LeadyardError):
    """There is no such thing in this account group."""

    code = "NOT_FOUND"

    def __init__(self, noun: str, missing_id: str, *, listed_by: str | None = None) -> None:
        """`listed_by` names the command that lists what is in no account group, such as the groups themselves."""
        if listed_by is None:
            super().__init__(
                f"Check the id {missing_id} and that the {noun} belongs to this account group.",
                message=f"The {noun} was not found in this account group.",
            )
        else:
            super().__init__(
                f"Check the id {missing_id}; '{listed_by}' has all there are.", message=f"The {noun} was not found."
            )


class AmbiguousName(LeadyardError):
    """More than one thing has this name."""

    code = "AMBIGUOUS_NAME"


class MethodNotAllowed(LeadyardError):
    """This path does not take that method."""

    code = "METHOD_NOT_ALLOWED"


class BodyTooLarge(LeadyardError):
    """The request body is too large."""

    code = "BODY_TOO_LARGE"


class HeadersTooLarge(LeadyardError):
    """The head of the request is too large."""

    code = "HEADERS_TOO_LARGE"


class RequestTimeout(LeadyardError):
    """The request did not arrive in time."""

    code = "REQUEST_TIMEOUT"


class UnsupportedMediaType(LeadyardError):
    """The request body is not JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class AudienceNotReady(LeadyardError):
    """The audience is still being populated by an active prospecting job."""

    code = "AUDIENCE_NOT_READY"

    def __init__(self, *, audience_id: str, job_id: str, retry_after_s: int = 30) -> None:
        super().__init__(
            f"Wait until job {job_id} has ended, then send the request again.",
            retry_after_s=retry_after_s,
            extra={"audienceId": audience_id, "jobId": job_id},
        )


class IdempotencyConflict(LeadyardError):
    """The Idempotency-Key was used before for a different request, or that request is still in flight."""

    code = "IDEMPOTENCY_CONFLICT"

    def __init__(self, *, in_flight: bool) -> None:
        if in_flight:
            super().__init__(
                "The first request with this key is still being worked on. Wait a moment, then send it again.",
                retry_after_s=1,
            )
        else:
            super().__init__("Use a new key for a new request; repeat a request with exactly its path and body.")


class JobNotCancellable(LeadyardError):
    """Only a queued or running job can be cancelled."""

    code = "JOB_NOT_CANCELLABLE"

    def __init__(self, *, status: str) -> None:
        super().__init__(f"This job is {status}; there is nothing left to cancel.", extra={"status": status})


class SourceNotConfigured(LeadyardError):
    """This service has no prospect provider."""

    code = "SOURCE_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__(
            "Ask the operator to set LEADYARD_PROVIDER_URL, or use csv_upload or url_upload without searchEmails."
        )


class MaxResultsTooLarge(LeadyardError):
    """The account group does not allow that many results of one job."""

    code = "MAX_RESULTS_TOO_LARGE"

    def __init__(self, *, most: int) -> None:
        super().__init__(f"Ask for at most {most:,}, or split the search.", extra={"maxResults": most})


class TooManyJobs(LeadyardError):
    """The account group has too many jobs that are queued or running."""

    code = "TOO_MANY_JOBS"

    def __init__(self) -> None:
        super().__init__("Wait until some have ended, or cancel those that are no longer needed.")


class ProviderUnavailable(LeadyardError):
    """The prospect provider did not give a usable answer."""

    code = "PROVIDER_UNAVAILABLE"


class LeaseLost(LeadyardError):
    """Somebody else works on this job now, or it has ended."""

    code = "LEASE_LOST"


class SameAudience(LeadyardError):
    """Source and target are the same audience."""

    code = "SAME_AUDIENCE"

    def __init__(self) -> None:
        super().__init__("Name another audience in targetAudienceId.")


class LeadsNotInSource(LeadyardError):
    """Some of the leads are not in the source audience, so nothing was moved."""

    code = "LEADS_NOT_IN_SOURCE"

    def __init__(self, *, first_lead_ids: Sequence[str], lead_count: int) -> None:
        verb = "is" if lead_count == 1 else "are"
        super().__init__(
            f"{lead_count} of the listed leads {verb} not in the source. List the source again and send what is in it.",
            extra={"leadIds": list(first_lead_ids), "leadCount": lead_count},
        )


class AudienceTypeReserved(LeadyardError):
    """An audience of this type is made by a prospecting job, not by hand."""

    code = "AUDIENCE_TYPE_RESERVED"

    def __init__(self) -> None:
        super().__init__("Use the type on_demand or monitoring, or start a prospecting job.")


class FolderTypeMismatch(LeadyardError):
    """The folder does not take audiences of this type."""

    code = "FOLDER_TYPE_MISMATCH"

    def __init__(self, *, audience_type: str, folder_type: str) -> None:
        super().__init__(
            f"The audience is {audience_type}, the folder takes "
            f"{'monitoring audiences only' if folder_type == 'monitoring' else 'all but monitoring ones'}. "
            "Choose another folder."
        )


class IdentityConflict(LeadyardError):
    """Another lead of this account group has this identity."""

    code = "IDENTITY_CONFLICT"

    def __init__(self, other_lead_id: str) -> None:
        super().__init__(
            f"It is lead {other_lead_id}. Correct LinkedIn profile, e-mail or provider id, or delete the other lead.",
            extra={"leadId": other_lead_id},
        )


class RateLimited(LeadyardError):
    """Too many requests."""

    code = "RATE_LIMITED"


class ServiceUnavailable(LeadyardError):
    """The database is out of reach or too busy at the moment."""

    code = "SERVICE_UNAVAILABLE"
    # For the operator: why, in one stable word.
    reason: str = ""


class Internal(LeadyardError):
    """Something went wrong on our side."""

    code = "INTERNAL_ERROR"

    def __init__(self) -> None:
        super().__init__("Nothing was left half done. Give the trace id to whoever runs this service.")


class SchemaOutOfDate(LeadyardError):
    """The database schema is not the one this version needs."""

    code = "SCHEMA_OUT_OF_DATE"


class BadSetting(LeadyardError):
    """A setting has a wrong value."""

    code = "BAD_SETTING"


class AddressUnavailable(LeadyardError):
    """The service cannot listen there."""

    code = "ADDRESS_UNAVAILABLE"


class UnreadableFile(LeadyardError):
    """The file cannot be read as a table of leads."""

    code = "UNREADABLE_FILE"


class BackupRefused(LeadyardError):
    """The database was not copied, and nothing was changed."""

    code = "BACKUP_REFUSED"


class UnknownColumn(LeadyardError):
    """The file has no such column."""

    code = "UNKNOWN_COLUMN"


class InvalidProspect(LeadyardError):
    """What is given of this prospect is not valid."""

    code = "INVALID_PROSPECT"

    def __init__(self, reason_code: str, message: str) -> None:
        self.reason_code = reason_code
        super().__init__(message, extra={"reason": reason_code})


class ProviderTrouble(Exception):
    """The prospect provider gave no usable answer. `code` is stable; `message` is a sentence for whoever started the
    job, without secrets and without what the provider sent, but for the message of a refusal, on one line and cut.

    Nobody raises this one itself: whoever asks has to know whether asking again makes sense.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class TemporaryProviderTrouble(ProviderTrouble):
    """The same request may well succeed later; after `retry_after_s` seconds (0 to 3,600) if the provider said so."""

    def __init__(self, code: str, message: str, *, retry_after_s: int | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(code, message)


class PermanentProviderTrouble(ProviderTrouble):
    """The same request would meet the same answer: the provider refused it, or does not keep to the protocol."""


class TransactionConflict(Exception):
    """The database asked for the transaction to be run again (deadlock, serialisation failure, a lost
    connection before the commit was sent). Never leaves the operations: they run again, then give up as
    ServiceUnavailable."""
