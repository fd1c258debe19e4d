import io
from datetime import timedelta

from rich.console import Console

from simulators.fleet.fleet import Summary
from simulators.fleet.progress import Progress, summary_line

SUMMARY = Summary(
    stations=200,
    connected=198,
    connections=210,
    reports=900,
    answered=899,
    errors=1,
    errors_by_kind={"TimeoutError": 1},
    refusals=0,
    answer_ms_p50=1.26,
    answer_ms_p99=20.0,
    losses=12,
    power_cycles=3,
)


def test_the_line_names_every_number():
    assert summary_line(SUMMARY, timedelta(seconds=12)) == (
        "12 s: 198/200 stations connected, 210 connections, 900 reports, 899 answered, 1 errors, 0 refused, "
        "12 network losses (3 restarts), answers p50 1.3 ms p99 20.0 ms"
    )


def test_without_a_terminal_there_is_a_line_every_five_seconds():
    text = io.StringIO()
    with Progress(Console(file=text), "fleet") as progress:
        for tenths in range(111):
            progress.show(SUMMARY, timedelta(seconds=tenths / 10))
    assert [line.split(":")[0] for line in text.getvalue().splitlines()] == ["0 s", "5 s", "10 s"]


def test_a_terminal_shows_the_numbers_live_and_is_left_as_it_was():
    text = io.StringIO()
    with Progress(Console(file=text, force_terminal=True, width=100), "fleet") as progress:
        progress.show(SUMMARY, timedelta(seconds=10))
    assert "12 losses, 3 of them restarts of a station" in text.getvalue()
    assert "900 sent (90/s), 899 answered" in text.getvalue()
    assert "198 of 200 connected" in text.getvalue()
    assert "TimeoutError 1" in text.getvalue()
