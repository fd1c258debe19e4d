from __future__ import annotations

import json

import pytest

from bridge.upstreams.said import TEXT_LIMIT, answers_json, requests_json, said_of

KEY = "k3y-of-the-account/+"
HEADERS = {"Api-Key": KEY, "Content-Type": "application/json", "User-Agent": "ocpp-bridge"}
URL = "https://hub.example/v1/status"


def test_what_was_sent_and_answered_is_kept_with_its_sizes() -> None:
    said = said_of(
        "PUT", URL, HEADERS, b'{"a":1}', status=200, answer_headers={"process-id": "7", "date": "now"}, text="ok"
    )
    assert (said.method, said.url, said.body, said.bytes) == ("PUT", URL, '{"a":1}', 7)
    assert (said.status, said.answer_body, said.answer_bytes) == (200, "ok", 2)
    assert said.headers == {"Api-Key": "***", "Content-Type": "application/json"}
    assert said.answer_headers == {"process-id": "7"}


@pytest.mark.parametrize(
    "text",
    [
        f"no such key: {KEY}",
        '{"detail":"k3y-of-the-account\\/+ is unknown"}'.replace("\\/", "/"),
        "https://hub.example/?key=k3y-of-the-account%2F%2B",
    ],
    ids=["plain", "json", "percent-encoded"],
)
def test_a_hub_that_repeats_our_key_is_masked(text: str) -> None:
    said = said_of("PUT", f"{URL}?k={KEY}", HEADERS, None, status=401, text=text, failure=text)
    assert "k3y" not in said.answer_body + said.url + said.failure
    assert "***" in said.answer_body


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"api_key":"abc","b":1}', '{"api_key":"***","b":1}'),
        ('{"accessToken": "a\\"bc", "b": 1}', '{"accessToken": "***", "b": 1}'),
        ('{"idTag":"04AABB"}', '{"idTag":"***"}'),
        ("password=hunter2&x=1", "password=***&x=1"),
        ("client_secret: abc", "client_secret: ***"),
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer ***"),
        ('{"token":"cut off at the e', '{"token":"***"'),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA", "***"),
        ('{"EvseID":"DE*ABC*E1","EvseStatus":"Occupied"}', '{"EvseID":"DE*ABC*E1","EvseStatus":"Occupied"}'),
        ("TOKEN EXPIRED", "TOKEN EXPIRED"),
    ],
)
def test_what_has_the_name_of_a_secret_is_masked(text: str, masked: str) -> None:
    assert said_of("POST", URL, {}, text.encode(), status=200, text=text).answer_body == masked
    assert said_of("POST", URL, {}, text.encode()).body == masked


def test_a_user_in_an_address_is_masked() -> None:
    assert said_of("GET", "https://me:hunter2@hub.example/x", {}, None).url == "https://***@hub.example/x"


def test_bearers_keep_their_scheme() -> None:
    assert said_of("GET", URL, {"Authorization": "Bearer abcdefgh"}, None).headers == {"Authorization": "Bearer ***"}


def test_only_the_head_of_a_long_body_is_kept_and_the_whole_is_counted() -> None:
    body = b"x" * 2_000_000
    said = said_of("POST", URL, HEADERS, body, status=200, text="ü" * 10_000)
    assert (len(said.body), said.bytes) == (4096, 2_000_000)
    assert (len(said.answer_body), said.answer_bytes) == (4096, 20_000)


def test_a_key_that_the_cut_would_split_is_masked_whole() -> None:
    text = "x" * (TEXT_LIMIT - 5) + KEY
    assert "k3y" not in said_of("PUT", URL, HEADERS, text.encode(), status=200, text=text).answer_body


def test_a_request_without_an_answer_says_why() -> None:
    said = (said_of("PUT", URL, HEADERS, b"{}", failure="no answer in time"),)
    assert json.loads(requests_json(said) or "")[0]["body"] == "{}"
    assert json.loads(answers_json(said) or "") == [{"failure": "no answer in time"}]


def test_what_nothing_was_sent_for_has_no_text() -> None:
    assert (requests_json(()), answers_json(())) == (None, None)
    eleven = (said_of("GET", URL, {}, None, status=200),) * 11
    assert len(json.loads(requests_json(eleven) or "")) == 10
