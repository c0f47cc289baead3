"""Refusals to change who is in which audience, and to take a change back."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.counted import counted
from leadyard.errors.leadyard_error import LeadyardError


class SameAudience(LeadyardError):
    """Source and target are the same audience."""

    code = "SAME_AUDIENCE"

    def __init__(self) -> None:
        super().__init__("Name another audience in targetAudienceId.")


class SameProspect(LeadyardError):
    """A prospect cannot be merged with itself."""

    code = "SAME_PROSPECT"

    def __init__(self) -> None:
        super().__init__("Name two different prospects.")


class LeadsNotInSource(LeadyardError):
    """Some of the leads are not in the source audience, so nothing was moved."""

    code = "LEADS_NOT_IN_SOURCE"

    def __init__(self, *, first_lead_ids: Sequence[str], lead_count: int) -> None:
        verb = "is" if lead_count == 1 else "are"
        super().__init__(
            f"{lead_count} of the leads {verb} not in the source. List the source again and send only its leads.",
            extra={"leadIds": list(first_lead_ids), "leadCount": lead_count},
        )


class ChangedSince(LeadyardError):
    """Some of the leads are no longer where the change has put them, so nothing was undone."""

    code = "CHANGED_SINCE"

    def __init__(self, *, first_lead_ids: Sequence[str], lead_count: int) -> None:
        what = "lead has" if lead_count == 1 else "leads have"
        super().__init__(
            f"{lead_count} {what} been changed since. Undo those changes first, or skip such leads: they then stay as "
            "they are.",
            extra={"leadIds": list(first_lead_ids), "leadCount": lead_count},
        )


class AlreadyUndone(LeadyardError):
    """The change was undone before."""

    code = "ALREADY_UNDONE"

    def __init__(self, undone_by_change_id: str) -> None:
        super().__init__(
            f"Change {undone_by_change_id} has undone it. To make it again, undo that change.",
            extra={"undoneByChangeId": undone_by_change_id},
        )


class NotUndoable(LeadyardError):
    """This change cannot be undone."""

    code = "NOT_UNDOABLE"


class SelectionChanged(LeadyardError):
    """The selection does not have the expected number of leads, so nothing was changed."""

    code = "SELECTION_CHANGED"

    def __init__(self, *, count: int) -> None:
        super().__init__(
            f"It has {counted(count, 'lead')} now. Look at it with a dry run, and send its count as expectedCount.",
            extra={"count": count},
        )
