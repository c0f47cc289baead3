"""Serves `/openapi.json`, and the page `/docs` that shows it, from files that are part of this package.

The service never builds the document, because that holds the event loop for about a second. `script/openapi` writes the
file, and a test compares it with the routes.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

DOCUMENT_FILE = Path(__file__).parent / "openapi.json"
_PAGE_FILE = Path(__file__).parent / "docs.html"
# Swagger UI, which the package fastapi-offline contains: the page works without the internet.
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon.png": "image/png",
}
# A client may keep its copy, but has to check each time that it is still current: the next release may change it.
_CACHE_CONTROL = "no-cache"


def document_routes() -> list[Route]:
    """Returns the routes of the document, its page, and the files that the page loads. Reads all the files."""
    return [
        _file_route("/openapi.json", DOCUMENT_FILE, "application/json"),
        _file_route("/docs", _PAGE_FILE, "text/html; charset=utf-8"),
        Route("/docs/", _to_docs, methods=["GET"]),
        Route("/", _home, methods=["GET"]),
        *(
            _file_route(f"/static-offline-docs/{name}", _assets_folder() / name, media_type)
            for name, media_type in _ASSETS.items()
        ),
    ]


async def _to_docs(_: Request) -> Response:
    return RedirectResponse("/docs", status_code=307)


async def _home(request: Request) -> Response:
    """Redirects a browser to the documentation. For a program there is nothing at this path."""
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(404)
    return await _to_docs(request)


def _assets_folder() -> Path:
    package = find_spec("fastapi_offline")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "static"


def _file_route(path: str, file: Path, media_type: str) -> Route:
    content = file.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": _CACHE_CONTROL, "Content-Type": media_type}

    async def serve(request: Request) -> Response:
        if etag in _known_to(request):
            return Response(status_code=304, headers={"ETag": etag, "Cache-Control": _CACHE_CONTROL})
        return Response(content, headers=headers)

    return Route(path, serve, methods=["GET"])


def _known_to(request: Request) -> list[str]:
    """Returns the entity tags that the client already has. It may mark them as weak."""
    return [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
