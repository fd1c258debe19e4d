from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.app.attempts import RefusedAttempts
from bridge.core.model import Moment
from csms.events import AttemptRefused

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> Moment:
        return Moment(self.now, self.now)


def attempt(
    identity: str = "CP1",
    address: str = "192.0.2.1",
    status: int = 404,
    reason: str = "unknown charging station",
    agent: str = "",
) -> AttemptRefused:
    return AttemptRefused(identity, address, status, reason, agent)


def test_equal_attempts_are_counted_with_their_first_and_last_moment() -> None:
    clock = Clock()
    attempts = RefusedAttempts(clock)
    attempts.refused(attempt(agent="old"))
    clock.now += timedelta(minutes=1)
    attempts.refused(attempt("cp1", agent="new"))
    [found] = attempts.all()
    assert (found.identity, found.count, found.user_agent) == ("CP1", 2, "new")
    assert (found.first, found.last) == (NOON, NOON + timedelta(minutes=1))


def test_another_reason_and_another_address_are_other_attempts_the_most_recent_first() -> None:
    attempts = RefusedAttempts(Clock())
    attempts.refused(attempt())
    attempts.refused(attempt(status=401, reason="credentials wrong"))
    attempts.refused(attempt(address="192.0.2.2"))
    attempts.refused(attempt())
    assert [(each.address, each.status, each.count) for each in attempts.all()] == [
        ("192.0.2.1", 404, 2),
        ("192.0.2.2", 404, 1),
        ("192.0.2.1", 401, 1),
    ]


def test_foreign_text_is_one_printable_line_and_cut() -> None:
    attempts = RefusedAttempts(Clock())
    attempts.refused(attempt("CP\u202e1", agent="a\x1b[31mb\r\nc" + "x" * 500))
    [found] = attempts.all()
    assert found.identity == "CP 1"
    assert found.user_agent.startswith("a [31mb  cxxx")
    assert len(found.user_agent) <= 128
    assert found.user_agent.isprintable()


def test_one_sender_pushes_out_its_own_attempts_only() -> None:
    attempts = RefusedAttempts(Clock(), most=50, most_of_one_address=10)
    attempts.refused(attempt("VICTIM", "192.0.2.9"))
    for number in range(500):
        attempts.refused(attempt(f"SCAN{number}"))
    assert len(attempts) == 11
    assert [each.identity for each in attempts.all()][-1] == "VICTIM"
    assert attempts.all()[0].identity == "SCAN499"


def test_an_ipv6_subscriber_is_one_sender() -> None:
    attempts = RefusedAttempts(Clock(), most=50, most_of_one_address=10)
    for number in range(100):
        attempts.refused(attempt("SCAN", f"2001:db8:1:2::{number:x}"))
    assert len(attempts) == 10


def test_no_more_are_kept_than_may_be_and_the_least_recently_seen_goes() -> None:
    attempts = RefusedAttempts(Clock(), most=3, most_of_one_address=10)
    for number in (1, 2, 3):
        attempts.refused(attempt(address=f"192.0.2.{number}"))
    attempts.refused(attempt(address="192.0.2.1"))
    attempts.refused(attempt(address="192.0.2.4"))
    assert [each.address for each in attempts.all()] == ["192.0.2.4", "192.0.2.1", "192.0.2.3"]


def test_stations_of_the_last_ten_minutes_count_once_and_health_checks_never() -> None:
    clock = Clock()
    attempts = RefusedAttempts(clock)
    attempts.refused(attempt("LONG-AGO"))
    clock.now += timedelta(minutes=11)
    attempts.refused(attempt("CP1"))
    attempts.refused(attempt("cp1", status=401, reason="credentials wrong"))
    attempts.refused(attempt("", "192.0.2.7", 0, "TLS handshake failed"))
    attempts.refused(attempt("", "192.0.2.8", 426, "no WebSocket handshake"))
    attempts.refused(attempt("", address="192.0.2.77", status=0, reason="TLS: the peer closed the connection"))
    assert attempts.recent_stations() == 2
    attempts.refused(attempt("", address="192.0.2.78", status=0, reason="TLS: tlsv1 alert unknown ca"))
    assert attempts.recent_stations() == 3
