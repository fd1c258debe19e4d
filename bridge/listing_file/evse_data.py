"""Describe an EVSE as Hubject takes it: every field, and what each one may hold.

Never sends. What a field may not hold here, Hubject would answer with HTTP 400, and the EVSE would stay invisible.
Before it: `hubject`, which turns a breach into a mistake of the file.

Source: OICP 2.3 CPO data types, EvseDataRecordType and the types it names; Hubject's OpenAPI of eRoamingPushEvseData.
Where the two differ, the narrower one counts (EnergySource.Percentage has two digits). The type's table writes
`ChargingStationId`, every published example `ChargingStationID`: the examples' spelling is sent. `deltaType` and
`lastUpdate` are written by Hubject.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator


def _matching(pattern: str, meaning: str) -> AfterValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(f"should be {meaning}")
        return text

    return AfterValidator(check)


def _alone(options: list[str]) -> list[str]:
    if "No Payment" in options and len(options) > 1:
        raise ValueError('"No Payment" cannot be combined with another option')
    return options


def _once(values: list[str]) -> list[str]:
    if repeated := sorted({value for value in values if values.count(value) > 1}):
        raise ValueError(f"names {', '.join(repeated)} twice")
    return values


def _two_digits(amperes: int) -> int:
    if amperes > 99:
        raise ValueError("Hubject's field has two digits: leave it out where the current is above 99 A")
    return amperes


def _below_whole(percentage: int) -> int:
    if percentage > 99:
        raise ValueError("Hubject's field has two digits: leave it out for the only source")
    return percentage


class _Table(BaseModel):
    """A JSON object with exactly these members; nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


_DEGREE = r"-?1?[0-9]{1,2}\.[0-9]{1,6}"
_MINUTES = r"-?1?[0-9]{1,2}°[ ]?[0-9]{1,2}'[ ]?[0-9]{1,2}\.[0-9]+''"

Text = Annotated[str, StringConstraints(max_length=150)]
Upto5 = Annotated[str, StringConstraints(max_length=5)]
Upto10 = Annotated[str, StringConstraints(max_length=10)]
Upto20 = Annotated[str, StringConstraints(max_length=20)]
Upto50 = Annotated[str, StringConstraints(max_length=50)]
Upto100 = Annotated[str, StringConstraints(max_length=100)]
Upto200 = Annotated[str, StringConstraints(max_length=200)]
ThreeDigits = Annotated[int, Field(ge=0, le=999)]
Language = Annotated[
    str,
    _matching(
        r"[a-z]{2,3}(?:-[A-Z]{2,3}(?:-[a-zA-Z]{4})?)?(?:-x-[a-zA-Z0-9]{1,8})?", 'a language such as "de" or "en-GB"'
    ),
]
Degree = Annotated[str, _matching(_DEGREE, 'degrees in quotes with 1 to 6 decimals, for example "9.360922"')]
Minutes = Annotated[str, _matching(_MINUTES, "degrees, minutes and seconds, for example 9°21'39.32''")]
ClockTime = Annotated[
    str, _matching(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", 'a time of day in quotes, for example "08:30"')
]
OperatorId = Annotated[
    str,
    _matching(
        r"([A-Za-z]{2}\*?[A-Za-z0-9]{3})|(\+?[0-9]{1,3}\*[0-9]{3})", "an OperatorID, for example DE*ABC or +49*810"
    ),
]
Plug = Literal[
    "Small Paddle Inductive",
    "Large Paddle Inductive",
    "AVCON Connector",
    "Tesla Connector",
    "NEMA 5-20",
    "Type E French Standard",
    "Type F Schuko",
    "Type G British Standard",
    "Type J Swiss Standard",
    "Type 1 Connector (Cable Attached)",
    "Type 2 Outlet",
    "Type 2 Connector (Cable Attached)",
    "Type 3 Outlet",
    "IEC 60309 Single Phase",
    "IEC 60309 Three Phase",
    "CCS Combo 2 Plug (Cable Attached)",
    "CCS Combo 1 Plug (Cable Attached)",
    "CHAdeMO",
]
AuthenticationMode = Literal[
    "NFC RFID Classic",
    "NFC RFID DESFire",
    "PnC",
    "REMOTE",
    "Direct Payment",
    "No Authentication Required",
]
Service = Literal[
    "Reservation",
    "DynamicPricing",
    "ParkingSensors",
    "MaximumPowerCharging",
    "PredictiveChargePointUsage",
    "ChargingPlans",
    "RoofProvided",
    "None",
]


class InfoTextType(_Table):
    """A text in one language."""

    lang: Language
    value: Text


class AddressIso19773Type(_Table):
    """Where the station is."""

    Country: Annotated[
        str,
        _matching("[A-Z]{3}", "a country of three capital letters, for example DEU (ISO 3166-1)"),
        Field(examples=["DEU"]),
    ]
    City: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    Street: Annotated[str, StringConstraints(min_length=2, max_length=100)]
    PostalCode: Upto10
    HouseNum: Upto10
    Floor: Upto5 | None = None
    Region: Upto50 | None = None
    ParkingFacility: bool | None = None
    ParkingSpot: Upto5 | None = None
    TimeZone: Annotated[str, _matching(r"UTC[+,-][0-9]{2}:[0-9]{2}", "an offset such as UTC+01:00")] | None = None


class GeoCoordinatesGoogleType(_Table):
    """As Google writes it; WGS 84."""

    Coordinates: Annotated[
        str, _matching(rf"{_DEGREE}\s*,?\s*{_DEGREE}", 'latitude, then longitude, for example "47.662249 9.360922"')
    ]


class GeoCoordinatesDecimalDegreeType(_Table):
    """Decimal degrees."""

    Longitude: Degree
    Latitude: Degree


class GeoCoordinatesDegreeMinuteSecondsType(_Table):
    """Degrees, minutes, seconds."""

    Longitude: Minutes
    Latitude: Minutes


class GeoCoordinatesType(_Table):
    """One of the three MUST be provided."""

    Google: GeoCoordinatesGoogleType | None = None
    DecimalDegree: GeoCoordinatesDecimalDegreeType | None = None
    DegreeMinuteSeconds: GeoCoordinatesDegreeMinuteSecondsType | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> GeoCoordinatesType:
        if len(self.model_fields_set) != 1:
            raise ValueError("should have exactly one of: Google, DecimalDegree, DegreeMinuteSeconds")
        return self


class ChargingFacilityType(_Table):
    """What one way of charging offers."""

    PowerType: Literal["AC_1_PHASE", "AC_3_PHASE", "DC"]
    Power: ThreeDigits
    """Kilowatts."""
    Voltage: ThreeDigits | None = None
    """Volts, line to neutral."""
    Amperage: Annotated[int, Field(ge=0), AfterValidator(_two_digits)] | None = None
    ChargingModes: list[Literal["Mode_1", "Mode_2", "Mode_3", "Mode_4", "CHAdeMO"]] | None = None


class EnergySourceType(_Table):
    """A source, and its share in percent."""

    Energy: Literal[
        "Solar",
        "Wind",
        "HydroPower",
        "GeothermalEnergy",
        "Biomass",
        "Coal",
        "NuclearEnergy",
        "Petroleum",
        "NaturalGas",
    ]
    Percentage: Annotated[int, Field(ge=0), AfterValidator(_below_whole)] | None = None


class EnvironmentalImpactType(_Table):
    """Grams per kilowatt-hour."""

    CO2Emission: Annotated[float, Field(ge=0, le=99999)] | None = None
    NuclearWaste: Annotated[float, Field(ge=0, le=99999)] | None = None


class PeriodType(_Table):
    """From when to when."""

    begin: ClockTime
    end: ClockTime


class OpeningTimesType(_Table):
    """On which days, and when on each."""

    Period: Annotated[list[PeriodType], Field(min_length=1)]
    on: Literal[
        "Everyday",
        "Workdays",
        "Weekend",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]


class EvseDataRecordType(_Table):
    """One EVSE; the 16 mandatory fields first."""

    EvseID: str
    ChargingStationNames: Annotated[list[InfoTextType], Field(min_length=1)]
    Address: AddressIso19773Type
    GeoCoordinates: GeoCoordinatesType
    Plugs: Annotated[list[Plug], Field(min_length=1), AfterValidator(_once)]
    ChargingFacilities: Annotated[list[ChargingFacilityType], Field(min_length=1)]
    RenewableEnergy: bool
    CalibrationLawDataAvailability: Literal["Local", "External", "Not Available"]
    AuthenticationModes: Annotated[list[AuthenticationMode], Field(min_length=1), AfterValidator(_once)]
    PaymentOptions: Annotated[
        list[Literal["No Payment", "Direct", "Contract"]],
        Field(min_length=1),
        AfterValidator(_once),
        AfterValidator(_alone),
    ]
    ValueAddedServices: Annotated[list[Service], Field(min_length=1), AfterValidator(_once)]
    Accessibility: Literal[
        "Free publicly accessible", "Restricted access", "Paying publicly accessible", "Test Station"
    ]
    HotlinePhoneNumber: Annotated[
        str,
        _matching(r"\+[0-9]{5,15}", "+ and 5 to 15 digits without spaces, for example +49305132787"),
        Field(examples=["+49305132787"]),
    ]
    IsOpen24Hours: bool
    IsHubjectCompatible: bool
    DynamicInfoAvailable: Literal["true", "false", "auto"]

    ChargingPoolID: (
        Annotated[
            str,
            _matching(r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?P[A-Za-z0-9*]{1,30}", "a pool's id, for example IT*123*P456"),
        ]
        | None
    ) = None
    ChargingStationID: Upto50 | None = None
    HardwareManufacturer: Upto50 | None = None
    ChargingStationImage: Upto200 | None = None
    SubOperatorName: Upto100 | None = None
    DynamicPowerLevel: bool | None = None
    EnergySource: list[EnergySourceType] | None = None
    EnvironmentalImpact: EnvironmentalImpactType | None = None
    MaxCapacity: Annotated[int, Field(ge=0)] | None = None
    """Kilowatt-hours."""
    AccessibilityLocation: Literal["OnStreet", "ParkingLot", "ParkingGarage", "UndergroundParkingGarage"] | None = None
    AdditionalInfo: list[InfoTextType] | None = None
    ChargingStationLocationReference: list[InfoTextType] | None = None
    GeoChargingPointEntrance: GeoCoordinatesType | None = None
    OpeningTimes: Annotated[list[OpeningTimesType], Field(min_length=1)] | None = None
    HubOperatorID: OperatorId | None = None
    ClearinghouseID: Upto20 | None = None
