"""Runs commands the way the shell does, but in this process where a separate process would only cost time."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from leadyard.cli.main import run
from rig.secret_key import SECRET_KEY

LEGISLATORS = Path(__file__).parents[1] / "examples" / "legislators-current.csv"


@dataclass(frozen=True)
class Outcome:
    """The result of a command: its exit code and its output."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Returns the one JSON object on stdout; fails if there is anything else."""
        assert self.out.endswith("}\n"), self
        assert self.out.count("\n") == 1, self
        value: dict[str, Any] = json.loads(self.out)
        return value

    def refused(self, code: int, *words: str) -> None:
        """Checks that the command ended with this code, printed all the words to stderr in sentences, and nothing to
        stdout."""
        assert self.code == code, self
        assert self.out == "", self
        assert "Traceback" not in self.err, self
        for word in words:
            assert word in self.err, self


def command(*arguments: str, url: str = "", **environment: str) -> Outcome:
    """Calls the entry point of `leadyard` with these arguments and returns the outcome."""
    out, err = io.StringIO(), io.StringIO()
    key = {"LEADYARD_SECRET_KEY": SECRET_KEY} if url else {}
    settings = {**key, **environment, **({"LEADYARD_DATABASE_URL": url} if url else {})}
    with (
        patch.dict(os.environ, settings),
        patch.object(sys, "argv", ["leadyard", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            run()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Outcome(code, out.getvalue(), err.getvalue())


def new_group(url: str, name: str = "Acme") -> str:
    """Creates an account group by command and returns its id."""
    made = command("account-groups", "create", name, "--json", url=url)
    assert made.code == 0, made
    account_group_id: str = made.json()["id"]
    return account_group_id
