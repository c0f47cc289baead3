"""Measures how near an upload comes to writing a file: the same bytes through POST {g}/uploads of the real service, and
in pieces of the same size into a plain file. The two take turns within one run.

    python benchmarks/uploads.py sqlite     [--mib 100]
    python benchmarks/uploads.py postgresql [--mib 100] [--url postgresql://user@host/database]

Without --url the benchmark starts a throwaway PostgreSQL. The database named by --url must be empty; the rows stay in
it. Quote the ratio: absolute figures depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from leadyard.model import UPLOAD_PIECE_BYTES
from leadyard.store import schema
from rig.service import Service, Tenant, make_tenant
from rig.throwaway_postgres import ThrowawayPostgres

ROUNDS = 3
PIECE = os.urandom(UPLOAD_PIECE_BYTES)


def pieces(mib: int) -> Iterator[bytes]:
    for _ in range(mib):
        yield PIECE


def upload_s(tenant: Tenant, mib: int) -> float:
    started = time.perf_counter()
    answer = tenant.client.post("/uploads", content=pieces(mib), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 201, answer.text
    return time.perf_counter() - started


def plain_file_s(folder: Path, mib: int, *, durable_pieces: bool) -> float:
    path, started = folder / "plain", time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for piece in pieces(mib):
            file.write(piece)
            if durable_pieces:
                os.fsync(file.fileno())
        os.fsync(file.fileno())
    taken = time.perf_counter() - started
    path.unlink()
    return taken


def measure(url: str, folder: Path, mib: int) -> None:
    asyncio.run(schema.migrate(url))
    service = Service(url, folder, {"LEADYARD_LOG_LEVEL": "info"}).start()
    try:
        tenant = make_tenant(service)
        upload_s(tenant, 2)
        rounds = [
            (
                upload_s(tenant, mib),
                plain_file_s(folder, mib, durable_pieces=True),
                plain_file_s(folder, mib, durable_pieces=False),
            )
            for _ in range(ROUNDS)
        ]
    finally:
        service.stop()
    for name, place in (("made durable piece by piece", 1), ("made durable at the end", 2)):
        ratio = statistics.median(each[place] / each[0] for each in rounds)
        print(f"upload throughput beside a plain file {name}: {ratio:.2f}")
    print(f"(upload: {mib / statistics.median(each[0] for each in rounds):.0f} MiB/s on this machine)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument("--mib", type=int, default=100)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if arguments.database == "sqlite":
            url = f"sqlite:///{folder}/leadyard.db"
        else:
            url = arguments.url or stack.enter_context(ThrowawayPostgres()).create_database("uploads")
        measure(url, folder, arguments.mib)


if __name__ == "__main__":
    main()
