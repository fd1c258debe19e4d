import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.inventory_file import InventoryInvalid, parse_inventory
from bridge.store.connections import open_connections
from bridge.store.engine import Store
from bridge.store.errors import NeedsYes
from bridge.store.inventory import ImportResult, InventoryDiff, import_inventory, list_inventory
from bridge.store.station_records import find_station
from bridge.store.tables import connection, connector, evse, fact, station
from csms.auth import StationKeys
from csms.events import ConnectorAddress, OcppVersion, SecurityProfile, StationConnected, StationId
from csms.records import Credential, StationRecord

PEPPER = b"pepper" * 6
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HEADER = "station,version,key,security,evse,connector,evse_id,operator,layer0,default_version\n"
KEY = "0123456789abcdef"
TWO = f"A,1.6,{KEY},,,1,DE*ABC*E1,north,,\nA,1.6,,,,2,DE*ABC*E2,north,,\nb,2.0.1,,insecure,1,1,DE*ABC*E3,north,,\n"


def load(store: Store, rows: str, **options: Any) -> ImportResult:
    inventory = parse_inventory(HEADER + rows, operators={"north", "south"}, read_key_file=lambda _: b"")
    with store.engine.begin() as connection:
        return import_inventory(connection, inventory, keys=StationKeys(PEPPER), now=NOW, **options)


def many(stations: int) -> str:
    return "".join(f"S{n},1.6,,insecure,,1,DE*ABC*E{n},north,,\n" for n in range(stations))


async def entries(store: Store) -> dict[str, tuple[str, tuple[ConnectorAddress, ...]]]:
    async with store.read() as connection:
        listed = await connection.run_sync(list_inventory)
    return {entry.evse_id: (entry.station, entry.connectors) for entry in listed}


async def test_a_first_import_adds_everything(store: Store) -> None:
    result = load(store, TWO)
    assert result.diff == InventoryDiff(stations_added=("A", "b"), evses_added=("DE*ABC*E1", "DE*ABC*E2", "DE*ABC*E3"))
    assert len(result.touched) == 3
    assert await entries(store) == {
        "DE*ABC*E1": ("A", (ConnectorAddress(0, 1),)),
        "DE*ABC*E2": ("A", (ConnectorAddress(0, 2),)),
        "DE*ABC*E3": ("b", (ConnectorAddress(1, 1),)),
    }


async def test_importing_twice_changes_nothing_and_keeps_the_salt(store: Store) -> None:
    load(store, TWO)
    again = load(store, TWO, prune=True)
    assert again == ImportResult(diff=InventoryDiff(), stations_before=2, evses_before=3)


async def test_a_credential_is_a_salted_keyed_digest(store: Store) -> None:
    load(store, TWO)
    async with store.read() as connection:
        found = await connection.run_sync(find_station, "a")
    assert found is not None
    assert found.station == "A"
    assert found.credential is not None
    assert found.credential.digest == hmac.new(PEPPER, found.credential.salt + KEY.encode(), sha256).digest()
    assert len(found.credential.salt) == 16
    assert found.connectors == (ConnectorAddress(0, 1), ConnectorAddress(0, 2))
    assert not found.accepted


async def test_an_insecure_station_has_no_credential_and_an_unknown_one_no_record(store: Store) -> None:
    load(store, TWO)
    async with store.read() as connection:
        insecure = await connection.run_sync(find_station, "b")
        assert await connection.run_sync(find_station, "c") is None
    assert insecure is not None
    assert insecure.credential is None


async def test_a_new_key_is_named_and_a_missing_one_keeps_the_stored(store: Store) -> None:
    load(store, TWO)
    assert load(store, TWO.replace(KEY, "")).diff == InventoryDiff()
    changed = load(store, TWO.replace(KEY, KEY + "!"))
    assert changed.diff == InventoryDiff(stations_changed=("A",))
    assert changed.credentials_changed == ("A",)


async def test_a_new_station_without_a_key_is_an_error_of_its_row(store: Store) -> None:
    with pytest.raises(InventoryInvalid, match="line 2, key: is missing: none is stored for this station"):
        load(store, TWO.replace(KEY, ""))
    assert await entries(store) == {}


async def test_changes_are_told_apart(store: Store) -> None:
    load(store, TWO)
    result = load(
        store,
        f"A,1.6,{KEY},,,1,DE*ABC*E1,south,source,1.6\nA,1.6,,,,3,DE*ABC*E2,north,,\n"
        "b,2.0.1,,insecure,1,1,DE*ABC*E3,north,,\n",
    )
    assert result.diff == InventoryDiff(stations_changed=("A",), evses_changed=("DE*ABC*E1", "DE*ABC*E2"))
    assert len(result.touched) == 2
    assert result.credentials_changed == ()
    assert (await entries(store))["DE*ABC*E2"] == ("A", (ConnectorAddress(0, 3),))


async def test_connectors_may_be_swapped_and_an_evse_may_move(store: Store) -> None:
    load(store, TWO)
    swapped = TWO.replace(",1,DE*ABC*E1", ",9,DE*ABC*E1").replace(",2,DE*ABC*E2", ",1,DE*ABC*E2").replace(",9,", ",2,")
    load(store, swapped)
    assert (await entries(store))["DE*ABC*E1"] == ("A", (ConnectorAddress(0, 2),))
    moved = load(
        store, f"A,1.6,{KEY},,,1,DE*ABC*E1,north,,\nb,2.0.1,,insecure,1,1,DE*ABC*E2,north,,\n", prune=True, yes=True
    )
    assert moved.diff.evses_changed == ("DE*ABC*E1", "DE*ABC*E2")
    assert await entries(store) == {
        "DE*ABC*E1": ("A", (ConnectorAddress(0, 1),)),
        "DE*ABC*E2": ("b", (ConnectorAddress(1, 1),)),
    }


async def test_what_the_file_does_not_list_stays_without_prune(store: Store) -> None:
    load(store, TWO)
    result = load(store, f"A,1.6,{KEY},,,1,DE*ABC*E1,north,,\n")
    assert result.diff == InventoryDiff(stations_unlisted=("b",), evses_unlisted=("DE*ABC*E2", "DE*ABC*E3"))
    assert len(await entries(store)) == 3


async def test_a_claim_to_a_connector_of_an_unlisted_evse_names_both(store: Store) -> None:
    load(store, TWO)
    with pytest.raises(InventoryInvalid) as caught:
        load(store, f"A,1.6,{KEY},,,2,DE*ABC*E9,north,,\n")
    assert "claimed for DE*ABC*E9 here and belongs to DE*ABC*E2 in the store" in str(caught.value)
    assert len(await entries(store)) == 3


async def test_an_identity_that_differs_from_a_stored_one_in_case_is_an_error(store: Store) -> None:
    load(store, TWO)
    with pytest.raises(InventoryInvalid, match="'a': is registered as 'A'; write it so"):
        load(store, f"a,1.6,{KEY},,,1,DE*ABC*E1,north,,\n")


async def test_prune_removes_and_leaves_a_tombstone(store: Store) -> None:
    load(store, many(20))
    with store.engine.begin() as connection:
        values = {"status": "Available", "seq": 1, "epoch": 1, "received_at": 0, "reported_at": "", "source": "s"}
        connection.execute(sa.insert(fact).values(station="S19", ocpp_evse=0, ocpp_connector=1, **values))
    result = load(store, many(19), prune=True)
    assert result.diff == InventoryDiff(stations_removed=("S19",), evses_removed=("DE*ABC*E19",))
    assert len(result.touched) == 1
    with store.engine.connect() as connection:
        row = connection.execute(sa.select(evse).where(evse.c.evse_id == "DE*ABC*E19")).one()
        assert row.removed_at_w == 1_795_262_400_000_000
        assert row.id == result.touched[0]
        assert connection.scalar(sa.select(sa.func.count()).select_from(connector)) == 19
        assert connection.scalar(sa.select(sa.func.count()).select_from(fact)) == 0
        assert find_station(connection, "s19") is None
    back = load(store, many(20), prune=True)
    assert back.diff == InventoryDiff(stations_added=("S19",), evses_added=("DE*ABC*E19",))
    assert back.touched == result.touched


async def test_a_removed_station_does_not_keep_its_credential(store: Store) -> None:
    load(store, TWO)
    load(store, "b,2.0.1,,insecure,1,1,DE*ABC*E3,north,,\n", prune=True, yes=True)
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(station.c.key_digest).where(station.c.id == "A")).scalar_one() is None


async def test_removing_more_than_a_tenth_needs_a_yes(store: Store) -> None:
    load(store, many(20))
    with pytest.raises(NeedsYes) as caught:
        load(store, many(17), prune=True)
    assert caught.value.result.diff.evses_removed == ("DE*ABC*E17", "DE*ABC*E18", "DE*ABC*E19")
    assert "remove 3 of 20 EVSEs and 3 of 20 stations" in str(caught.value)
    assert len(await entries(store)) == 20
    assert len(load(store, many(18), prune=True).diff.evses_removed) == 2
    load(store, many(1), prune=True, yes=True)
    assert len(await entries(store)) == 1


async def test_a_collision_with_an_evse_that_stays_is_a_warning(store: Store) -> None:
    load(store, "A,1.6,,insecure,,1,DE*ABC*E1*11,north,,\n")
    result = load(store, "A,1.6,,insecure,,2,DE*ABC*E11*1,north,,\n")
    assert [warning.text.split(" are ")[0] for warning in result.warnings] == [
        "DE*ABC*E11*1 and DE*ABC*E1*11 (in the store)"
    ]


async def test_a_dry_run_tells_the_same_and_changes_nothing(store: Store) -> None:
    inventory = parse_inventory(HEADER + TWO, operators={"north"}, read_key_file=lambda _: b"")
    with store.engine.connect() as connection:
        transaction = connection.begin()
        dry = import_inventory(connection, inventory, keys=StationKeys(PEPPER), now=NOW)
        transaction.rollback()
    assert await entries(store) == {}
    assert replace(load(store, TWO), touched=()) == replace(dry, touched=())


def connect(store: Store, profile: SecurityProfile, key_salt: bytes | None = None) -> None:
    opened = StationConnected(StationId("A"), OcppVersion.V16, "127.0.0.1:1", profile, key_salt)
    with store.engine.begin() as connection:
        open_connections(connection, [(opened, "node", 1)])


def test_a_station_that_opens_twice_in_one_transaction_gets_two_epochs_and_the_later_one_stays(store: Store) -> None:
    load(store, TWO)
    names = ["A", "b", "A"]
    openings = [
        (StationConnected(StationId(name), OcppVersion.V16, f"127.0.0.1:{port}", SecurityProfile.BASIC), "node", port)
        for port, name in enumerate(names)
    ]
    with store.engine.begin() as transaction:
        assert open_connections(transaction, openings) == [1, 1, 2]
        assert open_connections(transaction, openings[:1]) == [3]
    with store.engine.connect() as reading:
        stored = dict(reading.execute(sa.select(connection.c.station, connection.c.remote)).all())
    assert stored == {"A": "127.0.0.1:0", "b": "127.0.0.1:1"}


def rotate(store: Store, key: bytes) -> Credential:
    credential = StationKeys(PEPPER).new(key)
    with store.engine.begin() as connection:
        values = {"pending_salt": credential.salt, "pending_digest": credential.digest, "pending_at_w": 1}
        connection.execute(sa.update(station).where(station.c.id == "A").values(values))
    return credential


def find(store: Store) -> StationRecord:
    with store.engine.connect() as connection:
        found = find_station(connection, "a")
    assert found is not None
    return found


NEW_KEY = b"fedcba9876543210"


async def test_a_pending_key_takes_over_only_when_the_station_proves_it(store: Store) -> None:
    load(store, TWO)
    old, new = find(store).credential, rotate(store, NEW_KEY)
    assert old is not None
    connect(store, SecurityProfile.BASIC, old.salt)
    assert (find(store).credential, find(store).pending) == (old, new)
    connect(store, SecurityProfile.BASIC, new.salt)
    assert (find(store).credential, find(store).pending) == (new, None)


@pytest.mark.parametrize("proved", [False, True], ids=["pending", "proved"])
async def test_a_file_with_the_key_from_before_a_rotation_does_not_lock_the_station_out(
    store: Store, proved: bool
) -> None:
    load(store, TWO)
    new = rotate(store, NEW_KEY)
    if proved:
        connect(store, SecurityProfile.BASIC, new.salt)
    before = find(store)
    result = load(store, TWO)
    assert find(store) == before
    assert result.credentials_changed == ()
    assert [warning.text for warning in result.warnings] == (
        ["A: its key was rotated since this file was written, and the new one stays; remove the key from the file"]
        if proved
        else []
    )


async def test_a_third_key_from_a_file_ends_a_rotation(store: Store) -> None:
    load(store, TWO)
    rotate(store, NEW_KEY)
    load(store, TWO.replace(KEY, "another key from the operator"))
    found = find(store)
    assert found.pending is None
    assert found.credential is not None
    assert StationKeys(PEPPER).proves(b"another key from the operator", found.credential)


async def test_the_profile_that_a_station_proved_stays_until_the_word_insecure(store: Store) -> None:
    load(store, TWO)
    connect(store, SecurityProfile.TLS_BASIC)
    connect(store, SecurityProfile.BASIC)
    assert find(store).reached is SecurityProfile.TLS_BASIC
    (warning,) = load(store, TWO).warnings
    assert warning.text.startswith("A has connected with security profile 2, and is refused with less")
    assert find(store).reached is SecurityProfile.TLS_BASIC
    load(store, "A,1.6,,insecure,,1,DE*ABC*E1,north,,\nA,1.6,,,,2,DE*ABC*E2,north,,\n")
    assert find(store).reached is SecurityProfile.NONE


async def test_how_a_station_proves_itself_and_is_kept_alive_comes_from_the_file(store: Store) -> None:
    header = (
        "station,version,key,security,connector,evse_id,operator,weak_key,certificate_name,compression,ping_seconds\n"
    )
    rows = "A,1.6,hush,2,1,DE*ABC*E1,north,true,,off,0\nB,1.6,,3,1,DE*ABC*E2,north,,SN-1,on,\n"
    inventory = parse_inventory(header + rows, operators={"north"}, read_key_file=lambda _: b"")
    with store.engine.begin() as connection:
        import_inventory(connection, inventory, keys=StationKeys(PEPPER), now=NOW)
    found = find(store)
    assert found.credential is not None
    assert found.credential.slow
    assert (found.security, found.compression, found.ping_interval) == (2, False, timedelta(0))
    with store.engine.connect() as connection:
        other = find_station(connection, "b")
    assert other is not None
    assert (other.security, other.credential, other.certificate_name, other.compression) == (3, None, "SN-1", True)


async def test_quirk_profiles_come_from_the_file(store: Store) -> None:
    header = "station,version,key,security,connector,evse_id,operator,quirks\n"

    def quirks(cell: str) -> tuple[str, ...] | None:
        rows = f"A,1.6,,insecure,1,DE*ABC*E1,north,{cell}\n"
        inventory = parse_inventory(
            header + rows, operators={"north"}, read_key_file=lambda _: b"", quirks={"no-pings", "alfen"}
        )
        with store.engine.begin() as connection:
            import_inventory(connection, inventory, keys=StationKeys(PEPPER), now=NOW)
        return find(store).quirks

    assert quirks("") is None
    assert quirks("no-pings  alfen") == ("alfen", "no-pings")
    assert quirks("none") == ()
