"""Moves everyone who has answered from one audience to another.

    LEADYARD_URL=https://leads.example LEADYARD_API_KEY=sk_live_… \
        python move_answered.py answered.csv --source "Spring campaign" --target "Customers"

The CSV file has a column `email` or a column `id`. People who are no longer in the source are skipped, so you can run
this again with the same file at any time.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from leadyard_client import Leadyard, LeadyardError, errors, models

MOST_LEADS_IN_A_MOVE = 10_000


def main() -> int:
    """Returns the exit code: 0 if everyone who is in the source was moved, 1 after an error."""
    parser = argparse.ArgumentParser(description="Moves everyone who has answered to another audience.")
    parser.add_argument("file", type=Path, help="a CSV file with a column email or id")
    parser.add_argument("--source", required=True, help="name of the audience that the people are in")
    parser.add_argument("--target", required=True, help="name of the audience that they move to")
    given = parser.parse_args()
    try:
        with Leadyard(os.environ["LEADYARD_URL"], os.environ["LEADYARD_API_KEY"]) as client:
            source, target = (audience_named(client, name) for name in (given.source, given.target))
            answered = answers_in(given.file)
            leads = [lead for lead in client.list_prospects(source.id, limit=200) if has_answered(lead, answered)]
            moved = sum(move(client, source, target, batch) for batch in batches([lead.id for lead in leads]))
    except (LeadyardError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(answered)} have answered, {moved} of them were in {source.name} and are now in {target.name}.")
    return 0


def audience_named(client: Leadyard, name: str) -> models.Audience:
    """Returns the audience of this name. Raises ValueError if there is none, or more than one."""
    found = [audience for audience in client.list_audiences(limit=200) if audience.name == name]
    if len(found) != 1:
        raise ValueError(f"{len(found)} audiences have the name {name!r}. It must be exactly one.")
    return found[0]


def answers_in(file: Path) -> set[str]:
    """Returns the ids and e-mails in the file. Raises ValueError if it has no such column."""
    with file.open(newline="", encoding="utf-8-sig") as opened:
        rows = csv.DictReader(opened)
        columns = [name for name in rows.fieldnames or () if name.strip().lower() in ("email", "id")]
        if not columns:
            raise ValueError(f"{file} has no column email or id.")
        return {row[name].strip().lower() for row in rows for name in columns if row[name]}


def has_answered(lead: models.Prospect, answered: set[str]) -> bool:
    return lead.id in answered or (lead.email or "").lower() in answered


def batches(lead_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lead_ids), MOST_LEADS_IN_A_MOVE):
        yield lead_ids[start : start + MOST_LEADS_IN_A_MOVE]


def move(client: Leadyard, source: models.Audience, target: models.Audience, lead_ids: Sequence[str]) -> int:
    """Moves the leads, and returns their number. Leaves out those that another program has moved in between."""
    while lead_ids:
        try:
            return client.move_leads(source.id, target_audience_id=target.id, lead_ids=lead_ids).moved_count
        except errors.LeadsNotInSource as refused:
            # Nothing was moved. The error names the first 100 of them.
            gone = set(refused.fields["leadIds"])
            lead_ids = [lead_id for lead_id in lead_ids if lead_id not in gone]
    return 0


if __name__ == "__main__":
    sys.exit(main())
