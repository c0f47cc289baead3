"""Every metric is documented, and the dashboard, the alerts and the documentation name only metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from leadyard.model import WebhookCounts
from leadyard.store.db import failures, postgresql, sqlite_errors
from leadyard.watching.instruments import Instruments

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics-and-logs.md").read_text()
DASHBOARD = ROOT / "deploy" / "grafana" / "leadyard.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"


@pytest.fixture(scope="module")
def names() -> set[str]:
    """The name of every time series family, and of every series of the histogram."""
    text = (
        Instruments(None)
        .exposition(
            version="1",
            jobs={"queued": (0, 0.0)},
            webhooks=WebhookCounts(by_status={"active": 0}, failing=0, oldest_unsent_s=0.0),
        )
        .decode()
    )
    families = set(re.findall(r"^# TYPE (leadyard_\w+)", text, re.MULTILINE))
    duration = "leadyard_request_duration_seconds"
    return families | {f"{duration}_{suffix}" for suffix in ("bucket", "sum", "count")}


def expressions(part: Any) -> Iterator[str]:
    """Yields every `expr` (and the query of every variable) anywhere inside."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if key in ("expr", "query") and isinstance(value, str):
            yield value
        else:
            yield from expressions(value)


def named(text: str) -> set[str]:
    return set(re.findall(r"\bleadyard_\w+", text))


def test_the_dashboard_uses_metrics_that_exist(names: set[str]) -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    asked = named(" ".join(expressions(dashboard)))
    assert asked <= names, f"no such metric: {asked - names}"
    assert len(asked) >= 12
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_the_alerts_use_metrics_that_exist(names: set[str]) -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert len(rules) >= 8
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")
        assert named(rule["expr"]) <= names, f"{rule['alert']}: no such metric: {named(rule['expr']) - names}"
        for opening, closing in ("()", "[]", "{}"):
            assert rule["expr"].count(opening) == rule["expr"].count(closing), rule["alert"]
        assert f"`{rule['alert']}`" in PAGE, f"docs/metrics-and-logs.md does not explain {rule['alert']}"


def test_an_alert_at_the_first_count_sees_the_first() -> None:
    """A series with labels does not exist before its first count, and increase() starts from that first value."""
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    at_the_first = [rule for rule in rules if re.search(r"^increase\(.*\) > 0$", rule["expr"], re.MULTILINE)]
    assert len(at_the_first) >= 2
    for rule in at_the_first:
        (metric,) = named(rule["expr"])
        (window,) = re.findall(r"\[(\w+)\]", rule["expr"])
        assert re.search(rf"or \(\s*{metric}(\{{.*\}})?\s+unless {metric} offset {window}\s*\)", rule["expr"]), rule


def test_every_metric_is_explained(names: set[str]) -> None:
    families = {name for name in names if not name.endswith(("_bucket", "_sum", "_count"))}
    explained = set(re.findall(r"^\| `(leadyard_\w+)`", PAGE, re.MULTILINE))
    assert explained == families


def test_every_reason_of_a_failure_is_explained() -> None:
    source = ROOT / "src" / "leadyard" / "store" / "db"
    text = "".join(file.read_text() for file in source.glob("*.py"))
    reasons = set(re.findall(r'(?:unavailable|broken)\(\s*"(\w+)"', text))
    reasons |= {failures.COMMIT_UNKNOWN, *postgresql._REASONS.values(), *sqlite_errors._REASONS.values()}
    assert {"queue_full", "disk_full", "commit_unknown", "wait_timeout", "corrupt"} <= reasons
    missing = sorted(reason for reason in reasons if f"`{reason}`" not in PAGE)
    assert not missing, f"docs/metrics-and-logs.md does not explain {missing}"
    assert set(failures._ADVICE) <= reasons


def test_every_log_event_is_explained() -> None:
    source = ROOT / "src" / "leadyard"
    text = "".join(file.read_text() for file in source.rglob("*.py"))
    events = set(re.findall(r'\b_?log\.\w+\(\s*"(\w+)"', text)) | {f"database_{reason}" for reason in failures._ADVICE}
    assert len(events) >= 8
    missing = sorted(event for event in events if f"`{event}`" not in PAGE)
    assert not missing, f"docs/metrics-and-logs.md does not explain {missing}"
