"""Serves the page at `/` from files that are part of this package. `script/page` builds them from the folder `page`.

The page loads nothing from anywhere else, and its policy lets the browser run only these files.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cached_property
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadyard.http.answer.for_browsers import headers_for_browsers

BUILT = Path(__file__).parent / "built"
_ASSETS = "assets"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""The Content-Security-Policy of the page: no inline script or style, no eval, no other origin, no frame around it, and
no text that becomes markup."""
# The name of an asset contains the hash of its content. The first file names the assets, so it is checked each time.
_FOR_EVER = "public, max-age=31536000, immutable"
_CHECKED = "no-cache"


class _File:
    """A file in memory, also compressed. It is compressed at its first request, not when the service starts."""

    def __init__(self, file: Path) -> None:
        self.content = file.read_bytes()
        self.etag = hashlib.sha256(self.content).hexdigest()[:32]
        is_asset = file.parent.name == _ASSETS
        self.headers = {
            **headers_for_browsers(POLICY),
            "Content-Type": _MEDIA_TYPES[file.suffix],
            "Cache-Control": _FOR_EVER if is_asset else _CHECKED,
            "Vary": "Accept-Encoding",
        }

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, compresslevel=9, mtime=0)


def page_routes() -> list[Route]:
    """Returns the routes of the page's files. Reads all the files."""
    first = _File(BUILT / "index.html")

    async def home(request: Request) -> Response:
        # For a program that asks for JSON there is nothing at this path.
        if not any(each in request.headers.get("accept", "*/*") for each in ("text/html", "text/*", "*/*")):
            raise HTTPException(404)
        return _serve(first, request)

    assets = sorted((BUILT / _ASSETS).iterdir())
    return [Route("/", home, methods=["GET"]), *(_asset_route(file) for file in assets)]


def _asset_route(file: Path) -> Route:
    content = _File(file)

    async def asset(request: Request) -> Response:
        return _serve(content, request)

    return Route(f"/{_ASSETS}/{file.name}", asset, methods=["GET"])


def _serve(file: _File, request: Request) -> Response:
    is_compressed = "gzip" in request.headers.get("accept-encoding", "")
    # The two forms are different entities, so each has a tag of its own.
    etag = f'"{file.etag}-gzip"' if is_compressed else f'"{file.etag}"'
    headers = {**file.headers, "ETag": etag}
    if etag in [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control", "Vary")})
    if is_compressed:
        return Response(file.compressed, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.content, headers=headers)
