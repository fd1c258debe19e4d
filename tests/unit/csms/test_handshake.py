from __future__ import annotations

import pytest

from csms.auth import Refuse
from csms.events import ConnectorAddress, OcppVersion, StationId
from csms.handshake import Negotiated, assumed, from_browser, lacks_connection_header, negotiate, why_unreadable
from csms.records import StationRecord

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21


@pytest.mark.parametrize(
    ("offers", "default", "expected"),
    [
        pytest.param(["ocpp1.6"], None, Negotiated(V16, "ocpp1.6"), id="one"),
        pytest.param(["ocpp2.0.1, ocpp1.6"], None, Negotiated(V201, "ocpp2.0.1"), id="the-stations-first"),
        pytest.param(["ocpp1.6,ocpp2.0.1"], None, Negotiated(V16, "ocpp1.6"), id="the-stations-first-reversed"),
        pytest.param(["ocpp2.2, ocpp2.0.1"], None, Negotiated(V201, "ocpp2.0.1"), id="unknown-first"),
        pytest.param(["ocpp0.1", "ocpp1.6"], None, Negotiated(V16, "ocpp1.6"), id="two-headers"),
        pytest.param(["ocpp2.1, ocpp2.0.1"], None, Negotiated(V21, "ocpp2.1"), id="newest-first"),
        pytest.param(["ocpp2.0.1, ocpp2.1"], None, Negotiated(V201, "ocpp2.0.1"), id="not-the-newest"),
        pytest.param(["Ocpp2.1"], None, Negotiated(V21, "Ocpp2.1"), id="spelling-of-2.1"),
        pytest.param(["OCPP1.6"], None, Negotiated(V16, "OCPP1.6"), id="spelling-is-echoed"),
        pytest.param(["ocpp2.0.1 ocpp1.6"], None, Negotiated(V201, "ocpp2.0.1"), id="spaces"),
        pytest.param(["ocpp1.5;ocpp1.6"], None, Negotiated(V16, "ocpp1.6"), id="semicolons"),
        pytest.param(['"ocpp1.6"'], None, Negotiated(V16, "ocpp1.6"), id="quoted"),
        pytest.param([], V16, Negotiated(V16, None), id="nothing-offered"),
        pytest.param([], V21, Negotiated(V21, None), id="nothing-offered-by-2.1"),
        pytest.param([""], V201, Negotiated(V201, None), id="empty-header"),
    ],
)
def test_the_stations_first_spoken_version_is_taken(
    offers: list[str], default: OcppVersion | None, expected: Negotiated
) -> None:
    assert negotiate(offers, default) == expected


def station(default_version: OcppVersion | None, *addresses: tuple[int, int]) -> StationRecord:
    connectors = tuple(ConnectorAddress(*address) for address in addresses)
    return StationRecord(StationId("CP1"), None, default_version, accepted=True, connectors=connectors)


@pytest.mark.parametrize(
    ("record", "default", "expected"),
    [
        pytest.param(station(V201, (1, 1)), V16, V201, id="its-own"),
        pytest.param(station(None, (0, 1)), V16, V16, id="the-servers"),
        pytest.param(station(None, (1, 1), (2, 1)), V21, V21, id="the-servers-2.1"),
        pytest.param(station(None), V16, V16, id="no-connectors-yet"),
        pytest.param(station(None, (1, 1)), V16, None, id="its-connectors-are-of-2.x"),
        pytest.param(station(None, (0, 1)), V201, None, id="its-connectors-are-of-1.6"),
        pytest.param(station(None, (0, 1)), None, None, id="none"),
    ],
)
def test_the_servers_version_is_assumed_only_where_the_stations_connectors_can_be_of_it(
    record: StationRecord, default: OcppVersion | None, expected: OcppVersion | None
) -> None:
    assert assumed(record, default) is expected


@pytest.mark.parametrize(
    ("offers", "default", "reason"),
    [
        # OCPP TC_B_58_CSMS: only ocpp0.1 offered.
        pytest.param(["ocpp0.1"], V16, "no common subprotocol", id="none-common-despite-default"),
        pytest.param([], None, "no subprotocol offered", id="none-offered"),
    ],
)
def test_without_a_version_the_upgrade_is_refused(offers: list[str], default: OcppVersion | None, reason: str) -> None:
    refusal = negotiate(offers, default)
    assert isinstance(refusal, Refuse)
    assert refusal.status == 400
    assert refusal.reason == f"{reason}; this server speaks ocpp1.6, ocpp2.0.1, ocpp2.1"


@pytest.mark.parametrize(
    ("origin", "host", "user_agent", "browser"),
    [
        pytest.param(None, "csms:9000", None, False, id="no-origin"),
        pytest.param("https://evil.example", "csms:9000", None, True, id="other-site"),
        pytest.param("https://evil.example", None, None, True, id="other-site-without-host"),
        pytest.param("null", "csms:9000", None, True, id="opaque"),
        pytest.param("http://csms:9000", "csms:9000", "Mozilla/5.0 (X11)", True, id="browser-on-our-own-name"),
        pytest.param("http://[", "csms:9000", None, True, id="broken"),
        pytest.param("http://csms", "csms:9000", None, False, id="libwebsockets"),
        pytest.param("file://", "csms:9000", "arduino-WebSocket-Client", False, id="arduino-websockets"),
    ],
)
def test_web_pages_are_told_from_stations(
    origin: str | None, host: str | None, user_agent: str | None, browser: bool
) -> None:
    assert from_browser(origin, host, user_agent) is browser


@pytest.mark.parametrize(
    ("upgrade", "connection", "lacks"),
    [
        pytest.param(["websocket"], [], True, id="missing"),
        pytest.param(["WebSocket"], ["keep-alive"], True, id="says-something-else"),
        pytest.param(["websocket"], ["keep-alive, Upgrade"], False, id="there"),
        pytest.param([], [], False, id="no-websocket-request"),
    ],
)
def test_forgotten_connection_header_is_seen(upgrade: list[str], connection: list[str], lacks: bool) -> None:
    assert lacks_connection_header(upgrade, connection) is lacks


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        pytest.param("invalid HTTP header line:  Q1AxOktFWQ==", "invalid HTTP header line", id="folded"),
        pytest.param("invalid HTTP header value: Basic Q1AxOktFWQ==\x7f", "invalid HTTP header value", id="value"),
        pytest.param(
            "unsupported protocol: GET /CP 1 HTTP/1.1", "unsupported protocol: GET /CP 1 HTTP/1.1", id="space"
        ),
        pytest.param(
            "unsupported protocol: GET ws://CP1:KEY@csms/CP 1",
            "unsupported protocol: GET ws://***@csms/CP 1",
            id="login",
        ),
        pytest.param("x" * 300, "x" * 256, id="long"),
    ],
)
def test_what_is_no_http_is_named_without_a_key(cause: str, shown: str) -> None:
    error = ValueError("did not receive a valid HTTP request")
    error.__cause__ = ValueError(cause)
    assert why_unreadable(error) == shown
