"""Play a station's connections one after the other: send its frames in order, take answers, answer the CSMS.

Never decides what a frame means, and never changes one but for the transaction ids that the CSMS gives. Before it:
`script`. After it: any CSMS; `report`.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from simulators.replay.answers import Answer, answer_of, default_answer
from simulators.replay.lines import CALL, message_of
from simulators.replay.report import Report
from simulators.replay.script import Step, Visit, with_transactions

DEFAULT_VERSION = "ocpp1.6"


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """Where to, and how."""

    url: str
    """With the station's id as its last segment, percent-encoded."""
    key: bytes | None = None
    version: str | None = None
    """Subprotocol; None: as recorded."""
    speed: float | None = 1.0
    """How much faster than recorded; None: without pauses."""
    answer_timeout_s: float = 30.0
    connect_timeout_s: float = 10.0


async def play(visits: Sequence[Visit], options: PlayOptions) -> Report:
    """Play every connection and return what came of it; ends early where the CSMS cannot be reached or closes."""
    report = Report(left_out=sum(visit.left_out for visit in visits))
    transactions: dict[int, int] = {}
    for place, visit in enumerate(visits):
        sent = report.sent
        try:
            async with _connected(visit, options) as socket:
                report.connections += 1
                await _Player(socket, visit, options, report, transactions).play()
        except (OSError, TimeoutError, InvalidHandshake) as error:
            report.ended = f"cannot connect: {str(error) or type(error).__name__}"
        except ConnectionClosed as error:
            report.ended = f"the CSMS closed the connection: {error}"
        if report.ended:
            left = sum(len(each.steps) for each in visits[place:])
            report.unsent = left - (report.sent - sent)
            break
    return report


def _connected(visit: Visit, options: PlayOptions) -> connect:
    version = options.version or visit.version or DEFAULT_VERSION
    headers = {}
    if options.key is not None:
        user = unquote(urlsplit(options.url).path.rpartition("/")[2])
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode() + b":" + options.key).decode()
    return connect(
        options.url,
        subprotocols=[Subprotocol(version)],
        additional_headers=headers,
        compression=None if version == DEFAULT_VERSION else "deflate",
        open_timeout=options.connect_timeout_s,
        close_timeout=options.connect_timeout_s,
        ping_interval=None,
        max_size=None,
        proxy=None,
    )


class _Player:
    """One connection."""

    def __init__(
        self,
        socket: ClientConnection,
        visit: Visit,
        options: PlayOptions,
        report: Report,
        transactions: dict[int, int],
    ) -> None:
        """`transactions`: recorded ids and those that this CSMS gave, over all connections."""
        self._socket = socket
        self._visit = visit
        self._options = options
        self._report = report
        self._transactions = transactions
        self._version = str(socket.subprotocol or DEFAULT_VERSION)
        self._answers = {action: deque(answers) for action, answers in visit.answers.items()}
        self._waiting: defaultdict[str, deque[asyncio.Future[Answer]]] = defaultdict(deque)

    async def play(self) -> None:
        """Send every frame, and wait for every answer. Raises: ConnectionClosed."""
        listening = asyncio.create_task(self._listen(), name="replay: listen")
        pending: list[tuple[Step, asyncio.Future[Answer]]] = []
        begun = asyncio.get_running_loop().time()
        try:
            for step in self._visit.steps:
                await self._until_due(step, begun)
                answer = await self._send(step)
                if answer is not None:
                    pending.append((step, answer))
                if step.waits:
                    await self._settle(pending, listening)
            await self._settle(pending, listening)
        finally:
            for step, _ in pending:
                self._report.unheard(step)
            listening.cancel()
            await asyncio.wait({listening})

    async def _until_due(self, step: Step, begun: float) -> None:
        first, speed = self._visit.steps[0].at, self._options.speed
        if speed is None or first is None or step.at is None:
            return
        wait = begun + (step.at - first) / speed - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _send(self, step: Step) -> asyncio.Future[Answer] | None:
        answer: asyncio.Future[Answer] | None = None
        if step.id is not None:
            answer = asyncio.get_running_loop().create_future()
            self._waiting[step.id].append(answer)
        text = with_transactions(step.text, self._transactions)
        await self._socket.send(text.encode("utf-8", "backslashreplace").decode())
        self._report.sent += 1
        self._report.calls += step.id is not None
        return answer

    async def _settle(self, pending: list[tuple[Step, asyncio.Future[Answer]]], listening: asyncio.Task[None]) -> None:
        """Wait for the answers to what was sent. Raises: ConnectionClosed."""
        while pending:
            step, answer = pending[0]
            either: set[asyncio.Future[Any]] = {answer, listening}
            await asyncio.wait(either, timeout=self._options.answer_timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and listening.done():
                listening.result()
            del pending[0]
            if answer.done():
                self._take(step, answer.result())
            else:
                self._report.unheard(step)

    def _take(self, step: Step, answer: Answer) -> None:
        self._report.answered(step, answer)
        match (step.recorded, answer):
            case (Answer(payload={"transactionId": int(recorded)}), Answer(payload={"transactionId": int(given)})):
                self._transactions[recorded] = given
            case _:
                pass

    async def _listen(self) -> None:
        """Take what the CSMS sends until the connection ends. Raises: ConnectionClosed."""
        while True:
            message = message_of(_text(await self._socket.recv()))
            if message is None:
                self._report.stray += 1
                continue
            match message:
                case [2, str(id), str(action), *rest] if message[0] == CALL:
                    answer = self._answer(action, rest[0] if rest else {})
                    await self._socket.send(json.dumps(answer.frame(id)))
                case [3 | 4, str(id), *_]:
                    self._answered(id, answer_of(message))
                case _:
                    self._report.stray += 1

    def _answer(self, action: str, payload: Any) -> Answer:
        """Return the next recorded answer to this action, the last one again, or a default."""
        self._report.asked[action] += 1
        recorded = self._answers.get(action)
        if not recorded:
            self._report.by_default[action] += 1
            return default_answer(action, payload, self._version)
        return recorded.popleft() if len(recorded) > 1 else recorded[0]

    def _answered(self, id: str, answer: Answer | None) -> None:
        waiting = self._waiting.get(id)
        if not waiting or answer is None:
            self._report.stray += 1
            return
        future = waiting.popleft()
        if not future.done():
            future.set_result(answer)


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
