"""Connections to the API: to the service at a URL, or to an application in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_TIMEOUT = httpx.Timeout(70, connect=10)
_NO_URL = "http://leadyard.internal"


def remote_client(url: str, api_key: str) -> httpx.AsyncClient:
    """Returns a client for the service at a URL. Close it."""
    return httpx.AsyncClient(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {api_key}"}, timeout=_TIMEOUT)


def local_client(app: ASGIApp) -> httpx.AsyncClient:
    """Returns a client for the application in this process. Close it."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=_NO_URL, trust_env=False)
