"""The rules of LEADYARD_RATE_LIMITS as values: quota and window per scope."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

DEFAULT_RATE_LIMITS = "key=1000/second;group=2000/second;address=2000/second;guesses=60/minute"
_UNITS_S = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_RULE = re.compile(r"([0-9]{1,9})\s*(?:/|\s+per\s+)\s*(?:([0-9]{1,4})\s*)?(second|minute|hour|day)s?")
_LONGEST_S = 86_400


class Scope(StrEnum):
    """A kind of counter: per API key, account group (all its keys) or client address; or wrong keys per address."""

    KEY = "key"
    GROUP = "group"
    ADDRESS = "address"
    GUESSES = "guesses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`quota` units, available at once and refilled at a steady rate over `window_s` seconds. `name` is unique.

    The rest follows from these, and each request needs it: `interval_ms` is how long the refill of one unit takes,
    `counted_as` is the beginning of the names of its counters, and `announced` is the rule as a header shows it.
    """

    scope: Scope
    name: str
    quota: int
    window_s: int
    interval_ms: float = field(init=False)
    counted_as: str = field(init=False)
    announced: str = field(init=False)

    def __post_init__(self) -> None:
        # The way in which a frozen dataclass sets its own fields.
        object.__setattr__(self, "interval_ms", self.window_s * 1000 / self.quota)
        object.__setattr__(self, "counted_as", f"{self.scope}:{self.quota}/{self.window_s}:")
        object.__setattr__(self, "announced", f'"{self.name}";q={self.quota};w={self.window_s}')


Policies = Mapping[Scope, tuple[Policy, ...]]


def parse_policies(text: str) -> Policies:
    """Returns the policies of each scope. `off` means no policies; a scope that is not named keeps its default.

    Rules are separated by `;` or `,`. A rule belongs to the last scope named before it; the first rules belong
    to the key: `100/second;3000/minute;address=off`. Raises ValueError with the wrong part and the reason.
    """
    if text.strip() == "off":
        return dict.fromkeys(Scope, ())
    rules: dict[Scope, list[str]] = {}
    scope = Scope.KEY
    for part in re.split("[;,]", text):
        name, equals, rule = part.rpartition("=")
        if equals:
            scope = _scope(name.strip())
            if scope in rules:
                raise ValueError(f"{scope} appears twice; put all its rules behind one {scope}=")
        rules.setdefault(scope, []).append(rule.strip())
    defaults = {} if text == DEFAULT_RATE_LIMITS else parse_policies(DEFAULT_RATE_LIMITS)
    return {scope: _policies(scope, rules[scope]) if scope in rules else defaults.get(scope, ()) for scope in Scope}


def _scope(name: str) -> Scope:
    try:
        return Scope(name)
    except ValueError:
        raise ValueError(f"{name!r} is not one of {', '.join(Scope)}") from None


def _policies(scope: Scope, rules: Sequence[str]) -> tuple[Policy, ...]:
    if list(rules) == ["off"]:
        return ()
    found = [_quota_and_window(rule) for rule in rules]
    if len({window_s for _, window_s in found}) < len(found):
        raise ValueError(f"{scope} has two rules for the same period")
    return tuple(
        Policy(
            scope=scope, name=str(scope) if len(found) == 1 else f"{scope}-{window_s}s", quota=quota, window_s=window_s
        )
        for quota, window_s in found
    )


def _quota_and_window(rule: str) -> tuple[int, int]:
    match = _RULE.fullmatch(rule)
    if match is None:
        raise ValueError(f"{rule!r} is not a rule such as 100/second, 3000/minute, 20/5 minutes or off")
    quota, window_s = int(match[1]), int(match[2] or 1) * _UNITS_S[match[3]]
    if not quota or not 0 < window_s <= _LONGEST_S:
        raise ValueError(f"{rule!r} must allow at least 1 unit in a period of at most a day")
    return quota, window_s
