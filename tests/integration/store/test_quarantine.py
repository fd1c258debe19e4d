from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.store.engine import Store
from bridge.store.quarantine import (
    Acceptance,
    Quarantined,
    Sighting,
    Sightings,
    accept_stations,
    find_quarantined,
    forget_quarantined,
    known_stations,
    list_quarantined,
    note_sightings,
)
from bridge.store.station_records import find_station
from csms.events import OcppVersion, SecurityProfile, StationId
from csms.records import Credential

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CREDENTIAL = Credential(b"s" * 16, b"d" * 32)


def seen(name: str, minutes: float = 0.0, **more: Any) -> Sighting:
    arrival: dict[str, Any] = {"connections": 1, "address": "192.0.2.1", "version": "ocpp1.6"}
    return Sighting(StationId(name), NOON + timedelta(minutes=minutes), **{**arrival, **more})


def note(store: Store, *sightings: Sighting, connected: frozenset[str] = frozenset()) -> list[Quarantined]:
    with store.engine.begin() as connection:
        note_sightings(connection, [Sightings(sightings, connected)])
        return list_quarantined(connection)


async def test_a_guest_is_remembered_with_what_it_said_of_itself(store: Store) -> None:
    said = ("ABB", "Terra", "T-1", "1.8.32")
    assert note(store, seen("CP1", showed_credentials=True, described=said)) == [
        Quarantined(
            StationId("CP1"), "192.0.2.1", OcppVersion.V16, *said, NOON, NOON, connections=1, showed_credentials=True
        )
    ]


async def test_a_guest_that_comes_again_is_one_guest_in_whatever_spelling(store: Store) -> None:
    note(store, seen("CP1", described=("ABB", "Terra", "T-1", "1.8.32")))
    [found] = note(store, seen("cp1", 5, connections=3, address="192.0.2.9", version="ocpp2.0.1"))
    assert (found.station, found.address, found.version) == ("cp1", "192.0.2.9", OcppVersion.V201)
    assert (found.vendor, found.connections) == ("ABB", 4)
    assert (found.first_seen, found.last_seen) == (NOON, NOON + timedelta(minutes=5))


async def test_what_one_says_that_is_in_no_quarantine_any_more_makes_no_row(store: Store) -> None:
    assert note(store, seen("CP1", connections=0, described=("ABB", "Terra", "", ""))) == []


async def test_the_oldest_make_room_but_none_that_is_connected(store: Store) -> None:
    note(store, *(seen(f"OLD{number}", number / 1000) for number in range(1000)))
    found = note(store, *(seen(f"NEW{number}", 9) for number in range(300)), connected=frozenset({"old0", "old1"}))
    names = {row.station for row in found}
    assert len(names) == 1000
    assert {"OLD0", "OLD1", "OLD302", "NEW0", "NEW299"} <= names
    assert "OLD301" not in names


async def test_what_the_inventory_knows_is_in_no_quarantine(store: Store) -> None:
    note(store, seen("CP1"), seen("CP2"))
    with store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO station (id, id_folded, security) VALUES ('Cp1', 'cp1', 0)"))
    assert [row.station for row in note(store, seen("CP1", 1))] == ["CP2"]


async def test_forgetting_tells_whether_there_was_anything(store: Store) -> None:
    note(store, seen("CP1"))
    with store.engine.begin() as connection:
        assert forget_quarantined(connection, ["cp1", "cp1"]) == [True, False]
        assert find_quarantined(connection, "CP1") is None


@pytest.mark.parametrize(
    ("credential", "security"),
    [
        pytest.param(CREDENTIAL, SecurityProfile.BASIC, id="with a key"),
        pytest.param(None, SecurityProfile.NONE, id="without"),
    ],
)
async def test_an_accepted_station_is_known_from_then_on(
    store: Store, credential: Credential | None, security: SecurityProfile
) -> None:
    note(store, seen("SIM1"))
    with store.engine.begin() as connection:
        [record] = accept_stations(connection, [Acceptance("SIM1", credential)])
        assert record is not None
        assert (record.station, record.credential, record.security) == ("SIM1", credential, security)
        assert (record.accepted, record.connectors) == (False, ())
        assert find_station(connection, "sim1") == record
        assert list_quarantined(connection) == []


async def test_who_came_first_decides_about_the_key(store: Store) -> None:
    with store.engine.begin() as connection:
        first, second = accept_stations(connection, [Acceptance("SIM1", CREDENTIAL), Acceptance("sim1", None)])
    assert second == first


async def test_a_station_that_left_the_inventory_comes_back_under_its_name_and_without_its_old_key(
    store: Store,
) -> None:
    with store.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO station (id, id_folded, security, removed_at_w, profile_reached) "
                "VALUES ('Sim1', 'sim1', 1, 1700000000000000, 0)"
            )
        )
        [record] = accept_stations(connection, [Acceptance("SIM1", None)])
        assert record is not None
        assert (record.station, record.security, record.credential) == ("Sim1", SecurityProfile.NONE, None)
        assert known_stations(connection) == ["Sim1"]


async def test_no_more_than_a_thousand_stations_without_evses_are_taken_in(store: Store) -> None:
    with store.engine.begin() as connection:
        accepted = accept_stations(connection, [Acceptance(f"SIM{number}", None) for number in range(1001)])
        assert [record is None for record in accepted] == [False] * 1000 + [True]
        assert accept_stations(connection, [Acceptance("sim0", None)])[0] is not None
