"""POST …/move-leads: what a move promises and when it refuses (contract section 3)."""

from __future__ import annotations

import re

from tests.service import Tenant


def test_moved_leads_are_in_the_target_and_no_longer_in_the_source(tenant: Tenant) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, 5)

    answer = tenant.move(source, target, leads[:3])

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"success", "data", "error", "traceId"}
    assert body["success"] is True and body["error"] is None
    assert body["data"]["movedCount"] == 3
    assert (body["data"]["sourceAudience"]["id"], body["data"]["sourceAudience"]["prospectCount"]) == (source, 2)
    assert (body["data"]["targetAudience"]["id"], body["data"]["targetAudience"]["prospectCount"]) == (target, 3)
    assert re.fullmatch("[0-9a-f]{24}", answer.headers["Move-Id"])
    assert tenant.members(source) == leads[3:]
    assert tenant.members(target) == leads[:3]
