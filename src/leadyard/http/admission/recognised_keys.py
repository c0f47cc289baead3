"""A cache of keys that were recognised a moment ago, so that not every request has to look up its key."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from leadyard.clock import now_ms
from leadyard.operations.api_keys import Credential

# Revocation has to work within 5 s. The answer of the database may take a moment to get here.
_REMEMBERED_FOR_S = 3.0
_MOST = 10_000


class RecognisedKeys:
    """The credentials of valid keys, for at most three seconds; after that, only the fact that they were valid. It
    keeps the 10,000 most recently used keys.

    It contains only valid keys, never a refusal, so a client that guesses can neither fill it nor learn from it. It
    contains hashes, never a secret.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._clock = clock
        self._most = most
        self._known: OrderedDict[tuple[bytes, str], tuple[float, Credential]] = OrderedDict()

    def recall(self, secret: str, account_group_id: str) -> Credential | None:
        """Returns the credential of the secret if it is cached and has not expired, else None."""
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
        """Returns whether the secret was valid at its last check. Sending it again is not a guess."""
        return _place(secret, account_group_id) in self._known

    def forget(self, secret: str, account_group_id: str) -> None:
        """Removes a secret that is no longer valid."""
        self._known.pop(_place(secret, account_group_id), None)

    def forget_everywhere(self, secret: str) -> None:
        """Removes a secret that is no longer valid, for all account groups. Takes as long as the cache is large."""
        digest, _ = _place(secret, "")
        for place in [each for each in self._known if each[0] == digest]:
            del self._known[place]

    def asking(self) -> float:
        """Returns the moment to pass to `remember`. Call it just before the query: its answer holds from then on."""
        return self._clock()

    def remember(self, secret: str, account_group_id: str, credential: Credential, *, asked: float) -> None:
        """Keeps the credential from the query of the moment `asked`, unless the key may not use the account group."""
        if account_group_id != (credential.account_group_id or ""):
            return
        place = _place(secret, account_group_id)
        self._known[place] = (asked + _REMEMBERED_FOR_S, credential)
        self._known.move_to_end(place)
        while len(self._known) > self._most:
            self._known.popitem(last=False)


def _place(secret: str, account_group_id: str) -> tuple[bytes, str]:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest(), account_group_id
