"""Brings the export of a CRM into an audience every night, and reports what has happened since the last run.

    LEADYARD_URL=https://leads.example LEADYARD_API_KEY=sk_live_… \
        python nightly_sync.py contacts.csv --audience "CRM" --state sync

The first run creates the audience. Known people get the newer values of the file. The folder given with `--state` has
the rejected rows of the last run, and the position in the events.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from leadyard_client import Leadyard, LeadyardError, models


def main() -> int:
    """Returns the exit code: 0 if every row was imported, 2 if some were rejected, 1 after an error."""
    parser = argparse.ArgumentParser(description="Imports a file into an audience, and reports the events since then.")
    parser.add_argument("file", type=Path, help="the export: CSV, Excel, OpenDocument or vCard")
    parser.add_argument("--audience", required=True, help="name of the audience")
    parser.add_argument("--state", type=Path, default=Path("sync"), help="folder for what this program keeps")
    given = parser.parse_args()
    try:
        given.state.mkdir(parents=True, exist_ok=True)
        with Leadyard(os.environ["LEADYARD_URL"], os.environ["LEADYARD_API_KEY"]) as client:
            report_events(client, given.state / "cursor")
            job = import_file(client, given.file, given.audience)
            if job.counts.rejected:
                client.export_rejected(job.job_id).save(given.state / "rejected.csv")
    except (LeadyardError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    counts = job.counts
    print(f"{counts.read} read: {counts.created} new, {counts.matched} known, {counts.rejected} rejected.")
    return 2 if counts.rejected else 0


def import_file(client: Leadyard, file: Path, name: str) -> models.ProspectingJobStatus:
    """Returns the completed job. The audience is created if there is none of this name."""
    known = [audience for audience in client.list_audiences(limit=200) if audience.name == name]
    audience = models.TargetAudience(id=known[0].id) if known else models.TargetAudience(name=name)
    upload = client.create_upload(file)
    start = models.StartCsvUpload(audience=audience, upload_id=upload.upload_id, on_known="update")
    return client.wait(client.start_prospecting(start), on_progress=lambda job: print(f"{job.counts.read} rows read"))


def report_events(client: Leadyard, cursor_file: Path) -> None:
    """Prints how often each type of event has happened since the last run."""
    cursor = cursor_file.read_text() if cursor_file.exists() else None
    types: Counter[str] = Counter()
    for page in client.list_events(cursor=cursor, limit=200).pages():
        types.update(event.type for event in page.items)
        cursor = page.next_cursor
    for kind, count in sorted(types.items()):
        print(f"{kind}: {count}")
    cursor_file.write_text(cursor or "")


if __name__ == "__main__":
    sys.exit(main())
