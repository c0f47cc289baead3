"""The client has every operation, parameter, field, answer and code of openapi.json, and its files are up to date."""

from __future__ import annotations

import dataclasses
import filecmp
import inspect
import json
import re
import subprocess
import sys
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest

import leadyard_client
from leadyard.http.answer.errors import STATUS_OF_CODE
from leadyard_client import AsyncLeadyard, Leadyard, models
from leadyard_client.json_values import json_name
from leadyard_client.refusals import REFUSALS
from script.client.refusals import class_name

ROOT = Path(__file__).parents[3]
PACKAGE = Path(leadyard_client.__file__).parent
DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}
# Its id of the path and the field of its body have one name in the API.
RENAMED = {("merge_prospects", "prospectId"): "merged_prospect_id"}
CLIENTS = [Leadyard, AsyncLeadyard]


def ref(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def body_properties(operation: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields of the body that has one shape."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None or "oneOf" in content["schema"]:
        return {}
    schema = content["schema"]
    name = ref(schema) if "$ref" in schema else ref(next(each for each in schema["anyOf"] if "$ref" in each))
    found: dict[str, Any] = SCHEMAS[name]["properties"]
    return found


def expected_arguments(name: str, operation: dict[str, Any]) -> set[str]:
    """Returns the names in the API of everything that a caller can choose."""
    parameters = {each["name"] for each in operation["parameters"] if each["in"] in ("path", "query")}
    return (parameters - {"accountGroupId"}) | {
        RENAMED.get((name, field), field) for field in body_properties(operation)
    }


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_every_parameter_and_field(kind: type[Any], name: str) -> None:
    arguments = set(inspect.signature(getattr(kind, name)).parameters) - {"self"}
    own = {"idempotency_key", "content_type", "content_digest", "file", "body"}
    in_api = {each if each in RENAMED.values() else json_name(each) for each in arguments - own}
    assert in_api == expected_arguments(name, OPERATIONS[name])
    takes_key = any(each["name"] == "Idempotency-Key" for each in OPERATIONS[name]["parameters"])
    assert ("idempotency_key" in arguments) == takes_key


@pytest.mark.parametrize("kind", CLIENTS)
def test_what_is_not_an_operation_is_ours(kind: type[Any]) -> None:
    public = {name for name in dir(kind) if not name.startswith("_")}
    ours = {"account_group_id", "close", "follow_events", "in_account_group"}
    assert public - set(OPERATIONS) == ours | {"wait", "wait_for_prospecting", "wait_for_transfer"}


def test_a_required_argument_has_no_default() -> None:
    for name, operation in OPERATIONS.items():
        signature = inspect.signature(getattr(Leadyard, name)).parameters
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        required = SCHEMAS[ref(schema)].get("required", ()) if "$ref" in schema else ()
        for field in body_properties(operation):
            argument = next(
                each for each in signature if RENAMED.get((name, field)) == each or json_name(each) == field
            )
            assert (signature[argument].default is inspect.Parameter.empty) == (field in required), (name, field)


def test_both_clients_have_the_same_signatures() -> None:
    for name in OPERATIONS:
        blocking, awaitable = (inspect.signature(getattr(kind, name)) for kind in CLIENTS)
        assert list(blocking.parameters.values()) == list(awaitable.parameters.values()), name
        unlike = str(awaitable.return_annotation).removeprefix("Async")
        assert str(blocking.return_annotation) == unlike, name


def schemas_with_a_class() -> list[str]:
    """Every object that is not an envelope, a page, or a body whose fields are arguments."""
    flat = {name for operation in OPERATIONS.values() if (name := _flat_body(operation))}
    errors = {"ErrorDetail", "ErrorResponse", "ValidationErrorDetail", "ValidationErrorResponse", "ViolationShape"}
    return [
        name
        for name, schema in SCHEMAS.items()
        if "properties" in schema
        and not name.endswith("SuccessResponse")
        and "nextCursor" not in schema["properties"]
        and name not in flat | errors
    ]


def _flat_body(operation: dict[str, Any]) -> str | None:
    properties = body_properties(operation)
    return next((name for name, schema in SCHEMAS.items() if schema.get("properties") is properties), None)


@pytest.mark.parametrize("name", schemas_with_a_class())
def test_a_model_has_every_field_with_its_optionality(name: str) -> None:
    kind = getattr(models, name)
    fields = {json_name(each.name): each for each in dataclasses.fields(kind) if not each.metadata}
    assert set(fields) == set(SCHEMAS[name]["properties"])
    hints = typing.get_type_hints(kind)
    for field, schema in SCHEMAS[name]["properties"].items():
        required = fields[field].default is dataclasses.MISSING
        assert required == (
            (field in SCHEMAS[name].get("required", ()) and "const" not in schema) or _is_answer(name, field, schema)
        )
        accepts_null = type(None) in typing.get_args(hints[fields[field].name])
        assert accepts_null == any(each.get("type") == "null" for each in schema.get("anyOf", ())), field


def _is_answer(name: str, field: str, schema: dict[str, Any]) -> bool:
    """Whether a constant is in an answer, which always contains it."""
    return (
        "const" in schema and field in SCHEMAS[name].get("required", ()) and "additionalProperties" not in SCHEMAS[name]
    )


def test_headers_that_describe_the_answer_are_fields() -> None:
    for operation in OPERATIONS.values():
        for status, answer in operation["responses"].items():
            for header in {"Change-Id", "Move-Id"} & set(answer.get("headers", {})):
                data = ref(SCHEMAS[ref(answer["content"]["application/json"]["schema"])]["properties"]["data"])
                fields = [each.metadata.get("header") for each in dataclasses.fields(getattr(models, data))]
                assert header in fields, (operation["operationId"], status)


def test_every_type_of_event_has_a_class() -> None:
    assert set(models.EVENT_TYPES) == set(DOCUMENT["webhooks"])
    for name, kind in models.EVENT_TYPES.items():
        assert typing.get_type_hints(kind)["type"] == typing.Literal[name]


def test_every_code_has_a_class_that_errors_exports() -> None:
    assert set(REFUSALS) == set(STATUS_OF_CODE)
    for code, kind in REFUSALS.items():
        assert kind.__name__ == class_name(code)
        assert getattr(leadyard_client.errors, kind.__name__) is kind
        assert str(STATUS_OF_CODE[code]) in str(kind.__doc__)
    documented = re.findall(
        r"^\| [45]\d\d \| `(\w+)`", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(documented) == set(REFUSALS)


def test_the_generated_files_are_up_to_date(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "script.client", tmp_path], cwd=ROOT, check=True, timeout=60)
    made = {file.relative_to(tmp_path) for file in tmp_path.rglob("*.py")}
    committed = {
        file.relative_to(PACKAGE)
        for file in PACKAGE.rglob("*.py")
        if file.parent != PACKAGE or file.name in ("refusals.py", "version.py")
    }
    assert made == committed
    different = [name for name in made if not filecmp.cmp(tmp_path / name, PACKAGE / name, shallow=False)]
    assert different == [], "run script/openapi"


def test_the_version_is_the_version_of_the_service() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert leadyard_client.__version__ == project["version"] == DOCUMENT["info"]["version"]


def test_the_only_dependency_is_httpx() -> None:
    project = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [re.split(r"[<>=]", each)[0] for each in project["dependencies"]] == ["httpx"]
    allowed = {*sys.stdlib_module_names, "httpx", "leadyard_client"}
    for file in PACKAGE.rglob("*.py"):
        imported = re.findall(r"^\s*(?:from|import) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(imported) <= allowed, file


def test_the_license_is_ours_and_no_file_is_long() -> None:
    assert filecmp.cmp(ROOT / "LICENSE", ROOT / "clients/python/LICENSE", shallow=False)
    for file in PACKAGE.rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, file
