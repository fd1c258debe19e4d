"""Speak OCPP 2.0.1 as a charging station.

Says only what 2.1 says otherwise. Before it: `link`. After it: `station2x`, which has all the rest. Twin: `station21`.
"""

from __future__ import annotations

from ocpp.v201 import call, call_result  # type: ignore[import-untyped]

from simulators.fleet.station2x import Station2x

SUBPROTOCOL = "ocpp2.0.1"


class Station201(Station2x):
    """One OCPP 2.0.1 connection."""

    _call = call
    _call_result = call_result
    _ocpp_version = "2.0.1"
    _model = "Simulated-201"
