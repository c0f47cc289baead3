"""kill -9 of the server in the middle of big moves: each move is done wholly or not at all, and an answered move is
done."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from leadyard.ids import id_of
from rig.killing import kill_when_logged, wait_for_orphans
from rig.racing import TORTURE, assert_exact, assert_healthy, counts, membership
from rig.service import Service, Tenant, make_tenant

LEADS = 10_000
# The text of the last statement that the server may log before it dies; None is a random moment. PostgreSQL receives
# the whole move in one statement, and finishes it although the server is dead. So a move that is not done at all is a
# move that was not sent yet.
MOMENTS_OF_SQLITE = ("FROM jobs", "UPDATE OR IGNORE memberships", "INSERT INTO changes", "COMMIT", None, None, None)
MOMENTS_OF_POSTGRESQL = ("FROM api_keys", "move_leads_", "move_leads_", "move_leads_", None, None, None)
REPEATS = 8 if TORTURE else 1
MORE = 12


def try_to_move(tenant: Tenant, source: str, target: str, leads: list[str]) -> httpx.Response | None:
    """Returns the answer; None if there was none because the server died."""
    try:
        with tenant.new_client() as client:
            return tenant.move(source, target, leads, client)
    except httpx.TransportError:
        return None


@pytest.mark.timeout(900)
def test_a_move_survives_the_death_of_the_server_wholly_or_not_at_all(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    one, other = tenant.create_audience("One"), tenant.create_audience("Other")
    leads = tenant.add_leads(one, LEADS)
    residents = set(tenant.add_leads(other, 100, prefix="resident"))
    # A few are in both, so that both parts of the move could get lost.
    assert set(tenant.add_leads(other, 50)) == set(leads[:50])
    here, there = one, other
    members = {one: set(leads), other: residents | set(leads[:50])}
    started = time.monotonic()
    answer = tenant.move(here, there, leads)
    whole_move_s = time.monotonic() - started
    assert answer.status_code == 200
    recorded = {answer.headers["Move-Id"]}
    members = {one: set(), other: residents | set(leads)}
    here, there = other, one
    chance = random.Random(8)
    outcomes: Counter[str] = Counter()

    # A new process looks the key up at its first request, which is one of the moments.
    service.stop()
    service.start()
    moments = MOMENTS_OF_POSTGRESQL if service.is_postgresql else MOMENTS_OF_SQLITE
    left = list(moments * REPEATS)
    while left or not any("not done" in outcome for outcome in outcomes):
        # On a busy machine every kill may come late. Then the test tries some more at the earliest of the moments.
        moment = left.pop(0) if left else moments[0]
        assert outcomes.total() < len(moments) * REPEATS + MORE, "no kill came before a commit"
        log_size = service.log_file.stat().st_size
        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(try_to_move, tenant, here, there, leads)
            if moment is None:
                time.sleep(whole_move_s * chance.uniform(0.5, 2.5))
                service.kill()
            else:
                kill_when_logged(service, moment, log_size, chance.choice((0, 0.002, 0.01)))
            answered = moving.result()
        wait_for_orphans(service.database_url)
        service.start()

        moves = {
            id_of(move): (id_of(source), id_of(target), count)
            for move, source, target, count in tenant.sql(
                "SELECT id, source_audience_id, target_audience_id, lead_count FROM changes"
                " WHERE account_group_id = $1 AND kind = 'move'",
                tenant.number,
            )
        }
        assert recorded <= set(moves)
        fresh = set(moves) - recorded
        if answered is not None:
            assert answered.status_code == 200
            assert fresh == {answered.headers["Move-Id"]}, "an answered move is gone"
        assert len(fresh) <= 1
        if fresh:
            assert moves[next(iter(fresh))] == (here, there, LEADS)
            members = {here: members[here] - set(leads), there: members[there] | set(leads)}
            here, there = there, here
            recorded |= fresh
        found = membership(tenant)
        assert {audience: found.get(audience, set()) for audience in members} == members
        assert counts(tenant) == {audience: len(inside) for audience, inside in members.items()}
        assert_healthy(tenant)
        done = "answered" if answered is not None else "done but not answered" if fresh else "not done"
        outcomes[f"{moment or 'at random'}: {done}"] += 1
        # The new server works: it repeats a move that was not done, and reports the outcome of a move that was not
        # answered.
        assert tenant.count(here) == len(members[here])

    print(f"\nkills in a move of {whole_move_s * 1000:.0f} ms: {dict(outcomes)}")
    answer = tenant.move(here, there, leads)
    assert answer.status_code == 200
    assert_exact(tenant, {here: members[here] - set(leads), there: members[there] | set(leads)})
    assert service.doctor()["healthy"]
