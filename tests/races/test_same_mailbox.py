"""Several processes bring in the same people with shared addresses at the same moment, and erase and suppress them.

Some are killed. Afterwards each person is one lead, and no suppressed person is there.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from leadyard.ids import id_of
from rig.racing import TORTURE, assert_healthy, assert_nothing_leaked, at_once
from rig.secret_key import SECRET_KEY
from rig.service import LEADYARD, Service, Tenant, leadyard, make_tenant

ROUNDS = 40 if TORTURE else 6
PEOPLE = 2_500


def file_of(folder: Path, count: int, *, seed: int) -> Path:
    """Writes people in another order for each seed: pairs who share an address, and everybody a mailbox with six."""
    rows = [
        f"First{n},Last{n},{'info' if n % 3 else 'person'}-{n // 6 if n % 3 else n // 2}@x.example"
        for n in range(count)
    ]
    random.Random(seed).shuffle(rows)
    file = folder / f"people-{seed}.csv"
    file.write_text("firstName,lastName,email\n" + "\n".join(rows) + "\n")
    return file


def begin_import(tenant: Tenant, audience: str, file: Path) -> subprocess.Popen[str]:
    settings = {"LEADYARD_DATABASE_URL": tenant.service.database_url, "LEADYARD_SECRET_KEY": SECRET_KEY}
    where = ("--account-group", tenant.account_group_id, "--audience", audience)
    return subprocess.Popen(
        [*LEADYARD, "import", str(file), *where],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.timeout(300)
def test_imports_at_once_and_killed_make_one_lead_of_each_person(
    new_service: Callable[..., Service], tmp_path: Path
) -> None:
    tenant = make_tenant(new_service())
    audiences = [tenant.create_audience(name) for name in ("One", "Two", "Three")]
    files = [file_of(tmp_path, PEOPLE, seed=seed) for seed in range(3)]
    running = [begin_import(tenant, each, file) for each, file in zip(audiences, files, strict=True)]
    time.sleep(random.uniform(1.2, 1.8))
    running[0].kill()
    outputs = [each.communicate(timeout=200)[0] for each in running]
    assert [each.returncode for each in running[1:]] == [0, 0], outputs
    again = [begin_import(tenant, each, file) for each, file in zip(audiences, files, strict=True)]
    outputs = [each.communicate(timeout=200)[0] for each in again]
    assert [each.returncode for each in again] == [0, 0, 0], outputs
    assert tenant.sql("SELECT count(*) FROM leads WHERE account_group_id = $1", tenant.number) == [(PEOPLE,)]
    names = tenant.sql("SELECT DISTINCT first_name, email FROM leads WHERE account_group_id = $1", tenant.number)
    assert len(names) == PEOPLE
    assert [tenant.count(each) for each in audiences] == [PEOPLE] * 3
    assert "created 0  matched 2500" in leadyard_import(tenant, audiences[0], files[1])
    assert_healthy(tenant)
    assert_nothing_leaked(tenant.service)


def leadyard_import(tenant: Tenant, audience: str, file: Path) -> str:
    where = ("--account-group", tenant.account_group_id, "--audience", audience)
    return leadyard("import", str(file), *where, url=tenant.service.database_url).stdout


@pytest.mark.timeout(300)
def test_nobody_comes_back_who_is_erased_and_suppressed_amid_additions(new_service: Callable[..., Service]) -> None:
    tenant = make_tenant(new_service())
    audience, other = tenant.create_audience("One"), tenant.create_audience("Two")
    clients = [tenant.new_client() for _ in range(6)]

    def add(into: str, body: dict[str, str], number: int) -> str:
        answer = clients[number].post(f"/audiences/{into}/prospects", json={"prospects": [body]})
        assert answer.status_code == 200, answer.text
        result = answer.json()["data"]
        return "suppressed" if "suppressed" in result else "added"

    def erase(lead: str) -> str:
        answer = clients[0].delete(f"/prospects/{lead}", params={"suppress": "true"})
        assert answer.status_code == 200, answer.text
        return "erased"

    seen: set[str] = set()
    # At least so many rounds, and more until an addition has come after the erasure.
    for number in range(20 * ROUNDS):
        if number >= ROUNDS and seen >= {"erased", "suppressed"}:
            break
        body = {"email": f"kat{number}@own.example", "firstName": "Kat"}
        add(audience, body, 1)
        rows = tenant.sql(
            "SELECT id FROM leads WHERE account_group_id = $1 AND email = $2", tenant.number, body["email"]
        )
        adds = [
            partial(add, into, body, place) for place, into in ((1, audience), (2, other), (3, audience), (4, other))
        ]
        seen.update(at_once(partial(erase, id_of(rows[0][0])), *adds))
        left = tenant.sql(
            "SELECT count(*) FROM leads WHERE account_group_id = $1 AND email = $2", tenant.number, body["email"]
        )
        assert left == [(0,)], f"round {number}: a suppressed person is there"
        assert add(audience, body, 5) == "suppressed"
    assert seen >= {"erased", "suppressed"}, "nothing raced"
    assert_healthy(tenant)
    assert_nothing_leaked(tenant.service)
