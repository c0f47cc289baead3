"""Paths that try to be another path: dots, slashes, escapes, case, and a way out of the folder of the documentation."""

from __future__ import annotations

import re

from rig.watching import on_one_database
from tests.attacks import wire
from tests.attacks.target import PRIVATE, Target

# The code below the routes does not depend on the database.
pytestmark = on_one_database
FAMILY = "path tricks"
_OUTSIDE = re.compile(rb"root:.*:0:0:|\[project\]|BEGIN .*KEY|from __future__|SQLite format")
WAYS_UP = [
    b"..", b"%2e%2e", b".%2e", b"%2E.", b"%252e%252e", b"..%00", b"..%20", b"..;", b"..;a=b", b"....", b"%c0%ae%c0%ae",
    b"%e0%80%ae%e0%80%ae", b"%uff0e%uff0e", b"..%5c", b"..\\", b"%2e%2e%2f", b"..%2f", b"%5c..", b"..%c0%af",
    b"..%ef%bc%8f",
]  # fmt: skip
FILES = [b"etc/passwd", b"proc/self/environ", b"pyproject.toml", b"__init__.py", b"data/leadyard.db", b".env"]


def _static_folder(target: Target) -> bytes:
    """Returns the path of the folder from which the page /docs loads its script."""
    page = target.client.get("/docs")
    assert page.status_code == 200
    folder: str
    [folder] = {found.rsplit("/", 1)[0] for found in re.findall(r'(?:src|href)="(/[^"]+)"', page.text) if "." in found}
    assert target.client.get(re.findall(r'src="(/[^"]+)"', page.text)[0]).status_code == 200
    return folder.encode()


def test_there_is_no_way_out_of_the_folder_of_the_documentation(target: Target) -> None:
    cases = {}
    for folder in (_static_folder(target), b"/docs", b"/openapi.json", b""):
        for way in WAYS_UP:
            for file in FILES:
                path = folder + b"/" + (way + b"/") * 8 + file
                cases[path.decode("latin-1")] = [b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
        for file in FILES:
            for path in (
                folder + b"//" + file,
                folder + b"/%2f" + file,
                folder + b"/C:\\" + file,
                folder + b"/file:///" + file,
            ):
                cases[path.decode("latin-1")] = [b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
    for name, found in wire.exchange_all(target, FAMILY, cases).items():
        assert found.statuses in ([404], [400], [401], [405]), f"{name}: {found.statuses}"
        assert not _OUTSIDE.search(found.answers[0].body), name


def _tricks(path: bytes) -> list[bytes]:
    """Returns other spellings of a valid path."""
    last = path.rsplit(b"/", 1)[1]
    return [
        path + b"/", path + b"//", path + b"/.", path + b"/..", path + b"/../" + last, path + b";a=b", path + b"%00",
        path + b"%20", path + b"%0a", path + b".json", path + b"%3f", path + b"#a", path + b"\\", path + b"/*",
        path.replace(b"/v1", b"/V1"), path.replace(b"/v1", b"//v1"), path.replace(b"/v1", b"/./v1"),
        path.replace(b"/v1", b"/v1/../v1"), path.replace(b"/v1", b"/%76%31"), path.replace(b"/accounts",
        b"%2faccounts"),
        path.replace(b"/accounts", b"/ACCOUNTS"), path.replace(b"/accounts", b"//accounts"),
        path.replace(b"/accounts/", b"/accounts/%2e%2e/accounts/"), path.replace(b"/accounts/", b"/accounts/x/../"),
        path.replace(b"/accounts", b"/accounts%c0%af"), path.replace(b"/accounts", b"\\accounts"),
        b"/%2e" + path, b"/docs/.." + path, b"/x/%2e%2e" + path, path.upper(), b"/%ff%fe" + path, path + b"%",
        path + b"%zz", path + b"%u0041", b"?" + path, b"/?" + path, b"/v2" + path[3:], b"/v1" * 300 + path,
    ]  # fmt: skip


def test_other_spellings_of_every_path_lead_nowhere_or_to_the_same_place(target: Target) -> None:
    ask = {"GET": b"GET ", "POST": b"POST ", "PATCH": b"PATCH ", "DELETE": b"DELETE "}
    cases, allowed = {}, {}
    for request in target.requests:
        path = request.target.encode()
        for number, trick in enumerate(_tricks(path)):
            if request.method != "GET" and number % 3:
                continue
            head = ask[request.method] + trick + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n"
            name = f"{request.method} {trick.decode('latin-1')[-120:]}"
            cases[name] = [head + b"Authorization: Bearer " + target.attacker.key.encode() + b"\r\n\r\n"]
            allowed[name] = request.documented | {404, 405, 400, 401, 403}
    # Requests that delete come last, because an export breaks off when its audience is deleted.
    deleting = {name: pieces for name, pieces in cases.items() if name.startswith("DELETE ")}
    heard = wire.exchange_all(target, FAMILY, {name: cases[name] for name in cases if name not in deleting})
    heard |= wire.exchange_all(target, FAMILY, deleting)
    for name, found in heard.items():
        assert len(found.answers) == 1, f"{name}: {found.statuses}"
        assert found.statuses[0] in allowed[name], f"{name}: {found.statuses}"


def test_no_spelling_leads_into_another_group(target: Target) -> None:
    own, other = target.attacker.account_group_id.encode(), target.victim.account_group_id.encode()
    key = target.attacker.key.encode()
    between = [
        b"/../", b"/%2e%2e/", b"%2f..%2f", b"/..;/", b"/./../", b"%2f", b"/%2f../", b"%00/../", b"/..%5c", b"\\..\\",
        b"//../",
    ]  # fmt: skip
    rests = (b"/audiences", b"/audiences/" + target.victims_values["audienceId"].encode(), b"/moves", b"/prospecting")
    cases = {}
    for rest in rests:
        for way in between:
            for path in (
                own + way + other,
                own + way + b"accounts/" + other,
                own + b"/audiences" + way * 2 + other,
                other + b"%20",
            ):
                head = b"GET /v1/accounts/" + path + rest + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                cases[path.decode("latin-1") + rest.decode()] = [head + b"Authorization: Bearer " + key + b"\r\n\r\n"]
    for name, found in wire.exchange_all(target, FAMILY, cases).items():
        assert found.statuses in ([400], [403], [404]), f"{name}: {found.statuses}"
        assert PRIVATE.encode() not in found.answers[0].body
