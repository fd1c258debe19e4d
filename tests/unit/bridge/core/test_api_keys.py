from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.api_keys import digest_of, is_over, may_be_called, spelled

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def test_a_key_is_its_prefix_and_256_bits() -> None:
    assert spelled(bytes(32)) == "ocppb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    assert spelled(b"\xff" * 32) == "ocppb___________________________________________8"
    with pytest.raises(AssertionError):
        spelled(bytes(16))


def test_what_is_kept_of_a_key_is_its_sha_256() -> None:
    assert digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("name", ["a", "grafana", "installer Meier", "ci@example.org", "x" * 64, "7a"])
def test_these_are_names(name: str) -> None:
    assert may_be_called(name)


@pytest.mark.parametrize(
    "name", ["", " ", "7", "42", " a", "a ", "admin", "ADMIN", "a\tb", "a/b", "x" * 65, "é", "a\n"]
)
def test_these_are_none(name: str) -> None:
    assert not may_be_called(name)


def test_a_key_is_over_from_its_end_on() -> None:
    assert not is_over(None, NOON)
    assert not is_over(NOON + timedelta(microseconds=1), NOON)
    assert is_over(NOON, NOON)
