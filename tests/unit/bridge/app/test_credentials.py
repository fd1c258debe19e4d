"""New material is taken over and told, bad material is logged once, and the end of a certificate at each threshold."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.app.credentials import Credentials
from bridge.core.model import AccountName, Moment
from bridge.upstreams.certificates import Certificate
from bridge.upstreams.credentials import Contents, CredentialUnusable, FileCredential

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HUBJECT = AccountName("hubject")
Lines = Sequence[MutableMapping[str, Any]]


def read(contents: Contents) -> Certificate:
    """The test's certificate is a file with the day on which it ends."""
    (content,) = contents.values()
    try:
        ends = datetime.fromisoformat(content.decode())
    except ValueError as error:
        raise CredentialUnusable("no day") from error
    return Certificate("CN=DE*ABC", NOW, ends)


class Desk:
    """The credentials under test, a clock, and who was told of a change."""

    def __init__(self, file: Path, day: str) -> None:
        self.now = NOW
        self.told: list[str] = []
        self.file = file
        file.write_text(day, encoding="utf-8")
        self.credentials = Credentials(lambda: Moment(self.now, self.now), self._tell)
        self.current = self.credentials.watch(
            HUBJECT, FileCredential([file], read), certificate_of=lambda certificate: certificate
        )

    async def _tell(self, account: AccountName) -> None:
        self.told.append(account)

    async def look(self, times: int = 1) -> Lines:
        with capture_logs() as lines:
            for _ in range(times):
                await self.credentials.look()
        return lines


def events(lines: Lines) -> list[str]:
    return [str(line["event"]) for line in lines]


async def test_a_new_credential_is_logged_and_told_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "day", "2028-01-01T00:00:00Z")
    assert events(await desk.look()) == []
    desk.file.write_text("2029-01-01T00:00:00Z", encoding="utf-8")
    assert events(await desk.look(3)) == ["credential_reloaded"]
    assert desk.told == ["hubject"]
    assert desk.current().not_after.year == 2029
    assert desk.credentials.certificates()["hubject"].not_after.year == 2029


@pytest.mark.row("T89")
async def test_a_bad_one_is_logged_once_with_its_reason_and_nobody_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "day", "2028-01-01T00:00:00Z")
    desk.file.write_text("half a d", encoding="utf-8")
    (line,) = await desk.look(4)
    assert (line["event"], line["log_level"]) == ("credential_not_reloaded", "warning")
    assert (line["account"], line["why"]) == ("hubject", "no day")
    assert desk.told == []
    assert desk.current().not_after.year == 2028


async def test_each_threshold_is_warned_of_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "day", (NOW + timedelta(days=40)).isoformat())
    seen = []
    for _ in range(45):
        seen += [(line["event"], line["urgency"], line["days"]) for line in await desk.look(2)]
        desk.now += timedelta(days=1)
    assert seen == [
        ("certificate_expires_soon", "notice", 30),
        ("certificate_expires_soon", "soon", 14),
        ("certificate_expires_soon", "urgent", 7),
        ("certificate_expires_soon", "expired", -1),
    ]


async def test_a_reload_arms_the_warnings_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "day", (NOW + timedelta(days=10)).isoformat())
    assert events(await desk.look(2)) == ["certificate_expires_soon"]
    desk.file.write_text((NOW + timedelta(days=11)).isoformat(), encoding="utf-8")
    assert events(await desk.look(2)) == ["credential_reloaded", "certificate_expires_soon"]


async def test_looking_goes_on_whatever_one_look_meets(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "day", "2028-01-01T00:00:00Z")
    failing = True

    def sometimes() -> Moment:
        if failing:
            raise RuntimeError("nobody thought of this")
        return Moment(NOW, NOW)

    credentials = Credentials(sometimes, desk._tell)
    with capture_logs() as lines:
        task = asyncio.create_task(credentials.run())
        async with asyncio.timeout(5):
            while not lines:  # noqa: ASYNC110 - a list of log lines sets no event
                await asyncio.sleep(0.005)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert events(lines) == ["look_at_credentials_failed"]
    assert task.cancelled()
