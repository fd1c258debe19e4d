"""Read the tables of docs/hubs.md, name outcomes as they do, and be a hub that answers what a row says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridge.core.model import Accepted, Deferred, Held, Outcome, Refused, WrongAction
from bridge.upstreams.port import Answer

DOCS = Path(__file__).parents[2] / "docs"
HUBS = (DOCS / "hubs.md").read_text(encoding="utf-8")
PAGE = "<html>not here</html>"


def rows(name: str, document: str = HUBS) -> list[list[str]]:
    """The body of the table after `<!-- table: name -->`."""
    _, _, after = document.partition(f"<!-- table: {name} -->\n\n")
    table = after.partition("\n\n")[0].splitlines()
    assert len(table) > 2, f"no table {name}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def said(outcome: Outcome, *, unknown: str = "insert instead") -> str:
    """An outcome as the documents name it."""
    match outcome:
        case Accepted():
            return "accepted"
        case Deferred(in_doubt=in_doubt):
            return "deferred, in doubt" if in_doubt else "deferred"
        case Refused(named=named):
            return "refused, by name" if named else "refused"
        case WrongAction(known=known):
            return "update instead" if known else unknown
        case Held(perhaps_row=perhaps_row):
            return "held, or one row's own" if perhaps_row else "held"


def of_rows(name: str) -> list[Any]:
    return [pytest.param(row, id=" ".join(row[:2])) for row in rows(name)]


def statuses(cell: str, named: Iterable[str]) -> list[int]:
    """The HTTP statuses of a cell such as "408, 5xx" or "other 4xx"; `named`: those that any row names by number."""
    found: list[int] = []
    for part in cell.split(", "):
        if part.isdecimal():
            found.append(int(part))
            continue
        hundred = int(part.removeprefix("other ")[0]) * 100
        found += [status for status in range(hundred, hundred + 100) if str(status) not in named]
    return found


def named_in(name: str) -> set[str]:
    return {part for row in rows(name) for part in row[0].split(", ") if part.isdecimal()}


def documented_statuses(name: str) -> set[int]:
    """Every HTTP status that a row of the table is about."""
    named = named_in(name)
    return {status for row in rows(name) for status in statuses(row[0], named)}


class Hub:
    """A hub on loopback that answers each method with what is next in its list, the last one for ever."""

    def __init__(self, answers: Mapping[str, Sequence[tuple[int, str]]]) -> None:
        self._answers = {method: list(listed) for method, listed in answers.items()}
        self.methods: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.methods.append(request.method)
        left = self._answers[request.method]
        status, text = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=status, text=text, content_type="application/json")

    def ask(self, question: Callable[[str], Any]) -> Answer:
        """Return what the adapter makes of it; `question` gets the hub's address and returns adapter and coroutine."""

        async def run() -> Answer:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self.answer)
            async with TestServer(app) as server:
                upstream, asked = question(str(server.make_url("")).rstrip("/"))
                try:
                    answer: Answer = await asked
                    return answer
                finally:
                    await upstream.close()

        return asyncio.run(run())
