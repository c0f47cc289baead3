"""Django REST Framework over Django's ORM, served by gunicorn's threads: the project in django_project/."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.client import post
from benchmarks.peers.contender import CACHE, Contender, Id, Loaded, Work, free_port, load_by_sql, run

PROJECT = Path(__file__).parent / "django_project"
REQUIREMENTS = PROJECT / "requirements.txt"


@dataclass
class DjangoRest(Contender):
    """gunicorn with `processes` workers, and a thread with a connection for every client."""

    secret_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    token: str = field(default="", repr=False)

    name = "Django REST"
    members_sql = "SELECT audience_id, lead_id FROM leads_membership"
    counts_sql = "SELECT id, lead_count FROM leads_audience"
    records_sql = (
        "SELECT count(*), coalesce(sum(moved_count), 0), coalesce(sum(already_in_target_count), 0) FROM leads_move"
    )

    @property
    def environment(self) -> dict[str, str]:
        # The process sees only the environment made for it, and does not write bytecode into the project's folder.
        return {
            "DATABASE_URL": self.database_url, "SECRET_KEY": self.secret_key, "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    @property
    def threads(self) -> int:
        return -(-self.clients // self.processes)

    def set_up(self, work: Work) -> Loaded:
        python = self._python()

        def manage(*arguments: str, **environment: str) -> str:
            return run([python, "manage.py", *arguments], cwd=PROJECT, **self.environment, **environment)

        manage("migrate", "--verbosity", "0")
        manage(
            "createsuperuser", "--noinput", "--username", "peer", "--email", "peer@example.com",
            DJANGO_SUPERUSER_PASSWORD=secrets.token_hex(16),
        )  # fmt: skip
        found = re.search(r"token (\w{40})", manage("drf_create_token", "peer"))
        assert found is not None
        self.token = found[1]
        owner = "(SELECT id FROM auth_user WHERE username = 'peer')"
        return asyncio.run(
            load_by_sql(
                self.database_url,
                work,
                audience="INSERT INTO leads_audience (id, owner_id, name, lead_count)"
                f" SELECT i, {owner}, 'Audience ' || i, n FROM unnest($1::bigint[], $2::int[]) AS u(i, n)",
                lead="INSERT INTO leads_lead (id, owner_id, email)"
                f" SELECT i, {owner}, 'lead-' || i || '@example.com' FROM unnest($1::bigint[]) AS u(i)",
                membership="INSERT INTO leads_membership (audience_id, lead_id, added_at)"
                " SELECT $1, i, now() FROM unnest($2::bigint[]) AS u(i)",
            )
        )

    def start(self) -> None:
        self.port = free_port()
        command = [
            self._python(), "-m", "gunicorn", "wsgi", "--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread",
            "--workers", str(self.processes), "--threads", str(self.threads), "--keep-alive", "75",
        ]  # fmt: skip
        self._launch([str(part) for part in command], cwd=PROJECT, environment=self.environment)

    def move(self, source: Id, target: Id, lead_ids: Sequence[Id], *, key: str | None = None) -> bytes:
        body = {"target_audience_id": target, "lead_ids": list(lead_ids)}
        return post(f"/audiences/{source}/move-leads", body, authorization=f"Token {key or self.token}")

    def moved(self, status: int, body: bytes) -> int | None:
        return int(json.loads(body)["moved_count"]) if status == 200 else None

    def refused(self, status: int, body: bytes) -> bool:
        return status == 422 and b"not in the source" in body

    def facts(self) -> dict[str, Any]:
        pins = re.findall(r"^([\w-]+)==([\w.]+)", REQUIREMENTS.read_text(), re.MULTILINE)
        return {
            "versions": {"python": sys.version.split()[0], **dict(pins)},
            "settings": {"workers": self.processes, "threads": self.threads, "CONN_MAX_AGE": None},
        }

    def _python(self) -> Path:
        """Returns the interpreter of an environment with exactly what the requirements pin."""
        venv, python = CACHE / "django", CACHE / "django" / "bin" / "python"
        stamp = venv / "made-from"
        wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest() + sys.version
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(venv, ignore_errors=True)
            _install(venv, python)
            stamp.write_text(wanted)
        return python


def _install(venv: Path, python: Path) -> None:
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--python", sys.executable, venv])
        run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", REQUIREMENTS])
        return
    run([sys.executable, "-m", "venv", venv])
    run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", REQUIREMENTS])
