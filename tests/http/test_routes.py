"""The table of routes: what a route refuses to be made of, and how it reads parameters."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from leadyard.errors import InvalidRequest
from leadyard.http.answer.envelope import RequestBody
from leadyard.http.answer.paging import Paging
from leadyard.http.request.parameters import Parameters
from leadyard.http.request.route import CSV, Route, needs
from leadyard.http.server import routes
from leadyard.http.v1.audiences import AudienceIdInPath
from leadyard.model import Permission


class Body(RequestBody):
    """A body."""

    name: str


async def unguarded(request: Request) -> Response:
    raise NotImplementedError


async def of_everything(
    request: Request, audience_id: AudienceIdInPath, paging: Annotated[Paging, Query()], sent: Body
) -> Response:
    raise NotImplementedError


def request(query: str = "", audience_id: str = "a" * 24) -> Request:
    return Request({
        "type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": [],
        "path_params": {"audienceId": audience_id}, "state": {},
    })  # fmt: skip


def test_a_route_within_an_account_group_needs_a_permission() -> None:
    with pytest.raises(TypeError, match="unguarded is within an account group"):
        Route("GET", "/v1/accounts/{accountGroupId}/x", unguarded, answers=CSV, title="Unguarded")
    assert Route("GET", "/v1/x", unguarded, answers=CSV, title="Unguarded").permissions == ()

    guarded = needs(Permission.AUDIENCES_READ)(unguarded)
    route = Route("GET", "/v1/accounts/{accountGroupId}/x", guarded, answers=CSV, title="Guarded")
    assert route.permissions == (Permission.AUDIENCES_READ,)


def test_a_handler_that_cannot_be_read_is_refused_when_the_table_is_made() -> None:
    async def two_bodies(request: Request, one: Body, two: Body) -> Response:
        raise NotImplementedError

    async def no_request(audience_id: AudienceIdInPath) -> Response:
        raise NotImplementedError

    # Annotations are read in the namespace of the module, where a local function could name nothing else.
    with pytest.raises(TypeError, match="one and two cannot both be the body"):
        Parameters(two_bodies)
    with pytest.raises(TypeError, match="the first parameter is the request"):
        Parameters(no_request)


def test_a_body_is_a_body_whatever_its_name() -> None:
    parameters = Parameters(of_everything)
    assert parameters.has_body
    values = parameters.read(request("limit=3"), {"name": "One"})
    assert (values["audience_id"], values["paging"].limit, values["sent"].name) == ("a" * 24, 3, "One")


def test_everything_that_is_wrong_is_listed_in_the_order_path_query_body() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Parameters(of_everything).read(request("limit=0&more=1&more=2", "x"), {"nam": "One"})
    found = [(each.path, each.code) for each in refused.value.violations]
    assert found == [
        ("audienceId", "WRONG_FORMAT"),
        ("limit", "TOO_SMALL"),
        ("more", "UNKNOWN_FIELD"),
        ("name", "MISSING"),
        ("nam", "UNKNOWN_FIELD"),
    ]


def test_a_field_that_is_sent_twice_in_the_query_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Parameters(of_everything).read(request("limit=3&limit=4"), {"name": "One"})
    assert ("limit", "DUPLICATE") in [(each.path, each.code) for each in refused.value.violations]


def test_every_handler_can_be_read_and_every_title_is_a_sentence_of_its_own() -> None:
    titles = [route.title for route in routes()]
    assert len(set(titles)) == len(titles)
    for route in routes():
        assert route.title[0].isupper()
        assert not route.title.endswith(".")
        assert set(route.param_convertors) >= {"accountGroupId"} or not route.is_in_group
