"""Checks the locked packages for known vulnerabilities. A failed query never counts as "no vulnerabilities".

python -m script.supply.audit               exits with 1 if it found any, and with 0 and one line without an answer
python -m script.supply.audit --required    exits with 1 without an answer too, for releases
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from script.supply.lock import EVERYTHING

LIMIT_S = 15
_PIP_AUDIT = (str(Path(sys.executable).parent / "pip-audit"),)
_QUESTION = ("--requirement", str(EVERYTHING), "--disable-pip", "--no-deps", "--format=json", "--progress-spinner=off")
# Words in the error messages of a missing network, or of a network that does not reach the service.
_NO_ANSWER = ("connect", "connection", "timed out", "timeout", "resolve", "unreachable", "proxy", "ssl", "serviceerror")


class Outcome(Enum):
    """The result of the query."""

    CLEAN = 0
    FOUND = 1
    NOT_ASKED = 2
    BROKEN = 3


@dataclass(frozen=True, slots=True)
class Audit:
    """The outcome, and the message about it."""

    outcome: Outcome
    told: str


def audit(program: Sequence[str] = _PIP_AUDIT, question: Sequence[str] = _QUESTION, limit_s: float = LIMIT_S) -> Audit:
    """Returns the result of pip-audit for the lock, within `limit_s` seconds."""
    try:
        done = subprocess.run([*program, *question], capture_output=True, text=True, timeout=limit_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Audit(Outcome.NOT_ASKED, f"no answer within {limit_s:g} s")
    except OSError as error:
        return Audit(Outcome.BROKEN, f"pip-audit does not run: {error}")
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _without_an_answer(done)
    return _of_answers(packages)


def _of_answers(packages: list[dict[str, object]]) -> Audit:
    found = [_sentence(package, each) for package in packages for each in _list_of(package, "vulns")]
    # pip-audit reports "no known vulnerabilities" when the service, for example a mirror, has none of the packages.
    unknown = [str(package["name"]) for package in packages if "skip_reason" in package]
    if found:
        return Audit(Outcome.FOUND, "\n".join(found))
    if not packages or len(unknown) == len(packages):
        return Audit(Outcome.NOT_ASKED, "the service that answered lists none of the packages")
    left_out = f"; NOT listed by the service: {', '.join(unknown)}" if unknown else ""
    return Audit(Outcome.CLEAN, f"{len(packages) - len(unknown)} packages without a known vulnerability{left_out}")


def _sentence(package: dict[str, object], vulnerability: dict[str, object]) -> str:
    versions = ", ".join(map(str, _list_of(vulnerability, "fix_versions"))) or "no version yet"
    return f"{package['name']} {package['version']} has {vulnerability['id']}, fixed in {versions}."


def _list_of(holder: dict[str, object], key: str) -> list[dict[str, object]]:
    value = holder.get(key, [])
    return value if isinstance(value, list) else []


def _without_an_answer(done: subprocess.CompletedProcess[str]) -> Audit:
    # Its exit code is 1 both for vulnerabilities and for failures, so the output decides.
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["it printed nothing"]
    if done.returncode != 2 and any(word in done.stderr.lower() for word in _NO_ANSWER):
        return Audit(Outcome.NOT_ASKED, said[-1][:200])
    return Audit(Outcome.BROKEN, f"pip-audit failed: {said[-1][:500]}")


def main(required: bool) -> int:
    result = audit()
    if result.outcome is Outcome.NOT_ASKED:
        print(f"NOT audited for known vulnerabilities: {result.told}.")
        return 1 if required else 0
    print(result.told)
    return 0 if result.outcome is Outcome.CLEAN else 1


if __name__ == "__main__":
    sys.exit(main("--required" in sys.argv[1:]))
