"""Give each test a bridge without sockets: the real store and writer, the shipped intake, ticker and lanes.

Only the clock and the hub are replaced: the clock is set by the test, the hub is a hand-written upstream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.core.documents import DocumentKind
from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.model import Accepted, AccountName, Moment, Outcome, TemporaryKind
from bridge.core.modes import Mode
from bridge.core.reconcile import ReconcileOptions
from bridge.derive import Derived, DeriveOptions
from bridge.documents import DocumentPlan, refresh
from bridge.edits import Imported, ImportOrder, import_inventories
from bridge.intake import Intake
from bridge.inventory_file import parse_inventory
from bridge.lane import AccountLane, LaneOptions
from bridge.store.engine import Store
from bridge.store.writer import Writer
from bridge.temporaries import (
    ChangeOrder,
    CreateOrder,
    Ordered,
    RemoveOrder,
    change_temporaries,
    create_temporaries,
    remove_temporaries,
)
from bridge.ticker import Ticker
from bridge.upstreams.port import Answer, Document, Entry, Record
from bridge.upstreams.said import Said
from csms.auth import StationKeys
from csms.events import (
    Epoch,
    OcppVersion,
    Receipt,
    ReportedStatus,
    StationBooted,
    StationConnected,
    StationId,
    StatusReported,
)

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HUBJECT = AccountName("hubject")
CHARGEPRICE = AccountName("chargeprice")
PEPPER = b"p" * 32

STATIONS = """station,version,key,evse,connector,evse_id,operator,layer0,chargeprice_station,chargeprice_point
one,1.6,0123456789abcdef,,1,DE*ABC*E1*1,demo,downgrade,s1,p1
one,,,,2,DE*ABC*E1*2,demo,downgrade,s1,p2
two,2.0.1,0123456789abcdef,1,1,DE*ABC*E2*1,demo,downgrade,s2,p1
two,,,1,2,DE*ABC*E2*1,demo,downgrade,s2,p1
two,,,2,1,DE*ABC*E2*2,demo,downgrade,s2,p2
"""


class TestClock:
    """Both clocks, moved by the test."""

    __test__ = False

    def __init__(self) -> None:
        self.now = START
        self.steady = START

    def __call__(self) -> Moment:
        return Moment(self.now, self.steady)

    def pass_(self, **parts: float) -> None:
        self.now += timedelta(**parts)
        self.steady += timedelta(**parts)


@dataclass
class FakeProber:
    """Remembers whom it was told to ask."""

    open: set[StationId] = field(default_factory=set)
    asked: list[StationId] = field(default_factory=list)
    resynced: list[StationId] = field(default_factory=list)

    def is_connected(self, station: StationId) -> bool:
        return station in self.open

    def connected_ids(self) -> frozenset[StationId]:
        return frozenset(self.open)

    async def ask(self, station: StationId) -> None:
        self.asked.append(station)

    async def resync(self, station: StationId) -> None:
        self.resynced.append(station)


@dataclass
class FakeUpstream:
    """A hub that answers as the test says and keeps what it was sent."""

    kind: str = "oicp"
    takes_full_load: bool = True
    per_minute: int = 60_000
    answer: Callable[[Record], Outcome] = lambda _record: Accepted()
    full_answer: Callable[[Sequence[Record]], Outcome] = lambda _records: Accepted()
    pushed: list[Record] = field(default_factory=list)
    full_loads: list[tuple[Record, ...]] = field(default_factory=list)
    document_answer: Callable[[Document], Answer] = lambda _document: Answer(Accepted())
    data_answer: Callable[[Sequence[Document]], Outcome] = lambda _documents: Accepted()
    entries: tuple[Entry, ...] = ()
    documents: list[Document] = field(default_factory=list)
    data_loads: list[tuple[Document, ...]] = field(default_factory=list)
    surveys: int = 0
    order: list[str] = field(default_factory=list)
    """Every request by its kind, in the order in which they came."""
    gate: asyncio.Event | None = None
    in_flight: int = 0
    most_in_flight: int = 0
    said: tuple[Said, ...] = ()

    async def push(self, record: Record) -> Answer:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.pushed.append(record)
        self.order.append(f"status {record.evse_id}")
        try:
            if self.gate is not None:
                await self.gate.wait()
            return Answer(self.answer(record), 200, "000", said=self.said)
        finally:
            self.in_flight -= 1

    async def full_load(self, records: Sequence[Record]) -> Answer:
        self.full_loads.append(tuple(records))
        self.order.append("statuses")
        return Answer(self.full_answer(records), 200, "000")

    async def push_document(self, document: Document) -> Answer:
        self.documents.append(document)
        self.order.append(f"{document.kind} {document.key}")
        if self.gate is not None:
            await self.gate.wait()
        return self.document_answer(document)

    async def full_load_documents(self, documents: Sequence[Document]) -> Answer:
        self.data_loads.append(tuple(documents))
        self.order.append("data")
        return Answer(self.data_answer(documents), 200, "000")

    async def survey(self) -> Answer:
        self.surveys += 1
        return Answer(Accepted(), 200, entries=self.entries)

    async def close(self) -> None:
        return None


@dataclass
class Bridge:
    """The parts under test, wired as the product wires them."""

    store: Store
    writer: Writer
    clock: TestClock
    options: DeriveOptions
    intake: Intake
    ticker: Ticker
    prober: FakeProber
    woken: list[Derived]
    seq: dict[str, int] = field(default_factory=dict)

    async def import_(self, text: str, *, prune: bool = False, yes: bool = True) -> Imported:
        order = ImportOrder(
            inventory=parse_inventory(text, operators={"demo", "other"}, read_key_file=lambda _: b""),
            keys=StationKeys(PEPPER),
            prune=prune,
            yes=yes,
            dry_run=False,
            at=self.clock(),
            options=self.options,
        )
        return await self.writer.submit(import_inventories, order)

    async def temporary(
        self,
        *evse_ids: str,
        kind: str = "MAINTENANCE",
        begins: datetime | None = None,
        ends: datetime | None = None,
        enforce: bool = False,
    ) -> tuple[int, ...]:
        """Create a temporary status for these EVSEs and return their numbers."""
        order = CreateOrder(
            evse_ids, TemporaryKind(kind), begins, ends, enforce, by="test", at=self.clock(), options=self.options
        )
        return self._ordered(await self.writer.submit(create_temporaries, order))

    async def change_temporary(self, number: int, **changes: Any) -> tuple[int, ...]:
        """Change a temporary status."""
        order = ChangeOrder(number, self.clock(), self.options, **changes)
        return self._ordered(await self.writer.submit(change_temporaries, order))

    async def remove_temporaries(self, *numbers: int) -> tuple[int, ...]:
        """Delete temporary statuses."""
        return self._ordered(
            await self.writer.submit(remove_temporaries, RemoveOrder(numbers, self.clock(), self.options))
        )

    def _ordered(self, ordered: Ordered) -> tuple[int, ...]:
        self.woken.append(ordered.derived)
        return tuple(stored.number for stored in ordered.items)

    async def connect(self, station: str, version: OcppVersion = OcppVersion.V16) -> Epoch:
        self.prober.open.add(StationId(station))
        return await self.intake.open(StationConnected(StationId(station), version, "127.0.0.1:1"))

    async def boot(self, station: str, epoch: Epoch) -> Receipt:
        return await self.intake.record(StationBooted(StationId(station), epoch, "v", "m", "s", "1.0"))

    async def report(
        self,
        station: str,
        epoch: Epoch,
        connector: int,
        status: str,
        *,
        evse: int = 0,
        version: OcppVersion = OcppVersion.V16,
    ) -> Receipt:
        event = StatusReported(StationId(station), epoch, version, evse, connector, ReportedStatus(status))
        self.intake.heard(StationId(station))
        return await self.intake.record(event)

    async def rows(self, statement: str, **arguments: Any) -> list[tuple[Any, ...]]:
        async with self.store.read() as connection:
            return [tuple(row) for row in await connection.execute(sa.text(statement), arguments)]

    async def effective(self, evse_id: str) -> str:
        rows = await self.rows(
            "SELECT s.status FROM evse_state s JOIN evse e ON e.id = s.evse WHERE e.evse_id = :id", id=evse_id
        )
        return str(rows[0][0])

    async def desired(self, evse_id: str, account: str = HUBJECT) -> str:
        rows = await self.rows(
            "SELECT d.desired FROM delivery d JOIN evse e ON e.id = d.evse WHERE e.evse_id = :id AND d.account = :a",
            id=evse_id,
            a=account,
        )
        return str(rows[0][0])

    async def wish(
        self, contents: Mapping[str, str], kind: DocumentKind = DocumentKind.EVSE_DATA, account: AccountName = HUBJECT
    ) -> None:
        """Make these the account's documents of this kind: key → content."""
        plan = DocumentPlan(
            account, frozenset({kind}), lambda _conn: {(kind, key): text for key, text in contents.items()}
        )

        def handler(conn: Any, moments: Sequence[Moment]) -> list[set[AccountName]]:
            return [refresh(conn, [plan], at) for at in moments]

        await self.writer.submit(handler, self.clock())

    def lane(
        self,
        upstream: FakeUpstream,
        *,
        mode: Mode | None = Mode.LIVE,
        account: AccountName = HUBJECT,
        writer: Any = None,
        **other: Any,
    ) -> AccountLane:
        settled = other.pop("settled", lambda _account, _evses: None)
        told = other.pop("told", None)
        full_load = other.pop("full_load", FullLoadOptions(policy=FullLoadPolicy.NEVER))
        options = LaneOptions(
            account=account,
            configured_mode=mode,
            per_minute=upstream.per_minute,
            reconcile=ReconcileOptions(),
            full_load=full_load,
            idle=timedelta(milliseconds=20),
            **other,
        )
        return AccountLane(
            writer or self.writer,
            upstream,
            clock=self.clock,
            jitter=lambda: 0.0,
            node="test",
            options=options,
            settled=settled,
            told=told,
        )


@dataclass
class LossyWriter:
    """Fails as storage does, for one kind of item: before it is written, or with its result lost after the commit."""

    writer: Writer
    handler: Any
    failures: list[Exception]
    after_commit: bool = False

    async def submit(self, handler: Any, payload: Any) -> Any:
        if handler != self.handler or not self.failures:
            return await self.writer.submit(handler, payload)
        failure = self.failures.pop(0)
        if self.after_commit:
            await self.writer.submit(handler, payload)
        raise failure


async def until(claim: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until the claim holds. Raises: TimeoutError."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - the claim is about a database or a list, which set no event
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(lane: AccountLane) -> AsyncIterator[asyncio.Task[None]]:
    """Run a lane, and let it settle what is in flight at the end."""
    task = asyncio.create_task(lane.run())
    try:
        yield task
    finally:
        lane.stop()
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(task, 5)


async def kill(task: asyncio.Task[None]) -> None:
    """End a lane as a crash would: nothing after this instant is settled."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
