"""The header that names the recorded change of a request."""

from __future__ import annotations

from collections.abc import Mapping

CHANGE_ID_HEADER = {
    "Change-Id": {"schema": {"type": "string"}, "description": "ID of the record of this change."},
}
"""For the OpenAPI document."""


def change_id_header(change_id: str | None) -> Mapping[str, str]:
    """Returns the header, none for a request that was about no lead."""
    return {} if change_id is None else {"Change-Id": change_id}
