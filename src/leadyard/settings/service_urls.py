"""The base URLs in settings: the services to which Leadyard sends a secret with every request. And these secrets."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

VISIBLE_ASCII = re.compile(r"[!-~]{0,4096}")


def check_base_url(value: str) -> str:
    """Returns the value. Raises ValueError unless it is empty, or a URL to which a path can be added."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in value):
        raise ValueError("must be a URL such as https://provider.example or http://127.0.0.1:9000")
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise ValueError("must not contain a user, a password, ? or #; put the secret into its own setting")
    return value


def check_secret(value: str) -> str:
    """Returns the value. Raises ValueError, without the value, unless it fits into a header."""
    if not VISIBLE_ASCII.fullmatch(value):
        raise ValueError("must be at most 4,096 visible ASCII characters without spaces")
    return value
