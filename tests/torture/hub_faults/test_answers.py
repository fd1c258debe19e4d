"""Each fault of the catalogue against each kind of request: what comes of it, and what it leaves behind."""

from __future__ import annotations

import asyncio
import resource
import time

import pytest

from tests.catalogue.recording import Tally
from tests.torture.hub_faults.faults import FAULTS, Fault
from tests.torture.hub_faults.subjects import HASTY, KEY, PATIENT, SUBJECTS, Subject, verdict
from tests.torture.hub_faults.wire import Played, playing

SOON_S = 8.0
MOST_READ = 64 * 2**20
"""Bytes: what the kernel's buffers hold, and the longest answer that is read (Spirii's list)."""
MOST_GROWN_KIB = 128 * 1024


@pytest.mark.parametrize("fault", [pytest.param(one, id=one.name, marks=pytest.mark.row(one.row)) for one in FAULTS])
async def test_a_fault_has_its_verdict_once_and_the_next_request_is_answered(fault: Fault, tally: Tally) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with asyncio.TaskGroup() as subjects:
        for subject in SUBJECTS:
            subjects.create_task(meets(subject, fault), name=subject.name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWN_KIB
    tally.count(faults=len(SUBJECTS))


async def meets(subject: Subject, fault: Fault) -> None:
    async with playing(fault.steps, subject.success, subject.body) as hub:
        upstream = subject.upstream(hub.url, HASTY if fault.hasty else PATIENT)
        began = time.monotonic()
        answer = await subject.act(upstream)
        assert verdict(answer) == expected(fault, subject), (subject.name, answer)
        assert time.monotonic() - began < SOON_S
        assert len(hub.requests) == 1, f"{subject.name}: it was sent again without the lane's knowing"
        why = getattr(answer.outcome, "why", fault.says)
        assert fault.says in why
        assert len(why) <= 256
        assert KEY not in why
        await bounded(hub, fault)
        again = await subject.act(upstream)
        assert verdict(again) == "accepted", (subject.name, again)
        assert (len(hub.requests), hub.overlaps) == (2, 0), subject.name
        await upstream.close()


def expected(fault: Fault, subject: Subject) -> str:
    found = fault.but.get(subject.name, fault.but.get(subject.hub, fault.verdict))
    return "deferred" if subject.reads and found == "in doubt" else found


async def bounded(hub: Played, fault: Fault) -> None:
    """What the hub pours is read only so far, or where it is no part of an answer only so long."""
    if hub.poured:
        await asyncio.wait_for(hub.gone.wait(), SOON_S)
        assert hub.poured < MOST_READ or fault.hasty
