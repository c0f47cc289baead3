"""Writes the parts of the Python client that repeat openapi.json: models, operations, refusals and the version.

python -m script.client [FOLDER]    into FOLDER instead of the package; `script/openapi` calls it without one
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from script.client.document import Document
from script.client.models import model_files
from script.client.operations import operation_files
from script.client.refusals import refusals_file
from script.supply.lock import ROOT

PACKAGE = ROOT / "clients" / "python" / "src" / "leadyard_client"
WRITTEN = '"""The version, which is the version of the service that the client was made for."""\n\n__version__ = "{}"\n'


def files_of(document: Document) -> dict[str, str]:
    """Returns the text of every generated file, by its path in the package, before formatting."""
    return {
        **model_files(document),
        **operation_files(document),
        "refusals.py": refusals_file(),
        "version.py": WRITTEN.format(document.version),
    }


def write(folder: Path) -> None:
    """Writes the files, formatted, and removes generated files that are no longer needed."""
    files = {folder / name: text for name, text in files_of(Document.read(ROOT / "openapi.json")).items()}
    for kept in ("models", "operations"):
        for old in sorted((folder / kept).rglob("*.py")):
            if old not in files:
                old.unlink()
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    ruff = str(Path(sys.executable).parent / "ruff")
    rest = ["--quiet", "--config", str(ROOT / "pyproject.toml"), *map(str, files)]
    # The generated text imports what any of the files may need.
    subprocess.run([ruff, "check", "--fix-only", *rest], check=True)  # noqa: S603
    subprocess.run([ruff, "format", *rest], check=True)  # noqa: S603


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)
