from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.core.gathering import GatherOptions, Step, next_step, placed_by_others

OPTIONS = GatherOptions()
FREE = frozenset({0, 1, 2, 3})
FIRST, SECOND = frozenset({0}), frozenset({1})


@pytest.mark.parametrize(
    ("held_s", "share", "step"),
    [
        pytest.param(None, 0.0, Step.LEAVE, id="idle"),
        pytest.param(None, 0.69, Step.LEAVE, id="a third of a core and more, and no gain in it"),
        pytest.param(None, 0.7, Step.GATHER, id="busy"),
        pytest.param(None, 1.9, Step.GATHER, id="busy on more than one processor"),
        pytest.param(1.0, 0.95, Step.LEAVE, id="stays busy"),
        pytest.param(1.0, 0.5, Step.LEAVE, id="as busy as what began it is on one processor"),
        pytest.param(1.0, 0.49, Step.FREE, id="calm"),
        pytest.param(9.9, 0.95, Step.LEAVE, id="one choice holds for ten seconds"),
        pytest.param(10.0, 0.95, Step.GATHER, id="chosen anew"),
        pytest.param(10.0, 0.49, Step.FREE, id="calm when it would be chosen anew"),
    ],
)
def test_threads_are_gathered_while_the_process_is_busy(held_s: float | None, share: float, step: Step) -> None:
    held = None if held_s is None else timedelta(seconds=held_s)
    assert next_step(held, share, OPTIONS) is step


def test_a_load_between_the_two_limits_changes_nothing_either_way() -> None:
    for share in (0.5, 0.6, 0.69):
        assert next_step(None, share, OPTIONS) is Step.LEAVE
        assert next_step(timedelta(0), share, OPTIONS) is Step.LEAVE


@pytest.mark.parametrize(
    ("left", "found", "elsewhere"),
    [
        pytest.param({1: FREE, 2: FIRST}, {1: FREE, 2: FIRST}, set(), id="nobody moved"),
        pytest.param({1: FREE, 2: FIRST}, {1: FREE, 2: SECOND}, {SECOND}, id="one did"),
        pytest.param({1: FREE, 2: FREE}, {1: FIRST, 2: SECOND}, {FIRST, SECOND}, id="two did"),
        pytest.param({1: FIRST}, {1: FREE}, {FREE}, id="one was freed"),
        pytest.param({1: FREE, 2: FIRST}, {1: FREE}, set(), id="one ended"),
        pytest.param({1: FREE}, {1: FREE, 2: FIRST}, set(), id="one began"),
    ],
)
def test_whoever_is_not_where_it_was_left_was_placed_by_others(
    left: dict[int, frozenset[int]], found: dict[int, frozenset[int]], elsewhere: set[frozenset[int]]
) -> None:
    assert placed_by_others(left, found) == elsewhere
