"""Be Hubject: tell who asks for what, check it as the real one does, and answer in its shapes.

Does no I/O. Before it: `server`. After it: `hubject_status` and `hubject_data`, which know one push each. Its twin
is `chargeprice`.
Source: OICP 2.3 CPO, eRoamingPushEvseStatus_V2.1, eRoamingPushEvseData_V2.3, OperatorIDType, eRoamingAcknowledgment;
Hubject Acceptable Use Policy (2000 status pushes and 375 data pushes per minute).
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict

from simulators.hubs import hubject_data, hubject_status
from simulators.hubs.certificates import Authority
from simulators.hubs.exchange import (
    ClientCertificate,
    Judgement,
    Reply,
    Request,
    compact,
    media_type_fault,
    scripted_reply,
)
from simulators.hubs.faults import FaultKind, FaultSpec
from simulators.hubs.hubject_push import (
    DATA_MISSING,
    Push,
    Service,
    acknowledgment,
    canonical,
    field_errors,
    invalid,
    listing,
    refused,
)
from simulators.hubs.ledger import Ledger, RateLimit

PATH = re.compile(r"/api/oicp/evsepush/(v21|v23)/operators/([^/]+)/(status-records|data-records)")
SERVICES = {("v21", "status-records"): hubject_status.SERVICE, ("v23", "data-records"): hubject_data.SERVICE}
RATE_LIMIT = RateLimit(2000, 60)
OTHER_LIMITS = {hubject_data.OPERATION: hubject_data.RATE_LIMIT}


class HubjectOptions(BaseModel):
    """What the mock Hubject knows."""

    model_config = ConfigDict(extra="forbid")

    operator_ids: tuple[str, ...] = ("DE*ABC",)
    sub_operator_ids: tuple[str, ...] = ()
    """Operators whose EVSEs the ones above may push too."""
    evse_data: tuple[str, ...] | None = None
    """EvseIDs that have EVSE data at Hubject; None: every well-formed one of the operators."""
    needs_data: bool = False
    """Refuse the status of an EVSE (603), but not its deletion, until its data was pushed."""
    strict_known: bool = False
    """Refuse an update or delete of an EVSE without status (603), and an insert of one that has a status."""


class Hubject:
    """The rules of Hubject."""

    name = "hubject"

    def __init__(self, options: HubjectOptions, seed: int = 0, authority: Authority | None = None) -> None:
        """Know `options`; with an authority, take only clients whose certificate names their OperatorID."""
        self._options = options
        self._authority = authority
        self._random = random.Random(seed)

    def options(self) -> HubjectOptions:
        """Return what can be changed while the hub runs."""
        return self._options

    def configure(self, options: Mapping[str, Any]) -> HubjectOptions:
        """Change some options and return all of them. Raises: pydantic.ValidationError."""
        self._options = HubjectOptions.model_validate(self._options.model_dump() | dict(options))
        return self._options

    def check_fault(self, spec: FaultSpec) -> str | None:
        """Return why this hub cannot have the fault, or None where it can."""
        del spec
        return None

    def judge(self, request: Request, ledger: Ledger) -> Judgement:
        """Return what Hubject makes of the request, given what it holds."""
        if not self._recognised(request.client):
            return _turned_away(
                "an unproven client", 400, "no certificate of this hub's chain", "The SSL Certificate Error"
            )
        match = PATH.fullmatch(request.path)
        service = None if match is None else SERVICES.get((match[1], match[3]))
        if match is None or service is None:
            return _turned_away("no operation", 404, f"no such path: {request.path[:200]}")
        operator = unquote(match[2])
        operation = f"{service.operation} of {operator}"
        if request.method != "POST":
            return _turned_away(operation, 405, f"{request.method} on a path that takes POST only")
        if (wrong := media_type_fault(request)) is not None:
            return _turned_away(operation, 415, wrong)
        judgement = self._unauthorized(request.client, operation, operator)
        if judgement is None:
            judgement = self._judge_body(service, operation, operator, request.body, ledger)
        return replace(judgement, reply=self._signed(judgement.reply))

    def fault_reply(self, spec: FaultSpec, judgement: Judgement) -> Reply:
        """Return the reply of a scripted status, rate_limit or result_false, in Hubject's own shape."""
        if spec.kind is FaultKind.RESULT_FALSE:
            return self._signed(_result_false(spec, judgement))
        status = 429 if spec.kind is FaultKind.RATE_LIMIT else spec.status
        document = acknowledgment(False, spec.code, spec.description, spec.additional_info)
        text = compact({"StatusCode": document["StatusCode"]})
        reply = scripted_reply(spec, status, text if spec.code else "", spec.code)
        of_the_service = reply.text and reply.content_type.startswith("application/json")
        return self._signed(reply) if of_the_service else reply

    def _recognised(self, client: ClientCertificate | None) -> bool:
        """Tell whether the web server lets the client on to the service; most of it is decided in the handshake."""
        if self._authority is None:
            return True
        if client is None or not self._authority.signed(client):
            return False
        return self._authority.refusal == "handshake" or client.common_name in self._options.operator_ids

    def _unauthorized(self, client: ClientCertificate | None, operation: str, operator: str) -> Judgement | None:
        """Refuse an OperatorID that the certificate does not name, letter by letter, and a certificate not taken."""
        if self._authority is None or client is None:
            return None
        broken = ""
        if client.common_name != operator:
            broken = f"OperatorID {operator!r} with a certificate of {client.common_name!r}"
        elif self._authority.takes(client):
            return None
        return refused(Push(operation, "", (), ()), "017", "Unauthorized Access", http=401, broken=broken)

    def _judge_body(self, service: Service, operation: str, operator: str, raw: bytes, ledger: Ledger) -> Judgement:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            return invalid(operation, ["body: not JSON"])
        if errors := field_errors(service.schema, body):
            return invalid(operation, errors)
        named, push = service.read(operation, body)
        if operator not in self._options.operator_ids or named != operator:
            broken = f"OperatorID {operator!r} in the path and {named!r} in the body"
            return refused(push, "300", "Partner not found", http=404, broken=broken)
        if (inconsistency := self._inconsistency(operator, push)) is not None:
            return refused(push, "018", "Inconsistent EvseID", broken=inconsistency)
        if len(set(map(canonical, push.ids))) < len(push.ids):
            # Whether ids that differ in their separators alone are duplicates is documented nowhere: no broken rule.
            return refused(push, "018", "Inconsistent EvseID")
        strict = self._options.strict_known
        if service is hubject_data.SERVICE:
            return hubject_data.judge(push, ledger, strict_known=strict)
        without = self._without_data(push, ledger)
        return hubject_status.judge(push, ledger, without_data=without, strict_known=strict)

    def _without_data(self, push: Push, ledger: Ledger) -> frozenset[str]:
        """Return those EVSEs of a status push that Hubject has no data of, as the options have it."""
        without: frozenset[str] = frozenset()
        if self._options.needs_data and push.action != "delete":
            without = hubject_data.without_data(push.ids, ledger)
        if self._options.evse_data is not None:
            listed = set(map(canonical, self._options.evse_data))
            without |= {one for one in push.ids if canonical(one) not in listed}
        return without

    def _inconsistency(self, operator: str, push: Push) -> str | None:
        """Return why the EvseIDs cannot be the operator's; Hubject's guide and its specification name one case each."""
        if len(set(map(str.upper, push.ids))) < len(push.ids):
            return "an EvseID is there twice"
        owners = tuple(map(canonical, (operator, *self._options.sub_operator_ids)))
        strangers = [evse_id for evse_id in push.ids if not canonical(evse_id).startswith(owners)]
        return f"EVSEs of another operator: {strangers[:5]}" if strangers else None

    def _signed(self, reply: Reply) -> Reply:
        process_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return replace(reply, headers={**reply.headers, "Process-ID": process_id})


def _turned_away(operation: str, http: int, broken: str, title: str = "") -> Judgement:
    """Answer as the web server before the service does: HTML, no Process-ID."""
    reply = Reply(http, f"<html><body>{http}{title and ' '}{title}</body></html>", "text/html")
    return Judgement(operation, reply, violations=(broken,))


def _result_false(spec: FaultSpec, judgement: Judgement) -> Reply:
    code = spec.code or "021"
    info = spec.additional_info
    if info is None and code == "603":
        info = listing(DATA_MISSING, _concerned(spec, judgement))
    text = compact(acknowledgment(False, code, spec.description, info))
    return Reply(200, text, spec.content_type, code=code, charset=spec.charset)


def _concerned(spec: FaultSpec, judgement: Judgement) -> list[str]:
    return [key for key, _ in judgement.records if not spec.evse or key in spec.evse]
