"""The next step of a model after a refusal: one sentence for each code, in terms of the tools."""

from __future__ import annotations

from collections.abc import Mapping

from leadyard.api_client.refused import Refused

_NEXT_STEPS: Mapping[str, str] = {
    "VALIDATION_ERROR": "Correct the arguments that `violations` names, and call the tool again.",
    "UNAUTHORIZED": "Stop, and request a valid API key from the user. You cannot do anything without one.",
    "FORBIDDEN": "Do not try again. Report to the user which permission or account group the key lacks.",
    "NOT_FOUND": "Look the id up again: list_audiences for audiences, find_prospects for people, list_changes for "
    "changes. Ids of one account group do not exist in another.",
    "AUDIENCE_NOT_READY": "A job uses this audience. Call get_job with jobId and waitSeconds 30. When the job has "
    "ended, call this tool again.",
    "SAME_AUDIENCE": "Choose another target audience.",
    "SAME_PROSPECT": "Give the ids of two different people.",
    "LEADS_NOT_IN_SOURCE": "Nothing was changed. `leadIds` are not in the source audience: another user may have moved "
    "them. List the source with find_prospects again, and let the user decide if you are not sure.",
    "SELECTION_CHANGED": "Nothing was changed. Call preview_transfer again, show the user the new count, and call "
    "transfer with this count as expectedCount.",
    "EXPECTED_COUNT_DIFFERS": "Nothing was changed. Find out why the numbers differ before you call again.",
    "EXPECTED_COUNT_NEEDED": "Nothing was changed. Check the number with the user, and call again with it as "
    "expectedCount.",
    "CHANGED_SINCE": "Nothing was undone. Some people were moved again after this change. Undo the later changes "
    "first, newest first, or let the user decide whether to undo only the others with skipChanged true.",
    "ALREADY_UNDONE": "Nothing to do. To make the change again, call undo_change with undoneByChangeId.",
    "NOT_UNDOABLE": "Do not try again. Report to the user that this change cannot be taken back.",
    "CHANGE_TOO_LARGE": "Use transfer in the opposite direction instead, after preview_transfer.",
    "JOB_NOT_CANCELLABLE": "The job has ended. get_job shows its result.",
    "SOURCE_NOT_CONFIGURED": "This service cannot search for people. Import a CSV or profile URLs without "
    "searchEmails, or let the operator configure a prospect provider.",
    "MAX_RESULTS_TOO_LARGE": "Call again with maxResults of at most the number in `maxResults`.",
    "TOO_MANY_JOBS": "Wait until a job has ended (get_job with waitSeconds 30), and call again.",
    "UNREADABLE_FILE": "Nothing was imported. Correct the file as `details` explains, and call again.",
    "UNKNOWN_COLUMN": "Use a column name exactly as it is in the first row of the file.",
    "RATE_LIMITED": "Wait retryAfterSeconds, and call again. Make fewer calls: use longer pages.",
    "SERVICE_UNAVAILABLE": "Wait retryAfterSeconds, and call again.",
    "SERVICE_UNREACHABLE": "If the call was to change something, look first whether it did: list_changes shows the "
    "newest changes. Then try again, or report it to the user.",
    "REQUEST_TIMEOUT": "If the call was to change something, look first whether it did: list_changes shows the newest "
    "changes. Then try again with fewer people.",
    "INTERNAL_ERROR": "Report the traceId to the user. Before you try again, look with list_changes whether the call "
    "had an effect.",
    "UNKNOWN_TOOL": "Use a tool of the list.",
}
_OTHERWISE = "Do not repeat the same call. Change the arguments as `details` explains, or let the user decide."


def next_step(refusal: Refused) -> str:
    """Returns what to do after the refusal."""
    return refusal.next_step or _NEXT_STEPS.get(refusal.code, _OTHERWISE)
