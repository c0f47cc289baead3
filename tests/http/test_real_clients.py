"""Clients of other makers with their default settings, where they are installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from rig.service import Tenant
from rig.watching import on_one_database

# The code below the routes does not depend on the database.
pytestmark = on_one_database
JAVA_CLIENT = Path(__file__).parent / "JavaClient.java"
WITHIN_S = 120


@pytest.mark.needs_java
def test_the_http_client_of_java_works_with_its_default_settings(tenant: Tenant) -> None:
    assert _run("java", str(JAVA_CLIENT), str(tenant.client.base_url).rstrip("/"), tenant.key).split("\n") == [
        "201 HTTP_1_1",
        "201 HTTP_1_1",
        "201 HTTP_1_1",
        "200 HTTP_1_1",
        "",
    ]
    assert [audience["name"] for audience in tenant.walk("/audiences")] == ["Java 1", "Java 2", "Java 3"]


@pytest.mark.needs_curl_http2
@pytest.mark.parametrize("chunked", [False, True])
def test_curl_may_offer_http_2(tenant: Tenant, chunked: bool) -> None:
    url = f"{tenant.client.base_url}audiences"
    body = json.dumps({"name": "curl", "type": "on_demand"})
    more = ["--header", "Transfer-Encoding: chunked"] if chunked else []
    request = [
        *("--header", f"Authorization: Bearer {tenant.key}", "--header", "Content-Type: application/json", *more),
        *("--data", body, "--write-out", "%{http_code} %{http_version}\n", "--output", "/dev/null", url),
    ]
    # Two requests on one connection; curl offers HTTP/2 in each.
    both = ["--silent", "--show-error", "--http2", *request, "--next", "--silent", "--http2", *request]
    assert _run("curl", *both) == "201 1.1\n201 1.1\n"
    assert [audience["name"] for audience in tenant.walk("/audiences")] == ["curl", "curl"]


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
