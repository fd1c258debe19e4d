import pytest

from simulators.load.times import Times


def times(*values):
    found = Times()
    for value in values:
        found.add(value)
    return found


def test_nothing_has_no_percentile():
    assert times().percentile(50) is None
    assert len(times()) == 0


@pytest.mark.parametrize(
    ("percent", "expected"), [pytest.param(50, 500, id="p50"), pytest.param(99, 990, id="p99"), (100, 1000)]
)
def test_percentile_is_right_to_a_hundredth(percent, expected):
    assert times(*range(1, 1001)).percentile(percent) == pytest.approx(expected, rel=0.011)


def test_longest_is_exact():
    assert times(3.0, 41.7, 0.2).longest == 41.7


def test_percentile_is_never_above_the_longest():
    assert times(100.0).percentile(99) <= 100.0


@pytest.mark.parametrize("ms", [0.0, -1.0, 1e-9])
def test_no_time_at_all_counts_too(ms):
    assert len(times(ms)) == 1


def test_two_processes_together_are_as_one():
    one, other, both = times(1, 2, 3), times(400, 5), times(1, 2, 3, 400, 5)
    one.merge(Times.of(other.document()))
    assert one.document() == both.document()
