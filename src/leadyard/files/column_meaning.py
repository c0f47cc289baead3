"""The field that a column's name means: a known spelling, or a known name in parts.

A name in parts has a prefix (`Person - Name`), a group (`Emails / Primary Email`), a remark (`Linkedin Url (Default)`),
a plural, or a number (`E-mail 2 - Value`). For e-mail addresses, phones and profiles, words beside the noun decide how
far a column is trusted: `Home Email` is used where `Work Email` is empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from leadyard.files import column_languages as words
from leadyard.files.column_spellings import CUSTOM_PREFIX, column_key, column_words
from leadyard.people.fields import COLUMN_NAMES, TEXT_FIELDS

CITY, STATE, COUNTRY = "city", "state", "country"
"""Parts of a place. They make the location of a person whose file has none."""

_SPELLED: dict[str, tuple[str, int]] = {}
for _field in TEXT_FIELDS:
    for _rank, _name in enumerate((*_field.spellings, *words.NAMES.get(_field.json_name, ()))):
        _SPELLED.setdefault(_name, (_field.json_name, _rank))

_REMARK = re.compile(r"\s*[(\[{][^()\[\]{}]*[)\]}]\s*")
_GROUP = re.compile(r"\s+[-–—]\s+|\s*[/:>|・]\s*|\.(?=\D)|__")
_AND = re.compile(r"\s*[,/&+]\s*|\s+(?:and|und|et|y|e|en)\s+", re.IGNORECASE)
_NUMBER = re.compile(r"0|[1-9]\d?")
_CUSTOM_OF_SALESFORCE = re.compile("__c$", re.IGNORECASE)
_MAX_PART_WORDS = 8
_MAX_CHARS = 200

# In the order of trust (contract section 21). A lower class comes first.
_EMAIL_CLASSES = (
    (words.EMPLOYER_NOUNS, 6), (words.SECOND_WORDS, 5), (words.HOME_WORDS, 4), (words.OTHER_WORDS, 3),
    (words.DIRECT_WORDS, 2), (words.WORK_WORDS | words.OFFICIAL_WORDS, 1), (words.PRIMARY_WORDS, 0),
)  # fmt: skip
_PHONE_CLASSES = (
    (words.SECOND_WORDS, 6), (words.OTHER_WORDS, 6), (words.HOME_WORDS, 5), (words.COMPANY_WORDS, 4),
    (words.DIRECT_WORDS, 1), (words.MOBILE_WORDS, 2), (words.WORK_WORDS, 3), (words.PRIMARY_WORDS, 0),
)  # fmt: skip
_EMAIL_REST = frozenset().union(*(group for group, _ in _EMAIL_CLASSES), words.PERSON_WORDS, words.FILLER_WORDS)
_PHONE_REST = frozenset().union(*(group for group, _ in _PHONE_CLASSES), words.PERSON_WORDS, words.FILLER_WORDS)
_PROFILE_REST = words.PROFILE_WORDS | words.PERSON_WORDS
_COMPANY_REST = _PROFILE_REST | words.COMPANY_WORDS | {"current", "job"}
_EMAIL_OTHER, _PHONE_OTHER = 3, 6
_NAVIGATOR = {"navigator", "nav"}
_DIRECT_LINES = (
    {"direct", "dial"}, {"direct", "line"}, {"work", "direct"}, {"ddi"}, {"durchwahl"}, {"ligne", "directe"},
)  # fmt: skip
_EMAIL_NOUNS = (
    {"correo", "electronico"}, {"posta", "elettronica"}, {"adresse", "electronique"}, {"direccion", "electronica"},
)  # fmt: skip
_COMPANY_FACTS = {"industry": "company.industry", "website": "company.website", "domain": "company.website"}


class Meaning(NamedTuple):
    """The `field` of a column by its JSON name (or CITY, STATE, COUNTRY), `how` it was found (`spelling` or `parts`),
    and its `trust`: of several columns of a field the one with the lowest comes first."""

    field: str
    how: str
    trust: tuple[int, int, int]


@lru_cache(maxsize=8_192)
def meaning_of(name: str) -> Meaning | None:
    """Returns the meaning of a column of this name, None for one that is not known."""
    key = column_key(name)
    if not key or len(name) > _MAX_CHARS or name.startswith(CUSTOM_PREFIX):
        return None
    if (exact := _JSON_NAMES.get(key)) is not None:
        return Meaning(exact, "spelling", (-1, 0, 0))
    # Japanese lists have full-width brackets.
    name = _CUSTOM_OF_SALESFORCE.sub("", name if name.isascii() else unicodedata.normalize("NFKC", name))
    contact = _contact(name) or _contact(_REMARK.sub(" ", name))
    if key in _SPELLED:
        field, rank = _SPELLED[key]
        trust = contact.trust if contact is not None and contact.field == field else (0, 0, 0)
        return Meaning(field, "spelling", (trust[0], trust[1], rank))
    return contact or _place(name) or _in_parts(name) or _asked(name)


_JSON_NAMES = {column_key(name): name for name in COLUMN_NAMES if column_key(name) not in _SPELLED}


def _contact(name: str) -> Meaning | None:
    """Returns the meaning of a name that consists of a noun for an e-mail address, a phone or a profile, and of words
    for which one."""
    found = column_words(name)
    if not 0 < len(found) <= _MAX_PART_WORDS:
        return None
    if len(found) > 1 and found[-1] in words.RESULT_WORDS:
        return None
    numbers = [int(word) for word in found if _NUMBER.fullmatch(word)]
    number = numbers[0] if numbers else 1
    rest = {word for word in found if not _NUMBER.fullmatch(word)}
    return _profile(rest) or _email(rest, number) or _phone(rest, number)


def _email(found: set[str], number: int) -> Meaning | None:
    is_email = found & words.EMAIL_WORDS or any(found >= noun for noun in _EMAIL_NOUNS)
    rest = found - words.EMAIL_WORDS - {"id"}
    if not is_email or not rest <= _EMAIL_REST:
        return None
    trust = next((trust for group, trust in _EMAIL_CLASSES if rest & group), 0 if number < 2 else _EMAIL_OTHER)
    return Meaning("email", "parts", (trust, number, len(rest)))


def _phone(found: set[str], number: int) -> Meaning | None:
    rest = found - words.PHONE_WORDS
    # `Mobile` alone is a phone, and so is `Direct Dial`; `Home` alone is not.
    is_line = any(found >= line for line in _DIRECT_LINES)
    if not (found & words.PHONE_WORDS or found & words.MOBILE_WORDS or is_line) or not rest <= _PHONE_REST:
        return None
    trust = next((trust for group, trust in _PHONE_CLASSES if rest & group), 0 if number < 2 else _PHONE_OTHER)
    return Meaning("phone", "parts", (trust, number, len(rest)))


def _profile(found: set[str]) -> Meaning | None:
    if (
        "sales" in found
        and found & _NAVIGATOR
        and found - _NAVIGATOR - {"sales"} <= _PROFILE_REST | words.LINKEDIN_WORDS
    ):
        return Meaning("linkedinUrl", "parts", (3, 1, 0))
    if not found & words.LINKEDIN_WORDS:
        return None
    rest = found - words.LINKEDIN_WORDS
    if rest & words.COMPANY_WORDS:
        is_page = (rest <= _COMPANY_REST and "id" not in rest - {"unique"}) or {"unique", "id"} <= rest <= _COMPANY_REST
        return (
            Meaning("company.linkedinUrl", "parts", (1 if "unique" in rest else 0, 1, len(rest))) if is_page else None
        )
    if not rest <= _PROFILE_REST:
        return None
    if "id" in rest:
        return Meaning("linkedinUrl", "parts", (2, 1, len(rest))) if {"unique"} <= rest else None
    return Meaning("linkedinUrl", "parts", (0 if "public" in rest or "default" in rest else 1, 1, len(rest)))


def _place(name: str) -> Meaning | None:
    """Returns the meaning of a part of a place, also of one with two names, such as `City/Town`."""
    groups = [group for group in _GROUP.split(_REMARK.sub(" ", name)) if group.strip()]
    parts = {meaning.field for group in groups if (meaning := _place_named(group))}
    if len(groups) == 2 and len(parts) == 1 and all(map(_place_named, groups)):
        return Meaning(parts.pop(), "parts", (1, 0, 0))
    return _place_named(name)


def _place_named(name: str) -> Meaning | None:
    found = column_words(_REMARK.sub(" ", name))
    rest = [word for word in found if word not in words.PLACE_WORDS and not _NUMBER.fullmatch(word)]
    beside = len(found) - len(rest)
    joined = "".join(rest)
    for part, names in ((CITY, words.CITY_NAMES), (STATE, words.STATE_NAMES), (COUNTRY, words.COUNTRY_NAMES)):
        if joined in names:
            return Meaning(part, "spelling" if not beside else "parts", (beside, 0, 0))
    return None


def _in_parts(name: str) -> Meaning | None:
    plain = _REMARK.sub(" ", name).strip()
    groups = [group for group in _GROUP.split(plain) if group.strip()]
    candidates = [plain, *([" ".join(groups[1:]), groups[-1]] if len(groups) > 1 else [])]
    if len(groups) > 1 and (of_company := _company_part(groups)) is not None:
        return of_company
    for step, candidate in enumerate(candidates):
        if (field := _known(candidate)) is not None:
            # The group of a company, as in `Company - Name`, makes the company's name of a name.
            first = set(column_words(groups[0])) if groups else set()
            is_of_company = bool(first & words.COMPANY_WORDS) and not field.startswith("company.")
            if step and (is_of_company or first & (words.OTHER_PEOPLE | words.OTHER_THINGS)):
                return None
            return Meaning(field, "parts", (1 + step, _number_in(plain), 0))
    return _whole_name(name) or _halves(groups) or _company_fact(plain) or _employer(plain)


def _company_part(groups: Sequence[str]) -> Meaning | None:
    """Returns the meaning of a name in the group of an employment: `person.employment.name`."""
    last = column_key(groups[-1])
    if not set(column_words(groups[-2])) & words.EMPLOYMENT_WORDS or last not in {"name", *_COMPANY_FACTS}:
        return None
    return Meaning(_COMPANY_FACTS.get(last, "company.name"), "parts", (2, _number_in(" ".join(groups)), 0))


def _whole_name(name: str) -> Meaning | None:
    """Returns the meaning of `Nachname, Vorname` and of `First and Last Name`."""
    keys = [column_key(part) for part in _AND.split(name) if part.strip()]
    fields = {_SPELLED[key][0] if key in _SPELLED else "" for key in keys}
    is_whole = len(keys) == 2 and len(fields) == 2 and fields <= {"firstName", "lastName", "name"}
    return Meaning("name", "parts", (1, 1, 0)) if is_whole else None


def last_part(name: str) -> str:
    """Returns the last part of a name in parts, without remarks and words for the person: `Nombre` of
    `Persona - Nombre`, and of `Nombre del contacto`."""
    groups = [group for group in _GROUP.split(_REMARK.sub(" ", name)) if group.strip()]
    return " ".join(_without_ends(list(column_words(groups[-1])))) if groups else name


def _halves(groups: Sequence[str]) -> Meaning | None:
    """Returns the meaning of `Full Name: First`, and of two names for one field, such as `Company / Account`."""
    keys = [column_key(group) for group in groups]
    if len(keys) < 2:
        return None
    if keys[-1] in ("first", "last") and "name" in column_words(groups[-2]):
        return Meaning(_SPELLED[keys[-1]][0], "parts", (2, 1, 0))
    fields = {_SPELLED[key][0] if key in _SPELLED else None for key in keys}
    field = fields.pop()
    return Meaning(field, "parts", (2, 1, 0)) if field is not None and not fields else None


def _employer(name: str) -> Meaning | None:
    """Returns the meaning of a name that only says which company it is."""
    found = {word for word in column_words(name) if not _NUMBER.fullmatch(word)}
    beside = found - words.EMPLOYER_NOUNS
    if beside == found or not beside <= words.EMPLOYER_NAMES | words.NOW_WORDS | words.LINKING_WORDS:
        return None
    return Meaning("company.name", "parts", (2, _number_in(name), 0))


def _asked(name: str) -> Meaning | None:
    """Returns the meaning of a question in a form, such as `What is your first name?`."""
    found = column_words(_REMARK.sub(" ", name))
    if not words.ADDRESSING.intersection(found) and not name.rstrip(" *").endswith("?"):
        return None
    left = " ".join(word for word in found if word not in words.QUESTION_WORDS)
    meaning = meaning_of(left) if left and len(left) < len(name.rstrip(" *?")) else None
    return None if meaning is None else Meaning(meaning.field, "parts", meaning.trust)


def _company_fact(name: str) -> Meaning | None:
    """Returns the meaning of a fact about the company, such as `Employer Website` or `organization_website_url`."""
    found = [word for word in column_words(name) if not _NUMBER.fullmatch(word)]
    fact = next((word for word in found if word in _COMPANY_FACTS), None)
    beside = set(found) - {fact, "url", "name", "page", "address", "job"}
    if fact is None or not beside or not beside <= words.COMPANY_WORDS | {"primary", "current"}:
        return None
    return Meaning(_COMPANY_FACTS[fact], "parts", (2 if fact == "domain" else 1, _number_in(name), 0))


def _known(name: str) -> str | None:
    """Returns the field of a name without words for the person, numbers and plural."""
    found = [word for word in column_words(name) if not _NUMBER.fullmatch(word)]
    if not 0 < len(found) <= _MAX_PART_WORDS:
        return None
    found = _without_ends(found)
    joined = "".join(found)
    for spelling in (joined, joined.removesuffix("s"), joined.removesuffix("ies") + "y"):
        if spelling in _SPELLED and spelling not in _TOO_SHORT:
            return _SPELLED[spelling][0]
    return None


def _without_ends(found: list[str]) -> list[str]:
    """Returns the words without those for the person and the present: `Prénom du contact`, `Current Employer`."""
    while len(found) > 1 and found[0] in words.PERSON_WORDS | words.NOW_WORDS:
        found = found[1:]
    while len(found) > 1 and found[-1] in words.PERSON_WORDS | words.NOW_WORDS | words.LINKING_WORDS:
        found = found[:-1]
    return found


def _number_in(name: str) -> int:
    return next((int(word) for word in column_words(name) if _NUMBER.fullmatch(word)), 1)


# These are known only as they are: with a prefix or a number they are mostly something else.
_TOO_SHORT = frozenset(
    {
        "org",
        "url",
        "website",
        "websiteurl",
        "domain",
        "domainname",
        "last",
        "first",
        "contact",
        "picture",
        "photo",
        "avatar",
        "role",
        "account",
        "business",
        "firm",
        "anzeigename",
        "nomaafficher",
        "nomevisualizzato",
        "www",
        "imageurl",
    }
)
