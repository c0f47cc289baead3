"""The file with the secret key of an embedded database. The service makes it at its first start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from leadyard.errors import BadSetting
from leadyard.secret_key import MIN_LENGTH, new_secret_text

FILE_NAME = "secret.key"


def read_or_make_secret(folder: Path) -> str:
    """Returns the secret key in the file secret.key of the folder. Makes the file if there is none: only its owner may
    read it. If several processes start at once, all of them return the same key.

    Raises BadSetting if the file cannot be read or made, or contains less than a key.
    """
    path = folder / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text"
        raise BadSetting(f"{path}: {reason}. Make the file readable, or set LEADYARD_SECRET_KEY.") from error
    if len(text) < MIN_LENGTH:
        raise BadSetting(
            f"{path} contains less than a secret key. Restore the file from your backup, or set LEADYARD_SECRET_KEY."
        )
    return text


def _make(path: Path) -> None:
    """Writes the whole file under another name first, so that no process reads a part of a key. A file that another
    process has made in the meantime stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret-key-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{new_secret_text()}\n")
            file.flush()
            os.fsync(handle)
        try:
            os.link(name, path)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        Path(name).unlink()


def _sync_folder(folder: Path) -> None:
    """Makes the name of the new file durable, because a lost key cannot be replaced."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
