"""Changes the files that contain the version, and writes checksums. `script/release` calls it.

python -m script.supply.release VERSION             pyproject.toml, CHANGELOG.md and clients/typescript
python -m script.supply.release --checksums FOLDER  SHA256SUMS of the files in the folder
"""

from __future__ import annotations

import datetime
import hashlib
import re
import sys
from pathlib import Path

from script.supply.lock import ROOT

UNRELEASED = "## Unreleased"


def with_version(project: str, version: str) -> str:
    """Returns the text of pyproject.toml with this version. Raises ValueError when there is no place for one."""
    changed, count = re.subn(r'^version = "[^"]*"$', f'version = "{version}"', project, count=1, flags=re.MULTILINE)
    if count != 1:
        raise ValueError("pyproject.toml has no line 'version = \"...\"'.")
    return changed


def with_package_version(description: str, version: str) -> str:
    """Returns the text of package.json or package-lock.json with this version of the package itself. Raises ValueError
    when there is no place for it."""
    # In a lock, the first two versions belong to the package itself. A package.json has only one.
    own = 2 if '"lockfileVersion"' in description else 1
    changed, count = re.subn(
        r'^( +)"version": "[^"]*"', rf'\g<1>"version": "{version}"', description, count=own, flags=re.MULTILINE
    )
    if count != own:
        raise ValueError("clients/typescript has a package.json or a lock without a version.")
    return changed


def with_dated_section(changelog: str, version: str, date: datetime.date) -> str:
    """Returns the changelog with what is unreleased moved into a section of this version and date.

    Returns it unchanged when it has a section of this version and nothing unreleased. Raises ValueError when both have
    entries, when neither has any, or when there is no section for what is unreleased.
    """
    before, found, rest = changelog.partition(f"{UNRELEASED}\n")
    if not found:
        raise ValueError(f"CHANGELOG.md has no section '{UNRELEASED}'.")
    entries, next_section, older = rest.partition("\n## ")
    is_written = re.search(rf"^## {re.escape(version)}\b", rest, re.MULTILINE) is not None
    if is_written and entries.strip():
        raise ValueError(f"CHANGELOG.md has a section {version}, and also entries under '{UNRELEASED}'.")
    if is_written:
        return changelog
    if not entries.strip():
        raise ValueError(f"CHANGELOG.md has nothing under '{UNRELEASED}' and no section {version}.")
    dated = f"## {version} ({date.isoformat()})\n\n{entries.strip()}\n"
    return f"{before}{UNRELEASED}\n\n{dated}{next_section}{older}"


def write_checksums(folder: Path) -> None:
    """Writes SHA256SUMS of the files of the folder, in the format that `sha256sum --check` reads."""
    files = sorted(file for file in folder.iterdir() if file.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(lines))


def prepare(root: Path, version: str) -> None:
    """Writes the version and the dated section, or nothing. Raises ValueError."""
    project, changelog = root / "pyproject.toml", root / "CHANGELOG.md"
    packages = [root / "clients" / "typescript" / name for name in ("package.json", "package-lock.json")]
    today = datetime.datetime.now(datetime.UTC).date()
    texts = {
        project: with_version(project.read_text(), version),
        changelog: with_dated_section(changelog.read_text(), version, today),
        **{package: with_package_version(package.read_text(), version) for package in packages},
    }
    for file, text in texts.items():
        file.write_text(text)


def main(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["--checksums"]:
            write_checksums(Path(arguments[1]))
        else:
            prepare(ROOT, arguments[0])
    except ValueError as error:
        print(f"script/release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
