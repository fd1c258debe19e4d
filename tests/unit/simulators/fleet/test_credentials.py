import base64
from dataclasses import replace

import pytest

from simulators.fleet.credentials import Credentials, KeyChange
from simulators.fleet.layout import StationSpec, Version

SPEC_16 = StationSpec("CP-1", Version.V16, "0123456789abcdef", ())
SPEC_201 = replace(SPEC_16, version=Version.V201)
HEX = "00ff" * 10


def password(credentials):
    user, _, secret = base64.b64decode(credentials.header().removeprefix("Basic ")).partition(b":")
    assert user == b"CP-1"
    return secret


def test_the_key_of_the_inventory_is_sent_as_it_stands():
    assert password(Credentials(SPEC_16)) == b"0123456789abcdef"


@pytest.mark.parametrize(("quirk", "sent"), [("hex-key", HEX.encode()), ("raw-key", b"\x00\xff" * 10)])
def test_a_hex_key_is_sent_as_its_digits_or_as_the_bytes_that_they_stand_for(quirk, sent):
    assert password(Credentials(replace(SPEC_16, key=HEX, quirks=frozenset({quirk})))) == sent


@pytest.mark.parametrize("security", [0, 3])
def test_without_a_key_there_is_no_header_and_none_can_be_set(security):
    credentials = Credentials(replace(SPEC_16, security=security))
    assert credentials.header() is None
    assert credentials.change(HEX) is KeyChange.REJECTED


@pytest.mark.parametrize(
    ("spec", "new", "sent"),
    [
        pytest.param(SPEC_16, HEX, b"\x00\xff" * 10, id="1.6 sends the bytes"),
        pytest.param(replace(SPEC_16, quirks=frozenset({"hex-key"})), HEX, HEX.encode(), id="hex-key sends the digits"),
        pytest.param(SPEC_201, "a-new-password-of-24-chs", b"a-new-password-of-24-chs", id="2.0.1 sends the text"),
    ],
)
def test_a_new_key_is_sent_from_then_on(spec, new, sent):
    credentials = Credentials(spec)
    assert credentials.change(new) is KeyChange.STORED
    assert password(credentials) == sent


@pytest.mark.parametrize(
    ("spec", "new"),
    [
        pytest.param(SPEC_16, "0123", id="too short"),
        pytest.param(SPEC_16, "no hexadecimal digits at all here", id="no hex"),
        pytest.param(SPEC_16, "00" * 21, id="more than 20 bytes"),
        pytest.param(SPEC_201, "short", id="too short in 2.0.1"),
        pytest.param(SPEC_201, "x" * 41, id="too long in 2.0.1"),
    ],
)
def test_what_is_no_key_is_rejected_and_the_old_one_stays(spec, new):
    credentials = Credentials(spec)
    assert credentials.change(new) is KeyChange.REJECTED
    assert password(credentials) == b"0123456789abcdef"


def test_who_forgets_keys_says_yes_and_keeps_the_old_one():
    credentials = Credentials(replace(SPEC_16, quirks=frozenset({"forgets-key"})))
    assert credentials.change(HEX) is KeyChange.STORED
    assert password(credentials) == b"0123456789abcdef"


def test_who_crashes_at_a_key_has_stored_it():
    credentials = Credentials(replace(SPEC_16, quirks=frozenset({"crashes-at-key"})))
    assert credentials.change(HEX) is KeyChange.CRASHED
    assert password(credentials) == b"\x00\xff" * 10


def test_a_key_never_shows():
    assert "0123456789abcdef" not in repr(Credentials(SPEC_16))
