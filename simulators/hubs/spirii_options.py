"""Say what the mock Spirii knows: keys, EVSEs, what others have entered, and how strict it is.

Values only. Before it: `mocks` and `control`, which set them. After it: `spirii`, which judges by them.
"""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from simulators.hubs.spirii_entries import OTHERS, canonical, moment_text


class OthersEntry(BaseModel):
    """A temporary status that somebody else made in the same account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int
    evse_id: str
    status: str
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None = None

    def entry(self) -> dict[str, Any]:
        """Return it as the ledger would keep it."""
        until = None if self.valid_to is None else moment_text(self.valid_to)
        document: dict[str, Any] = {"id": self.id, "evseId": self.evse_id, "temporaryStatus": self.status}
        return document | {"validFrom": moment_text(self.valid_from), "validTo": until, "made_by": OTHERS}


class SpiriiOptions(BaseModel):
    """What the mock Spirii knows."""

    model_config = ConfigDict(extra="forbid")

    api_keys: tuple[str, ...] = ("spirii-key",)
    evses: tuple[str, ...] | None = None
    """EVSEs that there are, as Spirii writes them and answers; None: any, as the client writes it."""
    foreign_evses: tuple[str, ...] = ()
    """EVSEs of another account (403)."""
    entries: tuple[OthersEntry, ...] = ()
    duplicates_allowed: bool = False
    """Take an exact duplicate instead of answering 409."""
    get_one: bool = False
    reads_per_minute: int = Field(600, gt=0)
    writes_per_minute: int = Field(120, gt=0)

    def is_foreign(self, evse_id: str) -> bool:
        """Tell whether the EVSE, in any of its spellings, is one of another account."""
        return canonical(evse_id) in map(canonical, self.foreign_evses)

    def spelling(self, evse_id: str) -> str | None:
        """Return the EVSE's id as Spirii writes it, or None where there is no such EVSE."""
        known = (evse_id,) if self.evses is None else self.evses
        return next((one for one in known if canonical(one) == canonical(evse_id) != ""), None)
