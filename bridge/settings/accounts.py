"""Describe the accounts: our identity at each hub, and what this hub alone can be set to.

Every table `[accounts.NAME]` is one of the models here, by its `kind`.
"""

from __future__ import annotations

from datetime import time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from bridge.core.identifiers import InvalidId, parse_operator_id
from bridge.core.modes import Mode
from bridge.settings.company import CompanyTable
from bridge.settings.fields import (
    Duration,
    HubUrl,
    ReadableFile,
    TimeOfDay,
    between,
    check_key,
    matching,
    read_list,
    read_time_zone,
    whole,
)
from bridge.settings.sections import Section

_PER_MINUTE_AT_HUBJECT = 2000
"""Source: OICP Hubject Acceptable Use Policy v1-0, PushEVSEStatus per minute and partner."""

_DATA_PER_MINUTE_AT_HUBJECT = 375
"""Source: OICP Hubject Acceptable Use Policy v1-0, PushEVSEData per minute and partner."""

_PER_MINUTE_AT_CHARGEPRICE = 1000
"""Source: Chargeprice API terms, requests per minute and key."""

_PER_MINUTE_AT_SPIRII = 120
"""Source: Spirii API, Rate limits, writes per minute; its older page counts every request."""


def _check_key(key: SecretStr) -> SecretStr:
    check_key(key.get_secret_value())
    return key


def _check_passphrase(passphrase: SecretStr) -> SecretStr:
    if not passphrase.get_secret_value():
        raise ValueError("should be the passphrase of the client key, not nothing")
    return passphrase


def _check_operator_id(text: str) -> str:
    try:
        parse_operator_id(text)
    except InvalidId as error:
        raise ValueError('should be an OperatorID such as "DE*ABC"') from error
    return text


_OperatorId = Annotated[str, AfterValidator(_check_operator_id)]


class Day(StrEnum):
    """A day of the week."""

    SUNDAY = "sunday"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"


class _Account(Section):
    mode: Mode | None = None
    base_url: HubUrl


class _StatusAccount(_Account):
    map: dict[str, str] = Field(default_factory=dict)
    """Effective status → the hub's word, where it is not the default one."""


class OicpAccount(_StatusAccount):
    """An identity at Hubject: OperatorID and client certificate."""

    kind: Literal["oicp"]
    per_minute: Annotated[int, whole(1, _PER_MINUTE_AT_HUBJECT)] = 1500
    operator_id: _OperatorId
    operator_name: Annotated[str, matching(r".{0,100}", "a name of at most 100 characters")] = ""
    action: Literal["update", "insert"] = "update"
    client_certificate: ReadableFile | None = None
    client_key: ReadableFile | None = None
    client_key_passphrase: Annotated[SecretStr, AfterValidator(_check_passphrase)] | None = None
    client_key_passphrase_file: Path | None = None
    """Where `client_key_passphrase` is from: the file that was named, or the one in the secrets directory."""
    ca_bundle: ReadableFile | None = None
    full_load: Literal["never", "confirmed", "auto"] = "confirmed"
    full_load_at: TimeOfDay = time(3, 30)
    time_zone: Annotated[ZoneInfo, BeforeValidator(read_time_zone)] = ZoneInfo("UTC")
    full_load_above: Annotated[int, whole(1, 1_000_000)] = 1000
    sub_operator_ids: Annotated[tuple[_OperatorId, ...], BeforeValidator(read_list)] = ()
    """Of a hub operator: the OperatorIDs that its EVSEs may have besides its own."""
    evse_data: bool = False
    """Send the listed data of EVSEs, before their statuses."""
    data_per_minute: Annotated[int, whole(1, _DATA_PER_MINUTE_AT_HUBJECT)] = 300
    data_full_load_at: TimeOfDay = time(2, 30)
    data_full_load_day: Day = Day.SUNDAY

    @property
    def operator_ids(self) -> tuple[str, ...]:
        """Whose EVSEs the account may show."""
        return (self.operator_id, *self.sub_operator_ids)


class ChargepriceAccount(_StatusAccount):
    """An identity at Chargeprice: company and API key."""

    kind: Literal["chargeprice"]
    per_minute: Annotated[int, whole(1, _PER_MINUTE_AT_CHARGEPRICE)] = 900
    company_id: UUID
    api_key: Annotated[SecretStr, AfterValidator(_check_key)]
    api_key_file: Path | None = None
    """Where `api_key` is from: the file that was named, or the one in the secrets directory; None: from neither."""
    valid_until: bool = False
    """Tell until when a word holds."""
    documents_per_minute: Annotated[int, whole(1, _PER_MINUTE_AT_CHARGEPRICE)] = 300
    station_prefix: Annotated[str, matching(r"v[0-9]{1,3}", 'a version such as "v2"')] = "v2"
    company: CompanyTable | None = None
    """What Chargeprice is told about the company; None: nothing."""


class SpiriiAccount(_Account):
    """An identity at Spirii: API key. It is told no statuses, only temporary ones."""

    kind: Literal["spirii"]
    per_minute: Annotated[int, whole(1, _PER_MINUTE_AT_SPIRII)] = 100
    api_key: Annotated[SecretStr, AfterValidator(_check_key)]
    api_key_file: Path | None = None
    survey_every: Annotated[Duration, between("1 s", "30 d")] = timedelta(hours=24)


Account = Annotated[OicpAccount | ChargepriceAccount | SpiriiAccount, Field(discriminator="kind")]
