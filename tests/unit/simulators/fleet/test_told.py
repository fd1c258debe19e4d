import pytest

from simulators.fleet import station16
from simulators.fleet.habits import Habits
from simulators.fleet.journal import Journal, Kind, Report
from simulators.fleet.layout import STATION_LEVEL, Address, EvseSpec, StationSpec, Version
from simulators.fleet.told import Told

CONNECTOR = Address(0, 1)


def told(*quirks, word="Available"):
    spec = StationSpec(
        "S1", Version.V16, "k" * 16, (EvseSpec("DE*ABC*E1", (CONNECTOR,), "c", "p"),), quirks=frozenset(quirks)
    )
    return Told("S1", Journal(), Habits(spec, station16.DIALECT), lambda _: word)


def said(one, word, *, answered, address=CONNECTOR):
    report = one.journal.sent(Report(0, "t", "S1", *address, Kind.STATUS, status=word))
    if answered:
        one.journal.was_answered(report)


@pytest.mark.parametrize(
    ("word", "answered", "is_answered"),
    [("Available", True, True), ("Available", False, False), ("Faulted", True, False)],
)
def test_what_is_true_counts_as_answered_only_once_just_that_was_answered(word, answered, is_answered):
    one = told()
    said(one, word, answered=answered)
    assert one.is_answered(CONNECTOR) is is_answered
    assert one.is_to_be_repeated(CONNECTOR) is not is_answered
    assert one.is_due_on_connect(CONNECTOR, owed=False) is not is_answered


def test_what_is_owed_is_due_on_connect_though_it_was_answered():
    one = told()
    said(one, "Available", answered=True)
    assert one.is_due_on_connect(CONNECTOR, owed=True)


def test_who_tells_nothing_unasked_owes_its_connectors_all_the_same_and_repeats_only_what_was_in_vain():
    one = told("no-status-after-connect")
    assert not one.is_answered(CONNECTOR)
    assert not one.is_to_be_repeated(CONNECTOR)
    assert not one.is_due_on_connect(CONNECTOR, owed=True)
    said(one, "Available", answered=False)
    assert one.is_to_be_repeated(CONNECTOR)


def test_who_tells_nothing_unasked_need_never_tell_of_itself_but_has_what_it_told_answered():
    one = told("no-status-after-connect")
    assert one.is_answered(STATION_LEVEL)
    said(one, "Available", answered=False, address=STATION_LEVEL)
    assert not one.is_answered(STATION_LEVEL)
    assert not told().is_answered(STATION_LEVEL)
