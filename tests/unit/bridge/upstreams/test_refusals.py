from __future__ import annotations

import ssl

import aiohttp
import pytest

from bridge.upstreams.http import Lost, NotSent, Progress, failure_of
from bridge.upstreams.refusals import certificate_alert, refuses_certificate


def alert(text: str, reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] {text} (_ssl.c:1006)" if reason else f"[SSL] {text} (_ssl.c:1006)")
    error.reason = reason  # type: ignore[assignment]
    return error


def late(error: ssl.SSLError) -> aiohttp.ClientOSError:
    """An alert that came after the handshake, as aiohttp passes it on."""
    outer = aiohttp.ClientOSError(*error.args)
    outer.__cause__ = error
    return outer


ALERTS = [
    ("sslv3 alert bad certificate", "SSLV3_ALERT_BAD_CERTIFICATE", "bad_certificate"),
    ("sslv3 alert unsupported certificate", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "unsupported_certificate"),
    ("sslv3 alert certificate revoked", "SSLV3_ALERT_CERTIFICATE_REVOKED", "certificate_revoked"),
    ("sslv3 alert certificate expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate_expired"),
    ("sslv3 alert certificate unknown", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "certificate_unknown"),
    ("tlsv1 alert unknown ca", "TLSV1_ALERT_UNKNOWN_CA", "unknown_ca"),
    ("tlsv1 alert access denied", "TLSV1_ALERT_ACCESS_DENIED", "access_denied"),
    ("tlsv13 alert certificate required", "TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate_required"),
    ("ssl/tls alert certificate unknown", None, "certificate_unknown"),
    (
        "sslv3 alert handshake failure",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "handshake_failure, or it has no cipher in common with us",
    ),
]


@pytest.mark.parametrize(("text", "reason", "expected"), ALERTS, ids=[case[2][:20] for case in ALERTS])
def test_alerts_about_our_certificate_are_known_by_their_names(text: str, reason: str | None, expected: str) -> None:
    assert certificate_alert(alert(text, reason)) == expected
    assert certificate_alert(late(alert(text, reason))) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tlsv1 alert internal error", "TLSV1_ALERT_INTERNAL_ERROR"),
        ("tlsv1 alert protocol version", "TLSV1_ALERT_PROTOCOL_VERSION"),
        ("tlsv1 unrecognized name", "TLSV1_UNRECOGNIZED_NAME"),
        ("wrong version number", "WRONG_VERSION_NUMBER"),
        ("certificate verify failed: unknown ca", "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_other_failures_of_tls_are_not_about_our_certificate(text: str, reason: str) -> None:
    assert certificate_alert(alert(text, reason)) is None


def test_a_reset_is_no_alert() -> None:
    assert certificate_alert(ConnectionResetError(104, "Connection reset by peer")) is None
    assert certificate_alert(aiohttp.ServerDisconnectedError()) is None


UNKNOWN_CA = late(alert("tlsv1 alert unknown ca", "TLSV1_ALERT_UNKNOWN_CA"))


def test_a_late_alert_on_a_new_connection_proves_that_nothing_was_read() -> None:
    found = failure_of(UNKNOWN_CA, Progress(sent=True, fresh=True), encrypted=True)
    assert isinstance(found, NotSent)
    assert found.certificate_refused


def test_an_alert_on_a_connection_that_has_served_before_leaves_doubt() -> None:
    found = failure_of(UNKNOWN_CA, Progress(sent=True, fresh=False), encrypted=True)
    assert isinstance(found, Lost)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, "<title>400 The SSL certificate error</title>", True),
        (400, "<center>The SSL Certificate Error</center>", True),
        (400, "<title>400 No required SSL certificate was sent</title>", True),
        (495, "", True),
        (496, "", True),
        (400, "<title>400 Bad Request</title>", False),
        (403, "<title>The SSL certificate error</title>", False),
        (500, "No required SSL certificate was sent", False),
    ],
)
def test_the_page_of_nginx_about_a_certificate_is_known(status: int, text: str, expected: bool) -> None:
    assert refuses_certificate(status, text) is expected
