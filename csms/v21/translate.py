"""Turn OCPP 2.1 requests into station events.

Does no I/O, and decides nothing about an EVSE. Before it: `frames`. Beside it: `fields`; `v201.translate`, since both
versions mean the same by what carries state. After it: the host's recorder.

2.1 prefers NotifyEvent with AvailabilityState and deprecates StatusNotification; both count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from csms.events import Epoch, StationId
from csms.translation import Rejected, Translated
from csms.v21.fields import FIELDS
from csms.v201.translate import translate_as

_REPEATED: Final = frozenset({"GetCertificateChainStatus", "VatNumberValidation"})
"""Their answers must repeat what was asked: to a request that the schema refuses there is no answer that it takes."""


def translate(
    action: str, payload: Mapping[str, Any], *, station: StationId, epoch: Epoch, strict: bool
) -> Translated | Rejected:
    """Return the events that a request carries, in order; none for actions that carry no state.

    Source: OCPP 2.1 Part 2, Messages.
    """
    return translate_as(FIELDS, action, payload, station=station, epoch=epoch, strict=strict or action in _REPEATED)
