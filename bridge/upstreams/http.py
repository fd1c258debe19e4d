"""Send one HTTP request within bounds, and return what came of it as a value.

Never decides what an answer means for a row: that is the `classify` of each adapter. Never follows a redirect, never
repeats a request by itself, never logs. Before it: an adapter. After it: the hub's socket.

A request that failed is either `NotSent` (nothing of it left this machine) or `Lost` (it may be applied, now or later).
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import aiohttp
from yarl import URL

from bridge.core.backoff import parse_retry_after
from bridge.core.identifiers import canonical
from bridge.core.model import Deferred
from bridge.upstreams.connections import Connector
from bridge.upstreams.names import Names
from bridge.upstreams.port import Answer, Record
from bridge.upstreams.refusals import CERTIFICATE_REFUSED, certificate_alert
from bridge.upstreams.said import Said, said_of

BODY_LIMIT = 64 * 1024
"""Bytes of an answer that are read; every answer of a hub is far shorter, but for a list."""

FOREIGN_TEXT_LIMIT = 256
"""Characters of a hub's own words that are kept."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a request may take: until connected (TCP and TLS), and in all."""

    connect: timedelta = timedelta(seconds=5)
    total: timedelta = timedelta(seconds=15)


DEFAULT_TIMEOUTS = Timeouts()


@dataclass(frozen=True, slots=True)
class Replied:
    """The hub answered; `text` is the body, decoded, at most the client's `body_limit` bytes of it."""

    status: int
    headers: Mapping[str, str]
    text: str
    millis: int
    said: tuple[Said, ...] = field(default=(), compare=False)
    """What is kept of it for operators; none where it did not come from the wire."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing of the request reached the hub's service: refused, no such host, TLS failed, no connection in time."""

    why: str
    millis: int
    certificate_refused: bool = False
    """The hub said so in its TLS alert: every request with this client certificate would end like this one."""
    said: tuple[Said, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """The request was or may have been sent, and its answer did not arrive whole."""

    why: str
    millis: int
    said: tuple[Said, ...] = field(default=(), compare=False)


Exchange = Replied | NotSent | Lost

TlsSource = Callable[[], ssl.SSLContext | None]
"""Returns the context that counts now; None: the system's CAs, and no client certificate."""


class SentAgain(aiohttp.ClientConnectionError):
    """The connection was lost; aiohttp's own repetition of the request was stopped."""


@dataclass(slots=True)
class Progress:
    """How far a request came; handed to aiohttp's trace as its context."""

    began: float = field(default_factory=time.perf_counter)
    sent: bool = False
    fresh: bool = False
    """The connection was made for this request."""
    naming: bool = False
    """It ended while the hub's address was still being looked up."""

    def millis(self) -> int:
        """Return how long ago it began, in milliseconds."""
        return round((time.perf_counter() - self.began) * 1000)


class HttpClient:
    """One account's connection to its hub: one socket, kept alive between requests while its TLS context is the same.

    One request at a time: a new context closes the socket under any other.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        tls: TlsSource | None = None,
        body_limit: int = BODY_LIMIT,
        names: Names | None = None,
    ) -> None:
        """`body_limit`: bytes of an answer that are read; what is longer arrives cut off. None: the system's names."""
        self._timeouts = timeouts
        self._tls: TlsSource = tls or (lambda: None)
        self._body_limit = body_limit
        self._names = names or Names()
        self._context: ssl.SSLContext | None = None
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, url: str, headers: Mapping[str, str], document: object | None = None) -> Exchange:
        """Send `document` as JSON (None: no body) to `url` (already percent-encoded) and return what came of it.

        Never raises for the network's or the hub's faults. Cancellation closes the socket; the request is in doubt.
        """
        progress = Progress()
        body = None if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        whole = {**({} if body is None else {"Content-Type": "application/json"}), **headers}
        try:
            replied = await self._exchange(method, url, whole, body, progress)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            progress.naming = self._names.waiting
            failed = failure_of(error, progress, encrypted=url.startswith("https:"))
            return replace(failed, said=(said_of(method, url, whole, body, failure=failed.why),))
        status, answered, text = replied.status, replied.headers, replied.text
        said = said_of(method, url, whole, body, status=status, answer_headers=answered, text=text)
        return replace(replied, said=(said,))

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, progress: Progress
    ) -> Replied:
        session = await self._open()
        async with session.request(
            method,
            URL(url, encoded=True),
            data=body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            raw = await _read_bounded(response.content, self._body_limit)
            names = {name.lower(): value for name, value in response.headers.items()}
            return Replied(response.status, names, _decode(raw, response.charset), progress.millis())

    async def _open(self) -> aiohttp.ClientSession:
        """Return the session, made anew for a new context; not before its first use, since it belongs to the loop."""
        context = self._tls()
        if context is not self._context:
            await self.close()
        if self._session is None:
            self._context = context
            self._session = aiohttp.ClientSession(
                connector=Connector(ssl=context or True, resolver=self._names),
                timeout=aiohttp.ClientTimeout(
                    total=self._timeouts.total.total_seconds(), connect=self._timeouts.connect.total_seconds()
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "ocpp-bridge"},
                trace_configs=[_trace()],
            )
        return self._session

    async def close(self) -> None:
        """Close the socket."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_note_fresh)
    trace.on_request_headers_sent.append(_note_sent)
    return trace


async def _note_fresh(_session: object, context: Any, _params: object) -> None:
    progress: Progress = context.trace_request_ctx
    progress.fresh = True


async def _note_sent(_session: object, context: Any, _params: object) -> None:
    """Note that bytes leave now, and stop aiohttp from sending an idempotent request twice.

    aiohttp repeats a PUT whose connection broke. The first one may still be applied late, and nobody would know.
    """
    progress: Progress = context.trace_request_ctx
    if progress.sent:
        raise SentAgain("connection lost before the answer")
    progress.sent = True


async def _read_bounded(content: aiohttp.StreamReader, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    while left > 0 and (part := await content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _decode(raw: bytes, charset: str | None) -> str:
    """Decode by the declared charset (Hubject sends ISO-8859-1 at times), else as UTF-8; never fails."""
    try:
        text = raw.decode(charset or "utf-8", errors="replace")
    except (LookupError, UnicodeError):
        text = raw.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff")


def failure_of(error: Exception, progress: Progress, *, encrypted: bool) -> NotSent | Lost:
    """Return what came of a request that raised an error of the network instead of giving a reply.

    With TLS 1.3 the handshake is over at our end before the server has seen our certificate: its alert comes after our
    first bytes, and it has read none of them. On a connection that has served a request before, it may have.
    """
    alert = certificate_alert(error)
    if alert is not None and (progress.fresh or not progress.sent):
        return NotSent(f"{CERTIFICATE_REFUSED} (TLS alert {alert})", progress.millis(), certificate_refused=True)
    why = _describe(error, progress, encrypted=encrypted)
    return Lost(why, progress.millis()) if progress.sent else NotSent(why, progress.millis())


def _describe(error: Exception, progress: Progress, *, encrypted: bool) -> str:
    # A TLS 1.3 server refuses a client certificate only after the handshake is done at our end. Where it resets the
    # connection instead of sending an alert, or the reset overtakes the alert, a closed connection is all that is seen.
    hint = " (client certificate refused?)" if encrypted else ""
    match error:
        case aiohttp.ClientConnectorDNSError():
            why = f"no address found for host {error.host}: {error.os_error.strerror or error.os_error}"
        case aiohttp.ClientConnectorCertificateError():
            why = f"the hub's TLS certificate is not trusted: {error.certificate_error}"
        case aiohttp.ClientConnectorSSLError():
            why = f"TLS failed: {error.os_error}"
        case aiohttp.ClientConnectorError():
            dropped = isinstance(error.os_error, ConnectionResetError)
            why = f"connection reset in the TLS handshake{hint}" if dropped else f"cannot connect: {error.os_error}"
        case TimeoutError() if progress.naming:
            why = "no connection in time: no name server has told the hub's address"
        case TimeoutError():
            why = "no answer in time" if progress.sent else "no connection in time"
        case aiohttp.ServerDisconnectedError() | SentAgain() | OSError():
            why = f"the hub closed the connection without an answer{hint}: {error}"
        case aiohttp.ClientPayloadError():
            why = "the answer was cut off"
        case aiohttp.ClientResponseError():
            why = f"the answer is not HTTP: {error.message}"
        case _:
            why = f"{type(error).__name__}: {error}"
    return cut(why)


def failed(exchange: NotSent | Lost) -> Answer:
    """Return the answer of a request that got no reply: deferred, and in doubt where it may have been sent."""
    match exchange:
        case NotSent(why, millis):
            return Answer(Deferred(why), millis=millis, said=exchange.said)
        case Lost(why, millis):
            return Answer(Deferred(why, in_doubt=True), millis=millis, said=exchange.said)
        case _:
            assert_never(exchange)


def deferred(why: str, status: int, headers: Mapping[str, str], now: datetime, *, unclear: bool = False) -> Deferred:
    """Return `Deferred` for a reply, with its Retry-After.

    In doubt where the reply does not prove that nothing is applied: 408 and 5xx often come from a gateway that gave up
    on a service still at work, 101 is no answer to any of our requests, and an `unclear` reply proves nothing.
    """
    retry_after = header(headers, "retry-after")
    return Deferred(
        cut(f"{why}{unreadable(headers) if unclear else ''}"),
        retry_after_s=parse_retry_after(retry_after, now) if retry_after else None,
        in_doubt=unclear or status < 200 or status == 408 or status >= 500,
    )


def unreadable(headers: Mapping[str, str]) -> str:
    """Return what the headers tell of a body that proves nothing, to be added to a reason; empty: nothing."""
    encoding = header(headers, "content-encoding").strip().lower()
    if encoding not in ("", "identity"):
        return f"; it is compressed ({encoding[:16]}), which was not asked for"
    if header(headers, "content-type").strip().lower().startswith("text/html"):
        return "; it is a web page"
    return ""


def header(headers: Mapping[str, str], name: str) -> str:
    """Return the header's value, its name in any case; empty where it is missing."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def parse_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object in `text`, or None where there is none."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def cut(text: str) -> str:
    """Return foreign text as one line of at most `FOREIGN_TEXT_LIMIT` characters."""
    return " ".join(text.split())[:FOREIGN_TEXT_LIMIT]


def without_ids(text: str, record: Record) -> str:
    """Return a hub's words with this record's ids left out, so that one reason reads alike for every row."""
    return without(text, {record.evse_id, canonical(record.evse_id), record.station_ref, record.point_ref})


def without(text: str, ids: Collection[str]) -> str:
    """Return a hub's words with these ids left out.

    An expression is made only for an id that is in there: making one takes longer than the rest of a push.
    """
    for found in sorted(set(ids) - {""}, key=len, reverse=True):
        if found not in text:
            continue
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(found)}(?![A-Za-z0-9])", "…", text)
    return text
