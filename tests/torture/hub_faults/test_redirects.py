"""A hub that points elsewhere: nobody else is asked, and no credential leaves."""

from __future__ import annotations

import asyncio

import pytest

from tests.catalogue.recording import Tally
from tests.torture.hub_faults.subjects import KEY, SUBJECTS, Subject, verdict
from tests.torture.hub_faults.wire import Raw, playing

STATUSES = (300, 301, 302, 303, 305, 307, 308, 399)


@pytest.mark.row("T38")
@pytest.mark.parametrize("status", STATUSES)
async def test_no_redirect_is_followed_wherever_it_leads(status: int, tally: Tally) -> None:
    async with playing((), b"", b"") as elsewhere:
        places = (
            f"{elsewhere.url}/stolen",
            f"//127.0.0.1:{elsewhere.port}/stolen",
            f"HTTP://user:pass@127.0.0.1:{elsewhere.port}",
            "/elsewhere",
            "?",
            "",
            "file:///etc/passwd",
            "\x01 no address",
        )
        async with asyncio.TaskGroup() as asked:
            for subject in SUBJECTS:
                for place in places:
                    asked.create_task(stays(subject, status, place))
        assert (elsewhere.connections, elsewhere.requests) == (0, [])
    tally.count(faults=len(SUBJECTS) * len(places))


async def stays(subject: Subject, status: int, place: str) -> None:
    reply = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nLocation: {place}\r\n"
    extra = f'Refresh: 0; url={place}\r\nAlt-Svc: h2=":443"\r\nSet-Cookie: a=b\r\n\r\n'
    async with playing((Raw((reply + extra).encode()),), subject.success, subject.body) as hub:
        opened = subject.upstream(hub.url)
        answer = await subject.act(opened)
        assert verdict(answer) == "deferred", answer
        assert KEY not in repr(answer)
        assert len(hub.requests) == 1
        assert verdict(await subject.act(opened)) == "accepted"
        assert b"cookie" not in hub.requests[1].lower()
        await opened.close()
