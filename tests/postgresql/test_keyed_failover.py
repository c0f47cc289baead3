"""A keyed move whose commit waits for the synchronous standby: its answer is replayed only when the standby has it.

PostgreSQL shows a commit whose wait was broken off, because it is on the disk of the primary. So the stored answer can
be read before it is safe.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from rig.answers import data_of
from rig.racing import (
    assert_documented_503,
    assert_exact,
    assert_healthy,
    code_of,
    is_of_unknown_outcome,
    on_postgresql_only,
    wait_until,
)
from rig.service import Service, Tenant, make_tenant
from tests.postgresql.conftest import Pair

pytestmark = [on_postgresql_only, pytest.mark.timeout(240)]
KEYED_MOVES = "SELECT count(*) FROM idempotency_answers WHERE status IS NOT NULL"


@dataclass
class KeyedMove:
    """One move, with the same key every time."""

    tenant: Tenant
    source: str
    target: str
    leads: list[str]

    @classmethod
    def of(cls, service: Service) -> KeyedMove:
        tenant = make_tenant(service)
        source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
        return cls(tenant, source, target, tenant.add_leads(source, 3))

    def send(self) -> httpx.Response:
        with self.tenant.new_client() as client:
            return client.post(
                f"/audiences/{self.source}/move-leads",
                json={"targetAudienceId": self.target, "leadIds": self.leads},
                headers={"Idempotency-Key": "one"},
            )

    def send_until_done(self) -> httpx.Response:
        answers: list[httpx.Response] = []

        def is_done() -> bool:
            answers.append(self.send())
            if answers[-1].status_code != 200 and code_of(answers[-1]) != "IDEMPOTENCY_CONFLICT":
                assert_documented_503(answers[-1])
            return answers[-1].status_code == 200

        wait_until(is_done, "the repeated move is done", within_s=60)
        return answers[-1]

    def assert_done_once(self, answer: httpx.Response) -> None:
        assert data_of(answer)["movedCount"] == len(self.leads)
        again = self.send()
        assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")
        assert [each["id"] for each in self.tenant.walk("/moves")] == [answer.headers["Move-Id"]]
        assert_exact(self.tenant, {self.source: set(), self.target: set(self.leads)})
        assert_healthy(self.tenant)


@pytest.fixture
def move(pair: Pair, new_failing_service: Callable[..., Service]) -> KeyedMove:
    """A move that is on the disk of the primary alone, because the standby has stopped."""
    move = KeyedMove.of(new_failing_service(pair.url()))
    pair.standby.stop(keep_data=True)
    assert is_of_unknown_outcome(move.send())
    wait_until(lambda: move.tenant.sql(KEYED_MOVES) == [(1,)], "the primary shows the move")
    return move


def test_an_answer_that_the_standby_lacks_is_not_replayed(pair: Pair, move: KeyedMove) -> None:
    """The move is lost with the primary, which is right: no client was told that it was done."""
    with ThreadPoolExecutor(3) as pool:
        answers = [each.result() for each in [pool.submit(move.send) for _ in range(3)]]
    assert {answer.status_code for answer in answers} <= {409, 503}, [answer.text for answer in answers]
    pair.primary.kill()
    pair.standby.start()
    pair.standby.promote()
    move.assert_done_once(move.send_until_done())


def test_an_answer_is_replayed_when_the_standby_is_back(pair: Pair, move: KeyedMove) -> None:
    assert move.send().status_code == 503
    pair.standby.start()
    answer = move.send_until_done()
    assert answer.headers["Idempotency-Replayed"] == "true"
    move.assert_done_once(answer)


def test_an_answer_is_not_replayed_after_a_crash_of_the_primary(pair: Pair, move: KeyedMove) -> None:
    """After its recovery PostgreSQL waits for no standby by itself."""
    pair.primary.kill()
    pair.primary.start()
    wait_until(lambda: move.tenant.sql(KEYED_MOVES) == [(1,)], "the primary has recovered")
    for _ in range(2):
        assert_documented_503(move.send())
    pair.standby.start()
    move.assert_done_once(move.send_until_done())
