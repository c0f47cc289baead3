"""The answer to a POST: made in one place, so that what is sent and what is kept for an idempotency key are the same
bytes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fastapi import Request, Response

from leadyard.errors import LeadyardError
from leadyard.http.caller import caller, database, parsed_body
from leadyard.http.envelope import Shape, Success, envelope
from leadyard.http.idempotency_key import idempotency_key
from leadyard.model import Caller, Once, StoredAnswer
from leadyard.operations import idempotency
from leadyard.operations.operation import Database
from leadyard.watching import metrics

_RELEASE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a handler makes of the result of its operation: the envelope's type, the data, headers besides. `job_id`
    names the job that was started, if one was."""

    shape: type[Success[Any]]
    data: Shape
    headers: Mapping[str, str] = field(default_factory=dict)
    job_id: str | None = None


async def answer_once(
    request: Request,
    operation: Callable[..., Any],
    show: Callable[[Any], Shown],
    /,
    *,
    body_digest: str | None = None,
    **values: Any,
) -> Response:
    """Runs the operation with the values and answers with what `show` makes of its result.

    With an Idempotency-Key it is run once: the answer is kept in the transaction of the operation, and sent again, byte
    for byte, when the same request comes again. `body_digest` stands for a body that was not parsed as JSON. Raises
    IdempotencyConflict, InvalidRequest for a key that is none, and what the operation raises.
    """
    db, who = database(request), caller(request)
    render = partial(_rendered, request, show)
    key = idempotency_key(request)
    if key is None:
        return _response(render(await operation(db, who, **values)))
    reserved = await idempotency.reserve_key(db, who, key=key, fingerprint=_fingerprint(request, body_digest))
    if isinstance(reserved, StoredAnswer):
        metrics.answer_replayed()
        return _response(reserved, replayed=True)
    try:
        result = await operation(db, replace(who, once=Once(key=key, token=reserved, render=render)), **values)
    except BaseException:
        # Nothing was changed, or it is not known; if it was, the answer is there and stays.
        await _release(db, who, key, reserved)
        raise
    return _response(render(result))


async def _release(db: Database, who: Caller, key: str, token: str) -> None:
    """A failure only keeps the key reserved for a while, and nobody should have to wait for it: a commit whose outcome
    is not known may still hold the row."""
    with suppress(LeadyardError, TimeoutError):
        async with asyncio.timeout(_RELEASE_WITHIN_S):
            await idempotency.release_key(db, who, key=key, token=token)


def _fingerprint(request: Request, body_digest: str | None) -> str:
    """Tells requests apart: method, path, query and what the body says, whatever the order of its keys."""
    body = body_digest
    if body is None:
        body = json.dumps(parsed_body(request), sort_keys=True, separators=(",", ":"))
    parts = (request.method, request.url.path, str(sorted(request.query_params.multi_items())), body)
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _rendered(request: Request, show: Callable[[Any], Shown], result: Any) -> StoredAnswer:
    shown = show(result)
    return StoredAnswer(
        status=request.scope["route"].status_code,
        headers=shown.headers,
        body=envelope(request, shown.shape, shown.data),
        job_id=shown.job_id,
    )


def _response(answer: StoredAnswer, *, replayed: bool = False) -> Response:
    headers = {**answer.headers, "Idempotency-Replayed": "true"} if replayed else dict(answer.headers)
    return Response(answer.body, status_code=answer.status, headers=headers, media_type="application/json")
