"""Shape the data of EVSEs as Hubject takes it: the body of eRoamingPushEvseData.

Never sends. Before it: `oicp`, with what the lane chose. Source: OICP 2.3 CPO, eRoamingPushEvseData_V2.3.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bridge.core.model import EvseId
from bridge.upstreams.oicp_answers import Action
from bridge.upstreams.port import Document, Record

_DELETED: dict[str, Any] = {
    "ChargingStationNames": [{"lang": "en", "value": "removed"}],
    "Address": {"Country": "DEU", "City": "removed", "Street": "removed", "PostalCode": "0", "HouseNum": "0"},
    "GeoCoordinates": {"Google": {"Coordinates": "0.0 0.0"}},
    "Plugs": ["Type 2 Outlet"],
    "ChargingFacilities": [{"PowerType": "AC_1_PHASE", "Power": 0}],
    "RenewableEnergy": False,
    "CalibrationLawDataAvailability": "Not Available",
    "AuthenticationModes": ["REMOTE"],
    "PaymentOptions": ["Contract"],
    "ValueAddedServices": ["None"],
    "Accessibility": "Restricted access",
    "HotlinePhoneNumber": "+00000",
    "IsOpen24Hours": True,
    "IsHubjectCompatible": False,
    "DynamicInfoAvailable": "false",
}
"""Mandatory fields of a delete whose data no answer acknowledged; taken for data they would keep drivers away."""

_LONGEST_NAME = 100
"""Source: OICP 2.3 CPO, OperatorEvseDataType: OperatorName has at most 100 characters."""


def body(action: Action, documents: Sequence[Document], operator_id: str, operator_name: str) -> dict[str, Any]:
    """Return the request's body, in the field order of Hubject's own example."""
    return {
        "ActionType": action.value,
        "OperatorEvseData": {
            "EvseDataRecord": [_record(document) for document in documents],
            "OperatorID": operator_id,
            "OperatorName": operator_name[:_LONGEST_NAME],
        },
    }


def record_of(document: Document) -> Record:
    """Return what tells a document's request and answer: its EVSE, whether Hubject knows it, whether it goes."""
    return Record(EvseId(document.key), "", known=document.known, delete=not document.content)


def _record(document: Document) -> dict[str, Any]:
    """Return the EVSE's data; of one that goes, what Hubject acknowledged last, since every push has all its fields."""
    content = document.content or document.acked
    return {"EvseID": document.key, **_DELETED} if not content else {**json.loads(content), "EvseID": document.key}
