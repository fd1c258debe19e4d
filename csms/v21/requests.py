"""Word our requests to OCPP 2.1 stations.

Does no I/O, and decides nothing about when to ask. Before it: `availability`. After it: `frames.call_text`.

Source: OCPP 2.1 Part 2, G03, ChangeAvailabilityRequest: worded as in 2.0.1.
"""

from __future__ import annotations

from csms.v201.requests import change_availability

__all__ = ["change_availability"]
