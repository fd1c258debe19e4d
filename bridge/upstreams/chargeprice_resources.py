"""Put stations and companies to Chargeprice under their lock versions, and delete them.

Never chooses what or when to send, and never keeps what it read: Chargeprice's terms forbid it. Before it:
`chargeprice`, whose connection it uses. After it: the hub.

Whoever writes must name the version that follows the hub's. What the hub's version is, its last answer told us; where
that is no longer true (another hand wrote it, or an answer of ours was lost) the hub says VERSION_CONFLICT, and it is
read anew. A read needs a key of another group, and hides stations that are not operational: where it tells nothing,
versions are counted up from the one that is known.

Source: Chargeprice API, PUT /v2/charging_stations/:id, GET and DELETE /v1/charging_stations/:id, PUT and DELETE
/v1/companies/:id, GET /v1/companies.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bridge.core.documents import DocumentKind, Learnt
from bridge.core.model import Accepted, Deferred, Held, Outcome, Refused
from bridge.upstreams.chargeprice_answers import VERSION_CONFLICT, judge
from bridge.upstreams.http import Exchange, Lost, NotSent, Replied, failed, parse_object
from bridge.upstreams.port import Answer, Document
from bridge.upstreams.said import Said

STATION_PREFIX = "v2"
REPLACES = "replaces_charging_staton_id"
"""Chargeprice's own spelling."""
GROUPS = ("cpo_group", "emp_group")
"""A company's relationships that are not always ours to set; a PUT without them could end them."""

_MOST_CONFLICTS = 3
"""Conflicts that one push answers; the next one is shown to the operator."""

_PLURALS = {DocumentKind.STATION: "stations", DocumentKind.COMPANY: "companies"}

Send = Callable[[str, str, object], Awaitable[Exchange]]
"""Sends method, path after the base address, and body (None: none)."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One reply, or that there was none."""

    outcome: Outcome
    http: int | None = None
    code: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def conflict(self) -> bool:
        return self.http == 409 and self.code == VERSION_CONFLICT


@dataclass(slots=True)
class _Calls:
    """The requests of one push, one after the other, counted for the lane's pace."""

    send: Send
    clock: Callable[[], datetime]
    document: Document
    requests: int = 0
    millis: int = 0
    said: tuple[Said, ...] = ()

    async def ask(self, method: str, path: str, body: object = None) -> _Said:
        self.requests += 1
        exchange = await self.send(method, path, body)
        self.millis += exchange.millis
        self.said += exchange.said
        match exchange:
            case Replied(status, headers, text):
                ids = {self.document.key, self.document.key.upper()}
                outcome, code = judge(status, headers, text, ids=ids, now=self.clock())
                return _Said(outcome, status, code, parse_object(text) or {})
            case NotSent() | Lost():
                return _Said(failed(exchange).outcome)

    def answer(self, said: _Said, learnt: Learnt) -> Answer:
        """Return the push's answer; a hold says of what, since a key may write companies and no stations."""
        outcome = said.outcome
        if isinstance(outcome, Held):
            outcome = replace(outcome, why=f"{_PLURALS[self.document.kind]}: {outcome.why}")
        return Answer(
            outcome, said.http, said.code, millis=self.millis, learnt=learnt, requests=self.requests, said=self.said
        )


@dataclass(slots=True)
class _Attempt:
    """What is put, and under which version."""

    data: dict[str, Any]
    known: int
    """The hub's version as far as we know; 0: it has none."""
    missed: int = 0
    """Conflicts since we learnt it."""
    conflicts: int = 0

    @property
    def version(self) -> int:
        """The one to name. The last guess, where counting up has not helped, is that it is not there any more."""
        if self.known and self.missed == _MOST_CONFLICTS:
            return 1
        return self.known + self.missed + 1

    @property
    def highest(self) -> int:
        """The highest one that was named since: the next push counts on from there."""
        return self.known + min(self.missed, _MOST_CONFLICTS if self.known else self.missed)

    @property
    def body(self) -> dict[str, Any]:
        attributes = {**self.data["attributes"], "version": self.version}
        return {"data": {**self.data, "attributes": attributes}}

    def rebase(self, held: Mapping[str, Any]) -> None:
        """Go on from what the hub holds: its version, and the groups that we do not set."""
        version = _version_of(held)
        if version is None:
            return
        self.known, self.missed = version, 0
        theirs = held.get("relationships")
        if self.data["type"] == "company" and isinstance(theirs, dict):
            kept = {name: _linkage(theirs[name]) for name in GROUPS if name in theirs}
            self.data["relationships"] = kept | self.data["relationships"]


class Resources:
    """The stations and companies of one account."""

    def __init__(self, send: Send, station_prefix: str, clock: Callable[[], datetime]) -> None:
        self._send = send
        self._station_prefix = station_prefix
        self._clock = clock

    async def push(self, document: Document) -> Answer:
        """Put or delete one station or company; never raises for the hub's or the network's faults."""
        calls = _Calls(self._send, self._clock, document)
        return await (self._put(calls) if document.content else _delete(calls))

    async def _put(self, calls: _Calls) -> Answer:
        document = calls.document
        attempt = _Attempt(wanted(document), document.remote.version)
        if document.kind is DocumentKind.COMPANY and not attempt.data["relationships"].keys() >= set(GROUPS):
            stopped = await _rebase(calls, attempt)
            if stopped is not None:
                return stopped
        while True:
            said = await calls.ask("PUT", self._path(document), attempt.body)
            if not said.conflict:
                return calls.answer(said, _learnt(said, attempt))
            attempt.missed += 1
            attempt.conflicts += 1
            if attempt.conflicts > _MOST_CONFLICTS:
                return calls.answer(_given_up(said), Learnt(version=attempt.highest))
            stopped = await _rebase(calls, attempt)
            if stopped is not None:
                return stopped

    def _path(self, document: Document) -> str:
        if document.kind is DocumentKind.STATION:
            return f"{self._station_prefix}/charging_stations/{quote(document.key, safe='')}"
        return _deletion_path(document)


async def _delete(calls: _Calls) -> Answer:
    """Delete; what is not there any more is deleted."""
    said = await calls.ask("DELETE", _deletion_path(calls.document))
    if said.http == 404 and isinstance(said.outcome, Refused):
        said = replace(said, outcome=Accepted())
    return calls.answer(said, Learnt(version=0) if isinstance(said.outcome, Accepted) else Learnt())


async def _rebase(calls: _Calls, attempt: _Attempt) -> Answer | None:
    """Read what the hub holds and go on from there; where it cannot be read, as before.

    Only a hub that fails ends the push; the request before was refused, so nothing is in doubt. That a key may not read
    is no trouble: it may write.
    """
    said = await calls.ask("GET", _reading_path(calls.document))
    if isinstance(said.outcome, Deferred):
        said = replace(said, outcome=replace(said.outcome, in_doubt=False))
        return calls.answer(said, Learnt(version=attempt.highest))
    held = _found(said.body, calls.document) if isinstance(said.outcome, Accepted) else None
    if held is not None:
        attempt.rebase(held)
    return None


def wanted(document: Document) -> dict[str, Any]:
    """Return what is put, but for its version.

    To replace another station deletes that one, so it is asked for until it was acknowledged once, and never again.
    """
    data = _parsed(document.content)
    meta = data.get("meta")
    if meta is not None and meta == _parsed(document.acked or "{}").get("meta"):
        del data["meta"]
    return data


def _parsed(content: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(content)
    return data


def _deletion_path(document: Document) -> str:
    collection = "charging_stations" if document.kind is DocumentKind.STATION else "companies"
    return f"v1/{collection}/{quote(document.key, safe='')}"


def _reading_path(document: Document) -> str:
    """There is no GET of one company."""
    if document.kind is DocumentKind.STATION:
        return _deletion_path(document)
    return f"v1/companies?filter%5Bid%5D={quote(document.key, safe='')}"


def _found(body: Mapping[str, Any], document: Document) -> Mapping[str, Any] | None:
    """Return the resource with the document's id, in an answer about one or in a list."""
    data = body.get("data")
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict) and str(one.get("id", "")).lower() == document.key.lower():
            return one
    return None


def _version_of(resource: object) -> int | None:
    attributes = resource.get("attributes") if isinstance(resource, dict) else None
    version = attributes.get("version") if isinstance(attributes, dict) else None
    return version if isinstance(version, int) and not isinstance(version, bool) and version > 0 else None


def _linkage(relationship: object) -> object:
    """Return a relationship as a request may have it: its data alone, or null."""
    return {"data": relationship.get("data")} if isinstance(relationship, dict) else None


def _learnt(said: _Said, attempt: _Attempt) -> Learnt:
    if not isinstance(said.outcome, Accepted):
        return Learnt(version=attempt.known)
    return Learnt(version=_version_of(said.body.get("data")) or attempt.version)


def _given_up(said: _Said) -> _Said:
    why = said.outcome.why if isinstance(said.outcome, Refused) else f"HTTP {said.http}"
    return replace(said, outcome=Refused(f"{why}, {_MOST_CONFLICTS + 1} times: does something else write it, too?"))
