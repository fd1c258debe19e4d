"""Be what the writer's queue holds: items with the handlers that apply them, and the futures of who waits for them.

Never opens a transaction and never decides what a failure means: `writer` does, before and after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from time import perf_counter
from typing import Any, TypeVar

import sqlalchemy as sa

from bridge.store.errors import StoreError

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ItemFailed:
    """A handler's result for an item that it could not apply, and for which it has written nothing."""

    error: Exception


Handler = Callable[[sa.Connection, Sequence[P]], Sequence[R | ItemFailed]]
"""Applies the payloads in their order within the transaction given, and returns one result for each."""


class Job:
    """One item that waits for its transaction, and what came of it."""

    __slots__ = ("error", "future", "handler", "payload", "result", "settled", "submitted_at")

    def __init__(self, handler: Handler[Any, Any], payload: Any, future: asyncio.Future[Any]) -> None:
        self.handler = handler
        self.payload = payload
        self.future = future
        self.result: Any = None
        self.error: Exception | None = None
        self.settled = False
        self.submitted_at = perf_counter()

    def settle(self, result: Any) -> None:
        """Note what its handler returned, once that is committed."""
        self.settled = True
        if isinstance(result, ItemFailed):
            self.error = result.error
        else:
            self.result = result

    def fail(self, error: Exception) -> None:
        """Note why it is not stored."""
        self.settled = True
        # A future takes every exception but this one: awaiting it would look like the end of the coroutine.
        self.error = RuntimeError("a handler raised StopIteration") if isinstance(error, StopIteration) else error


def apply(connection: sa.Connection, jobs: list[Job]) -> list[Any]:
    """Hand the jobs to their handlers in their order, consecutive ones with equal handlers together."""
    results: list[Any] = []
    for handler, group in groupby(jobs, key=attrgetter("handler")):
        payloads = [job.payload for job in group]
        got = handler(connection, payloads)
        if len(got) != len(payloads):
            raise AssertionError(f"{handler!r} returned {len(got)} results for {len(payloads)} payloads")
        results.extend(got)
    return results


def fail(jobs: list[Job], error: StoreError) -> None:
    """Fail every job that is not settled yet."""
    for job in jobs:
        if not job.settled:
            job.fail(error)
