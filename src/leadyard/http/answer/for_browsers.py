"""The headers that protect what a browser shows: the page and the guide."""

from __future__ import annotations


def headers_for_browsers(policy: str) -> dict[str, str]:
    """Returns the headers of an answer that a browser shows, with this Content-Security-Policy."""
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
