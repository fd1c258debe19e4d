"""Push EVSE statuses and data to Hubject: eRoamingPushEvseStatus and eRoamingPushEvseData of OICP 2.3.

Never chooses what or when to push, and never splits a fullLoad: that is `bridge.core.reconcile` and `bridge.lane`.
What an answer means is `oicp_answers`'; what a body of data looks like, `oicp_data`'s. Its twin is `chargeprice`.
Source: OICP 2.3 CPO, eRoamingPushEvseStatus_V2.1, eRoamingPushEvseData_V2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bridge.core.identifiers import belongs, canonical
from bridge.core.model import EvseId, Held, Refused
from bridge.upstreams import oicp_data
from bridge.upstreams.http import (
    DEFAULT_TIMEOUTS,
    HttpClient,
    Lost,
    NotSent,
    Replied,
    Timeouts,
    TlsSource,
    cut,
    failed,
    header,
)
from bridge.upstreams.oicp_answers import Action, classify
from bridge.upstreams.port import Answer, Document, Record, Upstream


@dataclass(frozen=True, slots=True)
class OicpOptions:
    """One Hubject account. `base_url` ends with /api/oicp at Hubject."""

    base_url: str
    operator_id: str
    operator_name: str = ""
    data_operator_name: str = ""
    """What data says: OperatorName is mandatory there; empty only where the account sends none."""
    sub_operator_ids: tuple[str, ...] = ()
    """Of a hub operator: the OperatorIDs that its EVSEs may have besides its own."""
    action_update: str = "update"
    """ActionType for an EVSE of which it is not known whether Hubject has a status: update or insert."""
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    def __post_init__(self) -> None:
        """Refuse an action that would do something else than set one status. Raises: ValueError."""
        if self.action_update not in (Action.UPDATE, Action.INSERT):
            raise ValueError(f"action_update is {self.action_update!r}, must be update or insert")


_DELETED_VALUE = "OutOfService"
"""EvseStatus is mandatory even for a delete; this word would keep drivers away if it were taken for a status."""


class Oicp(Upstream):
    """One account at Hubject."""

    kind = "oicp"
    takes_full_load = True
    per_minute = 1500
    """Of the 2000 that Hubject's acceptable use policy allows for PushEVSEStatus."""

    def __init__(
        self,
        options: OicpOptions,
        tls: TlsSource | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._options = options
        self._clock = clock
        self._http = HttpClient(options.timeouts, tls)
        base, operator = options.base_url.rstrip("/"), quote(options.operator_id, safe="*+")
        self._statuses_url = f"{base}/evsepush/v21/operators/{operator}/status-records"
        self._data_url = f"{base}/evsepush/v23/operators/{operator}/data-records"

    async def push(self, record: Record) -> Answer:
        """Send one record as update, insert or delete; never raises for the hub's or the network's faults."""
        if (refused := self._foreign([record], action_of(record, self._options))) is not None:
            return refused
        return await self._send_statuses(action_of(record, self._options), [record])

    async def full_load(self, records: Sequence[Record]) -> Answer:
        """Replace everything that Hubject has of this account by `records`, in one request."""
        if (refused := self._foreign(records, Action.FULL_LOAD)) is not None:
            return refused
        return await self._send_statuses(Action.FULL_LOAD, records)

    async def push_document(self, document: Document) -> Answer:
        """Send one EVSE's data as update, insert or delete."""
        record = oicp_data.record_of(document)
        action = action_of(record, self._options)
        if (refused := self._foreign([record], action)) is not None:
            return refused
        return await self._send_data(action, [document])

    async def full_load_documents(self, documents: Sequence[Document]) -> Answer:
        """Replace the data of all EVSEs of this account by `documents`, in one request."""
        if (refused := self._foreign(map(oicp_data.record_of, documents), Action.FULL_LOAD)) is not None:
            return refused
        return await self._send_data(Action.FULL_LOAD, documents)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _send_statuses(self, action: Action, records: Sequence[Record]) -> Answer:
        return await self._send(self._statuses_url, document(action, records, self._options), action, records)

    async def _send_data(self, action: Action, documents: Sequence[Document]) -> Answer:
        options = self._options
        body = oicp_data.body(action, documents, options.operator_id, options.data_operator_name)
        return await self._send(self._data_url, body, action, [oicp_data.record_of(one) for one in documents])

    async def _send(self, url: str, body: dict[str, Any], action: Action, records: Sequence[Record]) -> Answer:
        exchange = await self._http.send("POST", url, {}, body)
        match exchange:
            case Replied(status, headers, text, millis):
                outcome, code = classify(status, headers, text, action=action, records=records, now=self._clock())
                return Answer(outcome, status, code, cut(header(headers, "process-id")), millis, said=exchange.said)
            case NotSent(why, millis, certificate_refused=True):
                return Answer(Held(why), millis=millis, said=exchange.said)
            case NotSent() | Lost():
                return failed(exchange)

    def _foreign(self, records: Iterable[Record], action: Action) -> Answer | None:
        """Refuse EVSEs of other operators without a call: Hubject would refuse with them whatever stands beside them.

        Source: OICP 2.3 CPO, CodeType: 018, the EvseID does not match the OperatorID or its sub-operators.
        """
        foreign = [record.evse_id for record in records if not self.owns(record.evse_id)]
        if not foreign:
            return None
        owner = f"does not belong to {self._options.operator_id} or a sub-operator: it was not sent"
        if action is Action.FULL_LOAD:
            named = tuple(dict.fromkeys(map(canonical, foreign)))
            return Answer(Refused(f"its id {owner}", named=named), requests=0)
        # With its id, no two have the same reason: many of them do not look like an account that is held.
        return Answer(Refused(f"{foreign[0]} {owner}"), requests=0)

    def owns(self, evse_id: EvseId) -> bool:
        """Tell whether the EVSE's id is of the account's OperatorID or of one of its sub-operators."""
        return belongs(evse_id, (self._options.operator_id, *self._options.sub_operator_ids))


def action_of(record: Record, options: OicpOptions) -> Action:
    """Return the ActionType for a single record."""
    if record.delete:
        return Action.DELETE
    match record.known:
        case True:
            return Action.UPDATE
        case False:
            return Action.INSERT
        case None:
            return Action(options.action_update)


def document(action: Action, records: Sequence[Record], options: OicpOptions) -> dict[str, Any]:
    """Return the request's body, in the field order of Hubject's own example."""
    status: dict[str, Any] = {
        "EvseStatusRecord": [
            {"EvseID": record.evse_id, "EvseStatus": _DELETED_VALUE if record.delete else record.value}
            for record in records
        ],
        "OperatorID": options.operator_id,
    }
    if options.operator_name:
        status["OperatorName"] = options.operator_name[:100]
    return {"ActionType": action.value, "OperatorEvseStatus": status}
