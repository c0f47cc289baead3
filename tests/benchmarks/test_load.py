"""`script/load`: it loads a service of its own on both databases, and its proof notices what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from benchmarks.load import run
from benchmarks.load.acts import KINDS
from benchmarks.load.groups import Group, sizes
from benchmarks.load.proof import check_up, faults_of
from benchmarks.load.run import Outcome
from rig.service import Service, make_tenant, run_sql


def test_a_short_load_is_answered_rightly_and_nothing_is_wrong(
    backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--groups", "3", "--people", "300", "--clients", "6", "--seconds", "4", "--json"]
    code = run.main([*arguments, *(["--sqlite"] if backend == "sqlite" else [])])
    [outcome] = json.loads(capsys.readouterr().out)["runs"]
    assert (code, outcome["faults"]) == (0, [])
    assert outcome["answers"]["move 200"] > 0
    assert outcome["groups"] == 3 and outcome["answersPerSecond"] > 0


def test_the_proof_notices_a_wrong_count_and_a_lost_change(
    migrated_database: Callable[[], str], new_service: Callable[..., Service]
) -> None:
    url = migrated_database()
    tenant = make_tenant(new_service(database_url=url))
    audience = tenant.create_audience()
    tenant.add_leads(audience, 3)

    def faults(changes: list[str]) -> list[str]:
        async def ask() -> list[str]:
            async with httpx.AsyncClient(base_url=tenant.client.base_url, headers=tenant.client.headers) as client:
                return await faults_of(Group(tenant.account_group_id, client, 3, changes=changes))

        return asyncio.run(ask())

    assert faults([]) == [] and check_up(url) == []
    [lost] = faults(["0" * 24])
    assert "is not on record" in lost
    run_sql(url, "UPDATE audiences SET prospect_count = 4")
    [wrong] = faults([])
    assert "counts 4 but has 3" in wrong
    assert any("prospect_count" in each for each in check_up(url))


def test_an_answer_that_a_kind_does_not_expect_is_a_fault() -> None:
    outcome = Outcome(groups=1, seconds=1)
    outcome.note("list", 200, 0.1)
    outcome.note("list", 503, 0.1)
    assert outcome.faults == []
    outcome.note("list", 500, 0.1)
    assert outcome.faults == ["list: answered with 500"]
    assert "FAULT: list: answered with 500" in run.report(outcome)


def test_few_groups_are_big_and_many_small() -> None:
    found = sizes(8, 4_000)
    assert found == sorted(found, reverse=True)
    assert found[0] == 2 * found[1]
    assert sizes(500, 1_000)[-1] == 50
    assert sum(kind.share for kind in KINDS.values()) == 100


@pytest.mark.parametrize("arguments", [["--service", "http://127.0.0.1:1"], ["--database", "postgresql:///x"]])
def test_a_service_needs_its_database(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit):
        run.main(arguments)
    assert "belong together" in capsys.readouterr().err
