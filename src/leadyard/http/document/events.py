"""The part of the OpenAPI document about events: `webhooks`, with one entry for each type."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from leadyard.http.document.generators import suit_generators
from leadyard.http.v1.event_shapes import SHAPES_SENT

_SCHEMA = "#/components/schemas/{model}"


def add_events(document: dict[str, Any]) -> None:
    """Adds the schema of each type of event, and an entry of `webhooks` that refers to it. Both a webhook and the feed
    send an event in this form."""
    schemas = document["components"]["schemas"]
    references, described = models_json_schema(
        [(shape, "serialization") for shape in SHAPES_SENT.values()], ref_template=_SCHEMA
    )
    suit_generators(described["$defs"])
    schemas.update({name: schema for name, schema in described["$defs"].items() if name not in schemas})
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["webhooks"] = {
        str(type): {
            "post": {
                "summary": (shape.__doc__ or "").splitlines()[0],
                "operationId": f"on_{type.replace('.', '_')}",
                "tags": ["events"],
                "security": [],
                # Otherwise openapi-generator makes a client of these requests in place of the client of the feed. The
                # schemas of the events stay in generated clients.
                "x-internal": True,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": references[shape, "serialization"]}},
                },
                "responses": {"2XX": {"description": "The receiver has the event."}},
            }
        }
        for type, shape in SHAPES_SENT.items()
    }
