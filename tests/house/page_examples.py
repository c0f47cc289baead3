"""The examples of a page of the documentation: reads them from Markdown, runs them, and compares their responses.

An example is a block of bash, a block of Python, or one of each, followed by the response. A response is a block of
`json` (the body), `http` (status line, some headers, body) or `csv`. The blocks run in order. A comment in the page of
the form `<!-- examples: NAME=VALUE … -->` begins a new session, against a service with these settings. A block of
`text` is not run. Blocks of `py` and `js` are whole programs, which tests/webhooks runs, and test_console_pages.py runs
those of `console`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

DOCUMENTED_URL = "http://127.0.0.1:8000"
REST = "…"
"""In a response: other fields or items follow that the page does not show."""

_SETTINGS = re.compile(r"<!-- examples: (.*?) -->")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_REQUESTS, _RESPONSES, _NOT_RUN = ("bash", "python"), ("json", "http", "csv"), ("text", "console", "py", "js")
_RUN_WITHIN_S = 60
_WIDTH = 100
# These differ from run to run: ids, times, trace ids, how much is left of a quota, how long to wait.
_VARIABLE = {
    "trace": r"\b[0-9a-f]{32}\b",
    "id": r"\b[0-9a-f]{24}\b",
    "time": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "quota": r"\br=\d+;t=\d+\b",
    "wait": r"\bWait \d+ s\b",
    "secret": r"\bwhsec_[\w+/]+=*",
    "socket": r"\b127\.0\.0\.1:\d+\b",
}
_VARIABLES = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _VARIABLE.items()))
_VARIABLE_OF = {"uploadId": "UPLOAD", "jobId": "JOB", "audienceId": "AUDIENCE", "nextCursor": "CURSOR"}
_OPAQUE_KEYS = ("nextCursor",)
_OPAQUE_NUMBERS = ("durationMs",)
_OPAQUE_HEADERS = ("retry-after",)


@dataclass(kw_only=True)
class Example:
    """A request, in one language or both, and the response that the page shows. `at` is its place in the text."""

    code: dict[str, str]
    kind: str = ""
    response: str = ""
    at: tuple[int, int] = (0, 0)


@dataclass(kw_only=True)
class Session:
    """Examples that build on each other, and the settings of their service."""

    settings: dict[str, str]
    examples: list[Example] = field(default_factory=list)


def read_sessions(page: str) -> list[Session]:
    """Returns the sessions of a page. Raises ValueError for a response without a request, or an unknown language."""
    sessions = [Session(settings={})]
    for found in re.finditer(rf"{_SETTINGS.pattern}|{_FENCE.pattern}", page, re.DOTALL | re.MULTILINE):
        settings, language, text = found.groups()
        if settings is not None:
            sessions.append(Session(settings=dict(each.split("=", 1) for each in settings.split())))
        elif language in _REQUESTS:
            _add_request(sessions[-1].examples, language, text)
        elif language in _RESPONSES:
            _add_response(sessions[-1].examples, language, text, found.span(3))
        elif language not in _NOT_RUN:
            raise ValueError(f"Nothing is known of blocks of {language!r}:\n{text}")
    return [session for session in sessions if session.examples]


def _add_request(examples: list[Example], language: str, text: str) -> None:
    last = examples[-1] if examples else None
    if last is not None and language == "python" and list(last.code) == ["bash"] and not last.kind:
        last.code[language] = text
    else:
        examples.append(Example(code={language: text}))


def _add_response(examples: list[Example], kind: str, text: str, at: tuple[int, int]) -> None:
    if not examples or examples[-1].kind:
        raise ValueError(f"This response belongs to no request:\n{text}")
    examples[-1].kind, examples[-1].response, examples[-1].at = kind, text, at


# -------------------------------------------------------------------------------------------------------- running


class Runner:
    """Runs the examples of a session in one language. `variables` are what both languages can use, by name."""

    def __init__(
        self, language: str, *, setup: Example, folder: Path, urls: Mapping[str, str], variables: Mapping[str, str]
    ) -> None:
        self._language = language
        self._setup = setup.code[language]
        self._folder = folder
        self._urls = urls
        self._variables = dict(variables)
        self._namespace: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "client" in self._namespace:
            self._namespace["client"].close()

    def run(self, example: Example) -> Answer | None:
        """Returns the response to the example, None when it has no code in this language. Raises AssertionError."""
        code = example.code.get(self._language)
        if code is None:
            return None
        answer = self._in_bash(code) if self._language == "bash" else self._in_python(code)
        self._variables |= answer.variables() if example.kind in ("json", "http") else {}
        return answer

    def _with_urls(self, code: str) -> str:
        for documented, real in self._urls.items():
            code = code.replace(documented, real)
        return code

    def _in_bash(self, code: str) -> Answer:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._with_urls(f"{self._setup}\n{code}")],
            cwd=self._folder,
            env={
                "HOME": str(self._folder),
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "LANG": "C.UTF-8",
                **self._variables,
            },
            capture_output=True,
            timeout=_RUN_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, f"{code}\n{done.stderr.decode()}"
        return Answer.of_curl(done.stdout.decode())

    def _in_python(self, code: str) -> Answer:
        before = Path.cwd()
        os.chdir(self._folder)
        try:
            if not self._namespace:
                self._namespace |= self._variables
                self._execute(self._setup)
            self._namespace |= self._variables
            self._namespace.pop("answer", None)
            self._execute(code)
        finally:
            os.chdir(before)
        answer = self._namespace.get("answer")
        return Answer() if answer is None else Answer.of_httpx(answer)

    def _execute(self, code: str) -> None:
        saved = dict(os.environ)
        os.environ.update(self._variables)
        # An example may wait for a job in a loop, and this is what bash has its timeout for.
        signal.signal(signal.SIGALRM, _give_up)
        signal.alarm(_RUN_WITHIN_S)
        try:
            exec(compile(self._with_urls(code), "<example>", "exec"), self._namespace)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            os.environ.clear()
            os.environ.update(saved)


def _give_up(*_: object) -> None:
    raise TimeoutError(f"The example did not end within {_RUN_WITHIN_S} s.")


@dataclass(kw_only=True)
class Answer:
    """A response: the body; and the status line and headers, which curl prints only with `-i`."""

    status: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @classmethod
    def of_curl(cls, output: str) -> Answer:
        """Returns the answer that curl has printed, with `-i` or without."""
        if not output.startswith("HTTP/"):
            return cls(body=output)
        head, _, body = output.partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        return cls(status=status, headers=_headers(lines), body=body)

    @classmethod
    def of_httpx(cls, answer: Any) -> Answer:
        """Returns the answer that a Python example has left in `answer`: a response of httpx, or parsed JSON."""
        if isinstance(answer, dict):
            return cls(body=json.dumps(answer))
        status = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"
        return cls(status=status, headers=dict(answer.headers), body=answer.text)

    def variables(self) -> dict[str, str]:
        """Returns what the next examples may use: `jobId` as JOB, `nextCursor` as CURSOR and so on."""
        parsed = json.loads(self.body or "null")
        data = (parsed.get("data") or {}) if isinstance(parsed, dict) else {}
        found = {variable: str(data[key]) for key, variable in _VARIABLE_OF.items() if data.get(key)}
        for key, variable in (("prospectCount", "AUDIENCE"), ("isPinned", "FOLDER"), ("secret", "WEBHOOK")):
            found |= {variable: str(data["id"])} if key in data else {}
        ids = (("move-id", "MOVE"), ("change-id", "CHANGE"))
        return found | {variable: self.headers[header] for header, variable in ids if header in self.headers}


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = [line.partition(":") for line in lines]
    return {name.lower(): value.strip() for name, _, value in pairs}


# ------------------------------------------------------------------------------------------------------ comparing


class Comparison:
    """Compares what a page shows with what came back, and remembers which shown id stands for which real one."""

    def __init__(self) -> None:
        self._shown_of: dict[str, str] = {}

    def as_shown(self, example: Example, answer: Answer) -> str:
        """Returns the response as the page should show it: the example's own text if it still fits."""
        if example.kind == "csv":
            actual = answer.body.lstrip("\ufeff").replace("\r\n", "\n")
            return example.response if self._same(example.response, actual) else actual
        head, body = _split(example) if example.kind == "http" else ("", example.response)
        shown, actual_body = json.loads(body or "null"), json.loads(answer.body) if body.strip() else None
        shortened = shorten(actual_body, shown)
        new_head = self._head(head, answer) if head else ""
        if self._same(shown, shortened) and new_head == head:
            return example.response
        self._learn_ids(shown, shortened)
        text = "\n\n".join(part for part in (new_head, pretty(shortened) if body.strip() else "") if part) + "\n"
        return self._with_shown_ids(text)

    def _learn_ids(self, shown: Any, actual: Any) -> None:
        """Remembers the ids at the same place of both, because later examples of the page show them too."""
        if isinstance(shown, dict) and isinstance(actual, dict):
            for name in shown.keys() & actual.keys():
                self._learn_ids(shown[name], actual[name])
        elif isinstance(shown, list) and isinstance(actual, list):
            for pair in zip(shown, actual, strict=False):
                self._learn_ids(*pair)
        elif isinstance(shown, str) and isinstance(actual, str):
            self._same_text(shown, actual)

    def _with_shown_ids(self, text: str) -> str:
        """Returns the text with the ids that the page shows, so that its unchanged examples still fit."""
        return re.sub(_VARIABLE["id"], lambda found: self._shown_of.get(found[0], found[0]), text)

    def _head(self, shown: str, answer: Answer) -> str:
        lines = shown.splitlines()
        real = [answer.status]
        for line in lines[1:]:
            name, _, value = line.partition(":")
            actual = answer.headers.get(name.lower(), "(missing)")
            opaque = name.lower() in _OPAQUE_HEADERS and actual.isdecimal() and value.strip().isdecimal()
            real.append(line if opaque or self._same(value.strip(), actual) else f"{name}: {actual}")
        return "\n".join(real)

    def _same(self, shown: Any, actual: Any, key: str = "") -> bool:
        if isinstance(shown, dict) and isinstance(actual, dict):
            return list(shown) == list(actual) and all(self._same(shown[name], actual[name], name) for name in shown)
        if isinstance(shown, list) and isinstance(actual, list):
            return len(shown) == len(actual) and all(map(self._same, shown, actual))
        if isinstance(shown, str) and isinstance(actual, str):
            return bool(shown and actual) if key in _OPAQUE_KEYS else self._same_text(shown, actual)
        return type(shown) is type(actual) and (key in _OPAQUE_NUMBERS or bool(shown == actual))

    def _same_text(self, shown: str, actual: str) -> bool:
        if _VARIABLES.sub(_kind_of, shown) != _VARIABLES.sub(_kind_of, actual):
            return False
        pairs = zip(_VARIABLES.finditer(shown), _VARIABLES.finditer(actual), strict=True)
        return all(self._stands_for(a[0], b[0]) for a, b in pairs if a.lastgroup == "id")

    def _stands_for(self, shown: str, actual: str) -> bool:
        return self._shown_of.setdefault(actual, shown) == shown


def _kind_of(found: re.Match[str]) -> str:
    return f"<{found.lastgroup}>"


def _split(example: Example) -> tuple[str, str]:
    head, _, body = example.response.partition("\n\n")
    return head.rstrip("\n"), body


def shorten(actual: Any, shown: Any) -> Any:
    """Returns the actual value as far as the page shows it: `…` stands for fields or items that it leaves out."""
    if shown == {}:
        return actual
    if isinstance(actual, dict) and isinstance(shown, dict):
        rest = {REST: REST} if REST in shown else {}
        names = [name for name in shown if name in actual] if rest else list(actual)
        return {name: shorten(actual[name], shown.get(name)) for name in names} | rest
    if isinstance(actual, list) and isinstance(shown, list):
        count = len(shown) - 1 if REST in shown else len(actual)
        padded = [*shown[:count], *[None] * len(actual)]
        return [shorten(*pair) for pair in zip(actual[:count], padded, strict=False)] + (
            [REST] if REST in shown else []
        )
    return actual


def pretty(value: Any, indent: int = 0) -> str:
    """Returns the value as JSON, each part on one line if it fits."""
    line = json.dumps(value, ensure_ascii=False)
    if (len(line) + indent <= _WIDTH and (indent or not isinstance(value, dict))) or not isinstance(value, dict | list):
        return line
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + pretty(each, indent + 2) for each in value) + f"\n{outer}]"
    fields = [
        f"{inner}{json.dumps(name, ensure_ascii=False)}: {pretty(each, indent + 2)}" for name, each in value.items()
    ]
    return "{\n" + ",\n".join(fields) + f"\n{outer}}}"
