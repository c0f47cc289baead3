"""The quick way to build the shape of an answer gives the same result as Pydantic's own."""

from __future__ import annotations

from typing import Any

import pytest

from leadyard import model
from leadyard.http.answer.envelope import Shape
from leadyard.http.v1.audiences import Audience
from leadyard.http.v1.prospects import Company, Prospect, profile_values

NOW = 1_800_000_000_000


def same(shape: type[Shape], values: dict[str, Any]) -> None:
    made, constructed = shape.of(**values), shape.model_construct(**values)
    assert made.model_dump_json(by_alias=True) == constructed.model_dump_json(by_alias=True)
    assert made.model_dump() == constructed.model_dump()
    assert repr(made) == repr(constructed)
    assert made.model_copy() == made


def test_a_person_with_a_company_in_it() -> None:
    profile = model.Profile(first_name="Ada", company_name="Acme", custom_fields={"a": "b"})
    values = {**profile_values(profile), "id": "a" * 24, "created_at": NOW, "added_at": NOW}
    same(Prospect, values)
    made = Prospect.of(**values).model_dump(by_alias=True)
    assert list(made) == [field.alias for field in Prospect.model_fields.values()], "fields in the documented order"
    assert made["company"]["name"] == "Acme"
    assert made["name"] == "Ada"


def test_every_field_of_a_company_is_its_own() -> None:
    values: dict[str, Any] = {f"company_{name}": name for name in Company.model_fields}
    profile = model.Profile(**values)
    assert profile_values(profile)["company"].model_dump() == {name: name for name in Company.model_fields}


def test_every_field_of_a_person_is_its_own() -> None:
    names = [name for name in Prospect.model_fields if hasattr(model.Profile, name) and name != "custom_fields"]
    assert len(names) > 10
    given: dict[str, Any] = {name: name for name in names}
    values = profile_values(model.Profile(**given))
    assert {name: values[name] for name in names} == {name: name for name in names}


def test_a_shape_reads_from_its_source_what_is_not_given() -> None:
    audience = model.Audience(
        id="a" * 24,
        name="One",
        type=model.AudienceType.ON_DEMAND,
        description=None,
        folder_id=None,
        prospect_count=3,
        created_at=NOW,
    )
    validated = Audience.model_validate(audience, from_attributes=True)
    assert Audience.of(audience).model_dump_json(by_alias=True) == validated.model_dump_json(by_alias=True)
    assert Audience.of(audience, name="Two").name == "Two"


def test_a_field_that_nothing_gives_is_an_error_and_not_left_out() -> None:
    with pytest.raises(AttributeError, match="industry"):
        Company.of(name="Acme", linkedin_identifier=None, linkedin_url=None, website=None)
