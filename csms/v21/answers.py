"""Read what OCPP 2.1 stations answer to our requests; total, whatever the payload holds.

Does no I/O. Before it: `verbs`.

Source: OCPP 2.1 Part 2, GetVariableResultType, SetVariableStatusEnumType: as in 2.0.1.
"""

from __future__ import annotations

from csms.v201.answers import set_status, settings

__all__ = ["set_status", "settings"]
