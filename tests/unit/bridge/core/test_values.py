"""A value that is made quickly is the frozen value that it was."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from bridge.core.values import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True)
class Point:
    """A value with and without defaults."""

    x: int
    y: int = 7
    name: str | None = None


def test_fields_come_by_position_by_name_and_by_default() -> None:
    assert repr(Point(1)) == "Point(x=1, y=7, name=None)"
    assert repr(Point(1, name="a", y=2)) == "Point(x=1, y=2, name='a')"
    assert replace(Point(1), y=3) == Point(1, 3)
    assert hash(Point(1)) == hash(Point(1, 7, None))


def test_it_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"Point.__init__\(\) got an unexpected keyword argument 'z'"):
        Point(1, z=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]


def test_a_value_that_does_more_when_it_is_made_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Listed:
        items: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Checked:
        x: int

        def __post_init__(self) -> None:
            raise AssertionError("it would not be called")

    for refused in (Listed, Checked):
        with pytest.raises(TypeError, match="does more than setting its fields"):
            quickly_made(refused)
