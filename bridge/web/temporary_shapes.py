"""Shape what the REST interface says and takes about temporary statuses: our own shapes, and Spirii's contract.

Our own name every fact and hold several EVSEs; Spirii's have exactly the members of its documents, so that a client
that was written for Spirii understands them. Source of those: Spirii API, temporary-evse-statuses v2.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, Field, RootModel

from bridge.core.model import TemporaryKind
from bridge.core.temporary import Phase, to_wire
from bridge.web.shapes import Shape

_MOST_AT_ONCE = 1000
_Number = Annotated[int, Field(ge=1, lt=2**63)]


class TemporaryItem(Shape):
    """One temporary status."""

    id: int
    evse_id: str
    """As the inventory spells it."""
    status: TemporaryKind
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None
    """null: until it is ended."""
    phase: Phase
    enforce: bool
    """While it is active, the EVSE is also made inoperative at its station."""
    created_at: AwareDatetime | None
    created_by: str
    station: str = ""
    """What the EVSE's station is told because of temporary statuses, and how it answered; empty: nothing."""


class TemporaryList(Shape):
    """Temporary statuses in the order of their ids."""

    items: tuple[TemporaryItem, ...]
    next_cursor: str | None = None


class TemporaryWish(Shape):
    """Body of POST /api/v1/temporary-statuses: the same one for each of these EVSEs, or for none of them."""

    evse_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=_MOST_AT_ONCE)]
    """In any of their spellings."""
    status: TemporaryKind
    valid_from: AwareDatetime | None = None
    """null: now."""
    valid_to: AwareDatetime | None = None
    """null: until it is ended."""
    enforce: bool | None = None
    """null: as the configuration says for this status."""


class TemporaryChange(Shape):
    """Body of PATCH /api/v1/temporary-statuses/{id}: a member that is not there stays (`model_fields_set`)."""

    status: TemporaryKind = TemporaryKind.MAINTENANCE
    valid_from: AwareDatetime | None = None
    """None: now."""
    valid_to: AwareDatetime | None = None
    """None: until it is ended."""


class TemporaryEnd(Shape):
    """Body of POST /api/v1/temporary-statuses/end: all of these, or none of them."""

    ids: Annotated[tuple[_Number, ...], Field(min_length=1, max_length=_MOST_AT_ONCE)]


# --- Spirii's contract ----------------------------------------------------------------------------------------------


class SpiriiChange(Shape):
    """Body of PATCH; every member may be missing."""

    temporaryStatus: str = ""  # noqa: N815 - Spirii's name
    validFrom: str | None = None  # noqa: N815
    validTo: str | None = None  # noqa: N815


class SpiriiWish(Shape):
    """Body of POST."""

    evseId: str  # noqa: N815 - Spirii's name
    temporaryStatus: str  # noqa: N815
    validFrom: str | None = None  # noqa: N815
    validTo: str | None = None  # noqa: N815


class SpiriiItem(Shape):
    """One temporary status, as it is answered."""

    id: int
    temporaryStatus: TemporaryKind  # noqa: N815 - Spirii's name
    evseId: str  # noqa: N815
    validFrom: AwareDatetime  # noqa: N815
    validTo: AwareDatetime | None = None  # noqa: N815
    """Not there: until it is removed."""


class SpiriiItems(RootModel[tuple[SpiriiItem, ...]]):
    """A bare list."""


class SpiriiFault(Shape):
    """What went wrong. Source: Spirii API, errors."""

    type: str
    code: str
    message: str
    param: str | None
    request_id: str


class SpiriiError(Shape):
    """Every failure."""

    error: SpiriiFault


def spirii_item(item: TemporaryItem) -> dict[str, Any]:
    """Return one temporary status with Spirii's members; `validTo` is left out until removed."""
    ends = {} if item.valid_to is None else {"validTo": to_wire(item.valid_to)}
    return {
        "id": item.id,
        "temporaryStatus": item.status.value,
        "evseId": item.evse_id,
        "validFrom": to_wire(item.valid_from),
        **ends,
    }
