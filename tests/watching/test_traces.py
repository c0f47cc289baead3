"""Spans: the request, the operation in it, each statement; as children of the caller's span, and without values."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from rig.providers import TOKEN, made_up, staged_provider
from rig.racing import wait_until
from rig.service import Service, Tenant, make_tenant
from rig.watching import Collector, on_one_database


def attributes(span: Any) -> dict[str, Any]:
    return {
        each.key: each.value.int_value if each.value.HasField("int_value") else each.value.string_value
        for each in span.attributes
    }


def test_a_move_as_spans(collector: Collector, watched: Service, seen: Tenant) -> None:
    source, target = seen.create_audience(), seen.create_audience()
    leads = seen.add_leads(source, 2)
    trace_id, caller = secrets.token_hex(16), secrets.token_hex(8)
    # The service remembers the key for three seconds from here.
    assert seen.client.get(f"/audiences/{source}").status_code == 200
    answer = seen.client.post(
        f"/audiences/{source}/move-leads",
        json={"targetAudienceId": target, "leadIds": leads},
        headers={"traceparent": f"00-{trace_id}-{caller}-01"},
    )
    assert answer.status_code == 200
    assert answer.json()["traceId"] == trace_id
    wait_until(lambda: any(span.kind == 2 for span in collector.of_trace(trace_id)), "the spans arrive", within_s=15)
    spans = collector.of_trace(trace_id)
    (request,) = (span for span in spans if span.kind == 2)
    assert request.parent_span_id.hex() == caller
    assert request.name.startswith("POST /v1/accounts/{accountGroupId}/audiences/{audienceId}/move-leads")
    assert attributes(request)["http.response.status_code"] == 200
    operations = {span.name: span for span in spans if "leadyard.operation" in attributes(span)}
    # The service remembers the key from the request before.
    assert set(operations) == {"move_leads"}
    assert all(span.parent_span_id == request.span_id for span in operations.values())
    statements = [attributes(span) for span in spans if span.parent_span_id == operations["move_leads"].span_id]
    texts = [each["db.query.text"] for each in statements]
    if watched.is_postgresql:
        assert len(texts) == 1 and "move_leads_" in texts[0]
    else:
        assert (texts[0], texts[-1]) == ("BEGIN IMMEDIATE", "COMMIT")
        assert any("INSERT INTO changes" in text for text in texts)
    assert {each["db.system.name"] for each in statements} == {"postgresql" if watched.is_postgresql else "sqlite"}
    everything = repr(spans)
    for hidden in (seen.key, leads[0], "@example.com", source):
        assert hidden not in everything


@on_one_database
def test_a_provider_is_told_the_span_that_asks_it(collector: Collector, new_service: Callable[..., Service]) -> None:
    with staged_provider(made_up(3)) as stage:
        service = new_service(
            LEADYARD_TRACES="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_SCHEDULE_DELAY="50",
            LEADYARD_PROVIDER_URL=stage.url,
            LEADYARD_PROVIDER_TOKEN=TOKEN,
        )
        tenant = make_tenant(service)
        trace_id = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
        assert tenant.client.get("/sales-navigator/lead-lists", headers=headers).status_code == 200
        wait_until(
            lambda: any(span.kind == 2 for span in collector.of_trace(trace_id)), "the spans arrive", within_s=15
        )
        (request,) = (span for span in collector.of_trace(trace_id) if span.kind == 2)
        assert [asked["traceparent"] for asked in stage.asked] == [f"00-{trace_id}-{request.span_id.hex()}-01"]
        tenant.client.close()


def test_without_a_caller_the_trace_of_the_answer_is_that_of_the_span(
    collector: Collector, watched: Service, seen: Tenant
) -> None:
    refused = seen.client.get(f"/audiences/{'0' * 24}")
    trace_id = refused.json()["traceId"]
    wait_until(lambda: any(span.kind == 2 for span in collector.of_trace(trace_id)), "the spans arrive", within_s=15)
    (failed,) = (span for span in collector.of_trace(trace_id) if span.name == "get_audience")
    # A refusal is an answer. Only a failure on our side is an error.
    assert attributes(failed)["error.type"] == "leadyard.errors.NotFound"
    assert all(span.status.code == 0 for span in collector.of_trace(trace_id))
    lines = [line for line in watched.log_lines() if line.get("trace_id") == trace_id]
    assert any(line["event"] == "request" for line in lines)
