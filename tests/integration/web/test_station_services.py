"""The services about stations over the real store, with a hand-written OCPP side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.app.station_services import StoreStations
from bridge.core.model import Moment
from bridge.inventory_file import parse_inventory
from bridge.store.connections import open_connections
from bridge.store.engine import Store
from bridge.store.inventory import import_inventory
from bridge.store.security_events import keep_certificate_requests
from bridge.store.tables import security_event
from bridge.store.transaction import Transaction
from bridge.store.writer import Writer
from bridge.web.services import Conflict, NotFound, NotRunning, ServiceError, ValueRefused, WrongCursor
from bridge.web.station_shapes import (
    CallOrder,
    ConfigurationChange,
    ConfigurationQuery,
    ProfileOrder,
    ResetOrder,
    RotationOrder,
    UnlockOrder,
)
from csms.auth import StationKeys
from csms.events import CertificateRequested, Epoch, OcppVersion, SecurityProfile, StationConnected, StationId
from csms.operator_calls import AWAY, CallAnswer, CallOutcome
from csms.server import ConnectedStation

NOW = Moment(datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC))
KEY = "0123456789abcdef" * 2
CSV = "station,version,key,security,evse,connector,evse_id,operator\n" + "".join(
    f"S{number},1.6,{KEY},,,1,DE*ABC*E{number},north\n" for number in range(1, 4)
)
KEYS = StationKeys(b"p" * 32)
ACCEPTED = CallAnswer(CallOutcome.ANSWERED, {"status": "Accepted"})


def live(station: str, version: OcppVersion = OcppVersion.V16) -> ConnectedStation:
    return ConnectedStation(
        StationId(station), version, "192.0.2.1:1", NOW.now, Epoch(1), 2, SecurityProfile.BASIC, commandable=True
    )


@dataclass
class Central:
    """Implements `bridge.app.station_services.Central`."""

    connected: dict[StationId, ConnectedStation] = field(default_factory=lambda: {StationId("S1"): live("S1")})
    answer: CallAnswer = ACCEPTED
    calls: list[tuple[object, ...]] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)
    dismissed: list[str] = field(default_factory=list)

    async def call(
        self,
        station: StationId,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: timedelta | None = None,
        force: bool = False,
    ) -> CallAnswer:
        self.calls.append((station, action, dict(payload), timeout))
        self.forced.append(force)
        return self.answer

    def disconnect(self, station: StationId) -> None:
        self.dismissed.append(station)


def _stock(conn: Transaction, files: list[str]) -> list[None]:
    inventory = parse_inventory(files[0], operators={"north"}, read_key_file=lambda _: b"")
    import_inventory(conn, inventory, keys=KEYS, now=NOW.now)
    opened = StationConnected(StationId("S1"), OcppVersion.V16, "192.0.2.1:1", SecurityProfile.BASIC)
    open_connections(conn, [(opened, "node", 1)])
    for number in range(25):
        conn.execute(sa.insert(security_event).values(station="S1", at_w=number, kind=f"kind {number}"))
    wanted = CertificateRequested(StationId("S1"), Epoch(1), "V2GCertificate", "-----BEGIN…")
    keep_certificate_requests(conn, [(wanted, 1_000_000)])
    return [None]


@pytest.fixture
def central() -> Central:
    return Central()


@pytest.fixture
async def stations(store: Store, writer: Writer, central: Central) -> StoreStations:
    await writer.submit(_stock, CSV)
    return StoreStations(
        store, writer, clock=lambda: NOW, keys=KEYS, central=central, counts=lambda station: {f"of {station}": 1}
    )


async def test_pages_follow_one_another_and_can_be_chosen(stations: StoreStations) -> None:
    first = await stations.list(2, None, connected=None, version=None)
    assert [item.station for item in first.items] == ["S1", "S2"]
    second = await stations.list(2, first.next_cursor, connected=None, version=None)
    assert ([item.station for item in second.items], second.next_cursor) == (["S3"], None)
    with pytest.raises(WrongCursor):
        await stations.list(2, "S2", connected=None, version=None)
    for connected, expected in ((True, ["S1"]), (False, ["S2", "S3"])):
        page = await stations.list(9, None, connected=connected, version=None)
        assert [item.station for item in page.items] == expected
    for version, expected in (("ocpp1.6", ["S1"]), ("ocpp2.0.1", [])):
        page = await stations.list(9, None, connected=None, version=version)
        assert [item.station for item in page.items] == expected


async def test_one_station_with_everything_that_is_known_of_it(stations: StoreStations) -> None:
    found = await stations.get("s1")
    assert found.station == "S1"
    assert found.connection is not None
    assert (found.connection.takeovers, found.connection.commandable) == (2, True)
    assert (found.security.profile, found.security.reached, found.security.key) == (1, 1, True)
    assert [(evse.evse_id, evse.connectors) for evse in found.evses] == [("DE*ABC*E1", ("0.1",))]
    assert [event.kind for event in found.security_events] == [f"kind {number}" for number in range(24, 4, -1)]
    (request,) = found.certificate_requests
    assert (request.kind, request.csr, request.at.timestamp()) == ("V2GCertificate", "-----BEGIN…", 1.0)
    assert found.counts == {"of S1": 1}
    with pytest.raises(NotFound):
        await stations.get("S9")


async def test_an_order_goes_out_in_the_words_of_the_version_with_its_timeout(
    stations: StoreStations, central: Central
) -> None:
    result = await stations.reset("s1", ResetOrder(kind="hard", timeout_s=300))
    assert (result.station, result.status, result.done) == ("S1", "Accepted", True)
    central.connected[StationId("S1")] = live("S1", OcppVersion.V201)
    await stations.reset("S1", ResetOrder(kind="hard"))
    assert central.calls == [
        ("S1", "Reset", {"type": "Hard"}, timedelta(minutes=5)),
        ("S1", "Reset", {"type": "Immediate"}, None),
    ]


async def test_what_is_forced_is_ordered_as_forced(stations: StoreStations, central: Central) -> None:
    await stations.get_configuration("S1", ConfigurationQuery())
    await stations.get_configuration("S1", ConfigurationQuery(force=True))
    await stations.call("S1", CallOrder(action="ClearCache", force=True))
    assert central.forced == [False, True, True]


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        pytest.param(CallAnswer(CallOutcome.ANSWERED, {}, valid=False, why="status is missing"), False, id="no-status"),
        pytest.param(CallAnswer(CallOutcome.ANSWERED, {"status": {}}, valid=False), False, id="status-is-no-text"),
        pytest.param(CallAnswer(CallOutcome.ANSWERED, {"status": "Perhaps"}, valid=False), False, id="no-known-word"),
        pytest.param(
            CallAnswer(CallOutcome.ANSWERED, {"status": "Accepted", "x": 1}, valid=False), True, id="a-clear-word"
        ),
    ],
)
async def test_an_answer_that_does_not_say_so_is_not_taken_for_a_yes(
    stations: StoreStations, central: Central, answer: CallAnswer, done: bool
) -> None:
    central.answer = answer
    result = await stations.reset("S1", ResetOrder(kind="soft"))
    assert (result.outcome, result.done) == ("answered", done)


@pytest.mark.parametrize(
    ("told", "done"),
    [({"configurationKey": [{"key": "A", "value": "x" * 501}]}, True), ({"configurationKey": 1}, False)],
)
async def test_settings_that_can_be_read_are_an_answer(
    stations: StoreStations, central: Central, told: dict[str, Any], done: bool
) -> None:
    central.answer = CallAnswer(CallOutcome.ANSWERED, told, valid=False, why="too long")
    assert (await stations.get_configuration("S1", ConfigurationQuery())).done is done


@pytest.mark.parametrize(
    ("order", "failure"),
    [
        pytest.param(UnlockOrder(connector=1, evse=1), ValueRefused, id="not-of-this-version"),
        pytest.param(
            CallOrder(action="ChangeConfiguration", payload={"key": "AuthorizationKey", "value": "00" * 20}),
            ValueRefused,
            id="call-that-changes-the-key",
        ),
        pytest.param(
            ConfigurationChange(key="authorizationKey", value="00" * 20), ValueRefused, id="set-that-changes-the-key"
        ),
        pytest.param(RotationOrder(key="too short"), ValueRefused, id="key-of-the-wrong-form"),
    ],
)
async def test_what_may_not_be_sent_is_not(
    stations: StoreStations, central: Central, order: Any, failure: type[ServiceError]
) -> None:
    send = {
        UnlockOrder: stations.unlock,
        CallOrder: stations.call,
        ConfigurationChange: stations.set_configuration,
        RotationOrder: stations.rotate_key,
    }[type(order)]
    with pytest.raises(failure):
        await send("S1", order)
    assert central.calls == []


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        (CallOutcome.INVALID, ValueRefused),
        (CallOutcome.UNKNOWN_ACTION, ValueRefused),
        (CallOutcome.BUSY, Conflict),
        (CallOutcome.NOT_ACCEPTED, Conflict),
        (CallOutcome.AWAY, Conflict),
        (CallOutcome.FORBIDDEN, Conflict),
    ],
)
async def test_a_call_that_was_not_sent_is_a_failure(
    stations: StoreStations, central: Central, outcome: CallOutcome, failure: type[ServiceError]
) -> None:
    central.answer = CallAnswer(outcome, why="why")
    with pytest.raises(failure, match="why"):
        await stations.call("S1", CallOrder(action="ClearCache"))


async def test_a_station_that_is_away_and_a_bridge_that_is_stopped(
    stations: StoreStations, store: Store, writer: Writer
) -> None:
    with pytest.raises(Conflict, match="S2: the station is not connected"):
        await stations.rotate_key("S2", RotationOrder())
    halted = StoreStations(store, writer, clock=lambda: NOW, keys=KEYS, central=None, counts=lambda _: {})
    assert not (await halted.get("S1")).connected
    with pytest.raises(NotRunning, match="nothing can be sent to S1"):
        await halted.rotate_key("S1", RotationOrder())
    with pytest.raises(NotFound):
        await halted.reset("S9", ResetOrder(kind="soft"))


async def test_values_of_secrets_are_hidden_in_every_answer(stations: StoreStations, central: Central) -> None:
    entry = {"key": "AuthorizationKey", "readonly": False, "value": "hush"}
    central.answer = CallAnswer(CallOutcome.ANSWERED, {"configurationKey": [entry]})
    for result in (
        await stations.get_configuration("S1", ConfigurationQuery(keys=("AuthorizationKey",))),
        await stations.call("S1", CallOrder(action="GetConfiguration", payload={"key": ["AuthorizationKey"]})),
    ):
        assert "hush" not in result.model_dump_json()
        assert result.settings[0].value == "***"


async def test_a_key_is_shown_where_the_station_has_it_and_nothing_of_it_where_it_was_not_sent(
    stations: StoreStations, central: Central
) -> None:
    central.answer = AWAY
    with pytest.raises(Conflict):
        await stations.rotate_key("S1", RotationOrder())
    assert (await stations.get("S1")).security.rotating_since is None
    central.answer = ACCEPTED
    rotated = await stations.rotate_key("S1", RotationOrder())
    assert rotated.key == central.calls[-1][2]["value"]  # type: ignore[index]
    assert (await stations.get("S1")).security.rotating_since == NOW.now
    with pytest.raises(Conflict, match="--force"):
        await stations.rotate_key("S1", RotationOrder())


async def test_raising_a_profile_closes_a_session_that_proved_less(stations: StoreStations, central: Central) -> None:
    assert (await stations.set_profile("S1", ProfileOrder(profile=1))).security.profile == 1
    assert central.dismissed == []
    found = await stations.set_profile("S1", ProfileOrder(profile=2))
    assert (found.security.profile, found.security.reached) == (2, 2)
    assert central.dismissed == ["S1"]
    with pytest.raises(Conflict, match="--yes"):
        await stations.set_profile("S1", ProfileOrder(profile=0))
    central.connected[StationId("S1")] = replace(live("S1"), profile=SecurityProfile.TLS_BASIC)
    assert (await stations.set_profile("S1", ProfileOrder(profile=0, yes=True))).security.profile == 0
    assert central.dismissed == ["S1"]
