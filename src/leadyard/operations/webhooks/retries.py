"""When a failed delivery is sent again, and when a webhook is disabled. Pure rules, of section 32 of the contract."""

from __future__ import annotations

import random

from leadyard.model import DeliveryStatus

# About 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h after the attempt before.
PLAN_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_TRIES = len(PLAN_S) + 1
DISABLED_AFTER_MS = 5 * 24 * 3_600_000
GONE = 410
_LONGEST_ASKED_S = 24 * 3_600
# A receiver that limits its requests means all of them, not only the one that it has refused.
_MEANS_ALL = (429, 503)
_LONGEST_HOLD_S = 3_600
# A receiver that has failed for a minute is tried less and less often, down to every 30 s. So many dead receivers cost
# little, and a receiver that is back gets everything that waits within half a minute.
_PATIENCE_MS = 60_000
_LONGEST_PAUSE_MS = 30_000


def after_failure(tries: int, *, now: int, asked_s: int | None) -> tuple[DeliveryStatus, int | None]:
    """Returns the status of a delivery after so many failed tries, and the time of the next one in milliseconds, None
    after the last. `asked_s` is the Retry-After of the receiver, which is never undercut."""
    if tries >= MAX_TRIES:
        return DeliveryStatus.FAILED, None
    # Up to a fifth longer, so that the retries of one outage spread out.
    pause_s = PLAN_S[tries - 1] * random.uniform(1, 1.2)  # noqa: S311  (jitter, not a secret)
    if asked_s is not None:
        pause_s = max(pause_s, min(asked_s, _LONGEST_ASKED_S))
    return DeliveryStatus.PENDING, now + round(pause_s * 1000)


def is_struggling(failing_since: int | None, *, now: int) -> bool:
    """Returns whether a webhook has failed for so long that it gets one delivery at a time."""
    return failing_since is not None and now - failing_since >= _PATIENCE_MS


def pause_ms(failing_since: int | None, *, now: int) -> int:
    """Returns how long to leave a webhook alone that has just failed."""
    if failing_since is None or not is_struggling(failing_since, now=now):
        return 0
    return min((now - failing_since) // 10, _LONGEST_PAUSE_MS)


def asked_hold_ms(status_code: int | None, asked_s: int | None) -> int:
    """Returns how long the receiver has asked to be left alone, at most an hour: the Retry-After of a 429 or 503."""
    if asked_s is None or status_code not in _MEANS_ALL:
        return 0
    return min(asked_s, _LONGEST_HOLD_S) * 1000


def asks_for_silence(status_code: int | None, asked_s: int | None) -> bool:
    """Returns whether no further request may follow this answer for now: the receiver is gone, or limits requests."""
    return status_code == GONE or asked_hold_ms(status_code, asked_s) > 0


def has_failed_too_long(failing_since: int | None, *, now: int) -> bool:
    """Returns whether a webhook that has just failed is to be disabled."""
    return failing_since is not None and now - failing_since >= DISABLED_AFTER_MS
