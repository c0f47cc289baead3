"""A service that is watched, with limits so small that a test can reach them."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.service import Service, Tenant, WorkerProcess, make_tenant

POOL, QUEUE = 2, 3
READ_S, REQUEST_S = 1.0, 3.0
MAX_CONNECTIONS = 30
# For what happens before the database is asked, or whatever it answers.
_DATABASES = os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql").split(",")
on_one_database = pytest.mark.parametrize("backend", _DATABASES[:1], indirect=True, scope="session")


def admin_url(service: Service | WorkerProcess) -> str:
    """Returns the address of the admin port, which a process says when it starts."""
    found = re.search(r"Metrics and health are on (http://[^ ]+)", service.log_file.read_text())
    assert found, service.log_file.read_text()
    return found[1]


def scraped(service: Service | WorkerProcess) -> dict[str, float]:
    """Returns every time series by its text, `name{label="value"}`."""
    answer = httpx.get(f"{admin_url(service)}/metrics", timeout=30)
    assert answer.status_code == 200, answer.text
    series = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in series}


@dataclass
class Collector:
    """Takes what the exporter of spans sends, the way an OpenTelemetry collector does."""

    spans: list[Any] = field(default_factory=list)
    url: str = ""

    def of_trace(self, trace_id: str) -> list[Any]:
        return [span for span in list(self.spans) if span.trace_id.hex() == trace_id]

    def serve(self) -> ThreadingHTTPServer:
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                resources = ExportTraceServiceRequest.FromString(body).resource_spans
                # At once: whoever sees the span of a request may take it that those which ended before are there, too.
                spans.extend([span for each in resources for scope in each.scope_spans for span in scope.spans])
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the watched service sends its spans."""
    made = Collector()
    server = made.serve()
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()


@pytest.fixture(scope="session")
def watched(new_service: Callable[..., Service], collector: Collector) -> Service:
    """Everything is on, and everything is small."""
    return new_service(
        LEADYARD_ADMIN_PORT="0",
        LEADYARD_TRACES="otlp",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_EXPORTER_OTLP_COMPRESSION="none",
        OTEL_BSP_SCHEDULE_DELAY="50",
        LEADYARD_DATABASE_POOL_SIZE=str(POOL),
        LEADYARD_DATABASE_QUEUE=str(QUEUE),
        LEADYARD_READ_TIMEOUT_S=str(READ_S),
        LEADYARD_REQUEST_TIMEOUT_S=str(REQUEST_S),
        LEADYARD_MAX_CONNECTIONS=str(MAX_CONNECTIONS),
    )


@pytest.fixture
def seen(watched: Service) -> Iterator[Tenant]:
    """A fresh account group on the watched service."""
    made = make_tenant(watched)
    yield made
    made.client.close()
