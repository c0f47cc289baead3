"""Runs the `console` blocks of a page as a reader would, and compares each output with the one that the page shows.

The commands of a page run in one shell, in a folder that has only `people.csv`, with a new SQLite database.
`leadyard serve` starts a real service in the background; the settings in front of it apply, its log goes to
`leadyard.log`, and the ports 8000 and 9000 of the page stand for the ports that are free here.
Ids, times, secrets, sizes and durations differ in every run. They only have to be in the same places.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rig.run_folder import free_port
from rig.service import Service

PEOPLE = "email,firstName\nada@example.org,Ada\nnobody,Bob\ngrace@example.org,Grace\n"
# An id of 24 digits, a trace id of 32, a secret, a time, a duration or size, and any other decimal fraction or version.
_VARYING = re.compile(
    r"sk_live_(?:[0-9a-f]{56}|…)|\b[0-9a-f]{32}\b|\b[0-9a-f]{24}\b"
    r"|\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?|\b\d+(?:\.\d+)+\b|\b\d{6}\b|(?<=Wait )\d+"
)
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_MARK = "--- end of output ---"


@dataclass
class Step:
    """A command of a page and the output that the page shows for it."""

    command: str
    shown: str

    @property
    def text(self) -> str:
        """The step as a block contains it."""
        return f"$ {self.command}\n{self.shown}\n" if self.shown else f"$ {self.command}\n"


def steps(text: str) -> list[Step]:
    """Returns the commands of all console blocks. Lines that begin with "> " continue a command."""
    found: list[Step] = []
    for block in _BLOCK.findall(text):
        commands = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert not commands[0], f"a console block begins with '$ ', not with {commands[0]!r}"
        for part in commands[1:]:
            command, shown = re.fullmatch(r"([^\n]*\n(?:> [^\n]*\n)*)(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
            found.append(Step(command.rstrip("\n"), shown.rstrip("\n")))
    return found


def masked(output: str) -> str:
    """Returns the output with one mark in place of everything that differs between runs."""
    return _VARYING.sub("~", output)


def environment_of_a_reader(home: Path) -> dict[str, str]:
    """Returns an environment with a home and a path to `leadyard`, and without settings."""
    return {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
    }


def without_secrets(output: str) -> str:
    """Returns the output as a page may show it: leak scanners would take a whole secret for a leaked one."""
    return re.sub(r"sk_live_[0-9a-f]{56}", "sk_live_…", output)


@dataclass
class Reader:
    """A reader at a shell. `meanings` maps each id, secret and port of the page to the one of this run."""

    folder: Path
    log_dir: Path
    service: Service | None = None
    meanings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "people.csv").write_text(PEOPLE)
        (self.folder / "data").mkdir()
        self.url = f"sqlite:///{self.folder / 'data' / 'leadyard.db'}"
        self.shell = subprocess.Popen(
            ["bash"],
            cwd=self.folder,
            env=environment_of_a_reader(self.folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def close(self) -> None:
        self.shell.kill()
        self.shell.communicate()
        if self.service is not None:
            self.service.stop()

    def output_of(self, step: Step) -> str:
        """Runs a command and returns its output, with the ids and ports of the page in place of the real ones."""
        command = step.command.replace("\n> ", "\n")
        for shown, real in self.meanings.items():
            command = command.replace(shown, real)
        serving = re.fullmatch(r"((?:\w+=\S+ )*)leadyard serve 2> leadyard\.log &", command)
        if serving:
            self._serve(dict(word.split("=", 1) for word in shlex.split(serving[1])))
            return ""
        if self.service is not None:
            self.service.log_lines()  # A line of the log is written once its answer is on the way.
        output = self._run(command)
        self.meanings |= dict(zip(_VARYING.findall(step.shown), _VARYING.findall(output), strict=False))
        for shown, real in self.meanings.items():
            output = output.replace(real, shown)
        return output

    def _run(self, command: str) -> str:
        assert self.shell.stdin
        assert self.shell.stdout
        self.shell.stdin.write(f"{command}\necho; echo '{_MARK}'\n")
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line.rstrip("\n") == _MARK:
                break
            lines.append(line)
        return "".join(lines).rstrip("\n")

    def _serve(self, settings: dict[str, str]) -> None:
        if self.service is not None:
            self.service.stop()
        admin_port = str(free_port())
        if "LEADYARD_ADMIN_PORT" in settings:
            settings["LEADYARD_ADMIN_PORT"] = admin_port
        usual = {"LEADYARD_LOG_LEVEL": "info", "LEADYARD_WORKER_IN_SERVE": "auto"}
        self.service = Service(self.url, self.log_dir, {**usual, **settings}).start()
        self.meanings["127.0.0.1:8000"] = f"127.0.0.1:{self.service.port}"
        self.meanings["127.0.0.1:9000"] = f"127.0.0.1:{admin_port}"
        log = self.folder / "leadyard.log"
        log.unlink(missing_ok=True)
        log.symlink_to(self.service.log_file)
