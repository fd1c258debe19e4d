"""Shape what the REST interface says and takes about stations that the inventory does not know, and refused attempts.

Every text that a station brought is cleaned of control characters. A key is in one answer alone: that which made it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from bridge.web.shapes import Shape


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("should be printable")
    return text


_Text = Annotated[str, Field(max_length=256), AfterValidator(_printable)]


class QuarantineItem(Shape):
    """One station in quarantine."""

    station: str
    """As it spells itself."""
    connected: bool
    version: str
    """Subprotocol, such as ocpp1.6."""
    vendor: str
    """Of its last BootNotification, as are model, serial and firmware; empty: it has sent none."""
    model: str
    serial: str
    firmware: str
    address: str
    """Of its last connection."""
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    connections: int
    showed_credentials: bool
    """It sent an Authorization header, which was neither checked nor kept."""


class QuarantineList(Shape):
    """Stations in quarantine, those that were seen last first."""

    items: tuple[QuarantineItem, ...]
    next_cursor: str | None = None


class MapWish(Shape):
    """Body of POST …/map: what the inventory is to say of the station, with exactly one way to prove itself."""

    evses: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=64)]
    """EVSEID alone, CONNECTOR=EVSEID, or EVSE.CONNECTOR=EVSEID for OCPP 2.x."""
    operator: _Text
    key: Annotated[str | None, Field(repr=False, max_length=256)] = None
    generate_key: bool = False
    insecure: bool = False
    """It need not prove itself at all: whoever knows its id can be it."""
    certificate_name: _Text | None = None
    """Common name of its client certificate."""
    weak_key: bool = False
    """The key may be shorter than 16 bytes."""
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_proof(self) -> MapWish:
        ways = (self.key is not None, self.generate_key, self.insecure, self.certificate_name is not None)
        if sum(ways) != 1:
            raise ValueError("give one of key, generate_key, certificate_name, or insecure in so many words")
        return self


class MapReport(Shape):
    """What a mapping changed, or with `dry_run` would change."""

    applied: bool
    station: str
    evses: tuple[str, ...]
    """As the inventory spells them."""
    key: Annotated[str | None, Field(repr=False)] = None
    """The key that was generated, here and never again; null: none was."""
    warnings: tuple[str, ...] = ()


class Forgotten(Shape):
    """A station that was removed from quarantine; it comes back when it connects again."""

    station: str


class AttemptItem(Shape):
    """What one identity tried from one address, and was refused for one reason."""

    station: str
    """The identity; empty where none could be read."""
    address: str
    status: int
    """HTTP status that it was answered with; 0: it did not come to HTTP."""
    reason: str
    what_to_do: str
    count: int
    first: AwareDatetime
    last: AwareDatetime
    user_agent: str
    similar: str | None = None
    """A known station that it may be meant to be."""


class AttemptList(Shape):
    """Refused attempts since the bridge's start, the most recent first; the least recent are forgotten."""

    items: tuple[AttemptItem, ...]
    next_cursor: str | None = None
