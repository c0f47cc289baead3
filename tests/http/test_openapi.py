"""The OpenAPI document: it is up to date, it is served, and real answers match it; and the page that shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from leadyard.http.document.openapi import describe, written
from leadyard.http.document.serving import DOCUMENT_FILE
from leadyard.http.request.route import Route
from leadyard.http.server import routes
from leadyard.ids import new_id
from leadyard.model import EventType, Permission
from rig.answers import UNKNOWN_ID
from rig.jobs import start
from rig.routes import EVERY_ROUTE
from rig.service import Service, Tenant, make_tenant

OPENAPI_JSON = Path(__file__).parents[2] / "openapi.json"
_G = "/v1/accounts/{accountGroupId}"
_AUDIENCE = f"{_G}/audiences/{{audienceId}}"


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(OPENAPI_JSON.read_text(encoding="utf-8"))
    return loaded


def operation_of(method: str, path: str) -> dict[str, Any]:
    operation: dict[str, Any] = document()["paths"][path][method.lower()]
    return operation


@pytest.fixture(scope="module")
def limited(new_service: Callable[..., Service]) -> Service:
    return new_service(LEADYARD_RATE_LIMITS="1/hour")


# --------------------------------------------------------------------------------------------------------- the document


def test_openapi_json_is_what_the_routes_say() -> None:
    assert OPENAPI_JSON.read_text(encoding="utf-8") == written(describe(routes())), (
        "openapi.json is out of date: run script/openapi and commit what it writes."
    )


def test_the_service_serves_openapi_json_byte_for_byte(service: Service) -> None:
    answer = httpx.get(f"{service.base_url}/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content == OPENAPI_JSON.read_bytes() == DOCUMENT_FILE.read_bytes()


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_a_client_that_has_the_current_file_does_not_get_it_again(service: Service, path: str) -> None:
    first = httpx.get(service.base_url + path)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "no-cache"
    for known in (etag, f"W/{etag}", f'"of-another-release", {etag}'):
        again = httpx.get(service.base_url + path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    other = httpx.get(service.base_url + path, headers={"If-None-Match": '"of-another-release"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_the_document_describes_every_route_and_no_other() -> None:
    described = {
        (method.upper(), path)
        for path, operations in document()["paths"].items()
        for method in operations
        if method in ("get", "post", "put", "patch", "delete", "head", "options", "trace")
    }
    assert described == {(route.method, route.path_format) for route in routes()}


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_a_route_documents_every_status_under_the_published_names(route: Route) -> None:
    method = route.method
    operation = operation_of(method, route.path_format)
    name = route.answers if isinstance(route.answers, str) else route.answers.__name__
    expected = {route.status: name, 400: "ValidationErrorResponse"}
    expected |= dict.fromkeys((401, 429, 500, 503), "ErrorResponse")
    if "{accountGroupId}" in route.path_format:
        expected[403] = "ErrorResponse"
    named = r"\{(audienceId|moveId|changeId|folderId|jobId|prospectId|uploadId|webhookId|hash)\}"
    if re.search(named, route.path_format):
        expected[404] = "ErrorResponse"
    if "{audienceId}" in route.path_format or (method == "POST" and not route.only_reads):
        expected[409] = "ErrorResponse"
    if route.status_when_ended is not None:
        # Replayed with its Idempotency-Key when the job has ended.
        expected[route.status_when_ended] = name
    expected |= {status: answer.__name__ for status, answer in route.also.items()}
    if "requestBody" in operation:
        expected |= {408: "ErrorResponse", 413: "ErrorResponse", 415: "ErrorResponse"}
    if route.path_format.endswith(("/move-leads", "/move-to-folder")) or (method, route.path_format) == (
        "POST",
        f"{_G}/audiences",
    ):
        expected[422] = "ErrorResponse"
    if method == "POST" and route.path_format in (f"{_G}/prospecting", f"{_G}/transfers", f"{_G}/webhooks"):
        # The body names the audiences or the upload.
        expected |= dict.fromkeys((404, 409, 422), "ErrorResponse")

    documented = {int(status): _name_of(response["content"]) for status, response in operation["responses"].items()}

    assert {status: documented.get(status) for status in expected} == expected
    # Any further documented status is a refusal with a reason that is special to the route.
    assert set(documented) - set(expected) <= {409, 422}
    for name in set(documented.values()) - {"text/csv"}:
        assert name in document()["components"]["schemas"]
    assert operation["summary"]
    assert operation["description"]


def _name_of(content: dict[str, Any]) -> str:
    """Returns the name of the only shape of an answer, or its media type if that is not JSON."""
    [(media_type, described)] = content.items()
    if media_type != "application/json":
        return str(media_type)
    return str(described["schema"]["$ref"].removeprefix("#/components/schemas/"))


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_a_route_documents_its_parameters_its_permission_and_its_headers(route: Route) -> None:
    operation = operation_of(route.method, route.path_format)
    in_path = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", route.path_format))
    assert all(each["required"] for each in operation.get("parameters", []) if each["in"] == "path")
    for permission in route.permissions:
        assert f"`{permission}`" in operation["description"]
    for status in ("409", "429", "503"):
        if status in operation["responses"]:
            assert "Retry-After" in operation["responses"][status]["headers"]
    assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
    keys = [each for each in operation.get("parameters", []) if each["in"] == "header"]
    takes_key = route.method == "POST" and not route.only_reads
    # An upload's header is RFC 9530's, and a stream's is the browser's. They have nothing to do with the key.
    others = ("Content-Digest", "Last-Event-ID")
    names = [(each["name"], each["required"]) for each in keys if each["name"] not in others]
    assert names == ([("Idempotency-Key", False)] if takes_key else [])
    for status, response in operation["responses"].items():
        assert ("Idempotency-Replayed" in response.get("headers", {})) == (takes_key and int(status) < 300)
    assert ("Move-Id" in operation["responses"].get("200", {}).get("headers", {})) == route.path_format.endswith(
        "/move-leads"
    )


def test_every_reference_leads_somewhere_and_the_key_is_declared() -> None:
    text = json.dumps(document())
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert names == names & set(document()["components"]["schemas"])
    assert "HTTPValidationError" not in text
    [scheme] = document()["components"]["securitySchemes"].values()
    assert scheme == {"type": "http", "scheme": "bearer"}
    assert document()["openapi"].startswith("3.1")
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


# ------------------------------------------------------------------------------------------------------- real answers


def check(answer: httpx.Response, path: str, status: int) -> None:
    """Asserts that the answer has the status and is one that the document describes."""
    assert answer.status_code == status, answer.text
    response = operation_of(answer.request.method, path)["responses"][str(status)]
    schema = {**response["content"]["application/json"]["schema"], "components": document()["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json())
    # Not every answer is replayed, or has a Retry-After. The headers of the rate limits are described by reference, and
    # are there where there are limits.
    sometimes = {"Idempotency-Replayed"} | ({"Retry-After"} if "IDEMPOTENCY_CONFLICT" in answer.text else set())
    for header, described in response.get("headers", {}).items():
        assert header in answer.headers or header in sometimes or "$ref" in described


def test_real_events_are_as_the_document_says(tenant: Tenant) -> None:
    """Both databases return the same JSON, whatever the order in which they keep its names."""
    client = tenant.client
    source, target = tenant.create_audience(), tenant.create_audience()
    lead_ids = tenant.add_leads(source, 6, prefix="documented")
    tenant.copy(source, target, lead_ids[:2])
    tenant.remove(target, lead_ids[:1])
    moved = tenant.move(source, target, lead_ids[2:4]).headers["Change-Id"]
    client.post(f"/changes/{moved}/undo", json={})
    client.patch(f"/audiences/{source}", json={"description": "x"})
    client.patch(f"/prospects/{lead_ids[0]}", json={"title": "CTO"})
    client.post(f"/prospects/{lead_ids[4]}/merge", json={"prospectId": lead_ids[5]})
    client.delete(f"/prospects/{lead_ids[4]}")
    client.delete(f"/audiences/{target}")
    client.post(f"/prospecting/{start(tenant)}/cancel")
    seen = set()
    for event in tenant.client.get("/events", params={"from": "start", "limit": 200}).json()["data"]["items"]:
        described = document()["webhooks"][event["type"]]["post"]["requestBody"]["content"]["application/json"]
        schema = {**described["schema"], "components": document()["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(event)
        seen.add(event["type"])
    # The others are the ends of jobs, which have the same form, and an event that tests of webhooks provoke.
    assert set(document()["webhooks"]) - seen == {"job.completed", "job.failed", "webhook.disabled", "webhook.test"}


def test_every_type_of_event_is_documented() -> None:
    assert set(document()["webhooks"]) == {*EventType, "webhook.test"}
    for webhook in document()["webhooks"].values():
        assert webhook["post"]["summary"].endswith(".")


def test_the_check_itself_notices_a_wrong_answer(tenant: Tenant) -> None:
    answer = tenant.client.get("/audiences")
    wrong = httpx.Response(200, json={**answer.json(), "data": {"items": [{}]}}, request=answer.request)
    with pytest.raises(Exception, match="is a required property"):
        check(wrong, f"{_G}/audiences", 200)


def test_real_answers_are_as_the_document_says(tenant: Tenant) -> None:
    client, base_url = tenant.client, tenant.service.base_url
    audiences, prospects, move = f"{_G}/audiences", f"{_AUDIENCE}/prospects", f"{_AUDIENCE}/move-leads"

    made = [
        client.post("/audiences", json={"name": "Name", "type": "on_demand", "description": "Text"}),
        client.post("/audiences", json={"name": "Name", "type": "monitoring"}),
        client.post("/audiences", json={"name": "Name", "type": "on_demand"}),
    ]
    for answer in made:
        check(answer, audiences, 201)
    source, target, populated = (answer.json()["data"]["id"] for answer in made)
    tenant.insert_job(populated)
    people = [
        {"email": "ada@example.com", "company": {"name": "Engines"}, "customFields": {"Born": "1815"}},
        {"firstName": "Nobody"},
        {"email": "wrong"},
        {"linkedinUrl": "linkedin.com/in/ada"},
    ]
    check(client.post(f"/audiences/{source}/prospects", json={"prospects": people}), prospects, 200)
    listed = client.get(f"/audiences/{source}/prospects", params={"limit": 1})
    check(listed, prospects, 200)
    check(
        client.get(f"/audiences/{source}/prospects", params={"cursor": listed.json()["data"]["nextCursor"]}),
        prospects,
        200,
    )
    moved = tenant.move(source, target, [listed.json()["data"]["items"][0]["id"]])
    check(moved, move, 200)

    check(client.get(f"{base_url}/v1/accounts"), "/v1/accounts", 200)
    check(client.get("/audiences"), audiences, 200)
    check(client.get(f"/audiences/{source}"), _AUDIENCE, 200)
    check(client.get("/moves"), f"{_G}/moves", 200)
    check(client.get(f"/moves/{moved.headers['Move-Id']}"), f"{_G}/moves/{{moveId}}", 200)

    csv = {"Content-Type": "text/csv"}
    check(client.post("/uploads", content=b"email\n", headers=csv), f"{_G}/uploads", 201)
    check(client.post("/uploads", content=b"", headers=csv), f"{_G}/uploads", 400)
    check(client.post("/uploads", json={}), f"{_G}/uploads", 415)

    check(client.post("/audiences", json={"name": "", "x": 1}), audiences, 400)
    check(client.get("/audiences", params={"limit": 0}), audiences, 400)
    check(client.get("/moves/x"), f"{_G}/moves/{{moveId}}", 400)
    check(client.get(f"{base_url}/v1/accounts?x=1"), "/v1/accounts", 400)
    check(tenant.move("x", "y", []), move, 400)
    check(client.post(f"/audiences/{source}/prospects", content=b"{", headers=JSON), prospects, 400)
    check(client.get("/audiences", headers={"Authorization": ""}), audiences, 401)
    check(client.get(f"{base_url}/v1/accounts", headers={"Authorization": ""}), "/v1/accounts", 401)
    check(client.get(f"{base_url}/v1/accounts/{new_id()}/moves"), f"{_G}/moves", 403)
    reader = tenant.new_client(tenant.key_with(Permission.AUDIENCES_READ))
    check(tenant.move(source, target, [UNKNOWN_ID], reader), move, 403)
    check(client.get(f"/audiences/{UNKNOWN_ID}"), _AUDIENCE, 404)
    check(client.get(f"/moves/{UNKNOWN_ID}"), f"{_G}/moves/{{moveId}}", 404)
    check(tenant.move(source, UNKNOWN_ID, [UNKNOWN_ID]), move, 404)
    check(client.get(f"/audiences/{populated}"), _AUDIENCE, 409)
    check(client.get(f"/audiences/{populated}/prospects"), prospects, 409)
    check(tenant.move(source, populated, [UNKNOWN_ID]), move, 409)
    check(client.post("/audiences", content=b" " * (1024 * 1024 + 1), headers=JSON), audiences, 413)
    check(client.post(f"/audiences/{source}/move-leads", content=b"{}"), move, 415)
    check(client.post("/audiences", json={"name": "Name", "type": "csv_upload"}), audiences, 422)
    check(tenant.move(source, source, [UNKNOWN_ID]), move, 422)
    check(tenant.move(source, target, [UNKNOWN_ID]), move, 422)


JSON = {"Content-Type": "application/json"}


def test_a_429_is_as_the_document_says(limited: Service) -> None:
    tenant = make_tenant(limited)
    check(tenant.client.get("/audiences"), f"{_G}/audiences", 200)
    refused = tenant.client.get("/audiences")
    check(refused, f"{_G}/audiences", 429)
    assert all(header in refused.headers for header in document()["components"]["headers"])


# ------------------------------------------------------------------------------------------------------------ the page


class _References(HTMLParser):
    """Collects the URLs that a page makes the browser load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href", "srcset", "action", "data") and value]


def test_the_page_of_the_documentation_works_without_the_internet(service: Service) -> None:
    page = httpx.get(f"{service.base_url}/docs")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", page.text)

    references = _References()
    references.feed(page.text)
    assert len(references.found) >= 3
    for reference in references.found:
        url = urljoin(f"{service.base_url}/docs", reference)
        assert url.startswith(f"{service.base_url}/")
        asset = httpx.get(url)
        assert asset.status_code == 200
        assert len(asset.content) > 500
        if url.endswith(".css"):
            assert all(source.startswith("data:") for source in re.findall(r"url\(['\"]?([^'\")]+)", asset.text))
            assert "@import" not in asset.text
    # Swagger's other layout sends the URL of the document to a validator of its makers.
    assert '"layout": "BaseLayout"' in page.text
    kinds = {Path(reference).suffix for reference in references.found}
    assert {".js", ".css"} <= kinds
    assert "'/openapi.json'" in page.text or '"/openapi.json"' in page.text


def schema_in_document(schema: dict[str, Any]) -> Draft202012Validator:
    """Returns a validator for a schema that points into the document."""
    return Draft202012Validator({**schema, "components": document()["components"]}, format_checker=FormatChecker())


@pytest.mark.parametrize(("method", "path"), [(route.method, route.path_format) for route in routes()])
def test_every_endpoint_has_a_summary_and_examples_that_fit_their_schemas(method: str, path: str) -> None:
    operation = operation_of(method, path)
    assert len(operation["summary"]) > 5
    assert len(operation["description"]) > 20
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += operation["responses"].values()
    checked = 0
    for body in bodies:
        for media_type, content in body["content"].items():
            if media_type == "application/json":
                schema_in_document(content["schema"]).validate(content["example"])
                checked += 1
    assert checked >= 5


def test_every_link_leads_to_an_operation_with_that_parameter() -> None:
    operations = {
        operation["operationId"]: operation for path in document()["paths"].values() for operation in path.values()
    }
    links = [
        (name, link)
        for operation in operations.values()
        for response in operation["responses"].values()
        for name, link in response.get("links", {}).items()
    ]
    assert len(links) >= 10
    for name, link in links:
        parameters = {each["name"] for each in operations[name]["parameters"] if each["in"] == "path"}
        assert set(link["parameters"]) == parameters
