"""The example receiver: one path for all, and a line for each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Report = Callable[[dict[str, Any]], None]
"""Gets what came in: `id`, `verified` (None without a secret), `status` of the answer, and `event`."""

_MAX_BYTES = 100_000


def build_example_receiver(report: Report, *, secret: str | None, status: int, delay_s: float) -> Starlette:
    """Returns the application. It answers with `status` after `delay_s`, and with 401 if the request is not signed with
    the secret. Raises ValueError for a text that is not a secret."""
    verifier = None
    if secret is not None:
        try:
            verifier = Webhook(secret)
        except Exception as error:
            # The library raises several classes, for a text that is not base64 and for an empty one.
            raise ValueError("must be the secret of a webhook, whsec_…") from error

    async def receive(request: Request) -> Response:
        body = await request.body()
        if len(body) > _MAX_BYTES:
            return Response(status_code=413)
        verified = None if verifier is None else _is_signed(verifier, body, dict(request.headers))
        answer = 401 if verified is False else status
        await asyncio.sleep(delay_s)
        report(
            {
                "id": request.headers.get("webhook-id"),
                "verified": verified,
                "status": answer,
                "event": _parsed(body),
            }
        )
        return Response(status_code=answer)

    return Starlette(routes=[Route("/{path:path}", receive, methods=["POST"])])


def _is_signed(verifier: Webhook, body: bytes, headers: dict[str, str]) -> bool:
    try:
        verifier.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        # ValueError: the header with the signatures, or the body, is malformed.
        return False
    return True


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
