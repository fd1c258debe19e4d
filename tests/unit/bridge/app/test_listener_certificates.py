"""A listener's new certificates are taken over and told, bad ones are logged once, and an end at each threshold."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from bridge.app.listener_certificates import ListenerCertificates
from bridge.core.model import Moment
from bridge.server_tls import ServerTls
from bridge.settings.sections import ListenerTable
from bridge.upstreams.credentials import CredentialUnusable
from tests.certificates import issue

AUTHORITY = trustme.CA()


class Desk:
    def __init__(self, folder: Path, *, ends: float = 90) -> None:
        self.now = datetime.now(UTC)
        self.told: list[tuple[str, ServerTls]] = []
        self.certificate, self.client_ca = folder / "server.pem", folder / "ca.pem"
        self.certificate.write_bytes(issue(AUTHORITY, "first", ends=ends).whole)
        self.client_ca.write_bytes(AUTHORITY.cert_pem.bytes())
        table = ListenerTable(port=0, tls_certificate=(self.certificate,), client_ca=self.client_ca)
        self.listeners = ListenerCertificates(
            {"tls": table, "plain": ListenerTable(port=0)},
            lambda: Moment(self.now, self.now),
            lambda name, tls: self.told.append((name, tls)),
        )

    async def look(self, times: int = 1) -> list[MutableMapping[str, Any]]:
        with capture_logs() as lines:
            for _ in range(times):
                await self.listeners.look()
        return lines


async def test_every_listener_with_files_is_told_of_before_it_starts(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert [name for name, _ in desk.told] == ["tls"]
    assert desk.told[0][1].authorities is not None
    assert "CN=first" in desk.listeners.certificates()["tls"].subject


async def test_a_new_certificate_is_told_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.certificate.write_bytes(issue(AUTHORITY, "second").whole)
    lines = await desk.look(3)
    assert [(line["event"], line["listener"]) for line in lines] == [("listener_certificates_reloaded", "tls")]
    assert "CN=second" in desk.told[-1][1].certificates[0].subject
    assert len(desk.told) == 2


async def test_a_new_client_ca_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    other = trustme.CA().cert_pem.bytes()
    desk.client_ca.write_bytes(other)
    await desk.look()
    authorities = desk.told[-1][1].authorities
    assert authorities is not None
    assert authorities.strip() == other.strip()


@pytest.mark.row("T89")
@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"half a c", "should be a PEM file", id="half-written"),
        pytest.param(issue(AUTHORITY, ends=-1).whole, "expired on", id="expired"),
    ],
)
async def test_a_bad_one_is_logged_once_and_the_old_one_stays(tmp_path: Path, content: bytes, why: str) -> None:
    desk = Desk(tmp_path)
    desk.certificate.write_bytes(content)
    [line] = await desk.look(4)
    assert (line["event"], line["log_level"]) == ("listener_certificates_not_reloaded", "warning")
    assert why in line["why"]
    assert len(desk.told) == 1
    assert "CN=first" in desk.listeners.certificates()["tls"].subject


async def test_its_end_is_warned_of_once_for_each_threshold(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ends=40)
    assert await desk.look() == []
    seen = []
    for days in (11, 27, 34, 41):
        desk.now = datetime.now(UTC) + timedelta(days=days)
        seen += [(line["urgency"], line["listener"]) for line in await desk.look(2)]
    assert seen == [("notice", "tls"), ("soon", "tls"), ("urgent", "tls"), ("expired", "tls")]


def test_files_that_cannot_be_used_at_the_start_end_it(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_bytes(b"no PEM")
    table = ListenerTable(port=0, tls_certificate=(tmp_path / "server.pem",))
    with pytest.raises(CredentialUnusable, match=r"tls_certificate = .*server.pem: should be a PEM file"):
        ListenerCertificates({"tls": table}, lambda: Moment(datetime.now(UTC), datetime.now(UTC)), lambda *_: None)
