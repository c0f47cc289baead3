"""`leadyard backup` and `leadyard restore`: copy the embedded database to a file and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadyard.cli.output import AsJson, print_json, refusals
from leadyard.cli.progress import progress_bar


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write. It must not exist.")],
    as_json: AsJson = False,
) -> None:
    """Copy the embedded database to a file while it is in use.

    The copy shows one moment and is checked before it gets its name. It contains lead data, so only its owner may read
    it. For PostgreSQL see docs/backup.md.
    """
    from leadyard.operations.backup import back_up
    from leadyard.settings.settings import read_settings

    with refusals(as_json=as_json), progress_bar("Copying", show=not as_json) as progress:
        url = read_settings().resolved_database_url()
        made = back_up(url, file=file, progress=progress)
    if as_json:
        print_json({"file": str(file), "sizeBytes": made.size_bytes, "revision": made.revision})
    else:
        print(f"Backed up to {file}: {made.size_bytes} bytes, schema {made.revision}, checked.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a database that contains account groups.")] = False,
    as_json: AsJson = False,
) -> None:
    """Restore the embedded database from a backup.

    It restores all or nothing. Stop the service first. The next 'leadyard serve' migrates a backup from an older
    version. For PostgreSQL see docs/backup.md.
    """
    from leadyard.operations import backup as operations
    from leadyard.settings.settings import read_settings

    with refusals(as_json=as_json), progress_bar("Restoring", show=not as_json) as progress:
        url = read_settings().resolved_database_url()
        put = operations.restore(url, file=file, force=force, progress=progress)
    if as_json:
        print_json({"file": str(file), "sizeBytes": put.size_bytes, "revision": put.revision})
    else:
        print(f"Restored {file} (schema {put.revision}). Check it: leadyard doctor")
