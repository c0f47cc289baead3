"""`leadyard doctor`: checks that the database still fulfils the guarantees of the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from leadyard.cli.engine_warning import print_warnings, warnings_of
from leadyard.cli.output import AsJson, print_json, refusals, with_database
from leadyard.cli.progress import progress_bar
from leadyard.counted import counted

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import DatabaseState, Engine, IntegrityCheck
    from leadyard.operations.doctor import CheckUp

_LOOKED_AT = ("audience", "lead", "membership", "change", "job")


@dataclass(frozen=True, slots=True)
class _Report:
    engine: Engine
    integrity: IntegrityCheck
    server: DatabaseState | None
    distribution: tuple[str, ...]
    check_ups: list[CheckUp]

    @property
    def totals(self) -> dict[str, int]:
        names = [f"{noun}s" for noun in _LOOKED_AT]
        return {name: sum(check_up.looked_at[name] for check_up in self.check_ups) for name in names}

    @property
    def findings(self) -> list[dict[str, str | None]]:
        damage = [_finding(None, "integrity", problem) for problem in self.integrity.problems]
        damage += [_finding(None, "distribution", problem) for problem in self.distribution]
        found = [finding for check_up in self.check_ups for finding in check_up.findings]
        return damage + [_finding(each.account_group_id, each.check, each.message) for each in found]


def doctor(as_json: AsJson = False) -> None:
    """Check the database file and that counts are exact.

    It runs the engine's own check, then checks every account group and every recorded move. It exits with 1 if it finds
    anything wrong. It warns of known faults of the engine.
    """
    with refusals(as_json=as_json):
        report = with_database(lambda db: _examine(db, show_progress=not as_json))
    if as_json:
        print_json(_as_json(report))
    else:
        _print(report)
    if report.findings:
        raise typer.Exit(1)


async def _examine(db: Database, *, show_progress: bool) -> _Report:
    from leadyard.errors import Internal
    from leadyard.operations.account_groups import list_account_groups
    from leadyard.operations.doctor import check_account_group, check_distribution, describe_server
    from leadyard.operations.engine import check_integrity, describe_engine

    engine = await describe_engine(db)
    with progress_bar("Checking the database", show=show_progress) as progress:
        integrity = await check_integrity(db, progress)
    try:
        groups = await list_account_groups(db)
        check_ups = []
        for number, group in enumerate(groups, 1):
            doing = f"Checking account group {number} of {len(groups)}"
            with progress_bar(doing, show=show_progress) as progress:
                check_ups.append(await check_account_group(db, account_group_id=group.id, report=progress))
    except Internal:
        # The damage that was found above also stops these checks.
        if not integrity.problems:
            raise
        check_ups = []
    server = await describe_server(db)
    return _Report(engine, integrity, server, await check_distribution(db, server), check_ups)


def _finding(account_group_id: str | None, check: str, message: str) -> dict[str, str | None]:
    return {"accountGroupId": account_group_id, "check": check, "message": message}


def _as_json(report: _Report) -> dict[str, Any]:
    return {
        "healthy": not report.findings,
        "engine": {
            "name": report.engine.name,
            "version": report.engine.version,
            "knownFaults": list(report.engine.known_faults),
            "integrityChecked": not report.integrity.not_run_because,
        },
        "accountGroups": len(report.check_ups),
        "lookedAt": report.totals,
        "findings": report.findings,
        **_server_as_dict(report.server),
    }


def _print(report: _Report) -> None:
    print_warnings(warnings_of(report.engine))
    checked = report.integrity.not_run_because
    outcome = f"its own check did not run, because {checked}" if checked else "its own check ran"
    role = f", {_role(report.server)}" if report.server is not None else ""
    print(f"{report.engine.name} {report.engine.version}{role}: {outcome}.")
    for finding in report.findings:
        group = finding["accountGroupId"]
        print(f"[{finding['check']}] {f'account group {group}: ' if group else ''}{finding['message']}")
    totals = report.totals
    looked_at = [counted(totals[f"{noun}s"], noun) for noun in _LOOKED_AT]
    verdict = counted(len(report.findings), "finding") if report.findings else "Healthy"
    print(f"{verdict}: {', '.join([counted(len(report.check_ups), 'account group'), *looked_at])}.")


def _server_as_dict(server: DatabaseState | None) -> dict[str, Any]:
    if server is None:
        return {}
    return {
        "server": {
            "version": server.server_version,
            "isStandby": server.is_standby,
            "isReadOnly": server.is_read_only,
        }
    }


def _role(server: DatabaseState) -> str:
    if server.is_standby:
        return "a standby, which is read-only"
    return "a primary that is read-only" if server.is_read_only else "a primary"
