"""Pretend to be the network and the hubs behind it: the mock hubs' own rules and ledgers, without their server.

`Reaches` stands where an adapter has its HTTP client; what it returns is what that would: a reply, or what became
of the request. A hub goes on with a request though its sender was killed.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any
from urllib.parse import urlsplit

from bridge.upstreams.http import Exchange, HttpClient, Lost, NotSent, Replied, Timeouts
from simulators.hubs.exchange import Hub, Judgement, Reply, Request
from simulators.hubs.faults import FaultBook, FaultKind, FaultSpec
from simulators.hubs.ledger import Entry, Ledger, RateLimit

_TOTAL_S = 15.0
"""The bridge's own total timeout: design, Defaults."""


class _Reset(Exception):
    """The connection is gone."""


class SimulatedHub:
    """One hub: what it holds, what it was asked, and the faults that it has."""

    def __init__(
        self,
        hub: Hub,
        rate_limit: RateLimit,
        *,
        seed: int,
        world: Context,
        clock: Callable[[], float],
        latency_s: Callable[[], float],
        on_request: Callable[[str, Judgement], None],
    ) -> None:
        """`clock`: seconds since 1970; `on_request` is told of each request when it arrives."""
        self.hub = hub
        self.ledger = Ledger(rate_limit)
        self.faults = FaultBook(seed)
        self._world = world
        self._clock = clock
        self._latency_s = latency_s
        self._on_request = on_request
        self._chance = chance(seed, f"connections of {hub.name}")
        self._open: dict[asyncio.Task[Any], Entry] = {}
        self.attempts = 0

    def state(self) -> dict[str, str]:
        """Return what the hub holds."""
        return self.ledger.state(self._clock())

    def receive(self, request: Request) -> asyncio.Task[Reply] | None:
        """Take a request that has left its sender, who may be killed from now on; None: nobody listens."""
        self.attempts += 1
        if self.faults.unreachable(self._clock()) is not None:
            return None
        return asyncio.get_running_loop().create_task(self._serve(request), context=self._world)

    async def answer_to(self, serving: asyncio.Task[Reply] | None) -> Exchange:
        """Return what the sender sees of its request."""
        if serving is None:
            return NotSent("cannot connect: connection refused", 0)
        began = self._clock()
        try:
            async with asyncio.timeout(_TOTAL_S):
                reply = await asyncio.shield(serving)
        except TimeoutError:
            serving.cancel()
            return Lost("no answer in time", int(_TOTAL_S * 1000))
        except _Reset:
            return Lost("the hub closed the connection without an answer", self._millis(began))
        except asyncio.CancelledError:
            # Killed: the connection is gone, and a hub that has the request may go on with it all the same.
            serving.add_done_callback(_forget)
            self._hang_up(serving)
            raise
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Replied(reply.status, headers, reply.text, self._millis(began))

    def _hang_up(self, serving: asyncio.Task[Reply]) -> None:
        entry = self._open.get(serving)
        if entry is not None:
            self.ledger.abandon(entry)
        if self._chance.random() < 0.5:
            serving.cancel()

    def _millis(self, began: float) -> int:
        return round((self._clock() - began) * 1000)

    async def _serve(self, request: Request) -> Reply:
        await asyncio.sleep(self._latency_s())
        judgement = self.hub.judge(request, self.ledger)
        at = self._clock()
        entry = self.ledger.begin(at, judgement.operation, judgement.action, judgement.records)
        for what in judgement.violations:
            self.ledger.violate(entry.n, at, what)
        self._on_request(self.hub.name, judgement)
        self._note_open(entry)
        try:
            reply = await self._carry_out(entry, judgement)
            await asyncio.sleep(self._latency_s())
        except (asyncio.CancelledError, _Reset):
            self.ledger.abandon(entry)
            raise
        self.ledger.answer(entry, reply.status, reply.code, self._clock())
        return reply

    def _note_open(self, entry: Entry) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = entry
        task.add_done_callback(lambda done: self._open.pop(done, None))

    async def _carry_out(self, entry: Entry, judgement: Judgement) -> Reply:
        main: FaultSpec | None = None
        keys = [key for key, _ in judgement.records]
        for spec in self.faults.pick(keys, judgement.action, self._clock(), judgement.operation):
            self.ledger.note_fault(entry, spec.kind.value)
            if spec.kind is FaultKind.LATENCY:
                await asyncio.sleep(spec.delay_s)
            else:
                main = spec
        if main is None or main.takes_effect():
            self._apply(entry, judgement)
        return judgement.reply if main is None else await self._fail(main, entry, judgement)

    async def _fail(self, spec: FaultSpec, entry: Entry, judgement: Judgement) -> Reply:
        match spec.kind:
            case FaultKind.HANG:
                return await _never()
            case FaultKind.LATE:
                loop = asyncio.get_running_loop()
                loop.call_later(spec.delay_s, self._apply, entry, judgement, context=self._world)
                return await _never()
            case FaultKind.RESET_BEFORE | FaultKind.RESET_AFTER:
                raise _Reset
            case FaultKind.INVALID_BODY:
                return Reply(200, {"empty": "", "html": "<html></html>", "not_json": '{"Result": tr'}[spec.body])
            case _:
                return self.hub.fault_reply(spec, judgement)

    def _apply(self, entry: Entry, judgement: Judgement) -> None:
        if judgement.change is not None:
            self.ledger.apply(entry, judgement.change, self._clock())


class Reaches(HttpClient):
    """An adapter's client that reaches a simulated hub."""

    def __init__(self, hub: SimulatedHub, sent: Callable[[], None], answered: Callable[[], None]) -> None:
        """`sent` and `answered` are the moments at which the process may die: with the request out, with its answer."""
        super().__init__(Timeouts())
        self._hub = hub
        self._sent = sent
        self._answered = answered

    async def send(self, method: str, url: str, headers: Mapping[str, str], document: object | None = None) -> Exchange:
        """Send a request and return what came of it."""
        body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode()
        place = urlsplit(url)
        described = {"content-type": "application/json", **{name.lower(): text for name, text in headers.items()}}
        serving = self._hub.receive(Request(method, place.path, described, body, query=place.query))
        self._sent()
        found = await self._hub.answer_to(serving)
        self._answered()
        return found


async def _never() -> Reply:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody completes this future")


def _forget(task: asyncio.Task[Reply]) -> None:
    if not task.cancelled():
        task.exception()


def chance(seed: int, what: str) -> random.Random:
    """Return a generator of its own for each part of a run, so that one more draw here shifts nothing there."""
    return random.Random(f"{seed} {what}")
