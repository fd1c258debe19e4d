"""Draw what stations might send: calls and answers with the standards' words in wrong places, and damaged frames."""

from __future__ import annotations

import json

from hypothesis import strategies as st

words = st.sampled_from(
    [
        "Available",
        "occupied",
        "Faulted",
        "Foo",
        "1",
        "-1",
        "Charging",
        "Connector",
        "EVSE",
        "AvailabilityState",
        "Ended",
    ]
)
numbers = st.sampled_from([0, 1, 2, -1, 64, 65, 2**31, 2**63, 1.0, 1.5, -0.0])
anything = st.characters()  # unpaired surrogates too, which JSON can escape
leaves = st.none() | st.booleans() | numbers | words | st.text(anything, max_size=80)
names = st.sampled_from(
    sorted(
        {
            "connectorId", "errorCode", "status", "info", "timestamp", "vendorErrorCode", "connectorStatus", "evseId",
            "eventData", "component", "variable", "actualValue", "name", "evse", "id", "transactionInfo", "seqNo",
            "transactionId", "chargingState", "eventType", "offline", "idToken", "idTag", "chargingStation", "model",
            "chargePointVendor", "STATUS", "ConnectorID", "certificateStatusRequests", "vatNumber",
        }
    )
)  # fmt: skip
objects = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(anything, max_size=5), inner, max_size=7)
    ),
    max_leaves=12,
)
payloads = st.dictionaries(names, objects, max_size=8)
actions = st.sampled_from(
    [
        "StatusNotification",
        "NotifyEvent",
        "TransactionEvent",
        "BootNotification",
        "StartTransaction",
        "MeterValues",
        "Authorize",
        "StopTransaction",
        "TriggerMessage",
        "GetCertificateChainStatus",
        "VatNumberValidation",
        "Foo",
        "",
    ]
)
ids = st.text(anything, min_size=1, max_size=36)
calls = st.tuples(st.just(2), ids, actions, payloads)
answers = st.one_of(
    st.tuples(st.just(3), ids, payloads),
    st.tuples(st.sampled_from([4, 5]), ids, words, st.text(anything, max_size=80), payloads),
    st.tuples(st.just(6), ids, actions, payloads),
)
"""CALLRESULT, CALLERROR, CALLRESULTERROR and SEND as they should be, of which nobody asked for any."""
frames = st.one_of(
    calls,
    answers,
    st.tuples(st.sampled_from([2, 3, 4, 5, 6, "2", 2.0, True, None]), leaves, objects, objects),
    st.lists(objects, max_size=6),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A frame as text with a few slices cut out, doubled or replaced."""
    text = json.dumps(draw(frames), ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        text = (
            text[:start]
            + draw(st.sampled_from(["", text[start:end] * 2, "[", '"', "\x00", "NaN", "9" * 30]))
            + text[end:]
        )
    return text
