from datetime import timedelta

import pytest
from rich.console import Console

from simulators.demo.table import compact_line, page, screen
from simulators.demo.view import Acked, HubLine, Row, View


def row(number):
    acked = {"hubject": Acked("Occupied", number % 2 == 0)}
    return Row(f"DE*ABC*E{number}", "S1", True, "Charging", "charging", number == 0, acked, timedelta(seconds=7))


def view(rows, seconds=0):
    hubs = (HubLine("hubject", "live", "ok", "1", "0.2 s"),)
    return View(timedelta(seconds=seconds), tuple(row(n) for n in range(rows)), hubs, 2, 1, 10, 9)


def test_one_line_says_it_all_where_there_is_no_terminal():
    assert compact_line(view(4, 12)) == (
        "12 s: 1/2 stations, 9/10 reports answered; 4 charging; hubject ok, acked 2/4, backlog 1, lag 0.2 s"
    )


def test_the_screen_has_a_row_per_evse_and_fits_into_the_terminal():
    console = Console(width=100, height=40, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(screen(view(28), 40))
    text = console.export_text()
    assert all(f"DE*ABC*E{number} " in text for number in range(28))
    assert "acked 14/28" in text
    assert text.count("charging…") == 1
    assert len(text.splitlines()) <= 40


def test_a_narrow_terminal_cuts_what_was_reported_and_nothing_else():
    acked = {"hubject": Acked("OutOfService", False), "chargeprice": Acked("maintainance", False)}
    wide = Row(
        "DE*ABC*E00012*1", "S1", True, "SuspendedEVSE + SuspendedEVSE", "unavailable", True, acked, timedelta(hours=1)
    )
    hubs = tuple(HubLine(name, "live", "ok", "1", "0.2 s") for name in acked)
    console = Console(width=80, height=40, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(screen(View(timedelta(), (wide,), hubs, 1, 1, 1, 1), 40))
    (line,) = (line for line in console.export_text().splitlines() if line.startswith("DE*ABC"))
    assert line.split()[0] == "DE*ABC*E00012*1"
    assert line.split()[-5:] == ["unavailable…", "OutOfService…", "maintainance…", "3600", "s"]


@pytest.mark.parametrize(
    ("seconds", "first", "words"),
    [(0, 0, "1–8 of 24, the others follow"), (5, 8, "9–16 of 24, the others follow"),
     (9, 16, "17–24 of 24, the others follow"), (13, 0, "1–8 of 24, the others follow")],
)  # fmt: skip
def test_rows_that_do_not_fit_follow_in_pages_of_one_size(seconds, first, words):
    rows = view(24).rows
    shown, which = page(rows, 10, timedelta(seconds=seconds))
    assert (shown[0], which) == (rows[first], words)
