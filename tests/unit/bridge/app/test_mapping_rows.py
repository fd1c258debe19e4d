from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.app.mapping_rows import inventory_of
from bridge.inventory_file import Inventory, InventoryInvalid
from bridge.web.quarantine_shapes import MapWish
from csms.events import OcppVersion, SecurityProfile, StationId

V16, V201 = OcppVersion.V16, OcppVersion.V201
KEY = b"0123456789abcdef"


def mapped(
    *evses: str, version: OcppVersion = V16, station: str = "CP1", key: bytes | None = KEY, **more: Any
) -> Inventory:
    proof: dict[str, Any] = {} if more.keys() & {"insecure", "certificate_name"} else {"generate_key": True}
    wish = MapWish(evses=evses, **{"operator": "acme", **proof, **more})
    return inventory_of(StationId(station), version, wish, key, ["acme"])


def addresses(inventory: Inventory) -> list[tuple[int, int, str]]:
    return [(row.evse, row.connector, row.evse_id) for row in inventory.connectors]


@pytest.mark.parametrize(
    ("version", "evses", "expected"),
    [
        pytest.param(V16, ("de*abc*e1",), [(0, 1, "DE*ABC*E1")], id="1.6: one EVSE is connector 1"),
        pytest.param(
            V16, ("1=DE*ABC*E1", "2=DE*ABC*E2"), [(0, 1, "DE*ABC*E1"), (0, 2, "DE*ABC*E2")], id="1.6: two connectors"
        ),
        pytest.param(
            V16, ("1=DE*ABC*E1", "2=DE*ABC*E1"), [(0, 1, "DE*ABC*E1"), (0, 2, "DE*ABC*E1")], id="1.6: sharing an EVSE"
        ),
        pytest.param(V201, ("DE*ABC*E1",), [(1, 1, "DE*ABC*E1")], id="2.x: one EVSE is EVSE 1, connector 1"),
        pytest.param(
            V201, ("1=DE*ABC*E1", "2=DE*ABC*E2"), [(1, 1, "DE*ABC*E1"), (2, 1, "DE*ABC*E2")], id="2.x: EVSEs by number"
        ),
        pytest.param(
            V201, ("1.1=DE*ABC*E1", "1.2=DE*ABC*E1"), [(1, 1, "DE*ABC*E1"), (1, 2, "DE*ABC*E1")], id="2.x: connectors"
        ),
    ],
)
def test_evses_are_named_with_their_connectors(
    version: OcppVersion, evses: tuple[str, ...], expected: list[tuple[int, int, str]]
) -> None:
    assert addresses(mapped(*evses, version=version)) == expected


@pytest.mark.parametrize(
    ("options", "security", "kept"),
    [
        pytest.param({}, SecurityProfile.BASIC, KEY, id="key"),
        pytest.param({"key": None, "insecure": True}, SecurityProfile.NONE, None, id="insecure"),
        pytest.param({"key": None, "certificate_name": "CP1.acme"}, SecurityProfile.TLS_CERTIFICATE, None, id="cert"),
    ],
)
def test_how_it_proves_itself_is_what_the_inventory_says(
    options: dict[str, Any], security: SecurityProfile, kept: bytes | None
) -> None:
    [station] = mapped("DE*ABC*E1", **options).stations
    assert (station.security, station.key) == (security, kept)
    assert station.certificate_name == options.get("certificate_name", "")


def test_a_key_may_hold_whatever_a_file_would_quote() -> None:
    key = b'",\xff# 0123456789abcdef'
    [station] = mapped("DE*ABC*E1", key=key).stations
    assert station.key == key


@pytest.mark.parametrize(
    ("evses", "options", "wrong"),
    [
        pytest.param(("DE*ABC*E1", "DE*ABC*E2"), {}, (1, "evses", "must begin with its connector"), id="no connector"),
        pytest.param(("1=nonsense",), {}, (1, "evse_id", "must be"), id="no EVSE id"),
        pytest.param(("1=DE*ABC*E1", "1=DE*ABC*E2"), {}, (2, "connector", "is claimed for"), id="claimed twice"),
        pytest.param(("1.1=DE*ABC*E1",), {}, (1, "evse", "must be empty"), id="an EVSE number in 1.6"),
        pytest.param(
            ("DE*ABC*E1",), {"operator": "other"}, (1, "operator", "is no configured operator"), id="operator"
        ),
        pytest.param(("DE*ABC*E1",), {"key": b"short"}, (1, "key", "must have at least 16"), id="short key"),
    ],
)
def test_every_rule_of_an_import_holds(
    evses: tuple[str, ...], options: dict[str, Any], wrong: tuple[int, str, str]
) -> None:
    with pytest.raises(InventoryInvalid) as caught:
        mapped(*evses, **options)
    error = caught.value.errors[0]
    assert (error.line, error.column) == wrong[:2]
    assert wrong[2] in error.wanted


def test_a_weak_key_is_taken_where_that_is_said() -> None:
    [station] = mapped("DE*ABC*E1", key=b"short", weak_key=True).stations
    assert station.key == b"short"


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param({}, id="none"),
        pytest.param({"insecure": True, "generate_key": True}, id="two"),
        pytest.param({"key": "0123456789abcdef", "certificate_name": "CP1"}, id="key and certificate"),
    ],
)
def test_exactly_one_way_to_prove_itself_is_given(proof: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give one of key, generate_key, certificate_name, or insecure"):
        MapWish(evses=("DE*ABC*E1",), operator="acme", **proof)


def test_no_text_shows_the_key() -> None:
    wish = MapWish(evses=("DE*ABC*E1",), operator="acme", key="0123456789abcdef")
    assert "0123456789abcdef" not in repr(wish)


@pytest.mark.parametrize("text", ["DE*ABC*E1\n9,9,9", "DE*ABC\x00", "\u202eDE*ABC*E1"])
def test_what_cannot_be_printed_is_no_value(text: str) -> None:
    with pytest.raises(ValidationError, match="should be printable"):
        MapWish(evses=(text,), operator="acme", generate_key=True)
