"""`leadyard doctor`: does the database still hold what the service promises?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from leadyard.cli.output import AsJson, print_json, refusals, with_database

if TYPE_CHECKING:
    from leadyard.operations.doctor import CheckUp
    from leadyard.operations.operation import Database


def doctor(as_json: AsJson = False) -> None:
    """Check every account group: counts are exact, nothing is orphaned, no move half done. Exit 1 if not."""
    with refusals(as_json=as_json):
        check_ups = with_database(_check_all)
    findings = [finding for check_up in check_ups for finding in check_up.findings]
    totals = {
        name: sum(check_up.looked_at[name] for check_up in check_ups)
        for name in ("audiences", "leads", "memberships", "moves", "jobs")
    }
    if as_json:
        print_json(
            {
                "healthy": not findings,
                "accountGroups": len(check_ups),
                "lookedAt": totals,
                "findings": [
                    {"accountGroupId": f.account_group_id, "check": f.check, "message": f.message} for f in findings
                ],
            }
        )
    else:
        for finding in findings:
            print(f"[{finding.check}] account group {finding.account_group_id}: {finding.message}")
        looked_at = ", ".join(f"{count} {name}" for name, count in totals.items())
        verdict = f"{len(findings)} findings" if findings else "Healthy"
        print(f"{verdict}: {len(check_ups)} account groups, {looked_at}.")
    if findings:
        raise typer.Exit(1)


async def _check_all(db: Database) -> list[CheckUp]:
    from leadyard.operations.account_groups import list_account_groups
    from leadyard.operations.doctor import check_account_group

    return [await check_account_group(db, account_group_id=group.id) for group in await list_account_groups(db)]
