"""Keep of a request to a hub and its answer what an operator may see: masked and cut, as a value.

Pure; never keeps a whole fullLoad or list, and never shows a key: what a header of ours proved is masked wherever the
hub says it again, and so is whatever has the name of a secret or identifies a driver. Before it: `http`, with what went
over the wire. After it: the delivery log, as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from csms.secret_names import NAMED_WITHIN

TEXT_LIMIT = 4096
"""Characters of a body that are kept, each way."""

EXCHANGES_LIMIT = 10
"""Exchanges of one push that are kept; none takes more."""

MASK = "***"
_HEADER_LIMIT = 256
_SHORTEST_SECRET = 4
"""Shorter ones would be found everywhere."""
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie"})
_ASKED = frozenset({"content-type"}) | _SECRET_HEADERS
_ANSWERED = frozenset(
    {
        "content-type",
        "content-encoding",
        "process-id",
        "retry-after",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-request-id",
        "location",
        "server",
    }
)

_WORDS = ("pass", "secret", "key", "token", "credential", "pin", "shared", "tag", "rfid", "emaid", "bearer", "basic")
"""What any text that is masked by its names has in it, in lower case; few of a hub's answers have."""
_NAMED = re.compile(
    rf"""(["']?[\w-]{{0,40}}(?:{NAMED_WITHIN}|token|id[_ -]?tag|rfid|emaid)[\w-]{{0,40}}["']?\s{{0,4}}[:=]\s{{0,4}})"""
    r"""("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"',;&}\]]+)""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(bearer|basic)(\s+)[\w.~+/=-]{6,}", re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL)
_USER = re.compile(r"(?<=://)[^/@?#]*@")
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Said:
    """One request and its answer, masked and cut."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    bytes: int
    """Of the whole body."""
    status: int | None = None
    """None: no answer came."""
    answer_headers: Mapping[str, str] | None = None
    answer_body: str = ""
    answer_bytes: int = 0
    failure: str = ""


def said_of(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    status: int | None = None,
    answer_headers: Mapping[str, str] | None = None,
    text: str = "",
    failure: str = "",
) -> Said:
    """Return what is kept of an exchange; of a long body only its head is ever looked at."""
    secrets = _secrets(headers)
    answered = answer_headers or {}
    return Said(
        method=method,
        url=_masked(_USER.sub(f"{MASK}@", url), secrets),
        headers=_kept(headers, _ASKED, secrets),
        body="" if body is None else _head(body[: _reach(secrets)].decode("utf-8", errors="ignore"), secrets),
        bytes=0 if body is None else len(body),
        status=status,
        answer_headers=_kept(answered, _ANSWERED, secrets),
        answer_body=_head(text[: _reach(secrets)], secrets) if text else "",
        answer_bytes=len(text) if text.isascii() else len(text.encode("utf-8", errors="replace")),
        failure=_masked(failure, secrets),
    )


def requests_json(exchanges: Sequence[Said]) -> str | None:
    """Return what was sent, as the delivery log keeps it; None: nothing."""
    if not exchanges:
        return None
    return _encode(
        [
            {"method": each.method, "url": each.url, "headers": each.headers, "body": each.body, "bytes": each.bytes}
            for each in exchanges[:EXCHANGES_LIMIT]
        ]
    )


def answers_json(exchanges: Sequence[Said]) -> str | None:
    """Return what came back for each of them, as the delivery log keeps it; None: nothing was sent."""
    if not exchanges:
        return None
    return _encode([_answer(each) for each in exchanges[:EXCHANGES_LIMIT]])


def _answer(said: Said) -> dict[str, object]:
    if said.status is None:
        return {"failure": said.failure}
    return {
        "status": said.status,
        "answer_headers": said.answer_headers,
        "answer_body": said.answer_body,
        "answer_bytes": said.answer_bytes,
    }


# --- masking --------------------------------------------------------------------------------------------------------


def _secrets(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return what proves who we are, the longest first, in each form in which a hub may repeat it."""
    found = set()
    for name, value in headers.items():
        if name.lower() in _SECRET_HEADERS:
            proof = value.rpartition(" ")[2]
            found |= {proof, quote(proof, safe=""), _encode(proof)[1:-1]}
    return tuple(sorted((each for each in found if len(each) >= _SHORTEST_SECRET), key=len, reverse=True))


def _reach(secrets: Sequence[str]) -> int:
    """Return how much of a text is looked at: a secret that the cut would split is found whole."""
    return TEXT_LIMIT + (len(secrets[0]) if secrets else 0)


def _head(text: str, secrets: Sequence[str]) -> str:
    return _masked(text, secrets)[:TEXT_LIMIT]


def _kept(headers: Mapping[str, str], which: frozenset[str], secrets: Sequence[str]) -> dict[str, str]:
    return {
        name: _scheme_of(value) if name.lower() in _SECRET_HEADERS else _masked(value, secrets)[:_HEADER_LIMIT]
        for name, value in headers.items()
        if name.lower() in which
    }


def _scheme_of(value: str) -> str:
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space and scheme.lower() in ("bearer", "basic") else MASK


def _masked(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    lowered = text.lower()
    for word in _WORDS:
        if word in lowered:
            break
    else:
        return text
    text = _PEM.sub(MASK, text) if "private key-----" in lowered else text
    text = _NAMED.sub(_mask_value, text)
    return _SCHEME.sub(rf"\1\2{MASK}", text)


def _mask_value(found: re.Match[str]) -> str:
    quoted = found[2][:1] if found[2][:1] in "\"'" else ""
    return f"{found[1]}{quoted}{MASK}{quoted}"
