"""Every route of the service as a parameter, for tests that a new route must not slip past."""

from __future__ import annotations

import pytest

from leadyard.http.caller import Door
from leadyard.http.server import routes


def method_of(route: Door) -> str:
    """Returns the method of the route; each has exactly one."""
    assert route.methods is not None
    [method] = route.methods
    return method


EVERY_ROUTE = [pytest.param(route, id=f"{method_of(route)} {route.path_format}") for route in routes()]
ROUTES_IN_GROUP = [
    pytest.param(route, id=f"{method_of(route)} {route.path_format}")
    for route in routes()
    if "{accountGroupId}" in route.path_format
]
