"""Describe the accounts: our identity at each hub, and what this hub alone can be set to.

Every table `[accounts.NAME]` is one of the two models here, by its `kind`.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from bridge.core.identifiers import InvalidId, parse_operator_id
from bridge.core.modes import Mode
from bridge.settings.fields import HubUrl, ReadableFile, TimeOfDay, matching, read_time_zone, whole
from bridge.settings.sections import Section

_PER_MINUTE_AT_HUBJECT = 2000
"""Source: OICP Hubject Acceptable Use Policy v1-0, PushEVSEStatus per minute and partner."""

_PER_MINUTE_AT_CHARGEPRICE = 1000
"""Source: Chargeprice API terms, requests per minute and key."""


def _check_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("should be the key alone: printable ASCII, no spaces")
    return key


def _check_operator_id(text: str) -> str:
    try:
        parse_operator_id(text)
    except InvalidId as error:
        raise ValueError('should be an OperatorID such as "DE*ABC"') from error
    return text


class _Account(Section):
    mode: Mode | None = None
    base_url: HubUrl
    map: dict[str, str] = Field(default_factory=dict)
    """Effective status → the hub's word, where it is not the default one."""


class OicpAccount(_Account):
    """An identity at Hubject: OperatorID and client certificate."""

    kind: Literal["oicp"]
    per_minute: Annotated[int, whole(1, _PER_MINUTE_AT_HUBJECT)] = 1500
    operator_id: Annotated[str, AfterValidator(_check_operator_id)]
    operator_name: Annotated[str, matching(r".{0,100}", "a name of at most 100 characters")] = ""
    action: Literal["update", "insert"] = "update"
    client_certificate: ReadableFile | None = None
    client_key: ReadableFile | None = None
    ca_bundle: ReadableFile | None = None
    full_load: Literal["never", "confirmed", "auto"] = "confirmed"
    full_load_at: TimeOfDay = time(3, 30)
    time_zone: Annotated[ZoneInfo, BeforeValidator(read_time_zone)] = ZoneInfo("UTC")
    full_load_above: Annotated[int, whole(1, 1_000_000)] = 1000


class ChargepriceAccount(_Account):
    """An identity at Chargeprice: company and API key."""

    kind: Literal["chargeprice"]
    per_minute: Annotated[int, whole(1, _PER_MINUTE_AT_CHARGEPRICE)] = 900
    company_id: UUID
    api_key: Annotated[SecretStr, AfterValidator(_check_key)]
    api_key_file: str | None = None
    valid_until: bool = False


Account = Annotated[OicpAccount | ChargepriceAccount, Field(discriminator="kind")]
