"""A service with metrics and traces, with limits so small that a test can reach them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from rig.service import Service, Tenant, make_tenant
from rig.watching import Collector

POOL, QUEUE = 2, 3
READ_S, REQUEST_S = 1.0, 3.0
MAX_CONNECTIONS = 30


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """The collector to which the watched service sends its spans."""
    made = Collector()
    server = made.serve()
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()


@pytest.fixture(scope="session")
def watched(new_service: Callable[..., Service], collector: Collector) -> Service:
    """A service with every metric and span on, and every limit small."""
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
    """A new account group on the watched service."""
    made = make_tenant(watched)
    yield made
    made.client.close()
