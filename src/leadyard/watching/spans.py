"""Spans for OpenTelemetry: a request, the operation in it, each SQL statement. Texts and types, never a value.

The exporter is configured by the standard OTEL_* variables, which its library reads by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from leadyard.errors import BadSetting, LeadyardError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_NO_SPAN: AbstractContextManager[None] = nullcontext()
_provider: TracerProvider | None = None
_tracer: Tracer | None = None


class RequestSpan(Protocol):
    """The span of one request, for as long as it is worked on."""

    trace_id: str
    traceparent: str | None
    """What to hand on to a service that is asked on behalf of the request."""

    def answered(self, *, method: str, route: str | None, status: int) -> None:
        """Notes how it ended."""


def start(*, version: str) -> None:
    """Switches the spans of this process on. Raises BadSetting when the libraries for it are not installed."""
    global _provider, _tracer
    if _tracer is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise BadSetting("LEADYARD_TRACES=otlp needs more packages: install leadyard[otel].") from None
    named = OTELResourceDetector().detect().attributes  # OTEL_SERVICE_NAME goes before our name.
    _provider = TracerProvider(
        resource=Resource.create({"service.name": "leadyard", "service.version": version, **named})
    )
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("leadyard", version)


def stop() -> None:
    """Sends what has not been sent yet, for as long as the exporter's own time limit. Blocks."""
    if _provider is not None:
        _provider.shutdown()


@contextmanager
def request(parent: Mapping[str, str], trace_id: str) -> Iterator[RequestSpan]:
    """The span around a request. `parent` is a valid `traceparent` (and `tracestate`), or empty.

    Without spans `trace_id` is the trace's id; with them, what the span says, which is the same if there is a parent.
    """
    if _tracer is None:
        # Who records no spans of his own hands the header on as it is.
        yield _NoRequestSpan(trace_id, parent.get("traceparent"))
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract(parent)
    with _tracer.start_as_current_span(
        "request", context, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as span:
        yield _OtelRequestSpan(span)


def operation(name: str) -> AbstractContextManager[Any]:
    """The span around an operation. None outside of a request: housekeeping would send one every two seconds."""
    return _NO_SPAN if _tracer is None else _child(_tracer, name, {"leadyard.operation": name})


def statement(sql: str, system: str) -> AbstractContextManager[Any]:
    """The span around an SQL statement; `system` is what OpenTelemetry calls the database."""
    if _tracer is None:
        return _NO_SPAN
    name = sql.split(maxsplit=1)[0]
    return _child(_tracer, name, {"db.system.name": system, "db.query.text": sql}, outgoing=True)


@contextmanager
def _child(tracer: Tracer, name: str, attributes: Mapping[str, str], *, outgoing: bool = False) -> Iterator[None]:
    from opentelemetry.trace import SpanKind, StatusCode, get_current_span

    if not get_current_span().is_recording():
        # Outside of a request, or in one that the sampler left out: then its parts are left out as well.
        yield
        return
    # Their own way to note an exception tells its message, and that of a database holds lead data.
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
            if not isinstance(error, LeadyardError):
                span.set_status(StatusCode.ERROR)
            raise


class _NoRequestSpan:
    def __init__(self, trace_id: str, traceparent: str | None) -> None:
        self.trace_id = trace_id
        self.traceparent = traceparent

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
