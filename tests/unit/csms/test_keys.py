from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from csms.auth import new_credential
from csms.events import OcppVersion, StationId
from csms.keys import KeyCheck
from csms.records import Credential, StationRecord

PEPPER = b"pepper"
KEY = b"0123456789abcdef"


def station(credential: Credential, name: str = "CP1", pending: Credential | None = None) -> StationRecord:
    return StationRecord(StationId(name), credential, OcppVersion.V16, accepted=True, connectors=(), pending=pending)


@pytest.fixture
def keys() -> Iterator[KeyCheck]:
    check = KeyCheck(PEPPER, capacity=2)
    yield check
    check.close()


async def test_password_proves_the_present_or_the_pending_credential(keys: KeyCheck) -> None:
    old, new = new_credential(PEPPER, KEY), new_credential(PEPPER, b"fedcba9876543210")
    record = station(old, pending=new)
    assert await keys.proves(record, KEY) is old
    assert await keys.proves(record, b"fedcba9876543210") is new
    assert await keys.proves(record, b"fedcba987654321") is None


async def test_only_slow_credentials_are_remembered(keys: KeyCheck) -> None:
    assert await keys.proves(station(new_credential(PEPPER, KEY)), KEY)
    assert len(keys) == 0
    slow = new_credential(PEPPER, b"hush")
    assert await keys.proves(station(slow), b"hush") is slow
    assert len(keys) == 1


async def test_a_remembered_key_is_not_computed_again_and_a_wrong_one_never_passes(keys: KeyCheck) -> None:
    record = station(new_credential(PEPPER, b"hush"))
    assert await keys.proves(record, b"hush")
    keys.close()  # from here on, whatever needs a thread fails
    assert await keys.proves(record, b"hush")
    with pytest.raises(RuntimeError):
        await keys.proves(record, b"rush")


async def test_a_changed_credential_is_proved_anew(keys: KeyCheck) -> None:
    old = new_credential(PEPPER, b"hush")
    assert await keys.proves(station(old), b"hush")
    assert await keys.proves(station(new_credential(PEPPER, b"rush", old.salt)), b"hush") is None
    assert await keys.proves(station(replace(old, salt=b"another")), b"hush") is None


async def test_memory_is_bounded(keys: KeyCheck) -> None:
    for name in ("CP1", "CP2", "CP3"):
        assert await keys.proves(station(new_credential(PEPPER, b"hush"), name), b"hush")
    assert len(keys) == 2
