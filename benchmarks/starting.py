"""Measures how long the start takes: `leadyard --help` compared with a Python that does nothing, and `leadyard serve`
to its first answer compared with a FastAPI application with one route. The two sides take turns within one run.

    python benchmarks/starting.py [--url postgresql://user@host/database] [--rounds 15]

Without --url a new SQLite file is served. The database is migrated first, because that happens once and not at every
start. Quote the ratios: absolute figures depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_BARE = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def answer() -> dict[str, str]:
    return {"answer": "yes"}
"""
_GIVE_UP_AFTER_S = 60


def whole_run(*arguments: str) -> float:
    """Returns how long a Python with these arguments takes from start to end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def first_answer(arguments: list[str], path: str, folder: Path, url: str) -> float:
    """Returns how long a server takes from its start to its first answer, whatever the answer is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "LEADYARD_DATABASE_URL": url}
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, *arguments, "--port", str(port)],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not _answers(port, path):
            if server.poll() is not None or time.perf_counter() > started + _GIVE_UP_AFTER_S:
                raise SystemExit(f"No answer: {' '.join(arguments)}")
            time.sleep(0.001)
        return time.perf_counter() - started
    finally:
        server.terminate()
        server.wait()


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_GIVE_UP_AFTER_S) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(1024).startswith(b"HTTP/1.1 ")
    except ConnectionError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a PostgreSQL database")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(_BARE)
        url = options.url or f"sqlite:///{folder}/leadyard.db"
        migrate = [sys.executable, "-m", "leadyard", "migrate"]
        subprocess.run(migrate, env={**os.environ, "LEADYARD_DATABASE_URL": url}, check=True)
        turns: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: whole_run("-c", "pass"),
            "leadyard --help": lambda: whole_run("-m", "leadyard", "--help"),
            "bare FastAPI": lambda: first_answer(["-m", "uvicorn", "bare:app"], "/", folder, url),
            "leadyard serve": lambda: first_answer(["-m", "leadyard", "serve"], "/v1/accounts", folder, url),
        }
        taken = [{name: turn() for name, turn in turns.items()} for _ in range(options.rounds)]
    for ours, theirs in (("leadyard --help", "python -c pass"), ("leadyard serve", "bare FastAPI")):
        ratio = statistics.median(turn[ours] / turn[theirs] for turn in taken)
        print(f"{ours}: {ratio:.2f} times {theirs}")


if __name__ == "__main__":
    main()
