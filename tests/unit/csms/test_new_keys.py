from __future__ import annotations

import re

import pytest

from csms.auth import StationKeys, matches
from csms.events import OcppVersion
from csms.new_keys import Rotation, check, fresh, verdict
from csms.operator_calls import CallAnswer, CallOutcome
from csms.orders import Impossible
from csms.schemas import advice
from csms.verbs import requests_of

V16, V201 = OcppVersion.V16, OcppVersion.V201


@pytest.mark.parametrize(
    ("version", "form"),
    [(V16, r"[0-9a-f]{40}"), (V201, r"[A-Za-z0-9]{32}"), (OcppVersion.V21, r"[A-Za-z0-9]{32}")],
)
def test_a_fresh_key_is_random_and_has_the_form_of_its_version(version: OcppVersion, form: str) -> None:
    keys = {fresh(version) for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(form, key) for key in keys)
    for key in keys:
        check(version, key)
        request = requests_of(version).set_key(key)
        assert advice(version, request.action, request.payload) is None


def test_a_station_may_log_in_with_the_bytes_of_the_digits_or_with_the_digits_themselves() -> None:
    key = fresh(V16)
    credential = StationKeys(b"pepper").new(key.encode())
    assert matches(credential, b"pepper", bytes.fromhex(key))
    assert matches(credential, b"pepper", key.encode())
    assert not credential.slow


@pytest.mark.parametrize(
    ("version", "key", "right"),
    [
        pytest.param(V16, "0f" * 16, True, id="1.6-16-bytes"),
        pytest.param(V16, "0F" * 20, True, id="1.6-20-bytes"),
        pytest.param(V16, "0f" * 15, False, id="1.6-short"),
        pytest.param(V16, "0f" * 21, False, id="1.6-long"),
        pytest.param(V16, "0f" * 16 + "0", False, id="1.6-half-a-byte"),
        pytest.param(V16, "a password of enough letters 12345", False, id="1.6-text"),
        pytest.param(V201, "x" * 16, True, id="2.0.1-16"),
        pytest.param(V201, "aB3*-_=:+|@." * 3, True, id="2.0.1-special"),
        pytest.param(OcppVersion.V21, "x" * 64, True, id="2.1-64"),
        pytest.param(OcppVersion.V21, "x" * 65, False, id="2.1-long"),
        pytest.param(V201, "x" * 15, False, id="2.0.1-short"),
        pytest.param(V201, "x" * 41, False, id="2.0.1-long"),
        pytest.param(V201, "x" * 16 + "ä", False, id="2.0.1-umlaut"),
        pytest.param(V201, "x" * 16 + "\n", False, id="2.0.1-newline"),
    ],
)
def test_an_operators_key_must_have_the_form_of_the_version(version: OcppVersion, key: str, right: bool) -> None:
    if right:
        check(version, key)
        return
    with pytest.raises(Impossible) as refused:
        check(version, key)
    assert key not in str(refused.value)


def answered(status: str) -> CallAnswer:
    return CallAnswer(CallOutcome.ANSWERED, {"status": status})


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        pytest.param(answered("Accepted"), "Accepted", "accepted", id="accepted"),
        pytest.param(answered("RebootRequired"), "RebootRequired", "accepted", id="reboot"),
        pytest.param(answered("Rejected"), "Rejected", "refused", id="TC_A_09"),
        pytest.param(answered("NotSupported"), "NotSupported", "refused", id="TC_A_10"),
        pytest.param(answered(""), "UnknownVariable", "refused", id="no-such-variable"),
        pytest.param(answered("Perhaps"), "Perhaps", "unclear", id="no-word-of-the-standard"),
        pytest.param(answered(""), "", "unclear", id="no-word"),
        pytest.param(CallAnswer(CallOutcome.REFUSED, code="NotImplemented"), "", "refused", id="not-implemented"),
        pytest.param(CallAnswer(CallOutcome.REFUSED, code="InternalError"), "", "unclear", id="call-error"),
        pytest.param(CallAnswer(CallOutcome.TIMED_OUT), "", "unclear", id="timed-out"),
        pytest.param(CallAnswer(CallOutcome.GONE), "", "unclear", id="gone"),
        pytest.param(CallAnswer(CallOutcome.AWAY), "", "unsent", id="away"),
        pytest.param(CallAnswer(CallOutcome.BUSY), "", "unsent", id="busy"),
        pytest.param(CallAnswer(CallOutcome.NOT_ACCEPTED), "", "unsent", id="not-accepted"),
    ],
)
def test_only_what_surely_was_not_done_counts_as_refused(answer: CallAnswer, status: str, expected: str) -> None:
    assert verdict(answer, status) is Rotation(expected)
