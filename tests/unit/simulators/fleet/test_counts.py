import pytest

from simulators.fleet.counts import Counts


def test_an_answer_that_never_came_has_no_time():
    counts = Counts()
    with pytest.raises(TimeoutError), counts.timing():
        raise TimeoutError
    assert counts.answer_ms(50) is None


def test_times_are_those_below_which_so_many_answers_lie():
    counts = Counts()
    for _ in range(100):
        with counts.timing():
            pass
    assert 0 <= counts.answer_ms(50) <= counts.answer_ms(99)


def test_errors_are_counted_by_kind():
    counts = Counts()
    for error in (TimeoutError(), TimeoutError(), ValueError("x")):
        counts.note_error(error)
    assert counts.errors == {"TimeoutError": 2, "ValueError": 1}


def test_the_last_failure_is_that_of_a_station_that_was_never_connected():
    counts = Counts()
    counts.note_failure(OSError("refused"), connected=False)
    counts.note_failure(OSError("later"), connected=True)
    assert (counts.failures, counts.last_failure) == (2, "refused")
