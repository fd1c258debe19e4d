"""Describe the whole configuration, and what follows from its values alone.

Never reads a file or the environment: that is `sources`. After it: `bridge.app`, which fills every part's options.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from bridge.settings.accounts import Account, OicpAccount
from bridge.settings.fields import is_loopback, is_loopback_network
from bridge.settings.sections import (
    IdTags,
    LogSection,
    OcppSection,
    OperatorTable,
    PushSection,
    RetentionSection,
    Section,
    StatusSection,
    TemporarySection,
    UnknownStations,
    WebSection,
    WireLogSection,
)
from bridge.settings.telemetry import TelemetrySection

DATABASE_FILE = "bridge.db"
"""Name of the SQLite file in `state_dir`, where no database_url is given."""


def _check_database_url(url: SecretStr) -> SecretStr:
    scheme, separator, rest = url.get_secret_value().partition("://")
    if not separator or not rest or scheme not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError("should be sqlite:///path/to/file or postgresql://user:password@host/database")
    if scheme != "sqlite" and find_spec("psycopg") is None:
        raise ValueError("PostgreSQL needs the package psycopg: pip install 'ocpp-bridge[postgres]'")
    return url


class Settings(Section):
    """Every setting, checked. Frozen; `load_settings` makes it."""

    state_dir: Path = Path("state")
    secrets_dir: Path = Path("/run/secrets")
    database_url: Annotated[SecretStr, AfterValidator(_check_database_url)] | None = None
    cpu_affinity: Literal["auto", "off"] = "auto"
    log: LogSection = LogSection()
    ocpp: OcppSection = OcppSection()
    web: WebSection = WebSection()
    status: StatusSection = StatusSection()
    temporary: TemporarySection = TemporarySection()
    wire_log: WireLogSection = WireLogSection()
    push: PushSection = PushSection()
    retention: RetentionSection = RetentionSection()
    telemetry: TelemetrySection = TelemetrySection()
    accounts: dict[str, Account] = Field(default_factory=dict)
    operators: dict[str, OperatorTable] = Field(default_factory=dict)

    @property
    def store_url(self) -> str:
        """The database's address, secrets included: never log it."""
        if self.database_url is None:
            return f"sqlite:///{self.state_dir / DATABASE_FILE}"
        return self.database_url.get_secret_value()

    def warnings(self) -> list[str]:
        """Return what is allowed but probably not meant, one line each."""
        found = []
        if self.ocpp.id_tags is None:
            found.append("ocpp.id_tags is not set: every idTag is rejected, so that no driver can start by card or app")
        if self.ocpp.id_tags is IdTags.LIST and not self.ocpp.id_tag_list:
            found.append('ocpp.id_tags is "list", and ocpp.id_tag_list is empty: every idTag is rejected')
        found += self._beyond_loopback()
        if self.status.offline_after < 3 * self.ocpp.heartbeat_interval:
            found.append(
                "status.offline_after is less than three times ocpp.heartbeat_interval: a station that answers no ping "
                "counts as lost after one or two missed heartbeats"
            )
        if not is_loopback(self.web.host):
            found.append(
                f"web.host is {self.web.host}: the REST interface can be reached from other machines, without TLS"
            )
        if not self.accounts:
            found.append("no account is set up: no hub is told anything")
        used = {account for operator in self.operators.values() for account in operator.accounts}
        found += [f"accounts.{name}: no operator refers to it" for name in self.accounts if name not in used]
        return found + self._shared_operators()

    def _beyond_loopback(self) -> list[str]:
        """Return a warning where stations that nobody knows are taken in from other machines."""
        beyond = [network for network in self.ocpp.accept_from if not is_loopback_network(network)]
        if self.ocpp.unknown_stations is not UnknownStations.ACCEPT or not beyond:
            return []
        return [
            f'ocpp.unknown_stations is "accept", and ocpp.accept_from has {", ".join(beyond)}: whoever connects from '
            'there becomes a station of the inventory; "quarantine" asks you first'
        ]

    def _shared_operators(self) -> list[str]:
        """Return where the EVSEs of one OperatorID would stand at Hubject under two accounts."""
        own = {_compared(a.operator_id): name for name, a in self.accounts.items() if isinstance(a, OicpAccount)}
        return [
            f"accounts.{name}: sub_operator_ids has {sub}, the operator_id of accounts.{own[_compared(sub)]}: "
            "an EVSE that goes to both stands at Hubject twice"
            for name, account in self.accounts.items()
            if isinstance(account, OicpAccount)
            for sub in account.sub_operator_ids
            if own.get(_compared(sub), name) != name
        ]


def _compared(operator_id: str) -> str:
    return operator_id.replace("*", "").removeprefix("+").upper()
