"""Keys that were recognised a moment ago, so that not every request asks the database who it comes from."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from leadyard.clock import now_ms
from leadyard.operations.api_keys import Credential

# Revocation has to work within 5 s. An answer may be under way for a moment before it is remembered here.
_REMEMBERED_FOR_S = 3.0
_MOST = 10_000


class RecognisedKeys:
    """What valid keys entitle to, for at most three seconds; after that, that they were valid. The 10,000 used last.

    Only what was granted is remembered, never a refusal: who guesses can neither fill it nor learn from it. It holds
    hashes, never a secret.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._clock = clock
        self._most = most
        self._known: OrderedDict[tuple[bytes, str], tuple[float, Credential]] = OrderedDict()

    def recall(self, secret: str, account_group_id: str) -> Credential | None:
        """Returns what the secret entitles to if that is known and still holds, else None."""
        place = _place(secret, account_group_id)
        found = self._known.get(place)
        if found is None:
            return None
        until, credential = found
        if self._clock() >= until or credential.is_expired(now_ms()):
            return None
        self._known.move_to_end(place)
        return credential

    def is_familiar(self, secret: str, account_group_id: str) -> bool:
        """Returns whether the secret was valid when it was last looked at: whoever sends it again does not guess."""
        return _place(secret, account_group_id) in self._known

    def forget(self, secret: str, account_group_id: str) -> None:
        """The secret is not valid any more."""
        self._known.pop(_place(secret, account_group_id), None)

    def asking(self) -> float:
        """Returns the moment to give to `remember`: what the database is about to tell is true from then on."""
        return self._clock()

    def remember(self, secret: str, account_group_id: str, credential: Credential, *, asked: float) -> None:
        """Keeps what the database told when it was `asked`, unless the key may not use the account group."""
        if account_group_id != (credential.account_group_id or ""):
            return
        place = _place(secret, account_group_id)
        self._known[place] = (asked + _REMEMBERED_FOR_S, credential)
        self._known.move_to_end(place)
        while len(self._known) > self._most:
            self._known.popitem(last=False)


def _place(secret: str, account_group_id: str) -> tuple[bytes, str]:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest(), account_group_id
