"""The texts that a search compares: one line of text for each person, and the words that it must contain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from leadyard.model import PersonFilter, Profile
from leadyard.people.folding import folded

# Folded texts contain neither, and a word contains no white space. So a word is never found across two fields.
_FIELD_END = "\t"
LINE_END = "\n"
_NOT_A_DIGIT = re.compile(r"\D+")


def searched_line(profile: Profile) -> str:
    """Returns the folded texts of a person by which searches find it, as one line: the name, e-mail, phone and
    location, then the company, then the title. The digits of a phone are also there without their punctuation."""
    first, last, name = profile.first_name, profile.last_name, profile.name
    whole = f"{first} {last}" if first and last else first or last or ""
    texts = [whole] if name is None or name == whole else [whole, name]
    if profile.email:
        texts.append(profile.email)
    if phone := profile.phone:
        texts.append(phone)
        if not phone.isdigit():
            texts.append(_NOT_A_DIGIT.sub("", phone))
    if profile.location:
        texts.append(profile.location)
    # As one text, because most people are written in ASCII, which folds in one call.
    company, title = profile.company_name or "", profile.title or ""
    line = f"{' '.join(texts)}{_FIELD_END}{company}{_FIELD_END}{title}"
    if line.isascii() and line.replace(_FIELD_END, "", 2).isprintable():
        return line.lower()
    return _FIELD_END.join((folded(" ".join(texts)), folded(company), folded(title)))


@dataclass(frozen=True, slots=True)
class WantedWords:
    """The folded words of a search. A person matches if its line contains each of them somewhere: any part of a word,
    in any order. `anywhere` may be in any field, the others must be in theirs."""

    anywhere: tuple[str, ...]
    company: tuple[str, ...]
    title: tuple[str, ...]
    can_match: bool

    @classmethod
    def of(cls, wanted: PersonFilter) -> WantedWords | None:
        """Returns the words of the filter, or None if it has no text.

        A text that is only accents or invisible characters folds to nothing. Then no person matches."""
        texts = (wanted.q, wanted.company, wanted.title)
        if texts == (None, None, None):
            return None
        anywhere, company, title = (tuple(dict.fromkeys(folded(text or "").split())) for text in texts)
        found = (anywhere, company, title)
        can_match = all(text is None or words for text, words in zip(texts, found, strict=True))
        return cls(anywhere, company, title, can_match)

    def most_selective(self, count: int) -> list[str]:
        """Returns the `count` longest words, "" in the place of missing ones. Whatever matches contains all of them."""
        words: Iterable[str] = {*self.anywhere, *self.company, *self.title}
        longest = sorted(words, key=lambda word: (-len(word), word))[:count]
        return longest + [""] * (count - len(longest))

    def fit(self, line: str) -> bool:
        """Returns whether a person with this searched line matches."""
        if not self.can_match or not all(word in line for word in self.anywhere):
            return False
        if not self.company and not self.title:
            return True
        _, company, title = line.split(_FIELD_END)
        return all(word in company for word in self.company) and all(word in title for word in self.title)
