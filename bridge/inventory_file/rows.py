"""Hold what an inventory file says, and what is wrong with it.

Values only. Before it: `parser`. After it: `store.inventory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.core.model import EvseId, Layer0
from csms.events import OcppVersion, SecurityProfile, StationId

_LONGEST_SHOWN = 64


@dataclass(frozen=True, slots=True)
class RowError:
    """One mistake in the file."""

    line: int
    """Line of the file, counted from 1; 0 for the file as a whole."""
    column: str
    """Empty where the row as a whole is meant."""
    value: str
    """What is written there; empty for a key."""
    wanted: str
    """What is wrong and what would be right."""

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "the file"
        if self.column:
            place += f", {self.column}"
        if self.value:
            place += f" {self.value[:_LONGEST_SHOWN]!r}"
        return f"{place}: {self.wanted}"


@dataclass(frozen=True, slots=True)
class RowWarning:
    """Something that is allowed and probably not meant."""

    line: int
    text: str


class InventoryInvalid(Exception):
    """The file has mistakes, and nothing of it was taken."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(tuple(errors))
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


@dataclass(frozen=True, slots=True)
class StationRow:
    """One station of the file; `line` is its first."""

    line: int
    station: StationId
    version: OcppVersion
    default_version: OcppVersion | None
    security: SecurityProfile
    key: bytes | None = field(repr=False)
    """None: keep the one that is stored; or the station proves itself without one."""
    layer0: Layer0
    strict: bool
    certificate_name: str = ""
    """Common name of its client certificate; empty: its identity."""
    compression: bool | None = None
    """None: as its OCPP version asks."""
    ping_s: int | None = None
    """Seconds between pings; 0: none; None: as the server's."""
    quirks: str | None = None
    """Names of quirk profiles in order, separated by blanks; empty: none; None: by vendor, model and firmware."""

    @property
    def wants_key(self) -> bool:
        """Does the station prove itself by a key."""
        return self.security in (SecurityProfile.BASIC, SecurityProfile.TLS_BASIC)


@dataclass(frozen=True, slots=True)
class EvseRow:
    """One EVSE of the file; `line` is its first."""

    line: int
    evse_id: EvseId
    canonical: str
    station: StationId
    operator: str
    chargeprice_station: str
    chargeprice_point: str
    spirii: bool = False
    """Its temporary statuses are mirrored to its operator's account at Spirii, which manages it."""


@dataclass(frozen=True, slots=True)
class ConnectorRow:
    """One connector of the file, addressed as in `csms.events`: evse 0 for OCPP 1.6."""

    line: int
    station: StationId
    evse: int
    connector: int
    evse_id: EvseId


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the file says, consistent in itself."""

    stations: tuple[StationRow, ...]
    evses: tuple[EvseRow, ...]
    connectors: tuple[ConnectorRow, ...]
    warnings: tuple[RowWarning, ...] = ()
