"""`leadyard backup` and `leadyard restore`: the embedded database into a file and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from leadyard.cli.output import AsJson, print_json, refusals


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; it must not exist.")],
    as_json: AsJson = False,
) -> None:
    """Copy the embedded database to FILE while the service runs.

    The copy is that of one moment, is checked before it gets its name, and holds lead data: only its owner may read
    it. For PostgreSQL see docs/backup.md.
    """
    from leadyard.config import read_settings
    from leadyard.operations.backup import back_up

    with refusals(as_json=as_json), _progress("Copying", show=not as_json) as progress:
        url = read_settings().resolved_database_url()
        made = back_up(url, file=file, progress=progress)
    if as_json:
        print_json({"file": str(file), "sizeBytes": made.size_bytes, "revision": made.revision})
    else:
        print(f"Backed up to {file}: {made.size_bytes} bytes, schema {made.revision}, checked.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a database that has account groups in it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the embedded database, all or nothing. The service must not run.

    A backup of an older version is migrated by the next 'leadyard serve'. For PostgreSQL see docs/backup.md.
    """
    from leadyard.config import read_settings
    from leadyard.operations import backup as operations

    with refusals(as_json=as_json), _progress("Restoring", show=not as_json) as progress:
        url = read_settings().resolved_database_url()
        put = operations.restore(url, file=file, force=force, progress=progress)
    if as_json:
        print_json({"file": str(file), "sizeBytes": put.size_bytes, "revision": put.revision})
    else:
        print(f"Restored {file} (schema {put.revision}). Check it: leadyard doctor")


@contextmanager
def _progress(doing: str, *, show: bool) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    quiet = not show or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
