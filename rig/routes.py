"""Every route of the service as a parameter, so that tests include new routes automatically."""

from __future__ import annotations

import pytest

from leadyard.http.server import routes

EVERY_ROUTE = [pytest.param(route, id=f"{route.method} {route.path_format}") for route in routes()]
ROUTES_IN_GROUP = [
    pytest.param(route, id=f"{route.method} {route.path_format}") for route in routes() if route.is_in_group
]
