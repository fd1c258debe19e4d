from __future__ import annotations

import pytest

from bridge.app.advice import advice, similar


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        pytest.param(404, "unknown charging station", "the inventory has no station of this id", id="unknown"),
        pytest.param(401, "credentials wrong", "the key in the station differs from the inventory's", id="wrong key"),
        pytest.param(401, "credentials missing", "set the station's key", id="no key"),
        pytest.param(400, "no common subprotocol; this server speaks ocpp1.6", "OCPP version", id="version"),
        pytest.param(
            400, "no subprotocol offered; this server speaks ocpp1.6", "column default_version", id="no version"
        ),
        pytest.param(400, "no subprotocol offered; this server", "[ocpp] default_version", id="no version, server's"),
        pytest.param(400, "a broken WebSocket handshake", "proxy", id="broken"),
        pytest.param(403, "this station must use security profile 2", "security profile", id="profile"),
        pytest.param(403, "this listener takes connections from its proxy only", "behind_proxy", id="not the proxy"),
        pytest.param(403, "the client certificate expired on 2026-01-01", "renew it", id="expired behind a proxy"),
        pytest.param(403, "the proxy did not verify the client certificate: NONE", "its log", id="proxy's no"),
        pytest.param(
            403, "its certificate is for 'A', not for 'B'; this", "certificate_name", id="another's certificate"
        ),
        pytest.param(
            403, "it showed no client certificate; this station must", "give the station a", id="no certificate"
        ),
        pytest.param(400, "the header X-Forwarded-For came more than once", "replaces", id="repeated header"),
        pytest.param(400, "the proxy must send the station's address", "docs/security.md", id="no address"),
        pytest.param(400, "the client certificate cannot be read", "percent-encoded PEM", id="unreadable"),
        pytest.param(403, "web pages may not connect here", "browser", id="browser"),
        pytest.param(409, "this station is connected already, and alive", "two devices use this id", id="duplicate"),
        pytest.param(429, "too many failed attempts", "wrong key again and again", id="throttled"),
        pytest.param(429, "too many unknown stations of this address", "quarantine", id="crowded"),
        pytest.param(503, "storage is not available", "database", id="storage"),
        pytest.param(426, "no WebSocket handshake", "ws://", id="http"),
        pytest.param(0, "TLS: tlsv1 alert unknown ca", "TLS", id="tls"),
        pytest.param(0, "TLS: certificate verify failed: certificate has expired", "client certificate", id="client"),
        pytest.param(0, "TLS: peer did not return a certificate", "profile 3", id="no client certificate"),
        pytest.param(0, "TLS: http request", "wss://", id="plain on tls"),
        pytest.param(0, "turned away: too many connections", "max_connections", id="full"),
        pytest.param(0, "turned away: too many handshakes from this address", "this address", id="hanging"),
        pytest.param(0, "no HTTP request", "ws://", id="no http"),
    ],
)
def test_every_reason_has_what_to_do_about_it(status: int, reason: str, said: str) -> None:
    assert said in advice(status, reason)


def test_what_nobody_knows_has_no_advice() -> None:
    assert advice(418, "a teapot") == ""


@pytest.mark.parametrize(
    ("identity", "meant"),
    [
        pytest.param("ACME-0042", "acme_0042", id="other separators"),
        pytest.param("ACME-00423", "acme_0042", id="a digit too many"),
        pytest.param("AMCE-0042", "acme_0042", id="letters swapped"),
        pytest.param("SOMETHING-ELSE", None, id="nothing alike"),
        pytest.param("***", None, id="separators alone"),
    ],
)
def test_an_unknown_station_is_likened_to_a_known_one(identity: str, meant: str | None) -> None:
    known = ["acme_0042", "berlin_7"]
    assert similar([identity], known).get(identity) == meant


def test_thousands_of_unknown_and_known_stations_are_compared_in_bounded_time() -> None:
    known = [f"station-{number:06}" for number in range(50_000)]
    unknown = [f"SCAN{number:09}" for number in range(1_000)] + ["STATION_000777"]
    assert similar(unknown, known) == {"STATION_000777": "station-000777"}
