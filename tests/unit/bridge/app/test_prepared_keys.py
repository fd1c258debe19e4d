from __future__ import annotations

from bridge.app.prepared_keys import PreparedKeys
from csms.auth import StationKeys
from csms.events import StationId
from csms.records import Credential

CP1, CP2 = StationId("CP1"), StationId("CP2")


class CountedKeys:
    """The real keys, with a count of what was computed."""

    def __init__(self) -> None:
        self.keys = StationKeys(b"pepper")
        self.computed = 0

    def new(self, key: bytes) -> Credential:
        self.computed += 1
        return self.keys.new(key)

    def proves(self, key: bytes, credential: Credential) -> bool:
        self.computed += 1
        return self.keys.proves(key, credential)


def test_what_an_import_asks_for_was_computed_ahead() -> None:
    counted = CountedKeys()
    stored = counted.keys.new(b"hush")
    prepared = PreparedKeys(counted, [(CP1, b"hush"), (CP2, b"rush")], {CP1: [stored]})
    ahead = counted.computed
    assert prepared.proves(b"hush", stored)
    made = prepared.new(b"rush")
    assert counted.computed == ahead == 2
    assert counted.keys.proves(b"rush", made)


def test_stations_with_one_key_get_salts_of_their_own() -> None:
    prepared = PreparedKeys(CountedKeys(), [(CP1, b"hush"), (CP2, b"hush")], {})
    assert prepared.new(b"hush").salt != prepared.new(b"hush").salt


def test_what_has_changed_in_between_is_computed_then() -> None:
    counted = CountedKeys()
    prepared = PreparedKeys(counted, [(CP1, b"hush")], {})
    other = counted.keys.new(b"rush")
    assert not prepared.proves(b"hush", other)
    assert prepared.proves(b"rush", other)
    assert counted.keys.proves(b"new", prepared.new(b"new"))
