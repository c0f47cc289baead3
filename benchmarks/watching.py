"""Measures what observability costs: the service's processor time for a move with nothing on, with metrics, and with
metrics and spans. The variants take turns within one run on one database. It measures processor time and not moves per
second, because on a busy machine the rate depends more on the other programs.

    python benchmarks/watching.py [postgresql|sqlite] [--seconds 3] [--rounds 5]

The spans go to a process that throws them away. Quote the ratios: absolute figures depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.move import drive_http, make_lanes
from leadyard.store import schema
from rig.service import Service, make_tenant
from rig.throwaway_postgres import ThrowawayPostgres

# It reads and answers. Parsing would be the collector's cost and not ours.
SINK = """
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["postgresql", "sqlite"], nargs="?", default="postgresql")
    parser.add_argument("--seconds", type=float, default=3, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/leadyard.db"
        if options.database == "postgresql":
            url = closing.enter_context(ThrowawayPostgres(fsync=False)).create_database("leadyard_bench")
        asyncio.run(schema.migrate(url))
        sink = closing.enter_context(subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True))
        closing.callback(sink.terminate)
        assert sink.stdout is not None
        services = start_services(url, folder, int(sink.stdout.readline()), closing)
        report(services, options.seconds, options.rounds)


def start_services(url: str, folder: Path, sink_port: int, closing: ExitStack) -> dict[str, Service]:
    quiet = {"LEADYARD_LOG_LEVEL": "info", "LEADYARD_RATE_LIMITS": "1000000/second"}
    metrics = {**quiet, "LEADYARD_ADMIN_PORT": "0"}
    spans = {**metrics, "LEADYARD_TRACES": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink_port}"}
    sampled = {**spans, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
    kinds = {"nothing": quiet, "metrics": metrics, "metrics, 1 in 100 spans": sampled, "metrics, all spans": spans}
    services = {}
    for name, environment in kinds.items():
        services[name] = Service(url, folder, environment).start()
        closing.callback(services[name].stop)
    return services


def report(services: dict[str, Service], seconds: float, rounds: int) -> None:
    tenant = make_tenant(next(iter(services.values())))
    lanes = make_lanes(tenant, clients=8, leads=25, audience_size=500)
    costs: dict[str, list[float]] = {name: [] for name in services}
    for number in range(rounds + 1):
        for name, service in services.items():
            before_s, started = cpu_s(service), time.perf_counter()
            rate = asyncio.run(drive_http(service, tenant, lanes, seconds))
            moves = rate * (time.perf_counter() - started)
            if number:  # the first round warms up
                costs[name].append((cpu_s(service) - before_s) / moves)
    print(f"25 leads a move, 8 clients, {rounds} rounds; processor time of the service for a move")
    for name, found in costs.items():
        ratio = statistics.median(each / bare for each, bare in zip(found, costs["nothing"], strict=True))
        print(f"{name:24} {statistics.median(found) * 1000:>6.2f} ms   ratio {ratio:.2f}")


def cpu_s(service: Service) -> float:
    """Returns the processor time that the process has used. Linux only."""
    assert service.process is not None
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
