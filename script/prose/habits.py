"""The habits that `python -m script.prose` counts, each with what to write instead.

The patterns are crude on purpose: each also finds a few good sentences. That is why a habit has a limit per 1,000 words
and not a ban. `docs/decisions/0027-prose-check.md` has the numbers of other projects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from script.prose.passages import Passage

LIMIT_PER_1000 = 0.15
LEAST_YOU_PER_1000 = 5.0

YOU = re.compile(r"\b(?:you|your|yours|yourself)\b", re.IGNORECASE)

# A sentence begins at the start of a passage, after a full stop, and in a list, a table cell or a paragraph.
_BEGINS = r"(?:\A|\n\n|[.!?;:]\s|\n\s*(?:[-*]|\d+\.)\s|\|\s)\s*"
_VERB = (
    r"(?:is|are|was|were|has|have|had|does|do|did|can|cannot|may|might|must|will|would|should"
    r"|needs?|makes?|takes?|costs?)"
)


@dataclass(frozen=True, slots=True)
class Habit:
    """A way of writing to avoid. `pattern` finds it, `instead` is an instruction to the writer."""

    name: str
    pattern: re.Pattern[str]
    instead: str


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a habit was found."""

    habit: Habit
    passage: Passage
    line: int
    words: str


def _habit(name: str, pattern: str, instead: str, flags: int = re.IGNORECASE) -> Habit:
    return Habit(name, re.compile(pattern, flags), instead)


HABITS = (
    _habit(
        "nobody-words",
        r"\b(?:no|some|every|any)body\b",
        "name the actor: the worker, the client, you",
    ),
    _habit(
        "whoever",
        r"\b(?:whoever|whomever)\b|\b(?:of|by|to|for|from|with|at)\s+who\b",
        "name the actor: the client that, the user who, you",
    ),
    _habit(
        "clause as subject",
        _BEGINS + r"(?P<here>(?:What|Whatever|Whichever|Who)\s+(?!about\b|if\b|to\b)\w+[^.?!]*)(?:[.!]|\Z)",
        'begin with a noun: "The service refuses invalid fields"',
        re.NOFLAG,
    ),
    _habit(
        "that of",
        r"\b(?:that|those)\s+of\b",
        "repeat the noun, or use a possessive",
    ),
    _habit(
        "for = because",
        r"[,;:]\s+for\s+(?:"
        r"(?:it|they|there|we|he|she|nothing|otherwise|then)\b"
        rf"|(?:this|that|these|those|you|one|each|all|most|many|some)\s+{_VERB}\b"
        rf"|(?:the|an?|its|their|our|each|every|all|no|only)\s+(?:(?!that\b|which\b|who\b|to\b)[\w…-]+\s+){{1,3}}"
        rf"{_VERB}\b)",
        "because",
    ),
    _habit(
        "archaic words",
        r"\b(?:anew|besides|mend(?:s|ed|ing)?|nevertheless|nonetheless|likewise|meanwhile|hereby|herein|thereof|therein"
        r"|thereupon|whereupon|wherein|whereof|henceforth|lest|albeit|amiss|for\s+ever|in\s+vain)\b",
        "again, also, fix, still, in the same way, at the same time, by this; or nothing",
    ),
    _habit(
        "programs tell, bear, ask",
        r"\b(?:tells?|telling|told|bears?|bearing|bore|borne|asks?|asked|asking)\b",
        "reports, returns, accepts, contains, requests",
    ),
    _habit(
        "programs know, meet, say",
        r"\b(?:knows|knew|knowing|meets?|met|meeting|says?|said|saying)\b",
        "has, recognises, receives, finds, states, reports",
    ),
    _habit(
        "is no noun",
        r"(?<!there\s)\b(?:is|are|was|were|be|been)\s+no\s+(?!longer\b|more\b|less\b|different\b|later\b|earlier\b)\w+",
        "is not a",
    ),
    _habit("hole", r"\bholes?\b", "vulnerability, or gap"),
    _habit("doubled", r"\bdoubled\b", "duplicate, duplicated"),
    _habit("at hand", r"\bat\s+hand\b", "available, or what it is: open, loaded, cached"),
    _habit("so many", r"\bso\s+many\b", "the number, up to N, that many"),
    _habit("to be had", r"\b(?:to|cannot|can|could|not)\s+be\s+had\b", "is not available, is not possible"),
)


def find_habits(passage: Passage) -> list[Found]:
    """Returns every place of a passage at which a habit is found."""
    return [_found(habit, passage, match) for habit in HABITS for match in habit.pattern.finditer(passage.text)]


def _found(habit: Habit, passage: Passage, match: re.Match[str]) -> Found:
    start, end = match.span("here") if "here" in habit.pattern.groupindex else match.span()
    words = " ".join(passage.text[start:end].split())
    return Found(habit, passage, passage.line_of(start), words if len(words) <= 60 else words[:59] + "…")
