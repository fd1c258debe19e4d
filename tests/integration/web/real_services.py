"""The real services over a real store, for tests of the web: three accounts, two operators, no station connected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bridge.app import options as fill
from bridge.app.attempts import RefusedAttempts
from bridge.app.clock import SystemClock
from bridge.app.services import StoreServices
from bridge.app.wakes import Wakes
from bridge.settings import Settings
from bridge.store.engine import Store
from bridge.store.writer import Writer
from csms.auth import StationKeys
from csms.events import StationId
from csms.flapping import Flapping
from csms.operator_calls import AWAY, CallAnswer
from csms.quirks import Quirks
from csms.server import ConnectedStation

PEPPER = b"p" * 32
HEAD = "station,version,key,security,evse,connector,evse_id,operator\n"


def settings_of(folder: Path, told: Sequence[str] = ()) -> Settings:
    """A live account, one that is to be held, and one that is off; `told`: those that are told of acme's EVSEs."""
    hubject: dict[str, Any] = {"kind": "oicp", "base_url": "http://127.0.0.1:9", "operator_id": "DE*ABC"}
    chargeprice = {
        "kind": "chargeprice",
        "base_url": "http://127.0.0.1:9",
        "company_id": "00000000-0000-4000-8000-000000000001",
        "api_key": "a-key-of-thirty-two-characters-xx",
    }
    accounts = {
        "hubject": hubject | {"mode": "live"},
        "held": hubject | {"mode": "live", "operator_id": "DE*XYZ"},
        "chargeprice": chargeprice,
    }
    operators = {"acme": {"name": "Acme", "accounts": list(told)}, "other": {"name": "Other"}}
    return Settings.model_validate({"state_dir": folder / "state", "operators": operators, "accounts": accounts})


class Nobody:
    """An OCPP side to which no station is connected."""

    connected: Mapping[StationId, ConnectedStation] = {}

    async def call(self, *_: Any, **__: Any) -> CallAnswer:
        return AWAY

    def disconnect(self, station: StationId) -> None: ...

    def dismiss_guests(self, stations: Iterable[StationId]) -> None: ...

    def flapping(self) -> Sequence[Flapping]:
        return ()

    def quirks_of(self, station: StationId) -> Quirks | None:
        return None


def real_services(
    store: Store, writer: Writer, folder: Path, *, without_stations: bool = True, told: Sequence[str] = ()
) -> StoreServices:
    settings = settings_of(folder, told)
    return StoreServices(
        settings,
        store,
        writer,
        clock=SystemClock(),
        keys=StationKeys(PEPPER),
        derive=fill.derive_options(settings),
        wakes=Wakes(),
        central=None if without_stations else Nobody(),
        attempts=RefusedAttempts(SystemClock()),
    )


def rows(count: int, start: int = 1) -> str:
    """An inventory of stations with one connector each."""
    return HEAD + "".join(
        f"CS-{number:05},1.6,,insecure,,1,DE*ABC*E{number:05},acme\n" for number in range(start, start + count)
    )
