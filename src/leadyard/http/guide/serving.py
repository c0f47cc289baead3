"""Serves the guide at `/docs/guide/` from one archive, which `script/docs` builds and a release contains.

The archive is opened at the first request, so it costs a start nothing. A path is looked up in the archive's own list
of names, so no path can lead to another file. The scripts of the guide may not send requests: its policy allows no
connection.
"""

from __future__ import annotations

import gzip
import zipfile
from functools import cache
from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from leadyard.http.answer.for_browsers import headers_for_browsers

ARCHIVE = Path(__file__).parent / "guide.zip"
HOME = "/docs/guide/"
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
"""The Content-Security-Policy of the guide: no inline script or style, no other origin, and no request by a script, so
that no script of the guide can use the session of the page."""
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    # Recipes and other files that the pages link to, and licences.
    ".md": "text/plain; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
}
_COMPRESSED = {".html", ".js", ".css", ".svg", ".md", ".py", ".txt", ".json"}
# The next release may change any page, so a browser has to check its copy.
_CHECKED = "no-cache"
# The address of a style or a script contains a checksum: in its name, or as `?v=`, as Sphinx writes it.
_FOR_EVER = "public, max-age=31536000, immutable"
_MOVED = "_static/moved/"
_NOTICE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""
_NO_SUCH_PAGE = ("There is no such page", f'Begin at <a href="{HOME}">the start of the guide</a>.')
_NOT_BUILT = (
    "The guide is not in this installation",
    "Releases contain it. In a checkout, run <code>script/docs</code> and load this page again. The same pages are in"
    ' the folder <code>docs</code>, and <a href="/docs">the reference of the API</a> is here.',
)


def guide_routes() -> list[Route]:
    """Returns the routes of the guide. Reads no file."""
    return [
        Route(HOME.rstrip("/"), _to_home, methods=["GET"]),
        Route(HOME + "{path:path}", _serve, methods=["GET"]),
    ]


async def _to_home(_: Request) -> Response:
    return RedirectResponse(HOME, status_code=307)


def _serve(request: Request) -> Response:
    """Answers from the archive. It is not a coroutine, so it runs in a thread, where unpacking holds up no request."""
    name = request.path_params["path"] or "index.html"
    if not ARCHIVE.is_file():
        return _notice(request, *_NOT_BUILT)
    archive = _opened(ARCHIVE.stat().st_mtime_ns)
    try:
        entry = archive.getinfo(name)
    except KeyError:
        return _notice(request, *_NO_SUCH_PAGE)
    return _answer(request, archive, entry)


@cache
def _opened(_modified: int) -> zipfile.ZipFile:
    """Returns the archive, open for any number of threads. A new one is opened after `script/docs` has replaced it."""
    return zipfile.ZipFile(ARCHIVE)


def _answer(request: Request, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Response:
    suffix = PurePosixPath(entry.filename).suffix
    is_compressed = suffix in _COMPRESSED and "gzip" in request.headers.get("accept-encoding", "")
    # The archive has a checksum of each file. The two forms are different entities, so each has a tag of its own.
    etag = f'"{entry.CRC:08x}-{entry.file_size:x}{"-gzip" if is_compressed else ""}"'
    has_checksum = entry.filename.startswith(_MOVED) or "v" in request.query_params
    cached = {"ETag": etag, "Cache-Control": _FOR_EVER if has_checksum else _CHECKED, "Vary": "Accept-Encoding"}
    if etag in [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=cached)
    headers = {**headers_for_browsers(POLICY), **cached, "Content-Type": _MEDIA_TYPES[suffix]}
    content = archive.read(entry)
    if is_compressed:
        return Response(gzip.compress(content, mtime=0), headers={**headers, "Content-Encoding": "gzip"})
    return Response(content, headers=headers)


def _notice(request: Request, title: str, text: str) -> Response:
    """Returns a page for a browser. A program gets the usual answer of an unknown path."""
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(404)
    headers = {**headers_for_browsers(POLICY), "Cache-Control": _CHECKED, "Content-Type": _MEDIA_TYPES[".html"]}
    return Response(_NOTICE.format(title=title, text=text), status_code=404, headers=headers)
