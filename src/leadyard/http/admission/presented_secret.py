"""The secret that a request presents: the API key in its header, or the session of the page in its cookie.

A browser adds a cookie to requests that other sites cause, so a cookie alone proves nothing. It counts only together
with a header that a page of another origin cannot send: the browser would first ask for permission, and the service
gives none (docs/decisions/0051).
"""

from __future__ import annotations

from starlette.types import Scope

from leadyard.errors import Forbidden
from leadyard.http.wire.headers import value_of, values_of
from leadyard.operations.page_sessions import is_session_secret

PAGE_HEADER = "X-Leadyard-Page"
"""The header with which the page marks its requests. Its value is always 1."""
COOKIE = "leadyard-session"
COOKIE_OVER_HTTPS = "__Host-leadyard-session"
"""A browser accepts a cookie of this name only over HTTPS, from the host itself and for the whole host."""

_MARK = PAGE_HEADER.lower().encode()


def presented_secret(scope: Scope) -> str:
    """Returns the secret of the request, or an empty text if there is none. With a header Authorization the cookie does
    not count, and the secret of a session does not count in that header."""
    return secret_of_key(scope) if values_of(scope, b"authorization") else session_secret(scope)


def secret_of_key(scope: Scope) -> str:
    """Returns the secret in the header Authorization, or an empty text if there is none. The secret of a session does
    not count there."""
    values = values_of(scope, b"authorization")
    scheme, _, secret = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    secret = secret.strip()
    return "" if scheme.lower() != "bearer" or is_session_secret(secret) else secret


def session_secret(scope: Scope) -> str:
    """Returns the secret of the session in the cookie, or an empty text if there is none or another site may have
    caused the request."""
    return _secret_in_cookie(scope) if is_from_page(scope) else ""


def is_from_page(scope: Scope) -> bool:
    """Returns whether only a page of this service can have sent the request from a browser."""
    # A browser sends Sec-Fetch-Site only over HTTPS and to the machine itself. No script can change it.
    return value_of(scope, _MARK) == "1" and value_of(scope, b"sec-fetch-site") in ("", "same-origin")


def refuse_other_sites(scope: Scope) -> None:
    """Raises Forbidden for a request that another site may have caused."""
    if not is_from_page(scope):
        raise Forbidden(f"Only the page of this service may do this. It sends the header '{PAGE_HEADER}: 1'.")


def _secret_in_cookie(scope: Scope) -> str:
    cookies: dict[str, str] = {}
    for header in values_of(scope, b"cookie"):
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            # A cookie of a longer path comes first. Ours has the path /.
            cookies[name] = value
    secret = cookies.get(COOKIE_OVER_HTTPS, cookies.get(COOKIE, ""))
    return secret if is_session_secret(secret) else ""
