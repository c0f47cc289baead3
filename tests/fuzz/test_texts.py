"""Any text in the place of an address, an identifier, a cursor, a key, a header or a setting."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from leadyard.errors import InvalidProspect, InvalidRequest
from leadyard.http.admission.client_address import ClientAddresses
from leadyard.http.answer.idempotency_key import idempotency_key
from leadyard.http.answer.paging import Paging
from leadyard.http.wire.trace import _incoming_trace
from leadyard.model import Profile
from leadyard.people.email_address import normalised_email
from leadyard.people.identity import normalise_profile
from leadyard.people.linkedin_urls import (
    canonical_profile_url,
    company_identifier,
    linkedin_public_identifier,
    normalised_identifier,
)
from leadyard.settings.networks import parse_networks
from leadyard.settings.rate_policies import parse_policies
from leadyard.settings.settings import Settings
from tests.fuzz.bounds import within_bounds
from tests.fuzz.conftest import PROFILE

_PARTS = [
    "http://", "https:", "//", "www.", "de.", "linkedin.com", "LinkedIn.com", "/in/", "/pub/", "/company/", "mwlite",
    "comm/",
    "%", "%25", "%2F", "%C3%A9", "%ff", "%00", "?", "#", "@", ":80", ":99999", "ada", "ACoAA" + "x" * 34, ".", "..",
    "/", "\\",
    " ", "\t", "\u200b", "\ufeff", "\u202e", "\u0130", "\u00df", "\u0345", "\u1fb3", "\u03a3", "\u0301", "\ufdfa",
    "\u037e",
    "\ud800", "\U0001f600", "mailto:", "example.com", "\u3002", "xn--", "[::1]", '"', "<", ">", "1", "2a", "3b4",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_PARTS), max_size=14).map("".join))
FIELDS = [field.name for field in fields(Profile) if field.name != "custom_fields"]


def _request(*headers: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": list(headers)})


@PROFILE
@given(TEXTS)
@example("https://www.linkedin.com/in/%25252525252541da")
@example("linkedin.com/in/\u0130")
@example("linkedin.com/in/\u03a3\u0345")
def test_an_address_has_one_spelling_or_none(text: str) -> None:
    with within_bounds():
        for read in (linkedin_public_identifier, normalised_identifier):
            try:
                identifier = read(text)
                url = canonical_profile_url(identifier)
            except InvalidProspect:
                continue
            assert identifier
            identifier.encode()
            # The identifier is already in its normal form, and its address leads back to it.
            assert normalised_identifier(identifier) == identifier
            assert linkedin_public_identifier(url) == identifier
        found = company_identifier(text)
        assert found is None or found.encode()


@PROFILE
@given(TEXTS)
@example("\u0130@example.com")
@example("a@\u3002b.c")
@example("mailto:mailto:a@b.c")
def test_an_e_mail_has_one_spelling_or_none(text: str) -> None:
    with within_bounds():
        try:
            email = normalised_email(text)
        except InvalidProspect:
            return
        assert normalised_email(email) == email
        assert len(email) <= 254
        email.encode()


@PROFILE
@given(
    st.dictionaries(st.sampled_from(FIELDS), TEXTS, max_size=6),
    st.dictionaries(TEXTS, st.text(max_size=30), max_size=4),
)
def test_a_profile_has_one_spelling_or_none(values: dict[str, str], custom: dict[str, str]) -> None:
    with within_bounds():
        try:
            once = normalise_profile(Profile(**values, custom_fields=custom))
        except InvalidProspect as refusal:
            assert refusal.details.endswith(".")
            refusal.details.encode()
            return
        twice = normalise_profile(once)
        assert twice == once
        for value in (getattr(once, name) for name in FIELDS):
            assert value is None or (value and "\0" not in value and value.encode() is not None)


@PROFILE
@given(st.one_of(st.text(max_size=80), st.from_regex(r"\A[A-Za-z0-9_=-]{0,80}\Z")))
def test_a_cursor_that_we_did_not_make_is_refused(text: str) -> None:
    with within_bounds(), pytest.raises((InvalidRequest, ValueError)):
        Paging(cursor=text).start("audiences", "0" * 24)


@PROFILE
@given(st.lists(st.one_of(st.binary(max_size=300), st.from_regex(rb'\A"?[!-~]{0,260}"?\Z')), max_size=2))
def test_an_idempotency_key_is_one_or_is_refused(values: list[bytes]) -> None:
    with within_bounds():
        try:
            key = idempotency_key(_request(*((b"idempotency-key", value) for value in values)))
        except InvalidRequest:
            return
        assert (key is None) == (not values)
        assert key is None or re.fullmatch("[!-~]{1,255}", key)


@PROFILE
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=90), st.from_regex(rb"\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?\Z")
        ),
        max_size=2,
    ),
    st.binary(max_size=40),
)
def test_a_traceparent_is_one_or_is_not_used(values: list[bytes], state: bytes) -> None:
    with within_bounds():
        headers = [(b"traceparent", value) for value in values] + [(b"tracestate", state)]
        found: dict[str, Any] = _incoming_trace(_request(*headers).scope)
        if found:
            assert re.fullmatch("[0-9a-f]{32}", found["traceparent"][3:35])
            assert found["traceparent"][3:35].strip("0")


@PROFILE
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(
                [
                    "10",
                    "/",
                    "second",
                    "minute",
                    ";",
                    "key",
                    ":",
                    "1e9",
                    "-1",
                    " ",
                    "group",
                    "address",
                    "=",
                    "off",
                    "burst",
                    "0",
                    ",",
                ]
            ),
            max_size=9,
        ).map("".join),
    )
)
def test_rate_limits_are_read_or_refused(text: str) -> None:
    with within_bounds():
        try:
            policies = parse_policies(text)
        except ValueError as error:
            assert str(error)
        else:
            assert policies is not None


@PROFILE
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(["10.0.0.0", "/", "8", ",", "::1", " ", "0", "128", "fe80::", "%eth0", "33"]), max_size=8
        ).map("".join),
    ),
    st.binary(max_size=80),
)
def test_addresses_of_proxies_are_read_or_refused(text: str, forwarded: bytes) -> None:
    with within_bounds():
        try:
            networks = parse_networks(text)
        except ValueError:
            networks = parse_networks("127.0.0.1")
        scope = {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", forwarded)]}
        address = ClientAddresses(networks).of(scope)
        assert address.isascii()
        assert len(address) < 60


@PROFILE
@given(st.sampled_from(sorted(Settings.model_fields)), st.text(max_size=40))
def test_a_setting_is_read_or_refused(name: str, text: str) -> None:
    with within_bounds():
        try:
            Settings.model_validate({name: text})
        except ValueError as error:
            assert str(error)
