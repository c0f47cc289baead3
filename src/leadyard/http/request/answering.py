"""Answers requests: runs the operation of a request, shows its result, and sends it.

A POST with an Idempotency-Key runs once. The service sends and stores the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from leadyard.http.answer.envelope import envelope
from leadyard.http.answer.idempotency_key import idempotency_key
from leadyard.http.answer.shown import Shown
from leadyard.http.request.json_body import parsed_body
from leadyard.http.request.route import caller, database
from leadyard.model import KeyedRequest, StoredAnswer
from leadyard.operations import idempotency
from leadyard.operations.operation import Operation, WriteOperation
from leadyard.watching import metrics

P = ParamSpec("P")
R = TypeVar("R")


async def run(request: Request, operation: Operation[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs the operation for the caller of the request, and returns its result. Raises the errors of the operation."""
    return await operation(database(request), caller(request), *args, **kwargs)


async def answer(
    request: Request,
    operation: Operation[P, R],
    show: Callable[[R], Shown],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Response:
    """Runs the operation with the values, and returns the answer that `show` builds from its result.

    A POST with an Idempotency-Key runs once: the transaction of the operation keeps the answer, and the same request
    gets it again, byte for byte. Raises IdempotencyConflict, InvalidRequest for a malformed key, and what the operation
    raises.
    """
    if isinstance(operation, WriteOperation) and request.method == "POST":
        key = idempotency_key(request)
        if key is not None:
            return await _answer_once(request, key, operation, show, *args, **kwargs)
    return respond(request, show(await run(request, operation, *args, **kwargs)))


def respond(request: Request, shown: Shown) -> Response:
    """Returns the answer with the status of the request's route."""
    return _response(_rendered(request, shown))


async def _answer_once(
    request: Request,
    key: str,
    operation: WriteOperation[P, R],
    show: Callable[[R], Shown],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Response:
    def render(result: R) -> StoredAnswer:
        return _rendered(request, show(result))

    keyed = KeyedRequest(key=key, fingerprint=_fingerprint(request))
    outcome = await idempotency.run_once(keyed, render, operation, database(request), caller(request), *args, **kwargs)
    if outcome.is_replay:
        metrics.answer_replayed()
    return _response(outcome.answer, replayed=outcome.is_replay)


def _fingerprint(request: Request) -> str:
    """Returns a hash of the method, the path, the query, and the content of the body in any order of its keys. For a
    body that is not JSON it uses the digest that the handler has stored in the state of the request."""
    body = getattr(request.state, "body_digest", None)
    if body is None:
        body = json.dumps(parsed_body(request), sort_keys=True, separators=(",", ":"))
    parts = (request.method, request.url.path, str(sorted(request.query_params.multi_items())), body)
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _rendered(request: Request, shown: Shown) -> StoredAnswer:
    return StoredAnswer(
        status=shown.status or request.scope["route"].status,
        headers=shown.headers,
        body=envelope(request, shown.shape, shown.data),
        job_id=shown.job_id,
        has_secret=shown.has_secret,
    )


def _response(answer: StoredAnswer, *, replayed: bool = False) -> Response:
    return _JsonAnswer(answer, {"Idempotency-Replayed": "true"} if replayed else {})


class _JsonAnswer(Response):
    """A Response of JSON. Starlette's constructor also decides whether there is a body, and of which type."""

    def __init__(self, answer: StoredAnswer, more_headers: Mapping[str, str]) -> None:
        self.status_code = answer.status
        self.body = answer.body.encode()
        self.background = None
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body)).encode()),
            *(
                (name.lower().encode(), value.encode())
                for name, value in (*answer.headers.items(), *more_headers.items())
            ),
        ]
