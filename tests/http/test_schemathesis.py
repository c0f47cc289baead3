"""schemathesis sends requests to the real service that the OpenAPI document allows or forbids, and follows its links:
no 500, no undocumented status, no answer of another shape."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import Any

import pytest
from schemathesis import openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import Status, events, from_schema

from rig.service import Tenant

SEED = 20_261_122
_IN_FULL = os.environ.get("LEADYARD_TEST_TORTURE") == "1"
# How many examples a phase may try of each operation. There is no limit on time, so a slow machine tries the same ones.
# The phase `coverage` does not choose examples: it sends all of its own.
PHASES = [
    pytest.param(("examples", "coverage"), 1, id="coverage"),
    pytest.param(("fuzzing",), 200 if _IN_FULL else 8, id="fuzzing"),
    pytest.param(("stateful",), 200 if _IN_FULL else 10, id="stateful"),
]
# Refusals of bodies and queries that the document allows.
_ACROSS_FIELDS = re.compile(
    rb"Move and copy need targetAudienceId, and remove must not have it|To must not be before from"
    rb"|Send it only with suppress=true"
    rb"|Must be event types, separated by commas|Give at least one condition|Input should be True"
    rb"|A list with filters cannot skip|Must be an e-mail address|Must be the address of a LinkedIn profile"
)


def _config(tenant: Tenant, phases: Collection[str], most_examples: int) -> SchemathesisConfig:
    settings: dict[str, Any] = {
        "seed": SEED,
        "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
        "base-url": tenant.service.base_url,
        "auth": {"openapi": {"apiKey": {"bearer": tenant.key}}},
        # Any other group is a 403, and the code behind it would not be tested.
        "parameters": {"path.accountGroupId": tenant.account_group_id},
        "generation": {"deterministic": True, "database": "none", "max-examples": most_examples},
        # 422 as well, because no schema can express, for example, that two ids differ, or that a folder takes an
        # audience.
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422, 429]},
        },
        "request-timeout": 60,
        "continue-on-failure": True,
    }
    return SchemathesisConfig.from_dict(settings)


def _is_about_another_id(answer: Response | None) -> bool:
    """Returns whether a 404 is for an id that is not in the path."""
    missing = re.search(r"the id ([0-9a-f]{24})", answer.text) if answer is not None else None
    return answer is not None and missing is not None and missing[1] not in str(answer.request.url)


def _url(answer: Response | None) -> str:
    """Returns the URL that was sent, to be shown beside the failure."""
    return "" if answer is None else str(answer.request.url)


def _has_empty_parameter(answer: Response | None) -> bool:
    """Returns whether the query has a parameter without a value."""
    return answer is not None and re.search(r"[?&][^=&]+=(?:&|$)", str(answer.request.url)) is not None


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(("phases", "most_examples"), PHASES)
def test_the_service_is_what_its_document_says_whatever_is_sent(
    tenant: Tenant, phases: tuple[str, ...], most_examples: int
) -> None:
    source = tenant.create_audience("Source")
    tenant.add_leads(source, 5)
    schema = openapi.from_url(f"{tenant.service.base_url}/openapi.json", config=_config(tenant, phases, most_examples))
    found: set[str] = set()
    sent: dict[str, int] = {}

    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            sent[event.phase.value] = sent.get(event.phase.value, 0) + len(event.recorder.interactions)
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.status is not Status.FAILURE or check.failure_info is None:
                        continue
                    answer = event.recorder.interactions[case_id].response
                    content = answer.content if answer is not None else b""
                    if check.name == "positive_data_acceptance" and b"WRONG_CURSOR" in content:
                        continue  # In the schema every text is a cursor; the service accepts only its own.
                    if check.name == "positive_data_acceptance" and b'"code":"MISMATCH"' in content:
                        continue  # A well-formed digest of different content, which no schema can detect.
                    if check.name == "positive_data_acceptance" and b'"path":"providerId"' in content:
                        continue  # A link carried a text from a body, where another rule holds, into the path.
                    if check.name == "positive_data_acceptance" and b'"path":"Content-Digest"' in content:
                        continue  # The digest must match the body, which no schema can express.
                    if check.name == "positive_data_acceptance" and _ACROSS_FIELDS.search(content):
                        continue  # A rule about two fields, or a grammar of a text, which generators lose in a schema.
                    if check.name == "positive_data_acceptance" and b"The body is empty" in content:
                        continue  # schemathesis ignores the document's minLength 1 for bodies that are not JSON.
                    if check.name == "ensure_resource_availability" and _is_about_another_id(answer):
                        continue  # The audience exists, but an id in the body does not.
                    if check.name == "negative_data_rejection" and _has_empty_parameter(answer):
                        continue  # An empty parameter counts as absent, even if its schema forbids the empty text.
                    label = event.recorder.cases[case_id].value.operation.label
                    message = f"{check.failure_info.failure.message} {_url(answer)}"
                    found.add(f"{check.name}: {label}: {message} {content.decode()[:1000]}")
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            error = event.value if isinstance(event, events.NonFatalError) else event.exception
            found.add(f"{type(error).__name__}: {error}")

    assert not found, "\n\n".join(sorted(found))
    assert all(sent.get(phase, 0) >= 20 for phase in phases), sent
