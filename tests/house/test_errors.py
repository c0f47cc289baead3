"""Refusals are a closed list: each has a code and a sentence, and those that can reach HTTP have a status."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import leadyard
from leadyard import errors
from leadyard.errors import LeadyardError
from leadyard.http.answer.errors import STATUS_OF_CODE

ROOT = Path(__file__).parents[2]
SOURCE = Path(leadyard.__file__).parent

# Sections 2 and 5 of the contract.
CONTRACT = {
    "VALIDATION_ERROR": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "REQUEST_TIMEOUT": 408,
    "AUDIENCE_NOT_READY": 409,
    "IDEMPOTENCY_CONFLICT": 409,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "SAME_AUDIENCE": 422,
    "SAME_PROSPECT": 422,
    "LEADS_NOT_IN_SOURCE": 422,
    "FOLDER_TYPE_MISMATCH": 422,
    "SOURCE_NOT_CONFIGURED": 422,
    "JOB_NOT_CANCELLABLE": 422,
    "RATE_LIMITED": 429,
    "HEADERS_TOO_LARGE": 431,
    "INTERNAL_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
    "PROVIDER_UNAVAILABLE": 503,
}
# Refusals of commands only, with the reason why no request can cause them.
NEVER_OVER_HTTP = {
    "AMBIGUOUS_NAME": "requests name things by id",
    "SCHEMA_OUT_OF_DATE": "the service does not start",
    "DATABASE_UNFIT": "the service does not start, and /readyz reports it",
    "DATABASE_READ_ONLY": "the service does not start, and /readyz reports it; a write gets SERVICE_UNAVAILABLE",
    "BAD_SETTING": "the service does not start",
    "LEASE_LOST": "a worker gets it, and stops",
    "KEY_NOT_VALID": "keys are rotated by command",
    "ADDRESS_UNAVAILABLE": "the service does not start",
    "BACKUP_REFUSED": "requests do not copy databases",
}


def refusals() -> list[type[LeadyardError]]:
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, LeadyardError) and value is not LeadyardError
    ]


def calls(name: str) -> Iterator[ast.Call]:
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                yield node


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [refusal.code for refusal in refusals()]
    assert len(codes) >= 20
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code) for code in codes)


def test_refusals_are_declared_in_errors_only() -> None:
    elsewhere = [each for each in LeadyardError.__subclasses__() if not each.__module__.startswith("leadyard.errors")]
    assert elsewhere == [], "declare it in leadyard.errors, which has the closed list"


def test_the_docstring_of_a_refusal_is_its_message() -> None:
    for refusal in refusals():
        message = " ".join((refusal.__dict__.get("__doc__") or "").split())
        assert re.fullmatch(r"[A-Z][^\n]*\.", message), f"{refusal.__name__}: {message!r} is not a sentence"
        assert len(message) < 120, refusal.__name__


def test_every_code_has_a_status_or_never_reaches_http() -> None:
    codes = {refusal.code for refusal in refusals()}
    assert set(STATUS_OF_CODE) | set(NEVER_OVER_HTTP) == codes
    assert not set(STATUS_OF_CODE) & set(NEVER_OVER_HTTP)


def test_the_codes_of_the_contract_have_its_statuses() -> None:
    assert {code: STATUS_OF_CODE[code] for code in CONTRACT} == CONTRACT


def test_whoever_lets_a_client_wait_says_how_long() -> None:
    for name in ("ServiceUnavailable", "RateLimited"):
        found = list(calls(name))
        assert found, name
        for call in found:
            # A Python that is too old for SQLite does not change in a moment.
            if "This Python contains SQLite" not in ast.unparse(call):
                assert any(keyword.arg == "retry_after_s" for keyword in call.keywords), ast.unparse(call)


def reason_codes() -> set[str]:
    """Returns every code under which a prospect or a row can be rejected."""
    codes = {
        call.args[0].value for call in calls("InvalidProspect") if call.args and isinstance(call.args[0], ast.Constant)
    }
    codes |= {
        call.args[1].value for call in calls("BadRow") if len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    }
    return {str(code) for code in codes}


def test_every_reason_of_a_rejection_is_a_literal() -> None:
    """Otherwise the list below would not be complete."""
    for call in [*calls("InvalidProspect"), *calls("BadRow")]:
        place = 1 if ast.unparse(call.func).endswith("BadRow") else 0
        assert isinstance(call.args[place], ast.Constant), ast.unparse(call)


def test_every_reason_of_a_rejection_is_documented() -> None:
    documented = (ROOT / "docs" / "api.md").read_text()
    codes = reason_codes()
    assert len(codes) >= 8
    missing = sorted(code for code in codes if f"`{code}`" not in documented)
    assert not missing, f"docs/api.md does not explain {missing}"


def test_every_code_over_http_is_documented() -> None:
    documented = (ROOT / "docs" / "api.md").read_text()
    missing = sorted(code for code in STATUS_OF_CODE if f"`{code}`" not in documented)
    assert not missing, f"docs/api.md does not list {missing}"


def test_no_sentence_of_ours_tells_sql_or_a_stack_trace() -> None:
    for refusal in refusals():
        assert not re.search(r"SELECT|INSERT|Traceback|sqlite|asyncpg", refusal.__doc__ or "")
