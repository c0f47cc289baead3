"""The session of a browser: what its cookie opens, for whom, and for how long."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from leadyard.http.page.files import BUILT
from leadyard.ids import key_of
from leadyard.operations.page_sessions import prune_sessions
from rig.answers import data_of, refusal
from rig.service import Service, Tenant, make_tenant, on_database

FROM_PAGE = {"X-Leadyard-Page": "1", "Sec-Fetch-Site": "same-origin"}
BROWSER = {"Accept": "text/html"}


def open_page(tenant: Tenant, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=tenant.service.base_url, headers={**FROM_PAGE, **headers}, timeout=30)


def signed_in(tenant: Tenant) -> httpx.Client:
    browser = open_page(tenant)
    assert data_of(browser.post("/session", json={"key": tenant.key}))["permissions"]
    return browser


def audiences(tenant: Tenant) -> str:
    return f"/v1/accounts/{tenant.account_group_id}/audiences"


def test_a_session_opens_the_api_and_holds_no_key(tenant: Tenant) -> None:
    browser = open_page(tenant)
    answer = browser.post("/session", json={"key": f" {tenant.key}\n"})
    [cookie] = answer.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Secure" not in cookie
    assert tenant.key not in answer.text + cookie
    assert answer.headers["Cache-Control"] == "no-store"
    assert data_of(browser.get("/session"))["expiresAt"] == data_of(answer)["expiresAt"]
    created = data_of(browser.post(audiences(tenant), json={"name": "From the page", "type": "on_demand"}), 201)
    assert created["name"] == "From the page"
    [(stored,)] = tenant.sql("SELECT secret_hash FROM page_sessions WHERE api_key_id = $1", key_of(tenant.api_key_id))
    assert stored not in cookie


def test_over_https_the_cookie_is_bound_to_https_and_to_the_host(tenant: Tenant) -> None:
    answer = open_page(tenant, Origin="https://leads.example").post("/session", json={"key": tenant.key})
    assert answer.headers["Set-Cookie"].startswith("__Host-leadyard-session=ps_live_")
    assert answer.headers["Set-Cookie"].endswith("; Secure")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Leadyard-Page": "1", "Sec-Fetch-Site": "cross-site"},
        {"X-Leadyard-Page": "1", "Sec-Fetch-Site": "same-site"},
        {"X-Leadyard-Page": "1", "Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
    ids=["nothing", "cross-site", "same-site", "typed", "without the header"],
)
def test_a_request_that_another_site_may_have_caused_has_no_session(tenant: Tenant, headers: dict[str, str]) -> None:
    cookie = signed_in(tenant).cookies["leadyard-session"]
    elsewhere = httpx.Client(
        base_url=tenant.service.base_url, headers={"Cookie": f"leadyard-session={cookie}", **headers}
    )
    refusal(elsewhere.get(audiences(tenant)), 401, "UNAUTHORIZED")
    refusal(elsewhere.post(audiences(tenant), json={"name": "Forged", "type": "on_demand"}), 401, "UNAUTHORIZED")
    refusal(elsewhere.post("/session", json={"key": tenant.key}), 403, "FORBIDDEN")
    refusal(elsewhere.delete("/session"), 403, "FORBIDDEN")
    refusal(elsewhere.get("/session"), 401, "UNAUTHORIZED")
    assert data_of(tenant.client.get("/audiences"))["items"] == []


def test_the_secret_of_a_session_is_not_a_key(tenant: Tenant) -> None:
    secret = signed_in(tenant).cookies["leadyard-session"]
    bearer = {"Authorization": f"Bearer {secret}"}
    refusal(httpx.get(tenant.service.base_url + audiences(tenant), headers=bearer), 401, "UNAUTHORIZED")
    refusal(open_page(tenant).post("/session", json={"key": secret}), 401, "UNAUTHORIZED")


def test_a_header_with_a_key_wins_over_the_cookie(tenant: Tenant) -> None:
    browser = signed_in(tenant)
    refusal(browser.get(audiences(tenant), headers={"Authorization": "Bearer wrong"}), 401, "UNAUTHORIZED")


def test_a_session_does_not_open_another_tenant(tenant: Tenant) -> None:
    other = make_tenant(tenant.service)
    refusal(signed_in(tenant).get(audiences(other)), 403, "FORBIDDEN")
    other.client.close()


def test_signing_out_ends_the_session_at_once(tenant: Tenant) -> None:
    browser = signed_in(tenant)
    secret = browser.cookies["leadyard-session"]
    data_of(browser.get(audiences(tenant)))
    answer = browser.delete("/session")
    assert data_of(answer) == {"signedOut": True}
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    again = open_page(tenant, Cookie=f"leadyard-session={secret}")
    refusal(again.get(audiences(tenant)), 401, "UNAUTHORIZED")
    refusal(again.get("/session"), 401, "UNAUTHORIZED")
    assert data_of(again.delete("/session")) == {"signedOut": True}


@pytest.mark.parametrize("change", ["revoked_at = 1", "expires_at = 1"])
def test_a_session_ends_with_its_key(tenant: Tenant, change: str) -> None:
    browser = signed_in(tenant)
    tenant.sql(f"UPDATE api_keys SET {change} WHERE id = $1", key_of(tenant.api_key_id))
    refusal(browser.get("/session"), 401, "UNAUTHORIZED")
    # No request has used this session in the account group, so no process remembers it.
    refusal(browser.get(audiences(tenant)), 401, "UNAUTHORIZED")


def test_an_expired_session_is_refused_and_then_removed(tenant: Tenant) -> None:
    browser = signed_in(tenant)
    of_key = key_of(tenant.api_key_id)
    tenant.sql("UPDATE page_sessions SET expires_at = 1 WHERE api_key_id = $1", of_key)
    refusal(browser.get(audiences(tenant)), 401, "UNAUTHORIZED")
    on_database(tenant.service.database_url, prune_sessions)
    assert tenant.sql("SELECT count(*) FROM page_sessions WHERE api_key_id = $1", of_key) == [(0,)]
    assert data_of(tenant.client.get("/audiences"))["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"key": "sk_live_wrong"}, 401, "UNAUTHORIZED"),
        ({"key": ""}, 400, "VALIDATION_ERROR"),
        ({"key": 5}, 400, "VALIDATION_ERROR"),
        ({"key": "x" * 201}, 400, "VALIDATION_ERROR"),
        ({}, 400, "VALIDATION_ERROR"),
        ({"key": "x", "more": 1}, 400, "VALIDATION_ERROR"),
    ],
)
def test_what_a_sign_in_refuses(tenant: Tenant, body: Any, status: int, code: str) -> None:
    answer = open_page(tenant).post("/session", json=body)
    refusal(answer, status, code)
    assert "Set-Cookie" not in answer.headers


def test_wrong_keys_are_limited(new_service: Any) -> None:
    service: Service = new_service(LEADYARD_RATE_LIMITS="guesses=2/hour")
    tenant = make_tenant(service)
    browser = open_page(tenant)
    for _ in range(2):
        refusal(browser.post("/session", json={"key": "sk_live_wrong"}), 401, "UNAUTHORIZED")
    refusal(browser.post("/session", json={"key": tenant.key}), 429, "RATE_LIMITED")
    tenant.client.close()


def test_the_files_of_the_page(service: Service) -> None:
    plain = httpx.get(service.base_url + "/", headers={**BROWSER, "Accept-Encoding": "identity"})
    packed = httpx.get(service.base_url + "/", headers=BROWSER)
    assert plain.content == packed.content == (BUILT / "index.html").read_bytes()
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    policy = plain.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    known = httpx.get(service.base_url + "/", headers={**BROWSER, "If-None-Match": packed.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert httpx.get(service.base_url + "/").headers["Content-Type"] == "text/html; charset=utf-8"
    refusal(httpx.get(service.base_url + "/", headers={"Accept": "application/json"}), 404, "NOT_FOUND")
    for file in (BUILT / "assets").iterdir():
        asset = httpx.get(f"{service.base_url}/assets/{file.name}")
        assert asset.content == file.read_bytes()
        assert "immutable" in asset.headers["Cache-Control"]
        assert asset.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_can_be_switched_off(new_service: Any) -> None:
    service: Service = new_service(LEADYARD_PAGE="off")
    answer = httpx.get(service.base_url + "/", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/docs")
    refusal(httpx.post(service.base_url + "/session", json={"key": "x"}, headers=FROM_PAGE), 404, "NOT_FOUND")
