"""No key, no password and no lead is in any log of the whole run, at debug level as everywhere else in the tests.

conftest.py runs this file last. It looks for every secret that the run has made, everything in the form of a key, the
provider's token, the passwords of tests, e-mail addresses of any kind, and a person planted here through every way in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rig.answers import data_of
from rig.jobs import found_job, job_of, start, upload, wait_for_end
from rig.providers import TOKEN
from rig.run_folder import secrets_noted
from rig.service import Service, Tenant, WorkerProcess, make_key, make_tenant

PLANTED = "Zanzibara-Planted"
EMAIL = "zanzibara-planted@planted.example.com"
# The contents that a log must not have, by name. The forms find secrets that no test has recorded. Addresses are
# people's, because in a database URL the part behind the @ is its server's, which is an IP address here.
FORMS = {
    "a key": re.compile(r"sk_live_[0-9a-f]{8,}"),
    # The @ first and then the character before it: an expression that begins with a word tries every word of a hundred
    # megabytes.
    "the secret of a webhook": re.compile(r"whsec_[\w+/]{8,}"),
    "an e-mail address": re.compile(r"@(?<=[\w.+-]@)[\w-]+(\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE),
    "a header with a key": re.compile(r"Bearer\s+\S{8,}", re.IGNORECASE),
    "a lead": re.compile(PLANTED, re.IGNORECASE),
    "a profile": re.compile(r"linkedin\.com/in/", re.IGNORECASE),
    "an idempotency key": re.compile("idempotency-key-planted"),
}
KEY_START = "sk_live_"
# Parts of the texts of statements, which are constants: they contain names of columns and never a value.
_STATEMENT = '"event":"statement"'


def secrets_of_the_run() -> set[str]:
    """Returns every secret that has been made in this run, and those that tests share."""
    password = urlsplit(os.environ.get("LEADYARD_TEST_POSTGRES_URL", "")).password
    return {*secrets_noted(), TOKEN, *([password] if password else [])}


def found_in(lines: Iterator[str] | list[str], secrets: set[str]) -> list[str]:
    """Returns the forbidden contents of the lines, with their places."""
    found = []
    # There are thousands of keys. In one expression, without other secrets, they cost one search for their common
    # prefix. With a single other word among them, each place of each line would be compared with every key.
    keys = {secret for secret in secrets if secret.startswith(KEY_START)}
    expressions = [re.compile("|".join(map(re.escape, sorted(each)))) for each in (keys, secrets - keys) if each]
    for number, line in enumerate(lines, start=1):
        if any(expression.search(line) for expression in expressions):
            found.append(f"line {number}: a secret of this run: {line[:300]}")
        found += [f"line {number}: {name}: {line[:300]}" for name, form in FORMS.items() if form.search(line)]
    return found


@pytest.fixture(scope="module")
def traffic(new_service: Callable[..., Service], log_dir: Path) -> Tenant:
    """The planted person through every way in and out, so that this file checks something when it runs alone."""
    apart = make_tenant(new_service())
    client = apart.client
    audience = apart.create_audience(PLANTED)
    person = {
        "firstName": PLANTED,
        "email": EMAIL,
        "linkedinUrl": f"https://linkedin.com/in/{PLANTED}",
        "phone": PLANTED,
    }
    key = {"Idempotency-Key": "idempotency-key-planted"}
    added = client.post(f"/audiences/{audience}/prospects", json={"prospects": [person, {"email": "no"}]}, headers=key)
    assert data_of(added)["created"] == 1
    [lead] = apart.walk(f"/audiences/{audience}/prospects", q=PLANTED)
    assert EMAIL in client.get(f"/audiences/{audience}/prospects.csv").text
    data_of(client.patch(f"/prospects/{lead['id']}", json={"title": PLANTED}))
    assert client.patch(f"/prospects/{lead['id']}", json={"email": f"{EMAIL} {PLANTED}"}).status_code == 422
    assert client.get(f"/prospects/by-provider-id/{PLANTED}").status_code == 200
    assert client.get("/prospects", params={"q": PLANTED, "email": EMAIL}).status_code == 200
    assert client.get(f"/{PLANTED}/{EMAIL}", params={"email": EMAIL}).status_code == 404
    assert client.post("/audiences", content=f'{{"{EMAIL}": "{PLANTED}"').status_code in (400, 415)
    wrong = {"Authorization": f"Bearer {apart.key[:-1]}x", "User-Agent": EMAIL, "Referer": PLANTED, "Cookie": apart.key}
    assert client.get("/audiences", headers=wrong).status_code == 401
    environment = {**apart.service.environment, "LEADYARD_PROVIDER_TOKEN": TOKEN}
    worker = WorkerProcess(apart.service.database_url, log_dir, environment).start()
    try:
        table = f"Email,First Name\n{EMAIL},{PLANTED}\n{PLANTED},{PLANTED}\n"
        job = start(apart, "csv_upload", uploadId=upload(apart, table), audience={"name": PLANTED})
        ended = wait_for_end(apart, job)
    finally:
        worker.kill()
    assert ended["status"] == "completed", ended
    assert PLANTED in client.get(f"/prospecting/{job}/rejected.csv").text
    assert found_job(apart, job).id == job_of(apart, job)["jobId"]
    return apart


def test_no_secret_and_no_lead_is_in_any_log_of_the_run(traffic: Tenant, log_dir: Path) -> None:
    secrets = secrets_of_the_run()
    assert {traffic.key, TOKEN} <= secrets
    files = sorted(log_dir.glob("*.log"))
    assert {file.name.partition("-")[0] for file in files} >= {"serve", "worker"}
    found, lines_read = [], 0
    for file in files:
        lines = file.read_text(errors="replace").splitlines()
        lines_read += len(lines)
        found += [f"{file.name} {each}" for each in found_in(lines, secrets)]
    assert not found, "\n".join(found[:20])
    assert lines_read > 100


def test_the_logs_are_those_of_debug(traffic: Tenant) -> None:
    """With fewer lines the test above would prove less than its name claims."""
    assert _STATEMENT in traffic.service.log_file.read_text()


def test_whatever_is_in_a_log_is_found(traffic: Tenant, tmp_path: Path) -> None:
    _, secret = make_key(traffic.service.database_url, [traffic.account_group_id])
    planted = {
        secret: "a secret of this run",
        f'{{"key": "{secret[:30]}"}}': "a key",
        "signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "the secret of a webhook",
        TOKEN: "a secret of this run",
        EMAIL: "an e-mail address",
        "x Ada.Lovelace+1@mail.example.org x": "an e-mail address",
        f"name={PLANTED.lower()}": "a lead",
        "authorization: bearer 123456789": "a header with a key",
        "https://www.linkedin.com/in/ada": "a profile",
    }
    for line, name in planted.items():
        log = tmp_path / "serve-1.log"
        log.write_text(traffic.service.log_file.read_text() + line + "\n")
        [*_, last] = found_in(log.read_text().splitlines(), secrets_of_the_run())
        assert name in "".join(found_in([line], secrets_of_the_run())), line
        assert last
    assert found_in(["postgresql://leadyard:***@127.0.0.1:5432/x"], secrets_of_the_run()) == []
