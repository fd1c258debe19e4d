"""Name the fields that OCPP 2.1 has added to the messages that carry state; the rest is 2.0.1's.

Pure data. Before it: `v201.fields`. After it: `translate`.

Source: OCPP 2.1 Part 2, Messages and Datatypes.
"""

from __future__ import annotations

from dataclasses import replace

from csms.events import OcppVersion
from csms.v201.fields import FIELDS as FIELDS_201

FIELDS = replace(
    FIELDS_201,
    version=OcppVersion.V21,
    event=FIELDS_201.event | {"severity"},
    transaction_event=FIELDS_201.transaction_event | {"costDetails", "evseSleep", "preconditioningStatus"},
    transaction=FIELDS_201.transaction | {"operationMode", "tariffId", "transactionLimit"},
)
