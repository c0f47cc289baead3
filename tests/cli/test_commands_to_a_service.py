"""Commands with --url: which service, account group and key they use, and what they do when the connection fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from leadyard.ids import new_id
from leadyard.model import Permission
from rig.commands import Outcome, command
from rig.service import Tenant, make_key, make_tenant

LEAD, SPRING = "a" * 24, "b" * 24


def to_service(tenant: Tenant, *arguments: str, **environment: str) -> Outcome:
    known = {"LEADYARD_URL": tenant.service.base_url, "LEADYARD_API_KEY": tenant.key}
    return command(*arguments, **{**known, **environment})


def test_a_key_with_one_account_group_needs_no_choice(tenant: Tenant) -> None:
    tenant.create_audience("Spring")
    done = to_service(tenant, "audiences", "list", "--json")
    assert [each["name"] for each in done.json()["items"]] == ["Spring"]


def test_a_key_with_several_account_groups_needs_a_choice(tenant: Tenant) -> None:
    other = make_tenant(tenant.service, "Other")
    other.client.close()
    groups = [tenant.account_group_id, other.account_group_id]
    _, key = make_key(tenant.service.database_url, groups, [Permission.AUDIENCES_READ])
    refused = to_service(tenant, "audiences", "list", "--json", LEADYARD_API_KEY=key)
    error = refused.json()["error"]
    assert (refused.code, error["code"]) == (1, "ACCOUNT_GROUP_NEEDED")
    assert sorted(each["id"] for each in error["accountGroups"]) == sorted(groups)
    chosen = to_service(tenant, "audiences", "list", "--account-group", groups[1], LEADYARD_API_KEY=key)
    assert chosen.out == "No audiences found.\n"


def test_a_foreign_account_group_is_refused(tenant: Tenant) -> None:
    other = make_tenant(tenant.service, "Other")
    other.client.close()
    for group in (other.account_group_id, new_id()):
        done = to_service(tenant, "audiences", "list", "--account-group", group, "--json")
        assert (done.code, done.json()["error"]["code"]) == (1, "FORBIDDEN")


def test_options_replace_the_variables_and_the_key_is_never_shown(tenant: Tenant) -> None:
    audience = tenant.create_audience("Spring")
    [lead] = tenant.add_leads(audience, 1)
    where = ("--url", tenant.service.base_url, "--key", tenant.key)
    wrong = {"LEADYARD_URL": "http://127.0.0.1:1", "LEADYARD_API_KEY": "sk_live_wrong"}
    done = command("remove", lead, "--source", "Spring", *where, **wrong)
    assert done.code == 0 and "can see --key" in done.err
    # The command that undoes it goes to the same service, and takes the key from the environment.
    undo = done.out.splitlines()[-1].partition("leadyard ")[2].split()
    assert undo[-2:] == ["--url", tenant.service.base_url] and tenant.key not in done.out + done.err
    assert command(*undo, LEADYARD_API_KEY=tenant.key).out.startswith("Undone: 1 lead")
    for bad in (tenant.key + "\n", tenant.key + "ö"):
        refused = command("audiences", "list", "--url", tenant.service.base_url, "--key", bad, "--json")
        assert refused.code == 2 and "visible ASCII" in refused.out
        assert tenant.key[8:] not in refused.out + refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--url", "nonsense"), "--url must be a URL"),
        (("--url", "http://u:hush@127.0.0.1:9"), "--url must not contain a user"),
        (("--url", "http://127.0.0.1:9"), "Set LEADYARD_API_KEY"),
        (("--key", "sk_live_hush", "--account-group", "0" * 24), "--key is for a service"),
        ((), "Give --account-group for the database, or --url"),
    ],
)
def test_a_place_that_cannot_be_used(arguments: tuple[str, ...], words: str) -> None:
    done = command("audiences", "list", *arguments, LEADYARD_API_KEY="", LEADYARD_URL="")
    assert done.code == 2
    assert words in " ".join(done.err.replace("│", " ").split())
    assert "hush" not in done.err


def test_an_empty_url_uses_the_database(tenant: Tenant) -> None:
    tenant.create_audience("Spring")
    where = ("--url", "", "--account-group", tenant.account_group_id)
    done = command("audiences", "list", *where, url=tenant.service.database_url, LEADYARD_URL="http://127.0.0.1:1")
    assert done.code == 0 and "Spring" in done.out


def test_a_key_that_is_not_valid(tenant: Tenant) -> None:
    to_service(tenant, "audiences", "list", LEADYARD_API_KEY="sk_live_wrong").refused(1, "missing, unknown, revoked")


class Service:
    """A service that answers each request with the next of its answers. None breaks the connection."""

    def __init__(self, *answers: tuple[int, dict[str, str], Any] | None) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, str | None]] = []

    @contextmanager
    def running(self) -> Iterator[dict[str, str]]:
        """Yields the environment of a command that uses it."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.requests.append((self.command, self.path, self.headers.get("Idempotency-Key")))
                given = service.answers.pop(0)
                if given is None:
                    return
                status, headers, value = given
                body = json.dumps(value).encode() if not isinstance(value, bytes) else value
                self.send_response(status)
                for name, each in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, each)
                self.end_headers()
                self.wfile.write(body)

            # The names that the library calls.
            do_GET = do_POST = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield {"LEADYARD_URL": f"http://127.0.0.1:{server.server_port}", "LEADYARD_API_KEY": "sk_live_any"}
        finally:
            server.shutdown()
            server.server_close()


def success(data: Any, **headers: str) -> tuple[int, dict[str, str], Any]:
    return 200, {name.replace("_", "-"): value for name, value in headers.items()}, answer(data=data)


def refusal(status: int, code: str, **headers: str) -> tuple[int, dict[str, str], Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, given, answer(error={"code": code, "message": "No.", "details": "Not now."})


def answer(data: Any = None, error: Any = None) -> dict[str, Any]:
    return {"success": error is None, "data": data, "error": error, "traceId": "0" * 32}


REMOVED = {"audience": {"name": "Spring", "prospectCount": 4}, "removedCount": 1}
REMOVE = ("remove", LEAD, "--source", SPRING, "--account-group", "c" * 24)


def test_a_busy_service_and_a_broken_connection_are_tried_again_with_one_key() -> None:
    service = Service(
        refusal(429, "RATE_LIMITED", Retry_After="1"),
        None,
        refusal(503, "SERVICE_UNAVAILABLE", Retry_After="0"),
        success(REMOVED, Change_Id="d" * 24),
    )
    with service.running() as environment:
        done = command(*REMOVE, **environment)
    assert done.code == 0 and "Removed 1 person from Spring (4 left)." in done.out
    assert "Trying again in 1 s" in done.err
    keys = {key for _, _, key in service.requests}
    assert len(service.requests) == 4 and len(keys) == 1 and keys != {None}


def test_a_service_that_stays_busy_or_broken_ends_the_command() -> None:
    service = Service(*[None] * 5)
    with service.running() as environment:
        command(*REMOVE, **environment).refused(1, "does not answer", "unknown whether")
    assert len(service.requests) == 5
    # A wait that is too long is left to the user.
    service = Service(refusal(429, "RATE_LIMITED", Retry_After="3600"))
    with service.running() as environment:
        command(*REMOVE, **environment).refused(1, "Not now.")
    service = Service((502, {}, b"<html>Bad gateway</html>"))
    with service.running() as environment:
        command(*REMOVE, **environment).refused(1, "not from a Leadyard service")


def test_a_deletion_is_not_sent_again_after_its_answer_was_lost() -> None:
    shown = {"id": SPRING, "name": "Spring", "prospectCount": 4}
    service = Service(success(shown), None)
    with service.running() as environment:
        command("audiences", "delete", SPRING, "--account-group", "c" * 24, **environment).refused(1, "unknown whether")
    assert [method for method, _, _ in service.requests] == ["GET", "DELETE"]


def test_no_service_at_the_url() -> None:
    environment = {"LEADYARD_URL": "http://127.0.0.1:1", "LEADYARD_API_KEY": "sk_live_hush"}
    done = command("audiences", "list", "--json", **environment)
    assert done.code == 1 and done.json()["error"]["code"] == "SERVICE_UNREACHABLE"
    assert "nothing was sent. Check that the service runs" in done.json()["error"]["details"]
    assert "hush" not in done.out + done.err
