"""The values that a change has replaced, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from leadyard import model
from leadyard.http.answer.envelope import Id, Listing, Shape, Success
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.request.answering import respond, run
from leadyard.http.request.route import caller, needs
from leadyard.http.v1.changes import ChangeIdInPath
from leadyard.model import Page
from leadyard.operations.changes import reading


class ReplacedValue(Shape):
    """A value of a known person that the change has replaced."""

    prospect_id: Id
    field: Annotated[
        str,
        Field(
            description="The name of the field as in exports, such as `company.name` or `customFields.Team`.",
            examples=["title"],
        ),
    ]
    old_value: Annotated[str | None, Field(description="The value before. Null if an undo has brought a value back.")]
    new_value: Annotated[
        str | None, Field(description="The value after. Null if it was removed, because it contradicts a new one.")
    ]


class ReplacedValueList(Listing[ReplacedValue]):
    """A page of replaced values."""


class ReplacedValueListSuccessResponse(Success[ReplacedValueList]):
    """A page of the values that a change has replaced."""


@needs(reading.list_replaced_values)
async def list_replaced_values(
    request: Request, change_id: ChangeIdInPath, paging: Annotated[Paging, Query()]
) -> Response:
    """Lists the values that an addition with `onKnown` `update` has replaced, lead by lead. A change that is too old,
    by the settings of the service, lists none."""
    scope = ("replaced-values", caller(request).account_group_id, change_id)
    start = paging.start(*scope)
    found = await run(
        request, reading.list_replaced_values, change_id=change_id, after=_pair_from(start), limit=paging.limit
    )
    show = show_page(ReplacedValueListSuccessResponse, ReplacedValueList, _shown, *scope)
    return respond(request, show(Page(found.items, found.next_key)))


def _pair_from(key: str | None) -> tuple[str, str] | None:
    if key is None:
        return None
    lead_id, _, field = key.partition(":")
    return lead_id, field


def _shown(value: model.ReplacedValue) -> ReplacedValue:
    return ReplacedValue.of(prospect_id=value.lead_id, field=value.field, old_value=value.old, new_value=value.new)
