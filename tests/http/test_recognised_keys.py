"""The keys that a process remembers: for how long, how many, and which never."""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.http.admission.recognised_keys import RecognisedKeys
from leadyard.model import Permission
from leadyard.operations.api_keys import Credential

GROUP = "507f1f77bcf86cd799439011"


def credential(group: str | None = GROUP, expires_at: int | None = None) -> Credential:
    return Credential(api_key_id="k", permissions=frozenset(Permission), account_group_id=group, expires_at=expires_at)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_remembered_for_three_seconds_from_when_the_database_was_asked() -> None:
    clock = Clock()
    keys = RecognisedKeys(clock=clock)
    asked = keys.asking()
    clock.now += 2
    keys.remember("secret", GROUP, credential(), asked=asked)
    assert keys.recall("secret", GROUP) == credential()
    clock.now += 0.999
    assert keys.recall("secret", GROUP) == credential()
    clock.now += 0.001
    assert keys.recall("secret", GROUP) is None, "using a key does not prolong its stay in memory"
    assert keys.is_familiar("secret", GROUP)
    keys.forget("secret", GROUP)
    assert not keys.is_familiar("secret", GROUP)


def test_only_what_was_granted_is_remembered() -> None:
    keys = RecognisedKeys()
    keys.remember("secret", GROUP, credential(None), asked=keys.asking())
    assert keys.recall("secret", GROUP) is None
    keys.remember("secret", "", credential(None), asked=keys.asking())
    assert keys.recall("secret", "") == credential(None)
    keys.remember("secret", GROUP, credential(), asked=keys.asking())
    assert keys.recall("another", GROUP) is None
    assert keys.recall("secret", "0" * 24) is None


def test_an_expired_key_is_not_recalled() -> None:
    keys = RecognisedKeys()
    keys.remember("secret", GROUP, credential(expires_at=now_ms() + 60_000), asked=keys.asking())
    assert keys.recall("secret", GROUP) is not None
    keys.remember("secret", GROUP, credential(expires_at=now_ms()), asked=keys.asking())
    assert keys.recall("secret", GROUP) is None


def test_the_keys_used_last_are_remembered_and_never_a_secret() -> None:
    keys = RecognisedKeys(most=3)
    for name in ("a", "b", "c"):
        keys.remember(f"secret-{name}", GROUP, credential(), asked=keys.asking())
    keys.recall("secret-a", GROUP)
    keys.remember("secret-d", GROUP, credential(), asked=keys.asking())
    found = {name for name in "abcd" if keys.is_familiar(f"secret-{name}", GROUP)}
    assert found == {"a", "c", "d"}
    assert "secret-" not in repr(vars(keys))
