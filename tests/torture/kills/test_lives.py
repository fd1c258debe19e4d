"""A seed is the same life in every run, on the same kind of database, however the seeds are divided among runs."""

from __future__ import annotations

import pytest

from tests.torture.kills.lives import During, blocks, life, seeds_of


def test_the_same_seed_is_the_same_life_and_another_seed_another() -> None:
    assert life(7) == life(7)
    assert len({str(life(seed)) for seed in range(1, 101)}) == 100


def test_every_way_to_be_killed_is_among_the_seeds_of_make_test() -> None:
    assert {life(seed).during for seed in seeds_of("1-12,21-32")} == set(During)


def test_twenty_seeds_share_a_site_and_the_kinds_of_database_take_turns() -> None:
    assert [(str(block), block.seeds[0], len(block.seeds)) for block in blocks(seeds_of("19-45"))] == [
        ("block 0 on sqlite", 19, 2),
        ("block 1 on postgresql", 21, 20),
        ("block 2 on sqlite", 41, 5),
    ]


@pytest.mark.parametrize("text", ["0-3", "5-4", "a", "-3", ""])
def test_what_names_no_seeds_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - int's own text where it is no number
        seeds_of(text)
