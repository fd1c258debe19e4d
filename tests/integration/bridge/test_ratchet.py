"""What a station once proved is demanded of it from then on, by every central system on the same database."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import structlog.testing
import trustme
from tests_bridge import PEPPER
from websockets.exceptions import InvalidStatus

from bridge.app.registry import StoreRegistry
from csms.doorway import ListenerTls
from csms.events import SecurityProfile
from csms.options import ListenerOptions
from csms.replies import LocalReplies, ReplyOptions
from csms.server import CentralSystem, ServerOptions
from tests.integration.csms.fakes import KEY, FakeCounter, dial

LISTENERS = (
    ListenerOptions("plain", "127.0.0.1", 0),
    ListenerOptions("tls", "127.0.0.1", 0, frozenset({SecurityProfile.TLS_BASIC}), tls=True),
)
AUTHORITY = trustme.CA()
TRUST = ssl.create_default_context(cadata=AUTHORITY.cert_pem.bytes().decode())
Start = Callable[[], Awaitable[CentralSystem]]


@pytest.fixture
async def start(bridge) -> AsyncIterator[Start]:
    """Give what starts a central system on the test's database, as a start of the bridge does."""
    started: list[CentralSystem] = []

    async def begin() -> CentralSystem:
        options = ServerOptions(listeners=LISTENERS, settle=timedelta(hours=1), stop_timeout=timedelta(seconds=2))
        replies = LocalReplies(lambda: datetime.now(UTC), ReplyOptions())
        central = CentralSystem(options, StoreRegistry(bridge.store), bridge.intake, replies, FakeCounter(), PEPPER)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
        central.reload_tls("tls", ListenerTls(context))
        await central.start()
        started.append(central)
        return central

    yield begin
    for central in started:
        await central.stop()


async def refusal(port: int) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await dial(port, "one", password=KEY)
    return caught.value.response.status_code, caught.value.response.body.decode().strip()


@pytest.mark.row("T84")
async def test_a_station_that_came_over_tls_is_refused_without_it_even_after_a_restart(start: Start) -> None:
    first = await start()
    plain = await dial(first.ports["plain"], "one")
    await plain.socket.close()
    secure = await dial(first.ports["tls"], "one", ssl=TRUST)
    await secure.socket.close()
    expected = (403, "this station must use security profile 2; this is profile 1")
    assert await refusal(first.ports["plain"]) == expected
    await first.stop()
    second = await start()
    with structlog.testing.capture_logs() as lines:
        assert await refusal(second.ports["plain"]) == expected
    [line] = [line for line in lines if line["event"] == "handshake_refused"]
    assert (line["status"], line["reason"], line["path"]) == (*expected, "/ocpp/one")
    await dial(second.ports["tls"], "one", ssl=TRUST)
    assert list(second.connected) == ["one"]


@pytest.mark.row("T84")
async def test_a_station_that_never_came_over_tls_stays_where_it_is(start: Start) -> None:
    first = await start()
    await (await dial(first.ports["plain"], "one")).socket.close()
    await first.stop()
    second = await start()
    await dial(second.ports["plain"], "one")
    assert list(second.connected) == ["one"]
