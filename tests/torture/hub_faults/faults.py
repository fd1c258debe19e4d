"""The catalogue of faults in one answer, as data: what the hub does, and what must come of it. Knows no test.

`verdict` is `accepted`, `deferred` (proven not applied, or nothing to apply), `in doubt` (may be applied now or later),
`held` or `refused`. A request that only reads is `deferred` where others are `in doubt`. `but` has the kinds of request
(or hubs) for which it is another one.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.torture.hub_faults.wire import Close, Drip, Hang, Pause, Pour, Raw, Reset, Say, Step

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: %(length)d\r\n\r\n%(body)b"
LOGIN = b"<!doctype html><html><head><title>Sign in</title></head><body><form>...</form></body></html>"
BOMB = gzip.compress(b"\0" * 32 * 2**20)


@dataclass(frozen=True)
class Fault:
    """One way to answer a request, or not to."""

    name: str
    row: str
    steps: tuple[Step, ...]
    verdict: str
    says: str = ""
    """What the reason has in it, for an operator."""
    hasty: bool = False
    """It ends with our own timeout: a short one is set."""
    but: Mapping[str, str] = field(default_factory=dict)


def fault(name: str, row: str, verdict: str, *steps: Step, says: str = "", hasty: bool = False, **but: str) -> Fault:
    return Fault(name, row, steps, verdict, says, hasty, {key.replace("_", "-"): one for key, one in but.items()})


def answer(head: bytes, body: bytes = b"") -> Raw:
    return Raw(b"HTTP/1.1 " + head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


DOUBT, OK_, LATER = "in doubt", "accepted", "deferred"
TIMEOUT = "no answer in time"
CLOSED = "closed the connection without an answer"
NOT_HTTP = "the answer is not HTTP"

SILENT = (
    fault("hang", "T28", DOUBT, Hang(), says=TIMEOUT, hasty=True),
    fault("hang-in-the-head", "T28", DOUBT, Raw(OK + b"Content-Le"), Hang(), says=TIMEOUT, hasty=True),
    fault("hang-in-the-body", "T28", DOUBT, Raw(OK + b"Content-Length: 50\r\n\r\n{"), Hang(), says=TIMEOUT, hasty=True),
    fault("hang-for-a-huge-body", "T30", DOUBT, Raw(OK + b"Content-Length: %d\r\n\r\n{" % 10**18), Hang(), hasty=True),
)

CUT = (
    fault("closed-without-a-word", "T29", DOUBT, Close(), says=CLOSED),
    fault("reset-without-a-word", "T29", DOUBT, Reset(), says=CLOSED),
    fault("reset-in-the-status-line", "T30", DOUBT, Raw(b"HTTP/1.1 2"), Pause(0.02), Reset()),
    fault("reset-in-the-head", "T30", DOUBT, Raw(OK + b"Content-Le"), Pause(0.02), Reset()),
    fault("reset-in-the-body", "T30", DOUBT, Raw(OK + b"Content-Length: 500\r\n\r\n{"), Pause(0.02), Reset()),
    fault("truncated", "T30", DOUBT, Raw(OK + b'Content-Length: 500\r\n\r\n{"Result": true'), Close(), says="cut off"),
    fault(
        "truncated-chunk", "T30", DOUBT, Raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"), Close(), says="cut off"
    ),
    fault(
        "no-last-chunk",
        "T30",
        DOUBT,
        Say(OK + b"Transfer-Encoding: chunked\r\n\r\n%(length)x\r\n%(body)b\r\n"),
        Close(),
    ),
    fault("until-closed-but-cut", "T30", DOUBT, Raw(OK + b'\r\n{"Result": tr'), Close()),
)

LENGTHS = (
    fault("length-too-long", "T30", DOUBT, Say(OK + b"Content-Length: 9999\r\n\r\n%(body)b"), Close(), says="cut off"),
    fault("length-too-short", "T30", DOUBT, Say(OK + b"Content-Length: 9\r\n\r\n%(body)b")),
    fault("length-negative", "T30", DOUBT, Say(OK + b"Content-Length: -5\r\n\r\n%(body)b"), says=NOT_HTTP),
    fault("length-no-number", "T30", DOUBT, Say(OK + b"Content-Length: abc\r\n\r\n%(body)b"), says=NOT_HTTP),
    fault("length-with-a-plus", "T30", DOUBT, Say(OK + b"Content-Length: +5\r\n\r\n%(body)b"), says=NOT_HTTP),
    fault(
        "two-lengths", "T30", DOUBT, Say(OK + b"Content-Length: 9\r\nContent-Length: 10\r\n\r\n%(body)b"), says=NOT_HTTP
    ),
    fault(
        "length-beside-chunks",
        "T30",
        DOUBT,
        Say(OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n%(length)x\r\n%(body)b\r\n0\r\n\r\n"),
        says=NOT_HTTP,
    ),
    fault("bad-chunk-size", "T30", DOUBT, Raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")),
    fault(
        "chunk-size-of-2-to-the-64",
        "T30",
        DOUBT,
        Raw(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n{"),
        Close(),
    ),
)

SLOW = (
    fault("drip-of-the-head", "T31", DOUBT, Drip(WHOLE * 9), says=TIMEOUT, hasty=True),
    fault(
        "drip-of-the-body",
        "T31",
        DOUBT,
        Raw(OK + b"Content-Length: 900\r\n\r\n"),
        Drip(b"{" * 900),
        says=TIMEOUT,
        hasty=True,
    ),
    fault(
        "drip-of-chunks",
        "T31",
        DOUBT,
        Raw(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        Drip(b"1\r\n{\r\n" * 200),
        says=TIMEOUT,
        hasty=True,
    ),
    fault(
        "drip-of-100-continue",
        "T31",
        DOUBT,
        Drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, 0.004),
        says=TIMEOUT,
        hasty=True,
    ),
)

HUGE = (
    fault("endless-body", "T50", DOUBT, Raw(OK + b"\r\n"), Pour(b"x" * 2**16)),
    fault("body-of-1-gb", "T50", DOUBT, Raw(OK + b"Content-Length: %d\r\n\r\n" % 10**9), Pour(b"x" * 2**16)),
    fault(
        "endless-chunks",
        "T50",
        DOUBT,
        Raw(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        Pour(b"10000\r\n" + b"x" * 2**16 + b"\r\n"),
    ),
    fault("endless-head", "T50", DOUBT, Raw(OK), Pour(b"X-More: " + b"x" * 1000 + b"\r\n")),
    fault("endless-header", "T50", DOUBT, Raw(OK + b"X-More: "), Pour(b"x" * 2**16)),
    fault("endless-status-line", "T50", DOUBT, Raw(b"HTTP/1.1 200 "), Pour(b"x" * 2**16)),
    fault(
        "endless-trailers",
        "T50",
        DOUBT,
        Raw(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
        Pour(b"X-More: x\r\n" * 1000),
        hasty=True,
    ),
    fault(
        "endless-chunk-extension",
        "T50",
        DOUBT,
        Raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5;a="),
        Pour(b"x" * 2**16),
        hasty=True,
    ),
    fault("flood-of-100-continue", "T50", DOUBT, Pour(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), hasty=True),
    fault(
        "gzip-bomb",
        "T50",
        DOUBT,
        Raw(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        says="gzip",
    ),
)

COMPRESSED = (
    fault(
        "gzip",
        "T50",
        DOUBT,
        answer(b"200 OK\r\nContent-Encoding: gzip", gzip.compress(b'{"Result": true}')),
        says="gzip",
    ),
    fault(
        "deflate",
        "T50",
        DOUBT,
        answer(b"200 OK\r\nContent-Encoding: deflate", zlib.compress(b'{"Result": true}')),
        says="deflate",
    ),
    fault("br", "T50", DOUBT, answer(b"200 OK\r\nContent-Encoding: br", b"\x0b\x0a\x80hello\x03"), says="br"),
    fault(
        "said-to-be-gzip", "T50", OK_, Say(OK + b"Content-Encoding: gzip\r\nContent-Length: %(length)d\r\n\r\n%(body)b")
    ),
)

ODD_BUT_GOOD = (
    fault("http-1.0", "T50", OK_, Say(b"HTTP/1.0 200 OK\r\n\r\n%(body)b"), Close()),
    fault(
        "connection-close",
        "T50",
        OK_,
        Say(OK + b"Connection: close\r\nContent-Length: %(length)d\r\n\r\n%(body)b"),
        Close(),
    ),
    fault("100-continue", "T50", OK_, Say(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + WHOLE)),
    fault("103-early-hints", "T50", OK_, Say(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + WHOLE)),
    fault(
        "trailers",
        "T50",
        OK_,
        Say(OK + b"Transfer-Encoding: chunked\r\n\r\n%(length)x\r\n%(body)b\r\n0\r\nX-T: 1\r\n\r\n"),
    ),
    fault("byte-order-mark", "T33", OK_, Say(OK + b"Connection: close\r\n\r\n\xef\xbb\xbf%(body)b"), Close()),
    fault(
        "iso-8859-1",
        "T33",
        OK_,
        Say(OK + b"Content-Type: application/json; charset=ISO-8859-1\r\nContent-Length: %(length)d\r\n\r\n%(body)b"),
    ),
    fault("white-space-around", "T33", OK_, Say(OK + b"Connection: close\r\n\r\n \r\n%(body)b\r\n"), Close()),
    fault("more-than-the-body", "T30", DOUBT, Say(WHOLE + b"garbage after it")),
    fault("a-second-answer", "T30", OK_, Say(WHOLE + b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")),
)

NOT_THE_HUB = (
    fault("login-page", "T33", DOUBT, answer(b"200 OK\r\nContent-Type: text/html", LOGIN), says="web page"),
    fault("cut-json", "T33", DOUBT, answer(b"200 OK", b'{"Result": true, "Status')),
    fault("utf-16", "T33", DOUBT, answer(b"200 OK", '{"Result": true}'.encode("utf-16"))),
    fault("json-of-another-kind", "T33", DOUBT, answer(b"200 OK", b'"Result"'), spirii_list=LATER),
    fault("deep-json", "T33", DOUBT, answer(b"200 OK", b"[" * 60_000)),
    # Chargeprice's success has no body, nor has Spirii's of a change.
    fault("empty", "T33", DOUBT, answer(b"200 OK"), chargeprice=OK_, spirii_change=OK_),
    fault("204", "T33", DOUBT, Raw(b"HTTP/1.1 204 No Content\r\n\r\n"), chargeprice=OK_, spirii_change=OK_),
    fault(
        "204-with-a-body",
        "T33",
        DOUBT,
        Raw(b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n<html>..."),
        says=NOT_HTTP,
    ),
    fault("another-protocol", "T33", DOUBT, Raw(b"SSH-2.0-OpenSSH_9.2\r\n"), Close(), says=NOT_HTTP),
    fault("no-status", "T33", DOUBT, Raw(b"HTTP/1.1 abc\r\n\r\n"), says=NOT_HTTP),
    fault(
        "101-switching",
        "T50",
        DOUBT,
        Raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ),
    fault("304", "T38", LATER, Raw(b"HTTP/1.1 304 Not Modified\r\n\r\n")),
)

FAULTS = SILENT + CUT + LENGTHS + SLOW + HUGE + COMPRESSED + ODD_BUT_GOOD + NOT_THE_HUB
