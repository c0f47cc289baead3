"""Any input gets an answer of the contract: a 400 that lists everything wrong, never a 500."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from leadyard.ids import new_id
from rig.answers import UNKNOWN_ID, data_of, refusal, violations
from rig.service import Service, Tenant, make_tenant

BODY_PATHS = ["/audiences", f"/audiences/{UNKNOWN_ID}/prospects", f"/audiences/{UNKNOWN_ID}/move-leads"]
LISTS = ["/audiences", "/moves", "/audiences/{audience}/prospects", "accounts"]
GOOD_MOVE = {"targetAudienceId": UNKNOWN_ID, "leadIds": [UNKNOWN_ID]}
GOOD_AUDIENCE = {"name": "Name", "type": "on_demand"}

ILL_FORMED_IDS = [
    "",
    "x",
    UNKNOWN_ID[:-1],
    UNKNOWN_ID + "1",
    UNKNOWN_ID.upper(),
    UNKNOWN_ID[:-1] + "F",
    UNKNOWN_ID[:-1] + "g",
    UNKNOWN_ID[:-1] + " ",
    " " + UNKNOWN_ID,
    UNKNOWN_ID + "\n",
    UNKNOWN_ID[:-1] + "\n",
    UNKNOWN_ID[:-1] + "\0",
    UNKNOWN_ID[:-1] + "\N{FULLWIDTH DIGIT ONE}",
    UNKNOWN_ID[:-1] + "\N{ARABIC-INDIC DIGIT ONE}",
    "\N{GRINNING FACE}" * 24,
    "' OR 1=1 --",
    "-" * 24,
    "%" * 24,
    "a" * 100_000,
]


@pytest.fixture(scope="module")
def shared(service: Service) -> Tenant:
    """A tenant for all the requests that change nothing."""
    return make_tenant(service)


@pytest.fixture(scope="module")
def audience(shared: Tenant) -> str:
    """An audience with three leads."""
    audience_id = shared.create_audience()
    shared.add_leads(audience_id, 3)
    return audience_id


def post(tenant: Tenant, path: str, content: bytes) -> httpx.Response:
    return tenant.client.post(path, content=content, headers={"Content-Type": "application/json"})


# ------------------------------------------------------------------------------------------------------- not even JSON


@pytest.mark.parametrize("content", [
    pytest.param(content, id=name) for name, content in {
        "empty": b"",
        "blank": b"  \r\n\t",
        "words": b"not json",
        "open brace": b"{",
        "no closing quote": b'{"name": "x',
        "two values": b"{} {}",
        "trailing comma": b'{"name": "x",}',
        "single quotes": b"{'name': 'x'}",
        "a comment": b'{"name": "x" /* y */}',
        "a bare key": b'{name: "x"}',
        "a form": b"name=x&type=on_demand",
        "two byte order marks": b"\xef\xbb\xbf" * 2 + json.dumps(GOOD_AUDIENCE).encode(),
        "UTF-16": json.dumps(GOOD_AUDIENCE).encode("utf-16"),
        "Latin-1": '{"name": "Jürgen", "type": "on_demand"}'.encode("latin-1"),
        "a surrogate as UTF-8": b'{"name": "\xed\xa0\x80", "type": "on_demand"}',
        "overlong UTF-8": b'{"name": "\xc0\x80", "type": "on_demand"}',
        "a lone high surrogate": b'{"name": "\\ud800", "type": "on_demand"}',
        "a lone low surrogate": b'{"name": "\\udc00", "type": "on_demand"}',
        "surrogates the wrong way round": b'{"name": "\\udc00\\ud800", "type": "on_demand"}',
        "a lone surrogate in a key": b'{"\\ud800": 1}',
        "half an escape": b'{"name": "\\u12"}',
        "a raw NUL": b'{"name": "\0"}',
        "a raw line break in a text": b'{"name": "a\nb"}',
        "nothing but NUL": b"\0",
        "NaN": b'{"name": NaN}',
        "Infinity": b'{"name": Infinity}',
        "minus Infinity": b'{"leadIds": [-Infinity]}',
        "a leading zero": b'{"name": 01}',
        "a hexadecimal number": b'{"name": 0xff}',
        "nested without end": b"[" * 500_000,
        "objects nested without end": b'{"a":' * 100_000,
        "nested deeply": b"[" * 100_000 + b"]" * 100_000,
    }.items()
])  # fmt: skip
def test_what_is_not_json_is_refused(shared: Tenant, content: bytes) -> None:
    for path in BODY_PATHS:
        assert violations(post(shared, path, content)) == {("body", "NOT_JSON")}


@pytest.mark.parametrize("content", [b"[]", b"[{}]", b'"text"', b"1", b"1.5", b"true", b"null", b'[["name", "x"]]'])
def test_json_that_is_not_an_object_is_refused(shared: Tenant, content: bytes) -> None:
    for path in BODY_PATHS:
        [(where, code)] = violations(post(shared, path, content))
        assert where == "body"
        assert code in ("WRONG_TYPE", "MISSING")


@pytest.mark.parametrize("number", [
    b"1" * 5_000, b"-" + b"9" * 400, b"1e400", b"-1e400", b"1e-400", b"0." + b"1" * 5_000,
    b"123456789012345678901234567890", b"1e999999999999",
])  # fmt: skip
def test_a_huge_number_anywhere_is_refused(shared: Tenant, number: bytes) -> None:
    for path, fields in zip(BODY_PATHS, (b"name type x", b"prospects x", b"leadIds targetAudienceId x"), strict=True):
        for field in fields.split():
            listed = violations(post(shared, path, b'{"%s": %s}' % (field, number)))
            # 1e400 is beyond the numbers of JSON readers, and so we do not accept it as JSON.
            assert listed == {("body", "NOT_JSON")} or field.decode() in {where for where, _ in listed}


def test_a_key_that_occurs_twice_is_refused_with_the_rest(shared: Tenant) -> None:
    twice = b'{"name": 1, "type": "on_demand", "name": "Last"}'
    assert violations(post(shared, "/audiences", twice)) == {("name", "DUPLICATE")}
    wrong_last = b'{"name": "First", "type": "on_demand", "name": 1}'
    assert violations(post(shared, "/audiences", wrong_last)) == {("name", "DUPLICATE"), ("name", "WRONG_TYPE")}


def test_more_objects_than_any_request_has_are_refused_soon(shared: Tenant) -> None:
    """The service does not look for duplicates in them."""
    many = b'{"name": [' + b'{"a": 1, "a": 2},' * 60_000 + b'{}], "type": "on_demand"}'
    assert violations(post(shared, "/audiences", many)) == {("name", "WRONG_TYPE")}


# --------------------------------------------------------------------------------------------------- fields of a body


@pytest.mark.parametrize(("path", "body", "expected"), [
    ("/audiences", {}, {("name", "MISSING"), ("type", "MISSING")}),
    ("/audiences", {"name": None, "type": None}, {("name", "WRONG_TYPE"), ("type", "UNKNOWN_VALUE")}),
    (
        "/audiences",
        {"name": 1, "type": 2, "description": 3, "color": "red"},
        {
            ("name", "WRONG_TYPE"),
            ("type", "UNKNOWN_VALUE"),
            ("description", "WRONG_TYPE"),
            ("color", "UNKNOWN_FIELD"),
        },
    ),
    (
        "/audiences",
        {"name": "", "type": "ON_DEMAND", "description": "x" * 2_001, "Name": "x"},
        {
            ("name", "TOO_SHORT"),
            ("type", "UNKNOWN_VALUE"),
            ("description", "TOO_LONG"),
            ("Name", "UNKNOWN_FIELD"),
        },
    ),
    (
        "/audiences",
        {**GOOD_AUDIENCE, "id": UNKNOWN_ID, "prospectCount": 5, "folderId": None, "created_at": 1},
        {
            ("id", "UNKNOWN_FIELD"),
            ("prospectCount", "UNKNOWN_FIELD"),
            ("folderId", "UNKNOWN_FIELD"),
            ("created_at", "UNKNOWN_FIELD"),
        },
    ),
    (BODY_PATHS[2], {}, {("targetAudienceId", "MISSING"), ("leadIds", "MISSING")}),
    (
        BODY_PATHS[2],
        {"target_audience_id": UNKNOWN_ID, "lead_ids": [UNKNOWN_ID]},
        {
            ("targetAudienceId", "MISSING"),
            ("leadIds", "MISSING"),
            ("target_audience_id", "UNKNOWN_FIELD"),
            ("lead_ids", "UNKNOWN_FIELD"),
        },
    ),
    (
        BODY_PATHS[2],
        {"targetAudienceId": "X", "leadIds": [UNKNOWN_ID, "bad", 7, None, UNKNOWN_ID.upper()], "force": True},
        {
            ("targetAudienceId", "WRONG_FORMAT"),
            ("leadIds[1]", "WRONG_FORMAT"),
            ("leadIds[2]", "WRONG_TYPE"),
            ("leadIds[3]", "WRONG_TYPE"),
            ("leadIds[4]", "WRONG_FORMAT"),
            ("force", "UNKNOWN_FIELD"),
        },
    ),
    (
        "/audiences/short/move-leads",
        {"targetAudienceId": "X", "leadIds": [], "all": True},
        {
            ("audienceId", "WRONG_FORMAT"),
            ("targetAudienceId", "WRONG_FORMAT"),
            ("leadIds", "TOO_SHORT"),
            ("all", "UNKNOWN_FIELD"),
        },
    ),
    (BODY_PATHS[1], {}, {("prospects", "MISSING")}),
    (BODY_PATHS[1], {"prospects": []}, {("prospects", "TOO_SHORT")}),
    (BODY_PATHS[1], {"prospects": {}, "leads": []}, {("prospects", "WRONG_TYPE"), ("leads", "UNKNOWN_FIELD")}),
    (
        BODY_PATHS[1],
        {
            "prospects": [
                {"email": 1},
                "x",
                {"company": {"name": 2, "size": 3}, "customFields": {"a": 1, "b": None}},
                None,
            ]
        },
        {
            ("prospects[0].email", "WRONG_TYPE"),
            ("prospects[1]", "WRONG_TYPE"),
            ("prospects[2].company.name", "WRONG_TYPE"),
            ("prospects[2].company.size", "UNKNOWN_FIELD"),
            ("prospects[2].customFields.a", "WRONG_TYPE"),
            ("prospects[2].customFields.b", "WRONG_TYPE"),
            ("prospects[3]", "WRONG_TYPE"),
        },
    ),
    (
        "/audiences/short/prospects",
        {"prospects": [{"id": UNKNOWN_ID, "first_name": "x", "createdAt": "x", "addedAt": "x"}]},
        {
            ("audienceId", "WRONG_FORMAT"),
            ("prospects[0].id", "UNKNOWN_FIELD"),
            ("prospects[0].first_name", "UNKNOWN_FIELD"),
            ("prospects[0].createdAt", "UNKNOWN_FIELD"),
            ("prospects[0].addedAt", "UNKNOWN_FIELD"),
        },
    ),
])  # fmt: skip
def test_everything_that_is_wrong_is_listed(
    shared: Tenant, path: str, body: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    assert violations(shared.client.post(path, json=body)) == expected


WRONG_TEXTS = [1, 0, -1, 1.5, True, False, [], ["x"], {}, {"x": 1}]


@pytest.mark.parametrize("value", WRONG_TEXTS, ids=repr)
def test_a_text_field_takes_nothing_but_text(shared: Tenant, value: Any) -> None:
    company = dict.fromkeys(("name", "linkedinIdentifier", "linkedinUrl", "industry", "website"), value)
    texts = (
        "firstName", "lastName", "name", "headline", "about", "photoUrl", "linkedinUrl", "publicIdentifier", "title",
        "email", "phone", "location", "providerId",
    )  # fmt: skip
    prospect = {**dict.fromkeys(texts, value), "company": company, "customFields": {"x": value}}

    listed = violations(shared.client.post(BODY_PATHS[1], json={"prospects": [prospect]}))

    assert listed == {
        *((f"prospects[0].{name}", "WRONG_TYPE") for name in texts),
        *((f"prospects[0].company.{name}", "WRONG_TYPE") for name in company),
        ("prospects[0].customFields.x", "WRONG_TYPE"),
    }
    audience = {"name": value, "type": "on_demand", "description": value}
    assert violations(shared.client.post("/audiences", json=audience)) == {
        ("name", "WRONG_TYPE"),
        ("description", "WRONG_TYPE"),
    }


@pytest.mark.parametrize("value", [1, "x", True, [], ["x"], 1.5], ids=repr)
def test_company_and_custom_fields_are_objects(shared: Tenant, value: Any) -> None:
    prospect = {"company": value, "customFields": value}
    listed = violations(shared.client.post(BODY_PATHS[1], json={"prospects": [prospect]}))
    assert listed == {("prospects[0].company", "WRONG_TYPE"), ("prospects[0].customFields", "WRONG_TYPE")}


@pytest.mark.parametrize("value", [None, 1, True, "x", UNKNOWN_ID, {}, {"0": UNKNOWN_ID}, 1.5], ids=repr)
def test_lead_ids_are_a_list(shared: Tenant, value: Any) -> None:
    body = {"targetAudienceId": UNKNOWN_ID, "leadIds": value}
    assert violations(shared.client.post(BODY_PATHS[2], json=body)) == {("leadIds", "WRONG_TYPE")}


@pytest.mark.parametrize("value", [None, 1, True, [UNKNOWN_ID], {"id": UNKNOWN_ID}, 1.5], ids=repr)
def test_ids_are_texts(shared: Tenant, value: Any) -> None:
    body = {"targetAudienceId": value, "leadIds": [value, UNKNOWN_ID, value]}
    assert violations(shared.client.post(BODY_PATHS[2], json=body)) == {
        ("targetAudienceId", "WRONG_TYPE"),
        ("leadIds[0]", "WRONG_TYPE"),
        ("leadIds[2]", "WRONG_TYPE"),
    }


@pytest.mark.parametrize("value", ILL_FORMED_IDS, ids=lambda value: ascii(value)[:30])
def test_ids_are_24_lower_case_hex_characters(shared: Tenant, value: str) -> None:
    body = {"targetAudienceId": value, "leadIds": [UNKNOWN_ID, value]}
    assert violations(shared.client.post(BODY_PATHS[2], json=body)) == {
        ("targetAudienceId", "WRONG_FORMAT"),
        ("leadIds[1]", "WRONG_FORMAT"),
    }


def test_a_move_takes_ten_thousand_ids_and_not_one_more(shared: Tenant, audience: str) -> None:
    target = shared.create_audience()
    ids = [new_id() for _ in range(10_001)]
    assert violations(shared.move(audience, target, ids)) == {("leadIds", "TOO_LONG")}
    assert violations(shared.move(audience, target, [UNKNOWN_ID] * 10_001)) == {("leadIds", "TOO_LONG")}
    assert violations(shared.move(audience, target, [])) == {("leadIds", "TOO_SHORT")}
    assert refusal(shared.move(audience, target, ids[:10_000]), 422, "LEADS_NOT_IN_SOURCE")["leadCount"] == 10_000
    assert shared.count(audience) == 3


def test_all_of_very_many_violations_are_listed(shared: Tenant) -> None:
    listed = violations(shared.move(UNKNOWN_ID, UNKNOWN_ID, ["x"] * 10_000))
    assert listed == {(f"leadIds[{index}]", "WRONG_FORMAT") for index in range(10_000)}


def test_at_most_a_thousand_prospects_are_taken_at_once(shared: Tenant) -> None:
    too_many: Any = {"prospects": [{}] * 1_001}
    assert violations(shared.client.post(BODY_PATHS[1], json=too_many)) == {("prospects", "TOO_LONG")}


@pytest.mark.parametrize("path", BODY_PATHS)
def test_a_body_of_more_than_a_mebibyte_is_refused(shared: Tenant, path: str) -> None:
    content = b'{"name": "%s"}' % (b"x" * (1024 * 1024 + 1 - 12))
    assert len(content) == 1024 * 1024 + 1
    refusal(post(shared, path, content), 413, "BODY_TOO_LARGE")


CONTROLS = ["\0", "\x01", "\x1b", "\x7f", "\x80", "\x9f"]


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_control_characters_are_not_taken_into_names_and_descriptions(shared: Tenant, control: str) -> None:
    text = f"be{control}fore"
    body = {"name": text, "type": "on_demand", "description": text}
    assert violations(shared.client.post("/audiences", json=body)) == {
        ("name", "NOT_ALLOWED"),
        ("description", "NOT_ALLOWED"),
    }


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_a_prospect_with_control_characters_is_rejected_alone(shared: Tenant, audience: str, control: str) -> None:
    text = f"a{control}b"
    prospects = [
        {"firstName": text},
        {"providerId": text},
        {"company": {"name": text}},
        {"email": f"{text}@example.com"},
        {"linkedinUrl": f"https://www.linkedin.com/in/{text}"},
        {"publicIdentifier": text},
        {"customFields": {"x": text}, "email": "x@example.com"},
        {"customFields": {text: "x"}, "email": "x@example.com"},
    ]
    data = data_of(shared.client.post(f"/audiences/{audience}/prospects", json={"prospects": prospects}))
    assert [rejected["index"] for rejected in data["rejected"]] == list(range(len(prospects)))
    assert {rejected["code"] for rejected in data["rejected"]} == {"INVALID_CHARACTER"}
    assert shared.count(audience) == 3


# ---------------------------------------------------------------------------------------------------- paths and queries


@pytest.mark.parametrize("raw", [
    "x", UNKNOWN_ID[:-1], UNKNOWN_ID + "1", UNKNOWN_ID.upper(), "%00", UNKNOWN_ID[:-1] + "%00", UNKNOWN_ID + "%00",
    UNKNOWN_ID + "%0a", UNKNOWN_ID + "%20", "%20" + UNKNOWN_ID, "%ff%fe", "%C0%80", "%ED%A0%80", "%F0%9F%98%80",
    "%27%20OR%20%271%27=%271", "%3Cscript%3E", "...", "%25s", "%", "%zz", "a" * 5_000, UNKNOWN_ID + ";",
    UNKNOWN_ID + ",", "*", "{audienceId}", "0x" + "0" * 22, "-1", "null", "undefined", UNKNOWN_ID[:-1] + "%EF%BC%91",
])  # fmt: skip
def test_an_ill_formed_id_in_the_path_is_refused(shared: Tenant, raw: str) -> None:
    good = [{"prospects": [{"email": "x@example.com"}]}, GOOD_MOVE]
    expected = {("audienceId", "WRONG_FORMAT")}
    assert violations(shared.client.get(f"/audiences/{raw}")) == expected
    assert violations(shared.client.get(f"/audiences/{raw}/prospects")) == expected
    assert violations(shared.client.post(f"/audiences/{raw}/prospects", json=good[0])) == expected
    assert violations(shared.client.post(f"/audiences/{raw}/move-leads", json=good[1])) == expected
    assert violations(shared.client.get(f"/moves/{raw}")) == {("moveId", "WRONG_FORMAT")}


def get_list(tenant: Tenant, path: str, audience: str, query: str) -> httpx.Response:
    """Sends the query exactly as it is written here."""
    if path == "accounts":
        return tenant.client.get(f"{tenant.service.base_url}/v1/accounts?{query}")
    return tenant.client.get(f"{path.format(audience=audience)}?{query}")


@pytest.mark.parametrize("limit", [
    "0", "-1", "201", "1000000000000000000000000000000", "-1000000000000000000000000000000", "9" * 5_000, "x",
    "1.5", "1e2", "NaN", "Infinity", "true", "null", "0x10", "1,000", "%00", "1%00", "%D9%A1", "%ff", "[]",
])  # fmt: skip
def test_a_wrong_limit_is_refused(shared: Tenant, audience: str, limit: str) -> None:
    for path in LISTS:
        [(where, code)] = violations(get_list(shared, path, audience, f"limit={limit}"))
        assert where == "limit"
        assert code in ("TOO_SMALL", "TOO_LARGE", "WRONG_TYPE")


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("cursor", [
    "x", "AAAA", "%00", "%ff%fe", "%F0%9F%98%80", "null", "0", UNKNOWN_ID, "=", "====", "%20", "A" * 500,
    encoded(b"\0" * 8 + UNKNOWN_ID.encode()), encoded(b"\0" * 8 + b"\0"), encoded(b"\0" * 8 + b"\xff"),
    encoded(b"\0" * 8), "..%2f..%2f", "%27%20OR%201=1",
])  # fmt: skip
def test_a_cursor_that_nobody_gave_out_is_refused(shared: Tenant, audience: str, cursor: str) -> None:
    for path in LISTS:
        assert violations(get_list(shared, path, audience, f"cursor={cursor}")) == {("cursor", "WRONG_CURSOR")}


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_of_more_than_500_characters_is_refused(shared: Tenant, audience: str, path: str) -> None:
    assert violations(get_list(shared, path, audience, "cursor=" + "A" * 501)) == {("cursor", "TOO_LONG")}


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_query_parameter_is_refused(shared: Tenant, audience: str, path: str) -> None:
    listed = violations(get_list(shared, path, audience, "page=2&offset=5&Limit=3"))
    assert listed == {("page", "UNKNOWN_FIELD"), ("offset", "UNKNOWN_FIELD"), ("Limit", "UNKNOWN_FIELD")}


@pytest.mark.parametrize("path", LISTS)
def test_everything_that_is_wrong_in_a_query_is_listed(shared: Tenant, audience: str, path: str) -> None:
    listed = violations(get_list(shared, path, audience, "limit=0&page=2&cursor=x"))
    assert listed == {("limit", "TOO_SMALL"), ("page", "UNKNOWN_FIELD"), ("cursor", "WRONG_CURSOR")}


def test_path_and_query_are_listed_together(shared: Tenant) -> None:
    listed = violations(shared.client.get("/audiences/x/prospects?limit=0"))
    assert listed == {("audienceId", "WRONG_FORMAT"), ("limit", "TOO_SMALL")}


def test_a_path_that_is_wrong_is_listed_with_a_body_that_is_not_json(shared: Tenant) -> None:
    listed = violations(post(shared, "/audiences/x/move-leads", b"{"))
    assert listed == {("audienceId", "WRONG_FORMAT"), ("body", "NOT_JSON")}
