import pytest

from simulators.load.crew import Stretch
from simulators.load.report import Report
from simulators.load.strain import Strain
from simulators.load.tally import Tally

AT_EASE = Strain(cpu_s=0.4, seconds=2.0, busiest=0.2, late_p99_ms=1.0, late_longest_ms=4.0)


def stretch(tally=None, *, connected=2, seconds=2.0, settled=0, strain=AT_EASE):
    return Stretch(seconds, connected, settled, tally or Tally(), (strain,))


def report(running, connecting=None, **options):
    return Report(2, "steady", connecting or stretch(seconds=0.5), running, **options)


def answered(number):
    tally = Tally()
    for _ in range(number):
        tally.sent += 1
        tally.note_answer(12.0, 1, status=True)
    return tally


def test_rate_and_times_are_those_of_the_profile_alone():
    connecting = stretch(answered(7), seconds=0.5)
    found = report(stretch(answered(100)), connecting).document()
    assert (found["sent"], found["answered"], found["messages_per_second"]) == (107, 107, 50.0)
    assert found["answer_ms"] == {"p50": 12.0, "p90": 12.0, "p99": 12.0, "max": 12.0}
    assert found["worst_by_second_ms"] == {"1": 12.0}
    assert found["connect_seconds"] == 0.5


def test_refused_stations_are_named_with_why():
    tally = Tally()
    tally.note_refusal("load-00001", "HTTP 401")
    lines = list(report(stretch(answered(1), connected=1), stretch(tally)).lines())
    assert lines[0] == "stations          1 of 2 connected, all tried in 2.0 s"
    assert lines[1] == "refused           1 × HTTP 401, for example load-00001"


@pytest.mark.parametrize(
    ("strain", "said"),
    [
        pytest.param(AT_EASE, [], id="at ease"),
        pytest.param(Strain(1.9, 2.0, 0.95, 1.0, 4.0), ["ITS CORE WAS BUSY"], id="busy"),
        pytest.param(Strain(0.4, 2.0, 0.2, 20.0, 90.0), ["ITS EVENT LOOP WAS LATE"], id="late"),
        pytest.param(Strain(1.9, 2.0, 0.9, 20.0, 90.0), ["ITS CORE WAS BUSY", "ITS EVENT LOOP WAS LATE"], id="both"),
    ],
)
def test_generator_says_where_it_was_the_bottleneck_itself(strain, said):
    found = report(stretch(answered(1), strain=strain))
    last = list(found.lines())[-1]
    for words in ("ITS CORE WAS BUSY", "ITS EVENT LOOP WAS LATE"):
        assert (words in last) == (words in said)
    assert found.document()["generator"]["bottleneck"] == bool(said)


def test_both_stretches_count_for_what_went_wrong():
    connecting, running = Tally(), answered(1)
    connecting.errors["InternalError"] = 2
    running.closed["1006"] = 1
    found = report(stretch(running), stretch(connecting)).document()
    assert found["call_errors"] == {"InternalError": 2}
    assert found["closed_by_server"] == {"1006": 1}


def test_nothing_answered_has_no_times():
    found = report(stretch())
    assert found.document()["answer_ms"] is None
    assert not any(line.startswith("answer time") for line in found.lines())
