"""Describe a charging station as the file has it for Chargeprice: every field, and what each one may hold.

Never sends. What a field may not hold here, Chargeprice would answer with HTTP 400. Before it: `chargeprice`, which
turns a breach into a mistake of the file. Twin: `evse_data`.

Source: Chargeprice API, PUT /v2/charging_stations/:id, and its enums (Plugs); countries are ISO 3166-1 alpha-2.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bridge.core.identifiers import InvalidId, parse_evse_id

COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - a list of 249 literals would be a line each
)

Plug = Literal["ccs", "type2", "chademo", "schuko", "type1", "type3", "tesla_ccs", "tesla_suc", "ccs1", "nacs"]
"""Source: Chargeprice API, enums, Plugs. There is no word for any other plug."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def _country(text: str) -> str:
    if text not in COUNTRIES:
        raise ValueError("should be a country's ISO 3166-1 code of two capitals, for example AT (GB, not UK)")
    return text


def _uuid(text: str) -> str:
    if _UUID.fullmatch(text) is None:
        raise ValueError("should be a UUID such as 20006f18-3ed4-4715-92b5-08e37e6dd18c")
    return str(UUID(text))


def _evse_id(text: str) -> str:
    try:
        return parse_evse_id(text)
    except InvalidId as error:
        raise ValueError(f"must be {error.wanted}") from error


def _free(value: Any) -> bool | None:
    if value == "unknown":
        return None
    if not isinstance(value, bool):
        raise ValueError('should be true, false or "unknown"')
    return value


def _spoken(text: str) -> str:
    if not text.strip():
        raise ValueError("should say something")
    return text


class _Table(BaseModel):
    """A table with exactly these members; nothing is converted but what says so."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Words = Annotated[str, StringConstraints(max_length=500), AfterValidator(_spoken)]
Power = Annotated[float, Field(gt=0, le=10_000)]
"""Kilowatts."""
Free = Annotated[Any, AfterValidator(_free)]
"""Free of charge; None where it is not known."""


class PlugTable(_Table):
    """One plug of an EVSE."""

    plug: Plug
    power: Power
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    """Charge points of this type that it stands for."""


class EvseTable(_Table):
    """One EVSE: one plug written beside its id, or a list of them."""

    evse_id: Annotated[str, AfterValidator(_evse_id)]
    plug: Plug | None = None
    power: Power | None = None
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    plugs: Annotated[list[PlugTable], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_or_many(self) -> EvseTable:
        single = self.plug is not None and self.power is not None
        none = self.plug is None and self.power is None and self.count == 1
        if (self.plugs is None and not single) or (self.plugs is not None and not none):
            raise ValueError("should have plug and power, or plugs = [{ plug, power }, …]")
        return self

    @property
    def all_plugs(self) -> list[PlugTable]:
        """Its plugs, however they are written."""
        if self.plugs is not None:
            return self.plugs
        if self.plug is None or self.power is None:
            raise AssertionError("an EVSE without plugs was refused")
        return [PlugTable(plug=self.plug, power=self.power, count=self.count)]


class StationTable(_Table):
    """One station."""

    name: Words
    id: Annotated[str, AfterValidator(_uuid)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    country: Annotated[str, AfterValidator(_country)]
    address: Words
    status: Literal["operational", "out_of_order", "removed", "under_construction"]
    free_parking: Free = None
    free_charging: Free = None
    evses: Annotated[list[EvseTable], Field(min_length=1)]
    replaces: Annotated[str, AfterValidator(_uuid)] | None = None
    """A station of another source that this one replaces, and that Chargeprice deletes for it."""
