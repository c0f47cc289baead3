"""schemathesis sends the real service whatever the OpenAPI document allows and forbids, and follows what belongs
together: no 500, no undocumented status, no answer of another shape."""

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

from tests.service import Tenant

SEED = 20_261_122
_IN_FULL = os.environ.get("LEADYARD_TEST_TORTURE") == "1"
# Apart, and each with a budget of its own, so that a slow machine cannot leave the second out.
PHASES_AND_BUDGETS = [
    (("examples", "coverage", "fuzzing"), 200 if _IN_FULL else 14),
    (("stateful",), 100 if _IN_FULL else 8),
]


def _config(tenant: Tenant, phases: Collection[str], budget_s: int) -> SchemathesisConfig:
    settings: dict[str, Any] = {
        "seed": SEED,
        "max-time": budget_s,
        "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
        "base-url": tenant.service.base_url,
        "auth": {"openapi": {"apiKey": {"bearer": tenant.key}}},
        # Any other group is a 403, and nothing behind it would be seen.
        "parameters": {"path.accountGroupId": tenant.account_group_id},
        "generation": {"deterministic": True, "database": "none", "max-examples": 25},
        # 422 as well: whether two ids are alike, say, or a folder takes an audience, no schema can tell beforehand.
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422, 429]},
        },
        "request-timeout": 30,
        "continue-on-failure": True,
    }
    return SchemathesisConfig.from_dict(settings)


def _is_about_another_id(answer: Response | None) -> bool:
    """Tells whether a 404 is for an id that is not in the path."""
    missing = re.search(r"the id ([0-9a-f]{24})", answer.text) if answer is not None else None
    return answer is not None and missing is not None and missing[1] not in str(answer.request.url)


@pytest.mark.parametrize(("phases", "budget_s"), PHASES_AND_BUDGETS)
def test_the_service_is_what_its_document_says_whatever_is_sent(
    tenant: Tenant, phases: tuple[str, ...], budget_s: int
) -> None:
    source = tenant.create_audience("Source")
    tenant.add_leads(source, 5)
    schema = openapi.from_url(f"{tenant.service.base_url}/openapi.json", config=_config(tenant, phases, budget_s))
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
                        continue  # To the schema every text is a cursor; only one that we gave out is one to us.
                    if check.name == "positive_data_acceptance" and b'"code":"MISMATCH"' in content:
                        continue  # A digest that is well-formed, but of something else: no schema can tell.
                    if check.name == "positive_data_acceptance" and b'"path":"providerId"' in content:
                        continue  # A link carried a text over from a body, where another rule holds, into the path.
                    if check.name == "positive_data_acceptance" and b'"path":"Content-Digest"' in content:
                        continue  # The digest is that of the body, which no schema can say.
                    if check.name == "positive_data_acceptance" and b"The body is empty" in content:
                        continue  # The document says minLength 1, which is not heeded for bodies that are not JSON.
                    if check.name == "ensure_resource_availability" and _is_about_another_id(answer):
                        continue  # The audience is there; what the body names with it is not.
                    label = event.recorder.cases[case_id].value.operation.label
                    found.add(f"{check.name}: {label}: {check.failure_info.failure.message} {content.decode()[:1000]}")
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            error = event.value if isinstance(event, events.NonFatalError) else event.exception
            found.add(f"{type(error).__name__}: {error}")

    assert not found, "\n\n".join(sorted(found))
    # The time may be up before the last phase has sent much, but never before the first has.
    assert sent.get(phases[0], 0) >= 20, sent
