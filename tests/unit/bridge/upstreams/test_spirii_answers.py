"""Read what Spirii answers: outcomes, lists, rate limits, and which entries are ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bridge.core.model import Deferred, Held, Outcome, Refused
from bridge.upstreams.port import Entry
from bridge.upstreams.spirii import Spirii, SpiriiOptions
from bridge.upstreams.spirii_answers import classify, entries_of, id_of, matching, pause_s, proves_success

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EPOCH = 1_795_608_000
"""NOW in seconds since 1970."""
IDS = {"DK*SPI*E123*1", "DKSPIE1231", "42"}


def error(code: str = "invalid", message: str = "is wrong", param: str | None = None) -> str:
    fields = {"type": "x", "code": code, "message": message, "param": param, "request_id": "req_1"}
    return json.dumps({"error": fields})


def outcome(status: int, text: str = "", **headers: str) -> Outcome:
    return classify(status, {name.replace("_", "-"): value for name, value in headers.items()}, text, IDS, NOW)[0]


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        pytest.param(400, error(param="validTo"), Refused("HTTP 400: invalid is wrong (validTo)"), id="400"),
        pytest.param(401, error(), Held("HTTP 401: invalid is wrong"), id="401"),
        pytest.param(403, error(), Held("HTTP 403: invalid is wrong", perhaps_row=True), id="403"),
        pytest.param(404, error(), Refused("HTTP 404: invalid is wrong"), id="404"),
        pytest.param(409, error(), Refused("HTTP 409: invalid is wrong"), id="409"),
        pytest.param(422, error(), Refused("HTTP 422: invalid is wrong"), id="422"),
        pytest.param(408, "", Deferred("HTTP 408", in_doubt=True), id="408"),
        pytest.param(429, "", Deferred("HTTP 429"), id="429"),
        pytest.param(500, error(), Deferred("HTTP 500: invalid is wrong", in_doubt=True), id="500"),
        pytest.param(503, "<html>", Deferred("HTTP 503", in_doubt=True), id="503"),
        pytest.param(302, "", Deferred("HTTP 302"), id="a redirect is not followed"),
    ],
)
def test_each_answer_has_its_outcome(status: int, text: str, expected: Outcome) -> None:
    assert outcome(status, text) == expected


@pytest.mark.parametrize("status", [400, 404])
def test_page_of_something_before_the_service_holds_the_account(status: int) -> None:
    found = outcome(status, "<html>not here</html>")
    assert isinstance(found, Held)
    assert "base URL" in found.why


def test_reason_names_no_row_so_that_it_reads_alike_for_all() -> None:
    text = error(message="status 42 of DK*SPI*E123*1, DKSPIE1231")
    assert outcome(422, text) == Refused("HTTP 422: invalid status … of …, …")


def test_code_and_request_id_are_kept_to_be_quoted() -> None:
    assert classify(422, {}, error(code="end_before_start"), (), NOW)[1:] == ("end_before_start", "req_1")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"Retry_After": "7", "X_RateLimit_Reset": str(EPOCH + 30)}, 7.0, id="Retry-After wins"),
        pytest.param({"X_RateLimit_Reset": str(EPOCH + 30)}, 30.0, id="else the reset"),
        pytest.param({"X_RateLimit_Reset": str(EPOCH - 30)}, 0.0, id="a reset that has passed"),
        pytest.param({"X_RateLimit_Reset": "soon"}, None, id="neither can be read"),
    ],
)
def test_too_many_requests_wait_for_as_long_as_is_asked(headers: dict[str, str], expected: float | None) -> None:
    assert outcome(429, "", **headers) == Deferred("HTTP 429", retry_after_s=expected)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 30)}, 30.0, id="until the reset"),
        pytest.param({"X-RateLimit-Remaining": "0"}, 60.0, id="a window where no reset is told"),
        pytest.param(
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 9999)}, 900.0, id="15 min at most"
        ),
        pytest.param({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH - 9)}, 0.0, id="reset has passed"),
        pytest.param({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": str(EPOCH + 30)}, 0.0, id="some remain"),
        pytest.param({}, 0.0, id="no header"),
    ],
)
def test_nothing_is_sent_until_the_reset_once_nothing_remains(headers: dict[str, str], expected: float) -> None:
    assert pause_s(headers, NOW) == expected


def test_id_is_read_from_a_number_or_a_text() -> None:
    assert id_of('{"id": 42, "evseId": "x"}') == "42"
    assert id_of('{"id": "a-1"}') == "a-1"
    assert [id_of(text) for text in ("", "[]", "{}", '{"id": true}', '{"id": 4.5}', '{"id": 1, "error": {}}')] == [
        ""
    ] * 6


def test_success_needs_the_hubs_own_body_or_none() -> None:
    assert [proves_success(text) for text in ("", " ", '{"id": 1}')] == [True] * 3
    assert [proves_success(text) for text in ("<html>", "[1]", '{"error": {}}')] == [False] * 3


def test_list_is_taken_as_it_comes() -> None:
    whole = {"id": 1, "evseId": "DK.SPI.E123*1", "temporaryStatus": "BLOCKED", "validFrom": "2026-11-25T12:00:00.000Z"}
    found = entries_of(json.dumps([whole | {"new": [1]}, {"evseId": "no id"}, "no object", {"id": 2}]))
    assert found == (
        Entry(
            "1",
            "DK.SPI.E123*1",
            "BLOCKED",
            "2026-11-25T12:00:00.000Z",
            None,
            '{"evseId":"DKSPIE1231","temporaryStatus":"BLOCKED","validFrom":"2026-11-25T12:00:00Z","validTo":null}',
        ),
        Entry("2", "", "", "", None, ""),
    )


@pytest.mark.parametrize("text", ["", "{}", '{"data": []}', '[{"id": 1}', "<html>"])
def test_what_is_no_array_is_no_empty_list(text: str) -> None:
    assert entries_of(text) is None


# --- which entries are ours -------------------------------------------------------------------------------------------


def content(kind: str = "BLOCKED", valid_to: str | None = None) -> str:
    fields = {"evseId": "DK*SPI*E123*1", "temporaryStatus": kind, "validFrom": "2026-11-25T12:00:00Z"}
    return json.dumps(fields | {"validTo": valid_to})


def entry(remote_id: str, text: str) -> Entry:
    return Entry(remote_id, "", "", "", None, text)


@pytest.mark.parametrize(
    ("entries", "lost", "foreign", "expected"),
    [
        pytest.param({"1": content()}, [content()], (), ("1",), id="the one that a lost creation made"),
        pytest.param({"1": content("RESERVED")}, [content()], (), (), id="another one of the same EVSE"),
        pytest.param({"1": content()}, [content()], ("1",), (), id="known as somebody else's"),
        pytest.param(
            {"9": content(), "10": content()}, [content()], (), ("10",), id="one was sent: the newest is ours"
        ),
        pytest.param({"9": content(), "10": content()}, [content()] * 2, (), ("10", "9"), id="two were sent"),
        pytest.param(
            {"1": content(), "2": content("RESERVED")},
            [content(), content("RESERVED")],
            (),
            ("2", "1"),
            id="what was wanted before, and after",
        ),
        pytest.param({"1": ""}, [""], (), (), id="what cannot be read matches nothing"),
    ],
)
def test_entry_is_ours_only_if_it_says_what_a_lost_creation_said(
    entries: dict[str, str], lost: list[str], foreign: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert matching([entry(*pair) for pair in entries.items()], lost, foreign) == expected


def test_key_is_never_shown() -> None:
    with pytest.raises(ValueError, match="printable ASCII") as raised:
        SpiriiOptions("https://hub", "my\nsecret")
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(SpiriiOptions("https://hub", "my-secret"))
    assert Spirii.takes_full_load is False
