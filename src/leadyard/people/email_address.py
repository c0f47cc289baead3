"""One spelling for an e-mail address, and a refusal for other texts. Unusual but real addresses pass."""

from __future__ import annotations

import re
import unicodedata

from leadyard.errors import InvalidProspect
from leadyard.people.fields import MAX_EMAIL_LENGTH
from leadyard.people.text_rules import shown, too_long, without_invisible_edges

# RFC 5321 allows nearly anything in a quoted local part. Real exports do not contain such addresses, and a stray quote
# or bracket is nearly always part of a list of addresses or of a display name. The characters of a query are not part
# of a domain either, but of the link in which the address was found.
_ADDRESS = re.compile(r"""(?!')[^\s@<>()\[\],;:"\\\u200b\u2060\ufeff]+@[^\s@<>(),;"'\\/?#&={}|\u200b\u2060\ufeff]+""")
# The spelling in nearly all rows of an import. The code below returns the same for it, only slower.
_USUAL = re.compile(r"[a-z0-9._%+-]+@(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}", re.IGNORECASE | re.ASCII)
_OTHER_FULL_STOPS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})


def normalised_email(value: str) -> str:
    """Returns the address in NFC and lower case, without `mailto:` and without white space around it.

    Raises InvalidProspect INVALID_EMAIL, or VALUE_TOO_LONG above 254 characters (RFC 5321). The local part is
    lower-cased too, because the contract identifies leads by the lower-cased address.
    """
    if len(value) <= MAX_EMAIL_LENGTH and _USUAL.fullmatch(value):
        return value.lower()
    address = without_invisible_edges(value)
    while address[:7].lower() == "mailto:":
        address = without_invisible_edges(address[7:])
    address = one_case(address)
    if not _ADDRESS.fullmatch(address):
        raise _invalid(value)
    local, _, domain = address.partition("@")
    domain = domain.translate(_OTHER_FULL_STOPS)
    if not _is_domain(domain):
        raise _invalid(value)
    address = f"{local}@{domain}"
    if len(address) > MAX_EMAIL_LENGTH:
        raise too_long("email", len(address), MAX_EMAIL_LENGTH)
    return address


def one_case(text: str) -> str:
    """Returns the text in NFC and lower case. Lower-casing can undo NFC (a capital dotted I becomes two characters),
    hence the second pass."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    if len(labels) == 1 and domain.isascii() and not domain.startswith("xn--"):
        return False
    return all(0 < len(label) <= 63 for label in labels)


def _invalid(value: str) -> InvalidProspect:
    return InvalidProspect(
        "INVALID_EMAIL", f"email {shown(value)} is not an address: write one like ada@example.org, or leave it empty."
    )
