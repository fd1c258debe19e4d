"""Mirror temporary statuses to Spirii: POST, PATCH and DELETE /v2/temporary-evse-statuses, and its list.

Spirii gives each entry its id, so a creation is never repeated blindly: after a lost answer the list is read first, and
only what matches such a creation is taken for ours. Never touches an entry whose id is not ours by that rule. Never
chooses what or when to send: that is `bridge.core.documents` and `bridge.lane`. Its twins are `oicp` and `chargeprice`;
`spirii_answers` says what replies mean.
Source: Spirii API v2, temporary-evse-statuses; Authentication (Bearer); Rate limits; Errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bridge.core.documents import Learnt
from bridge.core.mirror import read_content, says_the_same
from bridge.core.model import Accepted, Deferred, Outcome, Refused, WrongAction
from bridge.upstreams.http import (
    DEFAULT_TIMEOUTS,
    Exchange,
    HttpClient,
    Lost,
    NotSent,
    Replied,
    Timeouts,
    TlsSource,
    cut,
    failed,
    unreadable,
)
from bridge.upstreams.port import Answer, Document, Entry, Upstream
from bridge.upstreams.said import Said
from bridge.upstreams.spirii_answers import (
    classify,
    details,
    entries_of,
    id_of,
    matching,
    pause_s,
    proves_success,
)

LIST_LIMIT = 8 * 1024 * 1024
"""Bytes of a list that are read. A longer one counts as not answered: an entry that it hides would be made again."""


@dataclass(frozen=True, slots=True)
class SpiriiOptions:
    """One Spirii account."""

    base_url: str
    api_key: str = field(repr=False)
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    def __post_init__(self) -> None:
        """Refuse a key that a header cannot carry. Raises: ValueError, without the key."""
        if not (self.api_key and self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("api_key must be printable ASCII without line breaks, and not empty")


class Spirii(Upstream):
    """One account at Spirii."""

    kind = "spirii"
    takes_full_load = False
    per_minute = 100
    """Of the 120 writes per minute that Spirii allows (an older page counts every request)."""

    def __init__(
        self,
        options: SpiriiOptions,
        tls: TlsSource | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        key: Callable[[], str] | None = None,
    ) -> None:
        """`key` returns the API key that counts now; None: the one in the options counts for ever."""
        self._options = options
        self._key = key or (lambda: options.api_key)
        self._clock = clock
        self._http = HttpClient(options.timeouts, tls, LIST_LIMIT)

    async def push_document(self, document: Document) -> Answer:
        """Create, change or delete one temporary status; never raises for the hub's or the network's faults."""
        talk = self._talk()
        if document.remote.id:
            answer = await _settle_known(talk, document, document.remote.id)
        elif document.remote.lost:
            answer = await _find_lost(talk, document)
        else:
            answer = await _create(talk, document)
        return talk.total(answer)

    async def survey(self) -> Answer:
        """Read every entry of the account, whoever made it and whether it is in force or not."""
        talk = self._talk()
        listed = await talk.list(None)
        return talk.total(listed if isinstance(listed, Answer) else Answer(Accepted(), 200, entries=listed))

    def _talk(self) -> _Talk:
        return _Talk(self._http, self._options.base_url.rstrip("/"), self._key, self._clock)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


@dataclass(slots=True)
class _Talk:
    """The requests that one document takes, one after the other, and what they cost."""

    http: HttpClient
    base_url: str
    key: Callable[[], str]
    clock: Callable[[], datetime]
    requests: int = 0
    millis: int = 0
    said: tuple[Said, ...] = ()
    pauses: dict[bool, float] = field(default_factory=dict)
    """Seconds that the hub's last answer asks for, apart for reads (True) and writes: it counts them apart."""

    async def send(self, method: str, path: str = "", body: object | None = None) -> Exchange:
        """Send one request, unless the hub has just said that its rate is used up."""
        reads = method == "GET"
        if self.pauses.get(reads):
            return NotSent("Spirii's rate limit is used up for now", 0)
        url = f"{self.base_url}/v2/temporary-evse-statuses{path}"
        exchange = await self.http.send(method, url, {"Authorization": f"Bearer {self.key()}"}, body)
        self.requests += 1
        self.millis += exchange.millis
        self.said += exchange.said
        if isinstance(exchange, Replied):
            self.pauses[reads] = pause_s(exchange.headers, self.clock())
        return exchange

    async def list(self, evse_id: str | None) -> tuple[Entry, ...] | Answer:
        """Return the entries of one EVSE or of all, past and future ones too; or the answer that it was not.

        activeOnly is true by default, which hides what is scheduled. No pagination is documented.
        """
        query = "?activeOnly=false" if evse_id is None else f"?evseId={quote(evse_id, safe='')}&activeOnly=false"
        exchange = await self.send("GET", query)
        if not isinstance(exchange, Replied):
            return _without_doubt(failed(exchange))
        if exchange.status == 200:
            entries = entries_of(exchange.text)
            if entries is not None:
                return entries
            why = "HTTP 200: the list is no JSON array, or longer than can be read"
            return Answer(Deferred(f"{why}{unreadable(exchange.headers)}"), 200)
        return _without_doubt(self.answer(exchange, ()))

    def answer(self, replied: Replied, ids: Collection[str]) -> Answer:
        """Return what a reply means that is no success."""
        outcome, code, reference = classify(replied.status, replied.headers, replied.text, ids, self.clock())
        return Answer(outcome, replied.status, code, reference)

    def total(self, answer: Answer) -> Answer:
        """Return the answer with what all requests cost."""
        pause = max(self.pauses.values(), default=0.0)
        return replace(answer, requests=self.requests, millis=self.millis, pause_s=pause, said=self.said)


# --- an entry whose id we know --------------------------------------------------------------------------------------


async def _settle_known(talk: _Talk, document: Document, remote_id: str) -> Answer:
    method, body = ("PATCH", _change(document)) if document.content else ("DELETE", None)
    exchange = await talk.send(method, f"/{quote(remote_id, safe='')}", body)
    if not isinstance(exchange, Replied):
        return failed(exchange)
    if exchange.status == 404:
        return await _settle_missing(talk, document, remote_id, exchange)
    learnt = Learnt(remote_id) if document.content else Learnt("", lost=())
    return _answered(talk, document, exchange, learnt)


async def _settle_missing(talk: _Talk, document: Document, remote_id: str, replied: Replied) -> Answer:
    """An entry is gone if the list says so too: a wrong address answers 404 to everything."""
    listed = await talk.list(_evse_of(document))
    if isinstance(listed, Answer):
        return listed
    refused = talk.answer(replied, _ids(document, remote_id))
    if remote_id in {entry.remote_id for entry in listed}:
        return refused
    gone: Outcome = WrongAction(False, "the entry is gone at Spirii") if document.content else Accepted()
    return replace(refused, outcome=gone, learnt=Learnt("", lost=()))


# --- an entry that is to be made ------------------------------------------------------------------------------------


async def _create(talk: _Talk, document: Document) -> Answer:
    """Make the entry. Whatever was lost before is proven to have made none, or there was nothing."""
    if not document.content:
        return Answer(Accepted(), learnt=Learnt("", lost=()))
    exchange = await talk.send("POST", "", _creation(document))
    match exchange:
        case NotSent():
            return replace(failed(exchange), learnt=Learnt(lost=()))
        case Lost():
            return replace(failed(exchange), learnt=Learnt(lost=(document.content,)))
        case Replied(status=409):
            return await _settle_duplicate(talk, document, exchange)
    remote_id = id_of(exchange.text) if 200 <= exchange.status < 300 else ""
    if remote_id:
        return Answer(Accepted(), exchange.status, learnt=Learnt(remote_id))
    if 200 <= exchange.status < 300:
        why = f"HTTP {exchange.status}: the answer names no id{unreadable(exchange.headers)}"
        return Answer(Deferred(why, in_doubt=True), exchange.status, learnt=Learnt(lost=(document.content,)))
    answer = talk.answer(exchange, _ids(document, ""))
    proven = 400 <= exchange.status < 500 and exchange.status != 408
    return replace(answer, learnt=Learnt(lost=() if proven else (document.content,)))


async def _settle_duplicate(talk: _Talk, document: Document, replied: Replied) -> Answer:
    """Spirii has an equal entry: one of ours whose answer was lost, or somebody else's, which stays untouched."""
    if any(says_the_same(document.content, content) for content in document.remote.lost):
        listed = await talk.list(_evse_of(document))
        if isinstance(listed, Answer):
            return replace(listed, learnt=Learnt(lost=document.remote.lost))
        found = matching(listed, (document.content,), document.foreign)
        if found:
            return Answer(Accepted(), replied.status, learnt=Learnt(found[0]))
    refused = talk.answer(replied, _ids(document, ""))
    why = f"HTTP 409{details(replied.text, _ids(document, ''))}: an equal entry that somebody else made stays as it is"
    return replace(refused, outcome=Refused(cut(why)), learnt=Learnt(lost=()))


# --- an entry that a lost request may have made ---------------------------------------------------------------------


async def _find_lost(talk: _Talk, document: Document) -> Answer:
    """Adopt what a creation made whose answer was lost, and delete what further ones made; else create it now."""
    listed = await talk.list(_evse_of(document))
    if isinstance(listed, Answer):
        return replace(listed, learnt=Learnt(lost=document.remote.lost))
    found = matching(listed, document.remote.lost, document.foreign)
    if not found:
        return await _create(talk, document)
    adopted, surplus = (found[0], found[1:]) if document.content else ("", found)
    for remote_id in surplus:
        answer = await _delete(talk, document, remote_id)
        if not isinstance(answer.outcome, Accepted):
            return replace(answer, learnt=Learnt(lost=document.remote.lost))
    if not adopted:
        return Answer(Accepted(), 200, learnt=Learnt("", lost=()))
    return await _settle_adopted(talk, document, next(entry for entry in listed if entry.remote_id == adopted))


async def _delete(talk: _Talk, document: Document, remote_id: str) -> Answer:
    gone = replace(document, content="")
    return await _settle_known(talk, gone, remote_id)


async def _settle_adopted(talk: _Talk, document: Document, entry: Entry) -> Answer:
    """Whatever becomes of the change, the entry is ours from now on."""
    if says_the_same(entry.content, document.content):
        return Answer(Accepted(), 200, learnt=Learnt(entry.remote_id))
    answer = await _settle_known(talk, document, entry.remote_id)
    return answer if answer.learnt.id == "" else replace(answer, learnt=Learnt(entry.remote_id))


# --- requests and replies -------------------------------------------------------------------------------------------


def _creation(document: Document) -> dict[str, Any]:
    """Leave an end that is not set out: only a change is documented to take it away."""
    return {name: value for name, value in json.loads(document.content).items() if value is not None}


def _change(document: Document) -> dict[str, Any]:
    """Source: Spirii API v2, update: temporaryStatus, validFrom, validTo; evseId cannot be changed."""
    return {name: value for name, value in json.loads(document.content).items() if name != "evseId"}


def _answered(talk: _Talk, document: Document, replied: Replied, learnt: Learnt) -> Answer:
    if not 200 <= replied.status < 300:
        return talk.answer(replied, _ids(document, document.remote.id))
    if not proves_success(replied.text):
        why = f"HTTP {replied.status}: not proven to be accepted{unreadable(replied.headers)}"
        return Answer(Deferred(why, in_doubt=True), replied.status)
    return Answer(Accepted(), replied.status, learnt=learnt)


def _without_doubt(answer: Answer) -> Answer:
    """To read changes nothing, so nothing is in doubt."""
    outcome = answer.outcome
    return replace(answer, outcome=replace(outcome, in_doubt=False)) if isinstance(outcome, Deferred) else answer


def _contents(document: Document) -> list[str]:
    return [content for content in (document.content, document.acked or "", *document.remote.lost) if content]


def _evse_of(document: Document) -> str | None:
    """Return the EVSE that the document is about, as we write it; a deletion says it by what it deletes."""
    for content in _contents(document):
        evse_id = json.loads(content).get("evseId")
        if isinstance(evse_id, str):
            return evse_id
    return None


def _ids(document: Document, remote_id: str) -> set[str]:
    """Return what a reason must not contain, so that it reads alike for every row."""
    plain = {read.evse for content in _contents(document) if (read := read_content(content)) is not None}
    return plain | {_evse_of(document) or "", remote_id}
