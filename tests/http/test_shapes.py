"""The short way to make the shape of an answer makes what Pydantic's own makes."""

from __future__ import annotations

from typing import Any

from leadyard import model
from leadyard.http.audiences import Audience, to_audience
from leadyard.http.envelope import Shape
from leadyard.http.prospects import Company, Prospect, profile_values

NOW = 1_800_000_000_000


def same(shape: type[Shape], values: dict[str, Any]) -> None:
    made, constructed = shape.made_of(dict(values)), shape.model_construct(**values)
    assert made.model_dump_json(by_alias=True) == constructed.model_dump_json(by_alias=True)
    assert made.model_dump() == constructed.model_dump()
    assert repr(made) == repr(constructed)
    assert made.model_copy() == made


def test_a_person_with_a_company_in_it() -> None:
    profile = model.Profile(first_name="Ada", company_name="Acme", custom_fields={"a": "b"})
    values = {**profile_values(profile), "id": "a" * 24, "created_at": NOW, "added_at": NOW}
    same(Prospect, values)
    made = Prospect.made_of(values).model_dump(by_alias=True)
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


def test_an_audience_is_what_validation_makes_of_it() -> None:
    audience = model.Audience(
        id="a" * 24,
        name="One",
        type=model.AudienceType.ON_DEMAND,
        description=None,
        folder_id=None,
        prospect_count=3,
        created_at=NOW,
    )
    assert to_audience(audience).model_dump_json(by_alias=True) == Audience.model_validate(audience).model_dump_json(
        by_alias=True
    )
