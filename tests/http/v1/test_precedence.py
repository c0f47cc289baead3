"""When several refusals apply, the answer is the first of 401, 429, 403 (group, then permission), 413/415, 400, 404,
422 without a look-up, 409, other 422 (contract section 2). Every test sends a request to which two of them apply."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from leadyard.ids import key_of
from leadyard.model import Permission
from rig.answers import UNKNOWN_ID, data_of, refusal
from rig.service import Service, Tenant, make_tenant

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
TOO_LARGE = b'{"leadIds": "' + b"x" * 1024 * 1024 + b'"}'


@pytest.fixture(scope="module")
def limited(new_service: Callable[..., Service]) -> Service:
    """A service that answers two requests of a key; the window is longer than these tests run."""
    return new_service(LEADYARD_RATE_LIMITS="2/hour")


@pytest.fixture
def exhausted(limited: Service) -> Iterator[Tenant]:
    """A tenant whose key has no requests left."""
    tenant = make_tenant(limited)
    for _ in range(2):
        data_of(tenant.client.get("/audiences"))
    yield tenant
    tenant.client.close()


def with_group(tenant: Tenant, account_group_id: str) -> str:
    return f"{tenant.service.base_url}/v1/accounts/{account_group_id}/audiences"


def reader(tenant: Tenant) -> dict[str, str]:
    """Returns the headers of a key of this group that may not write."""
    return {"Authorization": f"Bearer {tenant.key_with(Permission.AUDIENCES_READ)}"}


def test_401_before_429(exhausted: Tenant) -> None:
    """As soon as the revocation has reached the process, which takes up to 5 s; until then it is a 429."""
    refusal(exhausted.client.get("/audiences"), 429, "RATE_LIMITED")
    exhausted.sql("UPDATE api_keys SET revoked_at = 1 WHERE id = $1", key_of(exhausted.api_key_id))
    revoked_at = sent_at = time.monotonic()

    while (answer := exhausted.client.get("/audiences")).status_code == 429:
        # By the time when it was sent, however long it took.
        assert sent_at - revoked_at < 5
        time.sleep(0.1)
        sent_at = time.monotonic()

    refusal(answer, 401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_429_before_403_for_the_group(exhausted: Tenant) -> None:
    refusal(exhausted.client.get(with_group(exhausted, UNKNOWN_ID)), 429, "RATE_LIMITED")


def test_429_before_403_for_the_permission(limited: Service) -> None:
    tenant = make_tenant(limited)
    headers = reader(tenant)
    for _ in range(2):
        refusal(tenant.client.post("/audiences", headers=headers, json={}), 403, "FORBIDDEN")

    refusal(tenant.client.post("/audiences", headers=headers, json={}), 429, "RATE_LIMITED")


def test_429_before_everything_about_the_content(exhausted: Tenant) -> None:
    path = f"/audiences/{UNKNOWN_ID}/move-leads"
    refusal(exhausted.client.post(path, content=TOO_LARGE, headers=TEXT), 429, "RATE_LIMITED")
    refusal(exhausted.client.post(path, content=b"{", headers=JSON), 429, "RATE_LIMITED")


def test_a_429_says_when_to_come_back_and_concerns_that_key_only(exhausted: Tenant) -> None:
    answer = exhausted.client.get("/audiences")

    refusal(answer, 429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    other_key = exhausted.new_client(exhausted.key_with(Permission.AUDIENCES_READ))
    data_of(other_key.get("/audiences"))


def test_403_for_the_group_before_403_for_the_permission(tenant: Tenant) -> None:
    answer = tenant.client.post(with_group(tenant, UNKNOWN_ID), headers=reader(tenant), json={})

    assert "account group" in refusal(answer, 403, "FORBIDDEN")["details"]
    lacks = tenant.client.post("/audiences", headers=reader(tenant), json={})
    assert "audiences:write" in refusal(lacks, 403, "FORBIDDEN")["details"]


@pytest.mark.parametrize(("content", "headers"), [(TOO_LARGE, JSON), (b"{}", TEXT)], ids=["413", "415"])
def test_403_for_group_and_permission_before_413_and_415(
    tenant: Tenant, content: bytes, headers: dict[str, str]
) -> None:
    foreign = tenant.client.post(with_group(tenant, UNKNOWN_ID), content=content, headers=headers)
    lacking = tenant.client.post("/audiences", content=content, headers={**headers, **reader(tenant)})

    refusal(foreign, 403, "FORBIDDEN")
    refusal(lacking, 403, "FORBIDDEN")


def test_403_before_400_and_404(tenant: Tenant) -> None:
    for path in ("/audiences/wrong/move-leads", f"/audiences/{UNKNOWN_ID}/move-leads"):
        refusal(tenant.client.post(path, headers=reader(tenant), json={}), 403, "FORBIDDEN")


def test_413_before_400(tenant: Tenant) -> None:
    answer = tenant.client.post("/audiences/wrong/move-leads", content=TOO_LARGE, headers=JSON)
    refusal(answer, 413, "BODY_TOO_LARGE")


def test_415_before_400(tenant: Tenant) -> None:
    answer = tenant.client.post("/audiences/wrong/move-leads", content=b"{", headers=TEXT)
    refusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(("content", "headers", "status", "code"), [
    (TOO_LARGE, JSON, 413, "BODY_TOO_LARGE"),
    (b"{}", TEXT, 415, "UNSUPPORTED_MEDIA_TYPE"),
])  # fmt: skip
def test_413_and_415_before_404(
    tenant: Tenant, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = tenant.client.post(f"/audiences/{UNKNOWN_ID}/move-leads", content=content, headers=headers)
    refusal(answer, status, code)


def test_400_before_404(tenant: Tenant) -> None:
    refusal(tenant.move(UNKNOWN_ID, UNKNOWN_ID, ["wrong"]), 400, "VALIDATION_ERROR")


def test_400_before_409(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    tenant.insert_job(audience)
    refusal(tenant.move(audience, audience, []), 400, "VALIDATION_ERROR")


def test_400_before_422_without_a_look_up(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    refusal(tenant.move(audience, audience, ["wrong"]), 400, "VALIDATION_ERROR")
    reserved = tenant.client.post("/audiences", json={"name": "", "type": "csv_upload"})
    refusal(reserved, 400, "VALIDATION_ERROR")


def test_404_before_422_without_a_look_up(tenant: Tenant) -> None:
    refusal(tenant.move(UNKNOWN_ID, UNKNOWN_ID, [UNKNOWN_ID]), 404, "NOT_FOUND")


def test_404_before_409(tenant: Tenant) -> None:
    populated = tenant.create_audience()
    tenant.insert_job(populated)
    refusal(tenant.move(populated, UNKNOWN_ID, [UNKNOWN_ID]), 404, "NOT_FOUND")
    refusal(tenant.move(UNKNOWN_ID, populated, [UNKNOWN_ID]), 404, "NOT_FOUND")


def test_404_before_422_with_a_look_up(tenant: Tenant) -> None:
    refusal(tenant.move(tenant.create_audience(), UNKNOWN_ID, [UNKNOWN_ID]), 404, "NOT_FOUND")


def test_422_without_a_look_up_before_409(tenant: Tenant) -> None:
    populated = tenant.create_audience()
    tenant.insert_job(populated)
    refusal(tenant.move(populated, populated, [UNKNOWN_ID]), 422, "SAME_AUDIENCE")


@pytest.mark.parametrize("role", ["source", "target"])
def test_409_before_422_with_a_look_up(tenant: Tenant, role: str) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    tenant.insert_job(source if role == "source" else target)
    refusal(tenant.move(source, target, [UNKNOWN_ID]), 409, "AUDIENCE_NOT_READY")


def test_422_without_a_look_up_before_422_with_one(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    refusal(tenant.move(audience, audience, [UNKNOWN_ID]), 422, "SAME_AUDIENCE")
