"""Reads what a service reports: its metrics on the admin port, and its spans through our own collector."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from rig.service import Service, WorkerProcess

# For behaviour that comes before the database, or does not depend on its answer.
_DATABASES = os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql").split(",")
on_one_database = pytest.mark.parametrize("backend", _DATABASES[:1], indirect=True, scope="session")


def admin_url(service: Service | WorkerProcess) -> str:
    """Returns the URL of the admin port, which a process logs when it starts."""
    found = re.search(r"Metrics and health are on (http://[^ ]+)", service.log_file.read_text())
    assert found, service.log_file.read_text()
    return found[1]


def readiness(service: Service | WorkerProcess) -> tuple[int, dict[str, Any]]:
    """Returns the status of /readyz and its answer."""
    answer = httpx.get(f"{admin_url(service)}/readyz", timeout=10)
    return answer.status_code, answer.json()


def scraped(service: Service | WorkerProcess) -> dict[str, float]:
    """Returns every time series by its text, `name{label="value"}`."""
    answer = httpx.get(f"{admin_url(service)}/metrics", timeout=30)
    assert answer.status_code == 200, answer.text
    series = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in series}


@dataclass
class Collector:
    """Receives spans from the exporter, the way an OpenTelemetry collector does."""

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
                # In one step: a test that sees the span of a request can rely on the spans that ended before it.
                spans.extend([span for each in resources for scope in each.scope_spans for span in scope.spans])
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
