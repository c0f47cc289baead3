"""Pydantic shapes with a person's fields, built from the table, for the API and for the provider's protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, create_model

from leadyard.people.fields import COMPANY_FIELDS, Profile, TextField, in_json_order

S = TypeVar("S", bound=BaseModel)
Definition = tuple[Any, Any]
"""A field as Pydantic accepts it: its type, and its default or `...`."""


def with_fields(definitions: Mapping[str, Any]) -> Callable[[type[S]], type[S]]:
    """Returns a class decorator that adds these fields to a shape, after its existing fields."""

    def extended(shape: type[S]) -> type[S]:
        fields: dict[str, Any] = dict(definitions)
        return create_model(
            shape.__name__, __base__=shape, __doc__=shape.__doc__, __module__=shape.__module__, **fields
        )

    return extended


def person_fields(
    text: Callable[[TextField], Definition], *, company: Definition, custom_fields: Definition
) -> dict[str, Definition]:
    """Returns the fields of a person's shape, in the order of JSON."""
    return in_json_order(text, company=company, custom_fields=custom_fields)


def company_fields(text: Callable[[TextField], Definition]) -> dict[str, Definition]:
    """Returns the fields of a company's shape."""
    return {field.shape_name: text(field) for field in COMPANY_FIELDS}


def always_there(field: TextField) -> Definition:
    """Returns the definition of a field of an answer: always present, null if it is unknown, with its example."""
    return _documented(field.example, None), ...


def may_be_left_out(field: TextField) -> Definition:
    """Returns the definition of a field of a request: null or left out if it is unknown."""
    return str | None, None


def may_be_left_out_showing(*attributes: str) -> Callable[[TextField], Definition]:
    """Returns the function that defines such fields, with the example and the description of these attributes."""

    def define(field: TextField) -> Definition:
        is_shown = field.attribute in attributes
        return _documented(field.example, field.description) if is_shown else str | None, None

    return define


def _documented(example: str | None, description: str | None) -> Any:
    if example is None and description is None:
        return str | None
    return Annotated[str | None, Field(examples=[example] if example else None, description=description)]


def profile_of(shape: BaseModel) -> Profile:
    """Returns the values of a person's shape as a profile, not normalised. Leaves out custom fields that are null."""
    # vars() takes half the time of iterating over the shape, and a page of a provider has 100 people.
    values = dict(vars(shape))
    workplace, custom_fields = values.pop("company"), values.pop("custom_fields") or {}
    if workplace is not None:
        values |= {_ATTRIBUTE_IN_COMPANY[name]: value for name, value in vars(workplace).items()}
    return Profile(**values, custom_fields={name: value for name, value in custom_fields.items() if value is not None})


_ATTRIBUTE_IN_COMPANY = {field.shape_name: field.attribute for field in COMPANY_FIELDS}
