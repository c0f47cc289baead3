"""Rows that are filled in without the service are the same as the service's: counts are exact, and the service can use
them."""

from __future__ import annotations

from benchmarks.suite.filling import Filler, steps
from leadyard.operations.doctor import check_account_group
from rig.service import Tenant, on_shared_database


def test_a_filled_account_group_is_healthy_and_its_leads_move(tenant: Tenant) -> None:
    everybody, even, odd = (tenant.create_audience(name) for name in ("Everybody", "Even", "Odd"))
    told: list[int] = []
    with Filler(tenant) as filler:
        filler.add_leads(301, lambda: told.append(1))
        filler.add_members(everybody, 301, lambda: told.append(1))
        filler.add_members(even, 301, lambda: told.append(1), half=0)
        filler.add_members(odd, 301, lambda: told.append(1), half=1)
    assert len(told) == 4 * steps(301)
    assert [tenant.count(each) for each in (everybody, even, odd)] == [301, 151, 150]
    assert tenant.members(everybody) == [filler.id_of(number) for number in range(301)]
    assert tenant.move(even, odd, [filler.id_of(0), filler.id_of(300)]).json()["data"]["movedCount"] == 2
    url, group = tenant.service.database_url, tenant.account_group_id
    found = on_shared_database(url, lambda db: check_account_group(db, account_group_id=group))
    assert found.findings == ()
    assert found.looked_at["memberships"] == 602
