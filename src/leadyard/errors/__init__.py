"""All refusals of Leadyard. One class per code; the docstring is the message; nothing here depends on HTTP.

`message` states the problem, `details` what to do about it. `extra` contains the machine-readable keys that the
contract adds to some refusals. It never contains a secret or SQL, and never reveals that another tenant exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from leadyard.errors.changes import AlreadyUndone as AlreadyUndone
from leadyard.errors.changes import ChangedSince as ChangedSince
from leadyard.errors.changes import LeadsNotInSource as LeadsNotInSource
from leadyard.errors.changes import NotUndoable as NotUndoable
from leadyard.errors.changes import SameAudience as SameAudience
from leadyard.errors.changes import SameProspect as SameProspect
from leadyard.errors.changes import SelectionChanged as SelectionChanged
from leadyard.errors.events import EventsGone as EventsGone
from leadyard.errors.events import TooManyReaders as TooManyReaders
from leadyard.errors.files import NobodyIdentified as NobodyIdentified
from leadyard.errors.leadyard_error import LeadyardError as LeadyardError
from leadyard.errors.secret_keys import SecretKeyDiffers as SecretKeyDiffers
from leadyard.errors.secret_keys import SecretKeyMissing as SecretKeyMissing
from leadyard.errors.webhooks import SecretUnreadable as SecretUnreadable
from leadyard.errors.webhooks import TooManyWebhooks as TooManyWebhooks
from leadyard.errors.webhooks import UrlNotAllowed as UrlNotAllowed

CONFLICTS = "conflicts"
"""The reason of a ServiceUnavailable after conflicts with other transactions in all attempts."""
CONNECTION_LOST = "connection_lost"
"""The reason of a ServiceUnavailable after each attempt has lost its connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One error in a request: the path (`prospects[3].email`), the broken rule, and a sentence."""

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
            more += f" {left_out} more {'is' if left_out == 1 else 'are'} not listed."
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
        super().__init__("Create a new key with 'leadyard keys create'.")


class Forbidden(LeadyardError):
    """The API key may not do this."""

    code = "FORBIDDEN"

    @classmethod
    def lacking(cls, permission: str) -> Self:
        """Returns the refusal of a key that does not have the permission."""
        return cls(f"The key lacks the permission {permission}. Use a key that has it.")


class NotFound(LeadyardError):
    """This was not found in this account group."""

    code = "NOT_FOUND"

    def __init__(self, noun: str, missing_id: str, *, listed_by: str | None = None) -> None:
        """`listed_by` is the command that lists these things if they are not in an account group, as the groups are."""
        if listed_by is None:
            super().__init__(
                f"Check the id {missing_id} and that the {noun} belongs to this account group.",
                message=f"The {noun} was not found in this account group.",
            )
        else:
            super().__init__(
                f"Check the id {missing_id}. '{listed_by}' lists all of them.", message=f"The {noun} was not found."
            )

    @classmethod
    def audience_named(cls, name: str) -> Self:
        """Returns the refusal of a command that names an audience which is not there."""
        refusal = cls("audience", name)
        listed = "'leadyard audiences list' lists the audiences, without those that a job is filling."
        refusal.details = f"None has exactly the name {name!r}. {listed}"
        return refusal


class AmbiguousName(LeadyardError):
    """More than one thing has this name."""

    code = "AMBIGUOUS_NAME"


class MethodNotAllowed(LeadyardError):
    """Method not allowed for this path."""

    code = "METHOD_NOT_ALLOWED"


class BodyTooLarge(LeadyardError):
    """The request body is too large."""

    code = "BODY_TOO_LARGE"

    @classmethod
    def of_json(cls, *, max_mib: int) -> Self:
        """Returns the refusal of a JSON body."""
        return cls(f"Send at most {max_mib * 1024**2} bytes ({max_mib} MiB); split the work into several requests.")


class HeadersTooLarge(LeadyardError):
    """The head of the request is too large."""

    code = "HEADERS_TOO_LARGE"


class RequestTimeout(LeadyardError):
    """The request did not arrive in time."""

    code = "REQUEST_TIMEOUT"

    @classmethod
    def of_body(cls, *, within_s: float, bytes_per_s: int) -> Self:
        """Returns the refusal of a body that is both too late and too slow."""
        return cls(f"Send the body within {within_s:g} s, or at {bytes_per_s:,} bytes a second.")


class UnsupportedMediaType(LeadyardError):
    """The request body is not JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"

    @classmethod
    def not_json(cls) -> Self:
        """Returns the refusal for a path that accepts only JSON."""
        return cls("Send the body as JSON, with the header 'Content-Type: application/json'.")


class AudienceNotReady(LeadyardError):
    """A job that has not ended is filling or changing the audience."""

    code = "AUDIENCE_NOT_READY"

    def __init__(self, *, audience_id: str, job_id: str, retry_after_s: int = 30) -> None:
        super().__init__(
            f"Wait until job {job_id} has ended, then send the request again. Look again in {retry_after_s} s.",
            retry_after_s=retry_after_s,
            extra={"audienceId": audience_id, "jobId": job_id},
        )


class IdempotencyConflict(LeadyardError):
    """The Idempotency-Key was used before for a different request, or that request is still in flight."""

    code = "IDEMPOTENCY_CONFLICT"

    def __init__(self, *, in_flight: bool) -> None:
        if in_flight:
            super().__init__(
                "The first request with this key is still being processed. Wait a moment, then send it again.",
                retry_after_s=1,
            )
        else:
            super().__init__("Use a new key for a new request. To retry a request, send the same path and body.")


class JobNotCancellable(LeadyardError):
    """Only a queued or running job can be cancelled."""

    code = "JOB_NOT_CANCELLABLE"

    def __init__(self, *, status: str) -> None:
        ended = f"This job is {status}, so there is nothing left to cancel."
        done = "This job has done its work and is about to complete. Undo its change instead."
        super().__init__(done if status == "running" else ended, extra={"status": status})


class SourceNotConfigured(LeadyardError):
    """This service has no prospect provider."""

    code = "SOURCE_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__(
            "The operator can set LEADYARD_PROVIDER_URL. Otherwise use csv_upload or url_upload without searchEmails."
        )


class MaxResultsTooLarge(LeadyardError):
    """The account group does not allow that many results per job."""

    code = "MAX_RESULTS_TOO_LARGE"

    def __init__(self, *, most: int) -> None:
        super().__init__(f"Request at most {most:,}, or split the search.", extra={"maxResults": most})


class TooManyJobs(LeadyardError):
    """The account group has too many queued or running jobs."""

    code = "TOO_MANY_JOBS"

    def __init__(self) -> None:
        super().__init__("Wait for some to finish, or cancel jobs that you no longer need.")


class ProviderUnavailable(LeadyardError):
    """The prospect provider did not return a usable response."""

    code = "PROVIDER_UNAVAILABLE"


class LeaseLost(LeadyardError):
    """Another worker has this job now, or the job has ended."""

    code = "LEASE_LOST"


class AudienceTypeReserved(LeadyardError):
    """Only a prospecting job can create an audience of this type."""

    code = "AUDIENCE_TYPE_RESERVED"

    def __init__(self) -> None:
        super().__init__("Use the type on_demand or monitoring, or start a prospecting job.")


class FolderTypeMismatch(LeadyardError):
    """The folder does not accept audiences of this type."""

    code = "FOLDER_TYPE_MISMATCH"

    def __init__(self, *, audience_type: str, folder_type: str) -> None:
        super().__init__(
            f"The audience is {audience_type}. The folder accepts "
            f"{'only monitoring audiences' if folder_type == 'monitoring' else 'all types except monitoring'}. "
            "Choose another folder."
        )


class IdentityConflict(LeadyardError):
    """Another lead of this account group has this identity."""

    code = "IDENTITY_CONFLICT"

    def __init__(self, other_lead_id: str) -> None:
        super().__init__(
            f"Lead {other_lead_id} already has this identity. Change the LinkedIn profile, e-mail or provider id, or "
            f"delete lead {other_lead_id}.",
            extra={"leadId": other_lead_id},
        )


class RateLimited(LeadyardError):
    """Too many requests."""

    code = "RATE_LIMITED"


class ServiceUnavailable(LeadyardError):
    """The database cannot be reached or is too busy at the moment."""

    code = "SERVICE_UNAVAILABLE"
    # For the operator: the cause as one stable word, the error, and the remedy.
    reason: str = ""
    detail: str = ""
    advice: str = ""

    def for_log(self) -> dict[str, str | None]:
        """Returns the cause and the error as fields of a log line."""
        return {"reason": self.reason or self.details, "detail": self.detail or None}

    @classmethod
    def after_conflicts(cls, last: TransactionConflict) -> Self:
        """Returns the refusal of a transaction that failed with conflicts in all its attempts, with the last one as the
        cause for the operator."""
        refusal = cls("Nothing was changed. Try again in a moment.", retry_after_s=2)
        refusal.reason, refusal.detail = last.reason, last.detail
        return refusal


class Internal(LeadyardError):
    """Something went wrong on our side."""

    code = "INTERNAL_ERROR"

    def __init__(self) -> None:
        super().__init__("No change was left half done. Send the trace id to the operator of this service.")


class SchemaOutOfDate(LeadyardError):
    """The database schema does not match this version."""

    code = "SCHEMA_OUT_OF_DATE"


class DatabaseUnfit(LeadyardError):
    """The database cannot be used as it is."""

    code = "DATABASE_UNFIT"


class DatabaseReadOnly(LeadyardError):
    """The database is read-only."""

    code = "DATABASE_READ_ONLY"


class BadSetting(LeadyardError):
    """A setting has an invalid value."""

    code = "BAD_SETTING"


class AddressUnavailable(LeadyardError):
    """Cannot bind to this address."""

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
    """This prospect is not valid."""

    code = "INVALID_PROSPECT"

    def __init__(self, reason_code: str, message: str) -> None:
        self.reason_code = reason_code
        super().__init__(message, extra={"reason": reason_code})

    @classmethod
    def again(cls, reason_code: str, message: str) -> InvalidProspect:
        """Returns the refusal for a reason that was found, and noted, before."""
        return cls(reason_code, message)


class TransactionConflict(Exception):
    """The transaction has to be run again (deadlock, serialisation failure, a connection that was lost before the
    commit was sent). Operations catch it: they run again, and in the end raise ServiceUnavailable.

    `detail` is for the log of the operator: what the database reported, without data. `reason` is CONFLICTS or
    CONNECTION_LOST.
    """

    is_lock_timeout = False

    def __init__(self, detail: str = "", *, reason: str = CONFLICTS) -> None:
        self.detail = detail
        self.reason = reason
        super().__init__(detail)
