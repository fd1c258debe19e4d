"""Every form of Retry-After, on every answer that may carry one: how long the account then waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.backoff import BackoffOptions, asked_or_delay
from bridge.core.model import Deferred
from tests.catalogue.recording import Tally
from tests.torture.hub_faults.subjects import SUBJECTS, Subject, upstream
from tests.torture.hub_faults.wire import Raw, playing

FIRST = timedelta(seconds=1)
"""Our own first pause: that of an answer that asks for none."""
TWO_MINUTES, MOST = timedelta(minutes=2), timedelta(minutes=15)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FORMS = [
    pytest.param(["120"], TWO_MINUTES, id="seconds"),
    pytest.param(["  120\t"], TWO_MINUTES, id="white-space"),
    pytest.param(["Thu, 01 Jan 2026 00:02:00 GMT"], TWO_MINUTES, id="imf-fixdate"),
    pytest.param(["Thursday, 01-Jan-26 00:02:00 GMT"], TWO_MINUTES, id="rfc-850-date"),
    pytest.param(["Thu Jan  1 00:02:00 2026"], TWO_MINUTES, id="asctime-date"),
    pytest.param(["Thu, 01 Jan 2026 02:02:00 +0200"], TWO_MINUTES, id="date-with-an-offset"),
    pytest.param(["Wed, 31 Dec 2025 23:00:00 GMT"], FIRST, id="a-date-that-has-passed"),
    pytest.param(["Mon, 01 Jan 0001 00:00:00 GMT"], FIRST, id="year-one"),
    pytest.param(["Fri, 31 Dec 9999 23:59:59 GMT"], MOST, id="year-9999"),
    pytest.param(["Thu, 01 Jan 2026 00:16:00 GMT"], MOST, id="a-date-beyond-the-most"),
    pytest.param(["0"], FIRST, id="zero"),
    pytest.param(["-5"], FIRST, id="negative"),
    pytest.param(["abc"], FIRST, id="a-word"),
    pytest.param([""], FIRST, id="empty"),
    pytest.param(["1.5"], FIRST, id="a-decimal"),
    pytest.param(["1e3"], FIRST, id="an-exponent"),
    pytest.param(["0x78"], FIRST, id="hexadecimal"),
    pytest.param(["120, 60"], FIRST, id="a-list"),
    pytest.param(["120 s"], FIRST, id="with-a-unit"),
    pytest.param(["1000000000"], MOST, id="ten-to-the-nine"),
    pytest.param(["9" * 400], MOST, id="four-hundred-digits"),
    pytest.param(["901"], MOST, id="a-second-too-long"),
    pytest.param(["60", "120"], TWO_MINUTES, id="twice-the-last-counts"),
    pytest.param(["120", "abc"], FIRST, id="twice-the-last-is-junk"),
    pytest.param([], FIRST, id="none"),
]
STATUSES = (b"429 Too Many Requests", b"503 Service Unavailable", b"500 Oops", b"502 Bad Gateway", b"408 Timeout")


@pytest.mark.row("T25", "T26")
@pytest.mark.parametrize(("headers", "pause"), FORMS)
async def test_the_account_waits_as_it_was_asked_to_but_never_longer_than_a_quarter_of_an_hour(
    headers: list[str], pause: timedelta, tally: Tally
) -> None:
    async def ask(subject: Subject, status: bytes) -> None:
        lines = "".join(f"Retry-After: {text}\r\n" for text in headers).encode()
        reply = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n" + lines + b"\r\n"
        async with playing((Raw(reply),), subject.success, subject.body) as hub:
            opened = upstream(subject.hub, hub.url, clock=lambda: NOW)
            outcome = (await subject.act(opened)).outcome
            await opened.close()
        assert isinstance(outcome, Deferred), (subject.name, status)
        waits = asked_or_delay(outcome.retry_after_s, 1, 0.0, BackoffOptions())
        assert waits == pause, (subject.name, status, outcome)

    async with asyncio.TaskGroup() as asked:
        for subject in SUBJECTS:
            for status in STATUSES:
                asked.create_task(ask(subject, status))
    tally.count(faults=len(SUBJECTS) * len(STATUSES))


@pytest.mark.row("T26")
def test_our_own_pauses_double_to_a_minute_and_a_quarter_is_the_most_that_chance_adds() -> None:
    options = BackoffOptions()
    bare = [asked_or_delay(None, failures, 0.0, options).total_seconds() for failures in range(1, 10)]
    assert bare == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert asked_or_delay(None, 10**6, 0.999999, options) < timedelta(seconds=75)
