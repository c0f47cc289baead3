"""Access: a 401 never discloses its reason, a 403 never discloses what exists, and every route has a permission."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from leadyard.clock import now_ms
from leadyard.http.request.route import Route
from leadyard.ids import key_of
from leadyard.model import Permission
from rig.answers import UNKNOWN_ID, data_of, refusal, without_trace_id
from rig.routes import EVERY_ROUTE, ROUTES_IN_GROUP
from rig.service import Service, Tenant, make_key, make_tenant

_G = "/v1/accounts/{accountGroupId}"

# From the tables in contract sections 5, 11 and 13. A route that is missing here fails the tests: decide its permission
# there first.
PERMISSION_OF: dict[tuple[str, str], Permission | tuple[Permission, ...] | None] = {
    ("GET", "/v1/accounts"): None,
    ("GET", f"{_G}/audiences"): Permission.AUDIENCES_READ,
    ("POST", f"{_G}/audiences"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/audiences/navigation"): Permission.AUDIENCES_READ,
    ("GET", f"{_G}/audiences/{{audienceId}}"): Permission.AUDIENCES_READ,
    ("PATCH", f"{_G}/audiences/{{audienceId}}"): Permission.AUDIENCES_WRITE,
    ("DELETE", f"{_G}/audiences/{{audienceId}}"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/audiences/{{audienceId}}/prospects"): Permission.PROSPECTS_READ,
    ("POST", f"{_G}/audiences/{{audienceId}}/prospects"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/audiences/{{audienceId}}/move-leads"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/audiences/{{audienceId}}/move-to-folder"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/audiences/{{audienceId}}/remove-from-folder"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/audiences/folders"): Permission.AUDIENCES_WRITE,
    ("PATCH", f"{_G}/audiences/folders/{{folderId}}"): Permission.AUDIENCES_WRITE,
    ("DELETE", f"{_G}/audiences/folders/{{folderId}}"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/prospecting"): Permission.PROSPECTING_WRITE,
    ("GET", f"{_G}/prospecting"): Permission.PROSPECTING_READ,
    ("GET", f"{_G}/prospecting/{{jobId}}"): Permission.PROSPECTING_READ,
    ("POST", f"{_G}/prospecting/{{jobId}}/cancel"): Permission.PROSPECTING_WRITE,
    ("GET", f"{_G}/prospecting/{{jobId}}/rejected.csv"): Permission.PROSPECTING_READ,
    ("GET", f"{_G}/prospects"): Permission.PROSPECTS_READ,
    ("GET", f"{_G}/prospects/by-provider-id/{{providerId}}"): Permission.PROSPECTS_READ,
    ("GET", f"{_G}/audiences/{{audienceId}}/prospects.csv"): Permission.PROSPECTS_READ,
    ("GET", f"{_G}/prospects/{{prospectId}}"): Permission.PROSPECTS_READ,
    ("PATCH", f"{_G}/prospects/{{prospectId}}"): Permission.AUDIENCES_WRITE,
    ("DELETE", f"{_G}/prospects/{{prospectId}}"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/uploads"): Permission.PROSPECTING_WRITE,
    ("POST", f"{_G}/uploads/{{uploadId}}/preview"): Permission.PROSPECTING_READ,
    ("GET", f"{_G}/sales-navigator/lead-lists"): Permission.PROSPECTING_READ,
    ("GET", f"{_G}/sales-navigator/saved-searches"): Permission.PROSPECTING_READ,
    ("POST", f"{_G}/audiences/{{audienceId}}/copy-leads"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/audiences/{{audienceId}}/remove-leads"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/changes"): Permission.AUDIENCES_READ,
    ("GET", f"{_G}/events"): Permission.AUDIENCES_READ,
    ("GET", f"{_G}/changes/{{changeId}}"): Permission.AUDIENCES_READ,
    ("GET", f"{_G}/changes/{{changeId}}/replaced-values"): (Permission.AUDIENCES_READ, Permission.PROSPECTS_READ),
    ("POST", f"{_G}/changes/{{changeId}}/undo"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/changes/{{changeId}}/prospects"): (Permission.AUDIENCES_READ, Permission.PROSPECTS_READ),
    ("GET", f"{_G}/prospects/{{prospectId}}/changes"): (Permission.AUDIENCES_READ, Permission.PROSPECTS_READ),
    ("POST", f"{_G}/transfers"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/transfers"): Permission.AUDIENCES_READ,
    ("GET", f"{_G}/transfers/{{jobId}}"): Permission.AUDIENCES_READ,
    ("POST", f"{_G}/transfers/{{jobId}}/cancel"): Permission.AUDIENCES_WRITE,
    ("POST", f"{_G}/suppressions"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/suppressions"): Permission.PROSPECTS_READ,
    ("DELETE", f"{_G}/suppressions/{{hash}}"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/duplicates"): Permission.PROSPECTS_READ,
    ("POST", f"{_G}/prospects/{{prospectId}}/merge"): Permission.AUDIENCES_WRITE,
    ("GET", f"{_G}/moves"): Permission.AUDIENCES_READ,
    ("GET", f"{_G}/moves/{{moveId}}"): Permission.AUDIENCES_READ,
    ("POST", f"{_G}/webhooks"): Permission.WEBHOOKS_WRITE,
    ("GET", f"{_G}/webhooks"): Permission.WEBHOOKS_READ,
    ("GET", f"{_G}/webhooks/{{webhookId}}"): Permission.WEBHOOKS_READ,
    ("PATCH", f"{_G}/webhooks/{{webhookId}}"): Permission.WEBHOOKS_WRITE,
    ("DELETE", f"{_G}/webhooks/{{webhookId}}"): Permission.WEBHOOKS_WRITE,
    ("POST", f"{_G}/webhooks/{{webhookId}}/rotate-secret"): Permission.WEBHOOKS_WRITE,
    ("POST", f"{_G}/webhooks/{{webhookId}}/test"): Permission.WEBHOOKS_WRITE,
    ("GET", f"{_G}/webhooks/{{webhookId}}/deliveries"): Permission.WEBHOOKS_READ,
    ("POST", f"{_G}/webhooks/{{webhookId}}/deliveries/{{deliveryId}}/redeliver"): Permission.WEBHOOKS_WRITE,
    ("POST", f"{_G}/webhooks/{{webhookId}}/replay"): Permission.WEBHOOKS_WRITE,
}

# With access, a client gets an answer, or an error about the request itself; 422 where a provider would be needed.
LET_IN = (200, 400, 404, 415, 422)


@pytest.fixture(scope="module")
def shared(service: Service) -> Tenant:
    """A tenant for tests that change nothing."""
    return make_tenant(service)


@pytest.fixture(scope="module")
def key_lacking(shared: Tenant) -> dict[Permission, str]:
    """For every permission a key that has all the others."""
    return {
        lacking: shared.key_with(*(permission for permission in Permission if permission is not lacking))
        for lacking in Permission
    }


@pytest.fixture(scope="module")
def key_with_only(shared: Tenant) -> dict[Permission, str]:
    """For every permission a key that has no other."""
    return {permission: shared.key_with(permission) for permission in Permission}


@pytest.fixture(scope="module")
def key_without_permissions(shared: Tenant) -> str:
    return shared.key_with()


def send(tenant: Tenant, route: Route, account_group_id: str, **headers: str) -> httpx.Response:
    """Sends an almost empty request to the route, because access is checked first."""
    path = route.path_format.replace("{accountGroupId}", account_group_id)
    path = re.sub(r"\{\w+\}", UNKNOWN_ID, path)
    method = route.method
    body: Any = {} if method in ("POST", "PATCH") else None
    return tenant.client.request(method, tenant.service.base_url + path, json=body, headers=headers)


# ----------------------------------------------------------------------------------------------------------------- 401


def wrong_keys(tenant: Tenant) -> dict[str, list[tuple[str, str]]]:
    """Returns every way not to have a valid key, each as the headers to send."""
    key, url, group = tenant.key, tenant.service.database_url, [tenant.account_group_id]
    revoked_id, revoked = make_key(url, group)
    tenant.sql("UPDATE api_keys SET revoked_at = $1 WHERE id = $2", now_ms(), key_of(revoked_id))
    later_id, revoked_for_later = make_key(url, group)
    tenant.sql("UPDATE api_keys SET revoked_at = $1 WHERE id = $2", now_ms() + 3_600_000, key_of(later_id))
    expired = make_key(url, group, expires_at=now_ms() - 1)[1]
    both_id, revoked_and_expired = make_key(url, group, expires_at=1)
    tenant.sql("UPDATE api_keys SET revoked_at = 1 WHERE id = $1", key_of(both_id))
    forgotten_id, unknown = make_key(url, group)
    tenant.sql("DELETE FROM api_key_account_groups WHERE api_key_id = $1", key_of(forgotten_id))
    tenant.sql("DELETE FROM api_keys WHERE id = $1", key_of(forgotten_id))
    values = {
        "empty": "",
        "scheme only": "Bearer",
        "no scheme": key,
        "another scheme": f"Basic {key}",
        "a scheme that ends like ours": f"XBearer {key}",
        "cut": f"Bearer {key[:-1]}",
        "one character too many": f"Bearer {key}0",
        "mistyped": f"Bearer {key[:20]}{'0' if key[20] != '0' else '1'}{key[21:]}",
        "upper case": f"Bearer {key.upper()}",
        "another prefix": f"Bearer sk_test_{key.removeprefix('sk_live_')}",
        "the key's id": f"Bearer {tenant.api_key_id}",
        "two keys": f"Bearer {key} {key}",
        "quoted": f'Bearer "{key}"',
        "very long": f"Bearer {key * 200}",
        "made up, with SQL": "Bearer ' OR '1'='1",
        "unknown": f"Bearer {unknown}",
        "revoked": f"Bearer {revoked}",
        "revoked by a clock ahead of ours": f"Bearer {revoked_for_later}",
        "expired": f"Bearer {expired}",
        "revoked and expired": f"Bearer {revoked_and_expired}",
    }
    headers = {name: [("Authorization", value)] for name, value in values.items()}
    headers["missing"] = []
    headers["two headers"] = [("Authorization", f"Bearer {key}")] * 2
    return headers


def test_every_key_that_is_not_valid_gets_the_same_answer_to_the_byte(shared: Tenant) -> None:
    url = str(shared.client.base_url) + "audiences"
    with httpx.Client() as client:
        answers = {name: client.get(url, headers=headers) for name, headers in wrong_keys(shared).items()}
        odd_bytes = [(b"Authorization", b"Bearer " + shared.key.encode()[:-1] + b"\xff")]
        answers["bytes beyond ASCII"] = client.get(url, headers=odd_bytes)

    for name, answer in answers.items():
        refusal(answer, 401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert without_trace_id(answer) == without_trace_id(answers["missing"]), name


def test_a_valid_key_is_taken_whatever_the_case_of_the_scheme(shared: Tenant) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        data_of(shared.client.get("/audiences", headers={"Authorization": f"{scheme} {shared.key}"}))


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_no_route_answers_without_a_key(shared: Tenant, route: Route) -> None:
    refusal(send(shared, route, shared.account_group_id, Authorization=""), 401, "UNAUTHORIZED")
    refusal(send(shared, route, UNKNOWN_ID, Authorization=""), 401, "UNAUTHORIZED")


def test_a_key_is_valid_until_the_millisecond_it_expires(tenant: Tenant) -> None:
    """Also a key that was recognised a moment ago, because its expiry is remembered with it."""
    expires_at = now_ms() + 1_000
    client = tenant.new_client(
        make_key(tenant.service.database_url, [tenant.account_group_id], expires_at=expires_at)[1]
    )
    valid = invalid = 0
    while now_ms() < expires_at + 100:
        sent_at = now_ms()
        answer = client.get("/audiences")
        if answer.status_code == 200:
            assert sent_at < expires_at
            valid += 1
        else:
            refusal(answer, 401, "UNAUTHORIZED")
            assert now_ms() >= expires_at
            invalid += 1
    assert valid and invalid


def test_a_revoked_key_that_was_not_just_used_is_refused_from_the_next_request_on(tenant: Tenant) -> None:
    tenant.sql("UPDATE api_keys SET revoked_at = $1 WHERE id = $2", now_ms(), key_of(tenant.api_key_id))
    refusal(tenant.client.get("/audiences"), 401, "UNAUTHORIZED")


# ------------------------------------------------------------------------------------------------ 403, account group


NO_GROUPS = [
    UNKNOWN_ID,
    "0" * 24,
    UNKNOWN_ID[:-1],
    UNKNOWN_ID + "1",
    UNKNOWN_ID.upper(),
    "x",
    "*",
    "null",
    "%00",
    UNKNOWN_ID + "%00",
    "%ff",
    "%C3%A4",
    "%F0%9F%98%80",
    "%20",
    "%27%20OR%201%3D1%20--",
    "%25",
    "_" * 24,
    "1" * 4000,
]


@pytest.mark.parametrize("route", ROUTES_IN_GROUP)
def test_a_foreign_group_and_one_that_does_not_exist_get_the_same_answer_to_the_byte(
    shared: Tenant, service: Service, route: Route
) -> None:
    other = make_tenant(service)
    foreign = send(shared, route, other.account_group_id)

    assert "account group" in refusal(foreign, 403, "FORBIDDEN")["details"]
    for group in NO_GROUPS:
        answer = send(shared, route, group)
        assert without_trace_id(answer) == without_trace_id(foreign), group


def test_an_ill_formed_spelling_of_its_own_group_does_not_let_a_key_in(shared: Tenant) -> None:
    own = shared.account_group_id
    for spelling in (own.upper(), f"{own}%00", f"{own}%20", f"%20{own}", f"{own}%0a", f"{own}?", f"{own}%2f"):
        answer = shared.client.get(f"{shared.service.base_url}/v1/accounts/{spelling}/audiences")
        assert answer.status_code in (403, 404), spelling


def test_a_key_of_two_groups_works_for_both_and_for_no_third(tenant: Tenant, service: Service) -> None:
    second, third = make_tenant(service), make_tenant(service)
    key = make_key(service.database_url, [tenant.account_group_id, second.account_group_id])[1]

    for group in (tenant, second):
        client = group.new_client(key)
        made = data_of(client.post("/audiences", json={"name": "Mine", "type": "on_demand"}), 201)
        assert [item["id"] for item in group.walk("/audiences")] == [made["id"]]
        data_of(client.get(f"/audiences/{made['id']}"))
    refusal(third.new_client(key).get("/audiences"), 403, "FORBIDDEN")
    assert len(data_of(tenant.new_client(key).get(f"{service.base_url}/v1/accounts"))["items"]) == 2


# --------------------------------------------------------------------------------------------------- 403, permission


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_a_route_needs_exactly_the_permission_of_the_contract_and_names_it(
    shared: Tenant,
    key_lacking: dict[Permission, str],
    key_with_only: dict[Permission, str],
    key_without_permissions: str,
    route: Route,
) -> None:
    listed = PERMISSION_OF[route.method, route.path_format]
    needed: tuple[Permission, ...] = listed if isinstance(listed, tuple) else (listed,) if listed else ()
    group = shared.account_group_id

    for permission in Permission:
        lacking = send(shared, route, group, Authorization=f"Bearer {key_lacking[permission]}")
        with_only = send(shared, route, group, Authorization=f"Bearer {key_with_only[permission]}")
        if permission in needed:
            assert str(permission) in refusal(lacking, 403, "FORBIDDEN")["details"]
        else:
            assert lacking.status_code in LET_IN
        others = [each for each in needed if each is not permission]
        if others:
            assert str(others[0]) in refusal(with_only, 403, "FORBIDDEN")["details"]
        else:
            assert with_only.status_code in LET_IN
    without = send(shared, route, group, Authorization=f"Bearer {key_without_permissions}")
    if not needed:
        data_of(without)
    else:
        assert str(needed[0]) in refusal(without, 403, "FORBIDDEN")["details"]
