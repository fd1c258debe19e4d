from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.backoff import BackoffOptions, asked_or_delay, delay, longest, parse_retry_after

OPTIONS = BackoffOptions()
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.row("T24")
@pytest.mark.parametrize(
    ("failures", "jitter", "seconds"),
    [
        pytest.param(1, 0.0, 1.0, id="the first pause is a second"),
        pytest.param(2, 0.0, 2.0, id="the second doubles"),
        pytest.param(6, 0.0, 32.0, id="the sixth is 32 s"),
        pytest.param(7, 0.0, 60.0, id="the seventh meets the ceiling"),
        pytest.param(1_000_000, 0.0, 60.0, id="the ceiling stays for ever"),
        pytest.param(1, 0.5, 1.125, id="half of the jitter is an eighth on top"),
        pytest.param(7, 0.999999, 75.0, id="at most a quarter on top of the ceiling"),
        pytest.param(0, 0.0, 1.0, id="no failure yet counts as the first"),
    ],
)
def test_pauses_double_up_to_a_minute_with_a_quarter_on_top(failures: int, jitter: float, seconds: float) -> None:
    assert delay(failures, jitter, OPTIONS).total_seconds() == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        pytest.param(120.0, 120.0, id="longer than our own"),
        pytest.param(0.0, 1.0, id="zero is still the first step"),
        pytest.param(2.0, 2.0, id="shorter than our own"),
        pytest.param(1e9, 900.0, id="huge is bounded to 15 min"),
        pytest.param(None, 60.0, id="not asked: our own"),
    ],
)
def test_what_the_hub_asks_for_wins_within_bounds(asked: float | None, seconds: float) -> None:
    assert asked_or_delay(asked, 50, 0.0, OPTIONS) == timedelta(seconds=seconds)


def test_no_answer_can_cause_a_longer_pause_than_15_minutes() -> None:
    assert longest(OPTIONS) == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 0 ", 0.0, id="zero with blanks"),
        pytest.param("1000000000", 1e9, id="huge is left to the caller"),
        pytest.param("9" * 400, 999_999_999_999_999.0, id="absurdly long"),
        pytest.param("Sat, 21 Nov 2026 03:02:00 GMT", 120.0, id="HTTP-date"),
        pytest.param("Saturday, 21-Nov-26 03:02:00 GMT", 120.0, id="obsolete RFC 850 date"),
        pytest.param("Sat, 21 Nov 2026 03:02:00 -0000", 120.0, id="a date without a zone is UTC"),
        pytest.param("Sat, 21 Nov 2026 02:59:59 GMT", 0.0, id="past date"),
        pytest.param("Sat, 99 Nov 2026 03:00:00 GMT", None, id="impossible date"),
        pytest.param("abc", None, id="junk"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="not an integer"),
        pytest.param("٣", None, id="digits of another script"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="no header"),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_junk_is_nothing(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds
