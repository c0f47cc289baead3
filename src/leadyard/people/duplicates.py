"""The rules by which two leads are probably one person (contract section 15). Works on profiles, without a database.

Each rule makes texts from a profile. Two leads with the same text of the same rule are reported as likely duplicates.

The database has hashes of the texts, and finds the hashes of a lead again by its profile. So a change of a rule needs a
migration that empties duplicate_blocks, duplicate_keys and duplicate_groups, and enters all leads in leads_to_compare.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from leadyard.model import DUPLICATE_HASH_BITS, DuplicateKey, DuplicateReason, Profile
from leadyard.people.fields import full_name
from leadyard.people.folding import folded
from leadyard.people.linkedin_urls import is_member_id

_LEGAL_FORM_WORDS = (
    "ab ag aps as bv co company corp corporation doo eg ev gbr gmbh inc incorporated kft kg kgaa limited llc llp lp ltd"
    " mbh nv ohg oy oyj plc pte pty sa sarl sas se sl spa sro srl ug & and und et y"
)
_LEGAL_FORMS = frozenset(_LEGAL_FORM_WORDS.split())
# Mailboxes that several people read.
_SHARED_MAILBOX_NAMES = "admin contact hello info kontakt mail office sales support team"
_SHARED_MAILBOXES = frozenset(_SHARED_MAILBOX_NAMES.split())
_WORD = re.compile(r"[^\W_]+|&")
# A number with its country: + or 00, then 8 to 15 digits (ITU-T E.164). Any letter may begin an extension.
_INTERNATIONAL = re.compile(r"(?:\+|00)([1-9][0-9]{7,14})", re.ASCII)
_TRUNK_ZERO = re.compile(r"\(0\)")
_SEPARATORS = re.compile(r"[\s()./\u2010-\u2015-]+")


def duplicate_keys(profile: Profile) -> set[DuplicateKey]:
    """Returns what the normalised profile has in common with probable duplicates, at most one key of each text."""
    return set(duplicate_texts(profile))


def duplicate_texts(profile: Profile) -> dict[DuplicateKey, str]:
    """Returns the same keys with their texts. The text of an e-mail is the address of a mailbox."""
    return {_key(reason, text): text for reason, text in _texts(profile)}


def _key(reason: DuplicateReason, text: str) -> DuplicateKey:
    digest = hashlib.blake2b(f"{reason}\0{text}".encode(), digest_size=8).digest()
    return DuplicateKey(reason, int.from_bytes(digest) >> (64 - DUPLICATE_HASH_BITS))


def _texts(profile: Profile) -> Iterator[tuple[DuplicateReason, str]]:
    for mailbox in _mailboxes(profile):
        yield DuplicateReason.EMAIL, mailbox
    name = full_name(profile.name, profile.first_name, profile.last_name)
    if name and profile.company_name:
        yield DuplicateReason.NAME_AND_COMPANY, f"{folded(name)}\0{company_core(profile.company_name)}"
    if profile.phone and (number := international_number(profile.phone)):
        yield DuplicateReason.PHONE, number
    for identifier in (profile.public_identifier, profile.provider_id):
        if identifier and is_member_id(identifier):
            yield DuplicateReason.LINKEDIN, identifier


def _mailboxes(profile: Profile) -> Iterator[str]:
    """Returns the local part, without a +tag, at the domain of the address and at the one of the company's website."""
    local, _, domain = (profile.email or "").partition("@")
    local = local.partition("+")[0]
    if not local or local in _SHARED_MAILBOXES:
        return
    yield f"{local}@{domain}"
    if profile.company_website and (host := website_host(profile.company_website)):
        yield f"{local}@{host}"


def company_core(name: str) -> str:
    """Returns the folded name of a company without punctuation and without the legal forms at its end: `Acme GmbH & Co.
    KG` and `ACME` give the same."""
    words: list[str] = _WORD.findall(folded(name).replace(".", "").replace("'", ""))
    core = list(words)
    while core and core[-1] in _LEGAL_FORMS:
        core.pop()
    return " ".join(core or words)


def international_number(phone: str) -> str | None:
    """Returns the digits of the number in E.164, None if it does not name its country or has an extension.

    A national number is never compared, because the same digits belong to different people in different countries.
    """
    digits = _SEPARATORS.sub("", _TRUNK_ZERO.sub("", phone.removeprefix("tel:")))
    found = _INTERNATIONAL.fullmatch(digits)
    return found[1] if found else None


def website_host(url: str) -> str | None:
    """Returns the host of the address without `www.`, None if it has none."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host and "." in host else None
