"""Word our requests to OCPP 2.1 stations.

Does no I/O, and decides nothing about when to ask. Before it: `availability` and `verbs`. After it: `frames.call_text`.

Source: OCPP 2.1 Part 2, B05, B06, B11, B12, F05, F06, G03, G04, A01: worded as in 2.0.1.
"""

from __future__ import annotations

from csms.v201.requests import (
    availability,
    change_availability,
    get_configuration,
    reset,
    set_configuration,
    set_key,
    trigger,
    unlock,
)

__all__ = [
    "availability",
    "change_availability",
    "get_configuration",
    "reset",
    "set_configuration",
    "set_key",
    "trigger",
    "unlock",
]
