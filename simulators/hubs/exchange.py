"""Name what passes between a mock hub's listener and its rules: a request, the judgement on it, a reply.

Values only. Before it: `server`, which reads requests. After it: `hubject` and `chargeprice`, which judge them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from simulators.hubs.faults import FaultSpec
from simulators.hubs.ledger import Change, Ledger

_CHARSET = re.compile(r'charset="?([\w-]+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a client's certificate says: whom it names, its serial in hexadecimal, who signed it, and is it over."""

    common_name: str
    serial: str
    issuer: str
    expired: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `path` and `query` (without "?") as on the wire, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""
    client: ClientCertificate | None = None
    """None: plain HTTP, or a client that showed none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    text: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    """The hub's own code in it, for the journal."""
    charset: str | None = None
    """What the text is encoded in; None: as `content_type` says, UTF-8 where that says nothing."""

    def body(self) -> bytes:
        """Return the text as bytes; what the charset lacks becomes "?"."""
        named = _CHARSET.search(self.content_type)
        try:
            return self.text.encode(self.charset or (named[1] if named else "utf-8"), "replace")
        except LookupError:
            return self.text.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a hub makes of a request: what it asks for, what it would change, the reply, and which rules it broke."""

    operation: str
    """Requests of one operation must not overlap."""
    reply: Reply
    action: str = ""
    records: tuple[tuple[str, str], ...] = ()
    change: Change | None = None
    """None: refused, nothing to apply."""
    violations: tuple[str, ...] = ()


class Hub(Protocol):
    """The rules of one hub's interface."""

    name: str

    def judge(self, request: Request, ledger: Ledger) -> Judgement:
        """Return what the hub makes of the request, given what it holds. Changes nothing."""
        ...

    def fault_reply(self, spec: FaultSpec, judgement: Judgement) -> Reply:
        """Return the reply of a scripted status, rate_limit or result_false, in the hub's own shape."""
        ...

    def check_fault(self, spec: FaultSpec) -> str | None:
        """Return why this hub cannot have the fault, or None where it can."""
        ...

    def options(self) -> BaseModel:
        """Return what can be changed while the hub runs."""
        ...

    def configure(self, options: Mapping[str, Any]) -> BaseModel:
        """Change some options and return all of them. Raises: pydantic.ValidationError."""
        ...


def compact(document: object) -> str:
    """Return the document as JSON text, with letters as they are: how they are encoded is the reply's affair."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def scripted_reply(spec: FaultSpec, status: int, text: str, code: str) -> Reply:
    """Return a fault's reply with the headers and the text that it was scripted with."""
    headers: dict[str, str] = {}
    if spec.retry_after is not None:
        headers["Retry-After"] = spec.retry_after
    if spec.location is not None:
        headers["Location"] = spec.location
    return Reply(status, text if spec.text is None else spec.text, spec.content_type, headers, code, spec.charset)


def media_type_fault(request: Request) -> str | None:
    """Return what is wrong with the Content-Type; JSON in UTF-8 is the only one that both hubs name."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        return f"Content-Type is {request.headers.get('content-type')!r}, must be application/json"
    return None


def unknown_and_missing(document: Mapping[str, Any], required: set[str], optional: set[str], where: str) -> list[str]:
    """Return one line per field that is unknown or missing."""
    unknown = [f"{where}{name}: unknown field" for name in document if name not in required | optional]
    return unknown + [f"{where}{name}: missing" for name in sorted(required - set(document))]
