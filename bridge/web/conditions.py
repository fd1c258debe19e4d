"""Read on what condition a change is to be made, so that nobody overwrites what he has not seen.

Never compares: whoever changes does, in the transaction of the change. Before it: routes that are `guarded`. After it:
`core.etags`.

Source: RFC 9110 §13.1; RFC 6585 §3 (428).
"""

from __future__ import annotations

import re

from aiohttp import web

from bridge.core.etags import Condition

_TAG = re.compile(r'"[\x21\x23-\x7e]*"')
_LIST = re.compile(r'\s*"[\x21\x23-\x7e]*"\s*(?:,\s*"[\x21\x23-\x7e]*"\s*)*')


def condition_of(request: web.Request, *, may_create: bool = False) -> Condition:
    """Return the condition. Raises: HTTPPreconditionRequired where there is none, HTTPBadRequest."""
    wanted = ", ".join(request.headers.getall("If-Match", []))
    absent = ", ".join(request.headers.getall("If-None-Match", [])).strip()
    if may_create and absent == "*" and not wanted:
        return Condition(nothing=True)
    if not wanted:
        create = ", or If-None-Match: * to create it" if may_create else ""
        raise web.HTTPPreconditionRequired(text=f"send If-Match with the ETag of what you have seen{create}")
    if wanted.strip() == "*":
        return Condition(anything=True)
    if _LIST.fullmatch(wanted) is None:
        raise web.HTTPBadRequest(text='If-Match should be an ETag as it was given, such as "4f9d0a1a", or *')
    return Condition(tags=frozenset(_TAG.findall(wanted)))
