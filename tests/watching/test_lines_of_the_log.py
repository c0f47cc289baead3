"""A line of the log is one line of JSON in ASCII, whatever is in its values."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import structlog

from leadyard.logs import set_up_logs_of_command, trace_id_of_lines


def line_with(capsys: pytest.CaptureFixture[str], **values: Any) -> dict[str, Any]:
    set_up_logs_of_command()
    structlog.get_logger("leadyard.tests").warning("noted", **values)
    text = capsys.readouterr().err
    assert text.isascii() and text.endswith("\n") and text.count("\n") == 1
    line: dict[str, Any] = json.loads(text)
    return line


@pytest.mark.parametrize(
    "value",
    ["plain", "two\nlines", "\x1b[2J \x9b \u2028", "Zoë 😀", "half a pair \ud83d", b"\xff", object(), 1.5, None],
)
def test_any_value_is_written(capsys: pytest.CaptureFixture[str], value: object) -> None:
    line = line_with(capsys, value=value)
    assert list(line) == ["value", "event", "level", "timestamp"]
    assert line["value"] == (value if value is None or isinstance(value, str | float) else repr(value))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])


def test_a_line_has_the_trace_id_of_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    token = trace_id_of_lines.set("0" * 32)
    try:
        assert line_with(capsys)["trace_id"] == "0" * 32
        assert line_with(capsys, trace_id="1" * 32)["trace_id"] == "1" * 32
    finally:
        trace_id_of_lines.reset(token)
    assert "trace_id" not in line_with(capsys)


def test_an_exception_is_written_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("Ada Lovelace")
    except ValueError:
        line = line_with(capsys, exc_info=True)
    [exception] = line["exceptions"]
    assert exception["type"] == "builtins.ValueError" and "Ada" not in json.dumps(line)
    assert "test_an_exception" in exception["places"][0]
