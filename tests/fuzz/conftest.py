"""How long the fuzzers search: briefly and with the same inputs in the ordinary run, long and at random in the torture
run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

IN_FULL = os.environ.get("LEADYARD_TEST_TORTURE") == "1"
_COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("brief", derandomize=True, database=None, max_examples=150, **_COMMON)  # type: ignore[arg-type]
settings.register_profile("torture", max_examples=20_000, phases=list(Phase), **_COMMON)  # type: ignore[arg-type]
PROFILE = settings.get_profile("torture" if IN_FULL else "brief")
