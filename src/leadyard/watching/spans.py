"""Spans for OpenTelemetry: a request, its operation, each SQL statement. They contain texts and types, never values.

The exporter reads the standard OTEL_* variables by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from leadyard.errors import BadSetting, LeadyardError
from leadyard.model import AnsweredBefore

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_NO_SPAN: AbstractContextManager[None] = nullcontext()
_provider: TracerProvider | None = None
_tracer: Tracer | None = None


class RequestSpan(Protocol):
    """The span of one request, from its beginning to its end."""

    trace_id: str
    traceparent: str | None
    """The header for calls to other services on behalf of the request."""

    def answered(self, *, method: str, route: str | None, status: int) -> None:
        """Records the result of the request."""


def start(*, version: str) -> None:
    """Switches on the spans of this process. Raises BadSetting if the libraries for them are not installed."""
    global _provider, _tracer
    if _tracer is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise BadSetting("LEADYARD_TRACES=otlp needs more packages. Install leadyard[otel].") from None
    named = OTELResourceDetector().detect().attributes  # OTEL_SERVICE_NAME overrides our name.
    _provider = TracerProvider(
        resource=Resource.create({"service.name": "leadyard", "service.version": version, **named})
    )
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("leadyard", version)


def stop() -> None:
    """Sends the remaining spans, within the time limit of the exporter. Blocks."""
    if _provider is not None:
        _provider.shutdown()


def request(parent: Mapping[str, str], trace_id: str) -> AbstractContextManager[RequestSpan]:
    """The span around a request. `parent` is a valid `traceparent` (and `tracestate`), or empty.

    Without spans, the id of the trace is `trace_id`. With spans, it comes from the span, and is the same if there is a
    parent.
    """
    if _tracer is None:
        # A service that does not record spans passes on the header unchanged.
        return _NoRequestSpan(trace_id, parent.get("traceparent"))
    return _request_span(_tracer, parent)


@contextmanager
def _request_span(tracer: Tracer, parent: Mapping[str, str]) -> Iterator[RequestSpan]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract(parent)
    with tracer.start_as_current_span(
        "request", context, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as span:
        yield _OtelRequestSpan(span)


def operation(name: str) -> AbstractContextManager[Any]:
    """The span around an operation. Without a request there is no span, because housekeeping would send one every two
    seconds."""
    return _NO_SPAN if _tracer is None else _child(_tracer, name, {"leadyard.operation": name})


def statement(sql: str, system: str) -> AbstractContextManager[Any]:
    """The span around an SQL statement. `system` is OpenTelemetry's name of the database."""
    if _tracer is None:
        return _NO_SPAN
    name = sql.split(maxsplit=1)[0]
    return _child(_tracer, name, {"db.system.name": system, "db.query.text": sql}, outgoing=True)


@contextmanager
def _child(tracer: Tracer, name: str, attributes: Mapping[str, str], *, outgoing: bool = False) -> Iterator[None]:
    from opentelemetry.trace import SpanKind, StatusCode, get_current_span

    if not get_current_span().is_recording():
        # Outside of a request, or in a request that was not sampled, so its parts have no spans either.
        yield
        return
    # OpenTelemetry itself would record the message of an exception, and messages of a database contain lead data.
    with tracer.start_as_current_span(
        name,
        kind=SpanKind.CLIENT if outgoing else SpanKind.INTERNAL,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", f"{type(error).__module__}.{type(error).__qualname__}")
            if not isinstance(error, LeadyardError | AnsweredBefore):
                span.set_status(StatusCode.ERROR)
            raise


class _NoRequestSpan(AbstractContextManager["_NoRequestSpan"]):
    def __init__(self, trace_id: str, traceparent: str | None) -> None:
        self.trace_id = trace_id
        self.traceparent = traceparent

    def __exit__(self, *_: object) -> None:
        pass

    def answered(self, *, method: str, route: str | None, status: int) -> None:
        pass


class _OtelRequestSpan:
    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.trace_id = f"{context.trace_id:032x}"
        self.traceparent: str | None = f"00-{self.trace_id}-{context.span_id:016x}-{context.trace_flags:02x}"

    def answered(self, *, method: str, route: str | None, status: int) -> None:
        from opentelemetry.trace import StatusCode

        self._span.update_name(f"{method} {route}" if route else method)
        self._span.set_attributes({"http.request.method": method, "http.response.status_code": status})
        if route:
            self._span.set_attribute("http.route", route)
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)
