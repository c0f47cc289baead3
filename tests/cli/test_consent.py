"""A change of many people needs consent: a question at a terminal, and elsewhere a number or --yes."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from rig.commands import Outcome, command
from rig.secret_key import SECRET_KEY
from rig.service import LEADYARD, Tenant

MANY = 101


@pytest.fixture
def many(tenant: Tenant) -> str:
    """An audience of so many people that a change of all needs consent."""
    audience = tenant.create_audience("Many")
    tenant.add_leads(audience, MANY)
    return audience


def by_script(tenant: Tenant, *arguments: str) -> Outcome:
    where = ("--account-group", tenant.account_group_id)
    return command(*arguments, *where, url=tenant.service.database_url)


def at_terminal(tenant: Tenant, answer: str, *arguments: str) -> tuple[int, str]:
    """Runs a command at a terminal, where the user types the answer, and returns the exit code and what was shown."""
    controller, terminal = pty.openpty()
    environment = {"LEADYARD_DATABASE_URL": tenant.service.database_url, "LEADYARD_SECRET_KEY": SECRET_KEY}
    try:
        process = subprocess.Popen(
            [*LEADYARD, *arguments, "--account-group", tenant.account_group_id],
            env={**os.environ, **environment, "TERM": "xterm", "COLUMNS": "120"},
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        shown = b""
        while b"Go on? [y/N]: " not in shown:
            shown += os.read(controller, 65_536)
        os.write(controller, f"{answer}\n".encode())
        while True:
            try:
                shown += os.read(controller, 65_536)
            except OSError:
                break
        return process.wait(60), shown.decode()
    finally:
        os.close(controller)


def test_the_question_shows_the_effect_and_the_answer_counts(tenant: Tenant, many: str) -> None:
    target = tenant.create_audience("Target")
    change = ("move", "--all", "--source", "Many", "--target", "Target")
    code, shown = at_terminal(tenant, "n", *change)
    assert code == 1 and "To move: 101 people from Many to Target." in shown and "Nothing was changed." in shown
    assert "Many has 101 people now, and would have 0." in shown and "… and 81 more." in shown
    assert (tenant.count(many), tenant.count(target)) == (MANY, 0)
    code, shown = at_terminal(tenant, "y", *change)
    assert code == 0 and "101 of them done" in shown
    assert (tenant.count(many), tenant.count(target)) == (0, MANY)


def test_the_question_about_a_deletion(tenant: Tenant, many: str) -> None:
    code, shown = at_terminal(tenant, "y", "audiences", "delete", "Many")
    assert code == 0 and "To delete: Many, an audience of 101 people." in shown
    undo = shown.strip().splitlines()[-1].partition("leadyard ")[2].split()
    assert command(*undo, url=tenant.service.database_url).code == 0
    assert tenant.count(many) == MANY


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_script_is_not_asked(tenant: Tenant, many: str, form: tuple[str, ...]) -> None:
    ids = tenant.members(many)
    for change in (("remove", *ids, "--source", many), ("remove", "--all", "--source", many)):
        done = by_script(tenant, *change, *form)
        assert done.code == 1 and "--expected-count 101 or --yes" in done.out + done.err
        assert not form or done.json()["error"]["code"] == "EXPECTED_COUNT_NEEDED"
        wrong = by_script(tenant, *change, "--expected-count", "100", *form)
        assert wrong.code == 1 and tenant.count(many) == MANY
    done = by_script(tenant, "remove", *ids, "--source", many, "--expected-count", "101", *form)
    assert done.code == 0 and tenant.count(many) == 0


def test_at_most_a_hundred_need_no_consent(tenant: Tenant, many: str) -> None:
    ids = tenant.members(many)
    assert by_script(tenant, "remove", *ids[:100], "--source", many).code == 0
    assert by_script(tenant, "remove", "--all", "--source", many, "--json").json()["transfer"]["count"] == 1
    # A number is a promise, also for a few.
    tenant.add_leads(many, 2)
    refused = by_script(tenant, "remove", "--all", "--source", many, "--expected-count", "1", "--json")
    assert refused.json()["error"]["code"] == "SELECTION_CHANGED"


def test_an_erasure_always_asks_and_cannot_come_back(tenant: Tenant) -> None:
    audience = tenant.create_audience("Spring")
    [lead] = tenant.add_leads(audience, 1)
    by_script(tenant, "people", "erase", lead).refused(1, "It cannot be undone", "Give --yes if you are sure")
    code, shown = at_terminal(tenant, "n", "people", "erase", lead)
    assert code == 1 and ", in 1 audience." in shown and "Nothing was changed." in shown
    assert tenant.count(audience) == 1
    code, shown = at_terminal(tenant, "y", "people", "erase", lead, "--suppress", "--reason", "She asked")
    assert code == 0 and f"Erased {lead} and suppressed the person." in shown
    assert tenant.count(audience) == 0
    assert by_script(tenant, "people", "show", lead).code == 1
    answer = tenant.client.get("/suppressions").json()["data"]
    assert {each["reason"] for each in answer["items"]} == {"She asked"}
