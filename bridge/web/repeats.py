"""Carry an order out once, however often it is sent: orders with an Idempotency-Key are remembered with their answers.

Never decides what an order is: `core.repeats` does. What did nothing (any refusal) is forgotten, and may be sent again;
what succeeded is answered again as it was; where the outcome is unknown, or the answer held a key, the repetition is a
409 that says so. Before it: `route_table`, after role and query were checked. After it: the handler.

Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from bridge.core.repeats import Answered, Found, InWork, OtherOrder
from bridge.core.temporary import TemporaryRefused
from bridge.web.principals import PRINCIPAL, Principal
from bridge.web.services import ServiceError

if TYPE_CHECKING:
    from bridge.web.route_table import Route

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r'"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
"""A string of RFC 8941, as the draft has it, or the same without its quotes, as most clients send it."""


class NothingDone(Exception):
    """A refusal before anything was done."""


class Repeats(Protocol):
    """What is remembered. Implemented by `bridge.app.repeats`."""

    async def begin(self, principal: str, key: str, content: bytes) -> Found:
        """Return what an order is; a new one is in work from now on. Raises: Unavailable."""
        ...

    async def answered(self, principal: str, key: str, status: int, answer: str | None) -> None:
        """Keep what an order was answered; None: only that it was."""
        ...

    async def undone(self, principal: str, key: str) -> None:
        """Forget an order that did nothing."""
        ...

    async def unknown(self, principal: str, key: str) -> None:
        """Note that nobody knows what an order did."""
        ...


REPEATS: web.AppKey[Repeats | None] = web.AppKey("repeats")


async def carried_out_once(route: Route, request: web.Request) -> web.StreamResponse:
    """Return the answer to an order: the handler's, or what it was before."""
    repeats = request.app.get(REPEATS)
    key = _key(request)
    if repeats is None or key is None:
        return await route.handler(request)
    principal = _whose(request[PRINCIPAL])
    found = await repeats.begin(principal, key, await _content(request))
    match found:
        case InWork():
            raise web.HTTPConflict(text="this order is being carried out right now", headers={"Retry-After": "1"})
        case OtherOrder():
            raise web.HTTPUnprocessableEntity(text=f"this {HEADER} was used for another order: take another one")
        case Answered():
            return _again(found)
    return await _carried_out(route, request, repeats, principal, key)


async def _carried_out(
    route: Route, request: web.Request, repeats: Repeats, principal: str, key: str
) -> web.StreamResponse:
    try:
        response = await route.handler(request)
    except (ServiceError, web.HTTPException, TemporaryRefused, NothingDone):
        await repeats.undone(principal, key)
        raise
    except Exception:
        await repeats.unknown(principal, key)
        raise
    if response.status >= 300 or not isinstance(response, web.Response):
        await repeats.undone(principal, key)
        return response
    await repeats.answered(principal, key, response.status, None if route.secret else _kept(response))
    return response


def _whose(principal: Principal) -> str:
    """Return whose orders are remembered: a name may be given again once its key is revoked, a number never."""
    return str(principal.key) if principal.key else principal.name


def _key(request: web.Request) -> str | None:
    values = request.headers.getall(HEADER, [])
    if not values:
        return None
    found = _KEY.fullmatch(values[0].strip())
    if len(values) > 1 or found is None:
        raise web.HTTPBadRequest(text=f"{HEADER} should be given once, with 1 to 255 visible ASCII characters")
    return found[1] or found[2]


async def _content(request: web.Request) -> bytes:
    return b"\0".join((request.method.encode(), request.path_qs.encode(), await request.read()))


def _kept(response: web.Response) -> str:
    kept = {"type": response.content_type, "location": response.headers.get("Location"), "text": response.text}
    return json.dumps(kept)


def _again(found: Answered) -> web.Response:
    if found.answer is None and found.status < 300:
        raise web.HTTPConflict(
            text="this order was carried out; what it was answered is not kept, as it holds a key or is too long"
        )
    if found.answer is None:
        raise web.HTTPConflict(
            text=f"this order was interrupted, and nobody knows what it did: look, and take another {HEADER}"
        )
    kept = json.loads(found.answer)
    headers = {REPLAYED: "true"} | ({"Location": kept["location"]} if kept["location"] else {})
    return web.Response(status=found.status, text=kept["text"], content_type=kept["type"], headers=headers)
