"""Sixteen clients change the memberships of the same people in every way, beside a worker and the housekeeping: only
documented answers, and afterwards the record of changes leads to exactly the memberships that are there."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from rig.change_storm import ACTS, Storm, members_of, replayed
from rig.racing import TORTURE, assert_exact, assert_nothing_leaked, wait_until
from rig.service import Service, Tenant, WorkerProcess, make_tenant

BUDGET_S = 60.0 if TORTURE else 8.0
# The successes without which it was not a storm, on however busy a machine.
NEEDED = (
    "POST /audiences/{audienceId}/move-leads 200",
    "POST /audiences/{audienceId}/copy-leads 200",
    "POST /audiences/{audienceId}/remove-leads 200",
    "POST /audiences/{audienceId}/prospects 200",
    "POST /changes/{changeId}/undo 200",
    "POST /prospecting 202",
    "POST /transfers 202",
    "DELETE /audiences/{audienceId} 200",
    "POST /prospects/{prospectId}/merge 200",
    "DELETE /prospects/{prospectId} 200",
)
BUSY_S = 60.0


@pytest.mark.timeout(500)
def test_the_record_explains_what_a_storm_of_changes_leaves(
    new_service: Callable[..., Service], new_worker: Callable[..., WorkerProcess]
) -> None:
    service = new_service(LEADYARD_WORKER_LEASE_S="5")
    worker = new_worker(service)
    storm = Storm.of(make_tenant(service))
    tenant, ends_at = storm.tenant, time.monotonic() + BUDGET_S

    def is_enough() -> bool:
        late_s = time.monotonic() - ends_at
        return late_s > 0 and (late_s > BUSY_S or all(storm.statuses[each] for each in NEEDED))

    storm.run(ACTS, is_enough)

    print(f"\n{storm.statuses.total()} answers: {dict(sorted(storm.statuses.items()))}")
    assert storm.broken == []
    assert [each for each in NEEDED if not storm.statuses[each]] == [], "these never succeeded"
    undone = {item["kind"] for item in tenant.walk("/changes") if item["undoneByChangeId"]}
    print(f"undone: {sorted(undone)}")
    assert {"move", "copy", "add", "undo"} <= undone
    wait_until(lambda: _count(tenant, "jobs", "status IN ('queued', 'running')") == 0, "all jobs end", within_s=60)
    assert _count(tenant, "jobs", "status = 'failed'") == 0
    wait_until(lambda: _count(tenant, "audiences", "prospect_count > 0 AND deleted_at IS NOT NULL") == 0, "emptied")
    assert service.doctor()["healthy"]
    now = members_of(tenant)
    assert replayed(tenant) == now
    assert_exact(tenant, {item["id"]: set(now.get(item["id"], ())) for item in tenant.walk("/audiences")})
    print(f"{assert_nothing_leaked(service)} conflicts between transactions")
    assert [worker.events(event) for event in ("job_run_failed", "housekeeping_failed")] == [[], []]


def _count(tenant: Tenant, table: str, condition: str) -> int:
    [(count,)] = tenant.sql(f"SELECT count(*) FROM {table} WHERE account_group_id = $1 AND {condition}", tenant.number)
    return int(count)
