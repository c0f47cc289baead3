"""Row 6: what a page far into an audience costs compared with its first page."""

from __future__ import annotations

import time

from benchmarks.suite.figures import Figure, take_turns
from benchmarks.suite.filling import Filler, steps
from benchmarks.suite.stage import DATABASES, TITLES, Kind, Stage
from leadyard.http.answer.paging import make_cursor
from leadyard.operations.prospects import EVERYBODY
from rig.service import Tenant, make_tenant

LIMIT = 200


def page_10000(stage: Stage) -> list[Figure]:
    return [_on(stage, kind, pages=stage.size(10_000, 100)) for kind in DATABASES]


def _on(stage: Stage, kind: Kind, *, pages: int) -> Figure:
    with stage.service(kind) as service:
        tenant = make_tenant(service)
        audience_id, leads = tenant.create_audience("Everybody"), pages * LIMIT
        filler = Filler(tenant)
        with filler, stage.progress(f"{leads:,} leads, {TITLES[kind]}", 2 * steps(leads)) as told:
            filler.add_leads(leads, told)
            filler.add_members(audience_id, leads, told)
        # From page to page in the same audience. The last is the row of the table; all of them are the plot.
        numbers = [] if stage.quick else [number for number in (10, 100, 1_000) if number < pages]
        numbers.append(pages)
        rounds = stage.rounds(60, 20)
        ratios: dict[int, float] = {1: 1.0}
        with stage.progress(f"pages, {TITLES[kind]}", len(numbers) * (rounds + 1)) as told:
            for number in numbers:
                cursor = _cursor_of_page(tenant, audience_id, filler, number)
                found = take_turns(
                    lambda cursor=cursor: _timed(tenant, audience_id, cursor),  # type: ignore[misc]
                    lambda: _timed(tenant, audience_id, None),
                    rounds=rounds,
                    told=told,
                )
                ratios[number] = found.ratio
        tenant.client.close()
    return Figure(
        number=6,
        name=f"page-{kind}",
        what=f"time of page {pages:,} of an audience (200 leads a page), {TITLES[kind]}",
        against="page 1",
        ratio=found.ratio,
        better="lower",
        goal=1.2,
        rounds=found.ratios,
        details={"ratioOfPage": ratios},
    )


def _cursor_of_page(tenant: Tenant, audience_id: str, filler: Filler, number: int) -> str:
    """Returns the cursor that a client would have after `number` - 1 pages. Walking there would take an hour."""
    last_before = filler.id_of((number - 1) * LIMIT - 1)
    return make_cursor(last_before, ("prospects", tenant.account_group_id, audience_id, repr(EVERYBODY)))


def _timed(tenant: Tenant, audience_id: str, cursor: str | None) -> float:
    query = {"limit": f"{LIMIT}", **({"cursor": cursor} if cursor else {})}
    started = time.perf_counter()
    answer = tenant.client.get(f"/audiences/{audience_id}/prospects", params=query)
    took = time.perf_counter() - started
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]["items"]) == LIMIT
    return took
