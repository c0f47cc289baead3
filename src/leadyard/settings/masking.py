"""Values of settings as messages and commands may show them: without passwords and secrets."""

from __future__ import annotations

import re

from pydantic import SecretStr

# Up to the last @, because a password may contain one. asyncpg also accepts the user's password, and the one of a TLS
# key, as parameters.
_PASSWORD = re.compile(r"(://[^:/@]*:).*@|([?&](?:ssl)?password=)[^&]*")
# The parts that a base URL must not have, and where people put secrets: before the last @, and after ? or #.
_BESIDE_BASE_URL = re.compile(r"(?<=//).*@|(?<=[?#]).*")


def quoted(name: str, value: object) -> str:
    """Returns a wrong value as a message may quote it, without secrets."""
    if name in ("LEADYARD_PROVIDER_TOKEN", "LEADYARD_SECRET_KEY", "LEADYARD_API_KEY"):
        return "***"
    if name in ("LEADYARD_PROVIDER_URL", "LEADYARD_URL"):
        return repr(_BESIDE_BASE_URL.sub(lambda found: "***@" if found[0].endswith("@") else "***", str(value)))
    if name.endswith("_URL") and "://" not in str(value):
        # It may be a URL that lacks its scheme or a slash.
        return repr(masked(re.sub(".*@", "***@", str(value))))
    return masked(repr(value))


def shown(value: object) -> str:
    """Returns the value of a setting as the environment would hold it, without secrets: a URL keeps all but its
    passwords, and a token is hidden."""
    if value is None:
        return ""
    if isinstance(value, SecretStr) and "://" in value.get_secret_value():
        return masked(value.get_secret_value())
    return str(value)


def masked(value: str) -> str:
    """Returns the value of a setting without the passwords of the URLs in it."""
    return _PASSWORD.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", value)
