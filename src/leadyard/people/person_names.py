"""Compares the names of people as exports write them: with titles, initials, accents, and in either order."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from operator import attrgetter

from leadyard.people.fields import Profile
from leadyard.people.placeholders import is_honorific

_WORD = re.compile(r"[^\W_]+")
_Words = frozenset[str]
_LONGEST_KEY = 200


def name_words(text: str) -> _Words:
    """Returns the words of a name without case, accents and forms of address."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    # Apostrophes join: O'Brien, O’Brien and OBrien are one name.
    plain = "".join(char for char in plain if not unicodedata.combining(char) and char not in "'’`´ʼ")
    words = frozenset(_WORD.findall(plain))
    return frozenset(word for word in words if not is_honorific(word)) or words


def name_key(profile: Profile) -> str:
    """Returns a text that is the same for the same name, in whichever of the name fields and in whichever order its
    words are. It is empty without a name, and short enough for an index."""
    first, last = profile.first_name or "", profile.last_name or ""
    words = name_words(f"{first} {last}" if first and last else f"{first} {last} {profile.name or ''}")
    key = " ".join(sorted(words))
    # The name may have any 400 characters, and compatibility characters become several each.
    return key if len(key) <= _LONGEST_KEY else hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def name_contradicts(name: str, first_name: str, last_name: str) -> bool:
    """Returns whether a whole name belongs to another person, because the first or the last name is not part of it.

    Initials count as the name: `J. Smith` does not contradict `John` and `Smith`.
    """
    words = name_words(name)
    if _are_joined(name, first_name, last_name):
        return False
    return not (_agree(name_words(first_name), words) and _agree(name_words(last_name), words))


def are_other_people(one: Profile, other: Profile, *, address_is_shared: bool) -> bool:
    """Returns whether two profiles with the same e-mail belong to different people, judging by their names.

    Both the first and the last name must differ, because people marry and use short names. If the address is that of a
    function, one difference is enough, and a person whose name is unknown is not the same as one with a name.
    """
    if _fields_of(one) == _fields_of(other):
        return False
    mine, theirs = _first_and_last(one), _first_and_last(other)
    if _are_joined_in(one, other) or _are_joined_in(other, one):
        return False
    differences = [bool(left and right) and not _agree(left, right) for left, right in zip(mine, theirs, strict=True)]
    if mine[0] | mine[1] == theirs[0] | theirs[1] or (_agree(mine[0], theirs[1]) and _agree(mine[1], theirs[0])):
        return False
    if not address_is_shared:
        return all(differences)
    is_compared = any(left and right for left, right in zip(mine, theirs, strict=True))
    return any(differences) or (not is_compared and any((*mine, *theirs)))


def could_become_other(known: Profile, incoming: Profile, *, address_is_shared: bool) -> bool:
    """Returns whether two profiles of one person could be judged to be of two as soon as the known one gets another
    name: the incoming one has a first or a last name where the known one has none, so nothing was compared there."""
    if _fields_of(known) == _fields_of(incoming):
        return False
    parts = list(zip(_first_and_last(known), _first_and_last(incoming), strict=True))
    if not address_is_shared and any(_agree(mine, theirs) for mine, theirs in parts):
        return False
    return any(theirs and not mine for mine, theirs in parts)


_fields_of = attrgetter("first_name", "last_name", "name")


def _first_and_last(profile: Profile) -> tuple[_Words, _Words]:
    """Returns the words of both names, also those of the name in one piece, which is split behind its first word.

    A lead that gets one more name field keeps all words that it had. So it still agrees with the rows that led to it.
    """
    first, last = name_words(profile.first_name or ""), name_words(profile.last_name or "")
    if not profile.name:
        return first, last
    behind, comma, before = profile.name.partition(",")
    if not comma:
        words = [word for word in profile.name.split() if not is_honorific(word)]
        before, behind = " ".join(words[:1]), " ".join(words[1:])
    return first | name_words(before), last | name_words(behind)


def _are_joined_in(one: Profile, other: Profile) -> bool:
    first, last = other.first_name, other.last_name
    return bool(one.name and not one.first_name and first and last and _are_joined(one.name, first, last))


def _are_joined(name: str, first: str, last: str) -> bool:
    """Returns whether a name is the first and the last name without a space, as Chinese and Japanese names are."""
    if name.isascii() or " " in name.strip():
        return False
    letters, one, two = (unicodedata.normalize("NFKC", text).casefold().strip() for text in (name, first, last))
    return letters in (one + two, two + one)


def _agree(one: _Words, other: _Words) -> bool:
    """Returns whether two names have a word in common, where an initial counts as each word that begins with it."""
    if one & other:
        return True
    return any(
        (len(left) == 1 and right.startswith(left)) or (len(right) == 1 and left.startswith(right))
        for left in one
        for right in other
    )
