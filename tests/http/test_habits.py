"""What clients send by habit: the service accepts it, or its refusal names the cause."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from rig.answers import data_of, refusal, violations
from rig.service import Tenant

JSON = {"Content-Type": "application/json"}
AUDIENCE = {"name": "Habits", "type": "on_demand"}


def _violations(answer: httpx.Response) -> list[dict[str, str]]:
    found: list[dict[str, str]] = refusal(answer, 400, "VALIDATION_ERROR")["violations"]
    return found


def _post(tenant: Tenant, content: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return tenant.client.post("/audiences", content=content, headers={**JSON, **named})


@pytest.mark.parametrize("path", ["/audiences", "/audiences/{audience}", "/audiences/{audience}/prospects.csv"])
def test_head_is_get_without_the_body(tenant: Tenant, path: str) -> None:
    audience = tenant.create_audience()
    tenant.add_leads(audience, 3)
    path = path.format(audience=audience)
    full, head = tenant.client.get(path), tenant.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    kept = ("content-type", "content-length", "content-disposition")
    assert {name: head.headers.get(name) for name in kept} == {name: full.headers.get(name) for name in kept}
    # The connection is still in step.
    assert tenant.client.get(path).status_code == 200


def test_head_is_refused_as_get_is(tenant: Tenant) -> None:
    assert tenant.client.head("/audiences/" + "0" * 24).status_code == 404
    assert tenant.client.head("/audiences", headers={"Authorization": "Bearer x"}).status_code == 401
    for path in ("/audiences", "/audiences/" + "0" * 24 + "/move-leads"):
        assert ("HEAD" in tenant.client.put(path).headers["Allow"].split(", ")) == (path == "/audiences")


def test_a_byte_order_mark_before_json_is_ignored(tenant: Tenant) -> None:
    assert _post(tenant, b"\xef\xbb\xbf" + json.dumps(AUDIENCE).encode()).status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "gzip, gzip"])
def test_a_compressed_json_body_is_refused_by_name(tenant: Tenant, coding: str) -> None:
    answer = _post(tenant, gzip.compress(json.dumps(AUDIENCE).encode()), Content_Encoding=coding)
    assert "Content-Encoding" in refusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE")["details"]
    assert _post(tenant, json.dumps(AUDIENCE).encode(), Content_Encoding="identity").status_code == 201


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16", "utf-16-le", "utf-32"])
def test_json_in_another_encoding_is_refused_and_utf_8_is_named(tenant: Tenant, encoding: str) -> None:
    body = json.dumps({**AUDIENCE, "name": "Zürich"}, ensure_ascii=False).encode(encoding)
    [violation] = _violations(_post(tenant, body, Content_Type=f"application/json; charset={encoding}"))
    assert violation["code"] == "NOT_JSON"
    assert "UTF-8" in violation["message"]


def test_an_unencoded_plus_in_a_time_is_named(tenant: Tenant) -> None:
    path = f"/audiences/{tenant.create_audience()}/prospects"
    [violation] = _violations(tenant.client.get(f"{path}?addedAfter=2026-01-31T09:30:00+01:00"))
    assert (violation["path"], "%2B" in violation["message"]) == ("addedAfter", True)
    assert tenant.client.get(f"{path}?addedAfter=2026-01-31T09:30:00%2B01:00").status_code == 200


def test_an_empty_query_parameter_counts_as_absent(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    tenant.add_leads(audience, 2)
    names = ("limit", "cursor", "q", "title", "company", "hasEmail", "addedAfter", "addedBefore")
    answer = tenant.client.get(f"/audiences/{audience}/prospects?{'&'.join(f'{name}=' for name in names)}")
    assert len(data_of(answer)["items"]) == 2
    assert violations(tenant.client.get("/audiences?page=")) == {("page", "UNKNOWN_FIELD")}


@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=2&limit=2", "limit=&limit=1"])
def test_a_repeated_query_parameter_is_refused(tenant: Tenant, query: str) -> None:
    assert violations(tenant.client.get(f"/audiences?{query}")) == {("limit", "DUPLICATE")}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"name": "a", "type": "on_demand", "name": "b"}', ["name"]),
        ('{"name": "a", "type": "on_demand", "name": "a", "name": "a", "type": "on_demand"}', ["name", "type"]),
        (r'{"name": "a", "type": "on_demand", "n\u0061me": "b"}', ["name"]),
        ('{"name": 12345678901234567890, "name": "b", "type": "on_demand"}', ["name"]),
    ],
)
def test_a_duplicate_key_is_refused(tenant: Tenant, text: str, paths: list[str]) -> None:
    assert violations(_post(tenant, text.encode())) == {(path, "DUPLICATE") for path in paths}


def test_duplicate_keys_are_listed_with_everything_else(tenant: Tenant) -> None:
    text = '{"prospects": [{"email": "a@b.example"}, {"email": "c@d.io", "email": 5, "company": {"x": 1, "x": 2}}]}'
    path = f"/audiences/{tenant.create_audience()}/prospects"
    assert violations(tenant.client.post(path, content=text.encode(), headers=JSON)) == {
        ("prospects[1].email", "DUPLICATE"),
        ("prospects[1].company.x", "DUPLICATE"),
        ("prospects[1].email", "WRONG_TYPE"),
        ("prospects[1].company.x", "UNKNOWN_FIELD"),
    }


def test_a_patch_may_be_called_a_merge_patch(tenant: Tenant) -> None:
    path, merge_patch = f"/audiences/{tenant.create_audience()}", {"Content-Type": "application/merge-patch+json"}
    assert data_of(tenant.client.patch(path, content=b'{"name": "New"}', headers=merge_patch))["name"] == "New"
    answer = tenant.client.post("/audiences", content=json.dumps(AUDIENCE).encode(), headers=merge_patch)
    refusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_preflight_request_is_refused_with_the_reason(tenant: Tenant) -> None:
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    answer = tenant.client.options("/audiences", headers=preflight)
    assert "CORS" in refusal(answer, 405, "METHOD_NOT_ALLOWED")["details"]
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_browser_finds_the_page_and_the_documentation(tenant: Tenant) -> None:
    base = tenant.service.base_url
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for headers in (browser, {}):
        answer = httpx.get(base + "/docs/", headers=headers)
        assert (answer.status_code, answer.headers["Location"]) == (307, "/docs")
    page = httpx.get(base + "/", headers=browser)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    refusal(httpx.get(base + "/", headers={"Accept": "application/json"}), 404, "NOT_FOUND")


def _upload(tenant: Tenant, content: bytes, media_type: str = "text/csv") -> str:
    upload = data_of(tenant.client.post("/uploads", content=content, headers={"Content-Type": media_type}), 201)
    upload_id: str = upload["uploadId"]
    return upload_id


def _start(tenant: Tenant, upload_id: str, **rest: Any) -> httpx.Response:
    body = {"type": "csv_upload", "uploadId": upload_id, "audience": {"name": "From a file"}, **rest}
    return tenant.client.post("/prospecting", json=body)


CSV = "firstName,email\nAda,ada@example.com\n"


@pytest.mark.parametrize(
    ("content", "code", "is_json"),
    [
        (json.dumps(CSV).encode(), "NOBODY_IDENTIFIED", True),
        (b"{}", "NOBODY_IDENTIFIED", True),
        (b"[object Object]", "NOBODY_IDENTIFIED", True),
        (b'[{"email": "ada@example.com"}]', "NOBODY_IDENTIFIED", True),
        (b"foo,bar\n1,2\n", "NOBODY_IDENTIFIED", False),
        (b"firstName,email\n", "UNREADABLE_FILE", False),
        (b"firstName,email\n,\n\n", "UNREADABLE_FILE", False),
        (gzip.compress(b"firstName,email\n", mtime=0), "UNREADABLE_FILE", False),
    ],
)
def test_no_job_starts_with_a_file_without_people(tenant: Tenant, content: bytes, code: str, is_json: bool) -> None:
    found = refusal(_start(tenant, _upload(tenant, content)), 422, code)
    assert ("looks like JSON" in found["details"]) == is_json
    assert data_of(tenant.client.get("/prospecting"))["items"] == []


def test_a_job_starts_with_a_file_whose_columns_the_client_names(tenant: Tenant) -> None:
    upload_id = _upload(tenant, b"foo,bar\nAda,ada@example.com\n", "application/vnd.ms-excel")
    started = data_of(_start(tenant, upload_id, mapping={"email": "bar"}), 202)
    assert started["audienceId"] == data_of(tenant.client.get(f"/prospecting/{started['jobId']}"))["audienceId"]


def test_a_refusal_repeats_its_retry_after_in_words(tenant: Tenant) -> None:
    started = data_of(_start(tenant, _upload(tenant, CSV.encode())), 202)
    answer = tenant.client.get(f"/audiences/{started['audienceId']}")
    found = refusal(answer, 409, "AUDIENCE_NOT_READY")
    assert f"in {answer.headers['Retry-After']} s" in found["details"]
