"""State the JSON of single stations and EVSEs of the inventory: what the columns of its file say, with types.

Never holds a stored key: only digests of keys are kept. Used by `inventory_edit_routes`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bridge.web.shapes import ImportReport, Shape

_Text = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Number = Annotated[int, Field(ge=1, lt=2**31)]
_Version = Literal["1.6", "2.0.1", "2.1"]
_Security = Literal["1", "2", "3", "insecure"]
_MOST = 256


class InventoryConnector(Shape):
    """One connector, as its station counts it."""

    evse: _Number | None = None
    """Number of the station's EVSE; null for OCPP 1.6, which counts connectors only."""
    connector: _Number


class _EvseChange(Shape):
    operator: _Text = ""
    """Name of its operator in the configuration."""
    chargeprice_station: _Text = ""
    chargeprice_point: _Text = ""
    spirii: bool = False
    """Its temporary statuses are mirrored to its operator's account at Spirii."""
    connectors: Annotated[tuple[InventoryConnector, ...], Field(min_length=1, max_length=_MOST)] = ()


class InventoryEvseChange(_EvseChange):
    """Body of PATCH of an EVSE: what is to be different."""

    station: _Text = ""
    """Another one: the EVSE moves there."""


class InventoryEvseWish(InventoryEvseChange):
    """Body of PUT of an EVSE: all that the inventory is to say of it."""

    station: _Text
    """A station of the inventory."""
    operator: _Text
    connectors: Annotated[tuple[InventoryConnector, ...], Field(min_length=1, max_length=_MOST)]


class InventoryEvse(InventoryEvseWish):
    """What the inventory says of one EVSE."""

    evse_id: str


class StationEvse(_EvseChange):
    """One EVSE of a station."""

    evse_id: _Text
    operator: _Text
    connectors: Annotated[tuple[InventoryConnector, ...], Field(min_length=1, max_length=_MOST)]


class _StationChange(Shape):
    version: _Version = "1.6"
    """Which OCPP it speaks; it decides whether connectors are counted within EVSEs."""
    default_version: _Version | None = None
    """The version that is spoken where a station names none: null, or the same as `version`."""
    security: _Security = "1"
    """Least security profile; or insecure: no proof at all."""
    certificate_name: _Text = ""
    """Common name of its client certificate; empty: its identity."""
    compression: bool | None = None
    """null: as its OCPP version asks."""
    ping_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    """0: none; null: as the server's."""
    quirks: tuple[_Text, ...] | None = None
    """Names of quirk profiles; null: by vendor, model and firmware."""
    layer0: Literal["downgrade", "source", "ignore"] = "downgrade"
    strict: bool = False
    evses: Annotated[tuple[StationEvse, ...], Field(min_length=1, max_length=_MOST)] = ()
    """All of them: one that is there and not named is removed."""


class InventoryStationChange(_StationChange):
    """Body of PATCH of a station: what is to be different."""

    key: Annotated[str | None, Field(repr=False, max_length=256)] = None
    """A new one; where none is given, the one that is there stays."""
    generate_key: bool = False
    """Make a new one; it is in the answer, and never again."""
    weak_key: bool = False
    """The key may be shorter than 16 bytes."""

    @model_validator(mode="after")
    def _one_key(self) -> InventoryStationChange:
        if self.key is not None and self.generate_key:
            raise ValueError("give key or generate_key, not both")
        return self


class InventoryStationWish(InventoryStationChange):
    """Body of PUT of a station: all that the inventory is to say of it."""

    version: _Version
    evses: Annotated[tuple[StationEvse, ...], Field(min_length=1, max_length=_MOST)]


class InventoryStation(_StationChange):
    """What the inventory says of one station; never its key."""

    station: str
    version: _Version | None  # type: ignore[assignment]
    """null: it has no EVSE, whose connectors would tell."""
    evses: tuple[StationEvse, ...]


class InventoryEdit(ImportReport):
    """What an edit changed, or with `dry_run` would change."""

    key: Annotated[str | None, Field(repr=False)] = None
    """The key that was generated, here and never again; null: none was."""
