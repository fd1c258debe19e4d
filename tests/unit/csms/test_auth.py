from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest

from csms.auth import (
    Refuse,
    StationKeys,
    Throttle,
    basic_credentials,
    derive_digest,
    identity_of,
    is_nameless,
    matches,
    new_credential,
)

PEPPER = b"pepper"


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        pytest.param("/CP1", "CP1", id="bare"),
        pytest.param("CP1", "CP1", id="no-slash"),
        pytest.param("/ocpp/1.6/CP1", "CP1", id="any-prefix"),
        pytest.param("//CP1", "CP1", id="double-slash"),
        pytest.param("/ocpp/CP1//", "CP1", id="trailing-slashes"),
        pytest.param("/CP1?token=a/b", "CP1", id="query-dropped"),
        pytest.param("ws://host:9000/ocpp/CP1", "CP1", id="absolute-uri"),
        pytest.param("/RDAM%7C123", "RDAM|123", id="percent-encoded-pipe"),
        pytest.param("/a%2Fb", "a/b", id="encoded-slash-is-not-a-separator"),
        pytest.param("/CP%2531", "CP%31", id="decoded-exactly-once"),
        pytest.param("/CP+1", "CP+1", id="plus-stays"),
        pytest.param("/%C3%82", "Â", id="utf-8"),
        pytest.param("/" + "x" * 255, "x" * 255, id="longest"),
        pytest.param("/" + "x" * 256, None, id="too-long"),
        pytest.param("/%FF", None, id="not-utf-8"),
        pytest.param("/CP%00", None, id="nul"),
        pytest.param("/CP%0A1", None, id="line-feed"),
        pytest.param("/CP%7F", None, id="delete"),
        pytest.param("/CP%C2%85", None, id="c1-control"),
        pytest.param("/", None, id="no-segment"),
        pytest.param("", None, id="empty"),
        pytest.param("ws://host", None, id="absolute-uri-without-path"),
        pytest.param("ws://[host/CP1", None, id="broken-uri"),
    ],
)
def test_identity_is_the_last_segment_decoded_once(path: str, identity: str | None) -> None:
    assert identity_of(path) == identity


@pytest.mark.parametrize(
    ("path", "nameless"),
    [
        pytest.param("/", True, id="root"),
        pytest.param("", True, id="empty"),
        pytest.param("//?a=b", True, id="slashes-and-query"),
        pytest.param("ws://host", True, id="absolute-uri-without-path"),
        pytest.param("/CP1", False, id="identity"),
        pytest.param("/%FF", False, id="a-wrong-identity-is-one"),
        pytest.param("ws://[host/", False, id="broken-uri"),
    ],
)
def test_a_path_without_any_segment_is_nameless(path: str, nameless: bool) -> None:
    assert is_nameless(path) is nameless


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # RFC 7617 §2, its own example.
        pytest.param("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", (b"Aladdin", b"open sesame"), id="rfc-7617"),
        pytest.param("bAsIc QWxhZGRpbjpvcGVuIHNlc2FtZQ==", (b"Aladdin", b"open sesame"), id="scheme-any-case"),
        pytest.param("Basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", (b"Aladdin", b"open sesame"), id="blanks"),
        pytest.param("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", (b"Aladdin", b"open sesame"), id="no-padding"),
        pytest.param("Basic YTpiOmM=", (b"a", b"b:c"), id="first-colon-splits"),
        pytest.param("Basic Y3A6/wD+", (b"cp", b"\xff\x00\xfe"), id="bytes-that-are-no-text"),
        pytest.param("Basic Y3A6", (b"cp", b""), id="empty-password"),
        pytest.param("Basic Y3A=", None, id="no-colon"),
        pytest.param("Basic", None, id="scheme-only"),
        pytest.param("Basic !!!!", None, id="not-base64"),
        pytest.param("Basic Y3A6\xff", None, id="not-ascii"),
        pytest.param("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", None, id="other-scheme"),
        pytest.param("", None, id="empty"),
    ],
)
def test_basic_header_gives_bytes_split_at_the_first_colon(header: str, expected: tuple[bytes, bytes] | None) -> None:
    assert basic_credentials(header) == expected


def test_digest_is_hmac_sha256_of_salt_and_key_under_the_pepper() -> None:
    assert derive_digest(b"p", b"salt", b"key") == hmac.new(b"p", b"saltkey", hashlib.sha256).digest()


def test_two_credentials_of_one_key_share_neither_salt_nor_digest() -> None:
    one, other = new_credential(PEPPER, b"k" * 16), new_credential(PEPPER, b"k" * 16)
    assert (one.salt, one.digest) != (other.salt, other.digest)
    assert one.salt != other.salt


HEX_KEY = "0001020304050607FFFF0A0B0C0D0E0F10111213"
MIXED_KEY = "0001020304050607fFFf0a0B0C0d0E0F10111213"


@pytest.mark.parametrize(
    ("stored", "presented", "matched"),
    [
        pytest.param(b"DEADBEEFDEADBEEF", b"DEADBEEFDEADBEEF", True, id="same-text"),
        pytest.param("schlüssel-für-cp".encode(), "schlüssel-für-cp".encode(), True, id="utf-8"),
        pytest.param(HEX_KEY.encode(), bytes.fromhex(HEX_KEY), True, id="decoded-bytes-of-upper-hex"),
        pytest.param(HEX_KEY.lower().encode(), bytes.fromhex(HEX_KEY), True, id="decoded-bytes-of-lower-hex"),
        pytest.param(HEX_KEY.encode(), HEX_KEY.encode(), True, id="hex-text-itself"),
        pytest.param(MIXED_KEY.encode(), bytes.fromhex(HEX_KEY), True, id="decoded-bytes-of-mixed-hex"),
        pytest.param(MIXED_KEY.encode(), HEX_KEY.encode(), True, id="hex-text-in-another-case"),
        pytest.param(HEX_KEY.encode(), MIXED_KEY.encode(), True, id="hex-text-in-mixed-case"),
        pytest.param(b"A password of text", b"a password of text", False, id="text-in-another-case"),
        pytest.param(b"0123456789abcdef", b"0123456789abcdeg", False, id="last-byte"),
        pytest.param(b"0123456789abcdef", b"0123456789abcde", False, id="shorter"),
        pytest.param(b"0123456789abcdef", b"", False, id="empty"),
    ],
)
def test_key_matches_as_text_and_as_decoded_hex(stored: bytes, presented: bytes, matched: bool) -> None:
    assert matches(new_credential(PEPPER, stored), PEPPER, presented) is matched


def test_an_authorization_key_is_the_same_in_whatever_case_its_digits_are() -> None:
    keys = StationKeys(PEPPER)
    assert keys.proves(MIXED_KEY.encode(), keys.new(HEX_KEY.encode()))
    assert not keys.proves(b"a password of text", keys.new(b"A password of text"))


def test_another_pepper_matches_nothing() -> None:
    assert not matches(new_credential(PEPPER, b"0123456789abcdef"), b"other", b"0123456789abcdef")


def test_a_short_key_is_kept_by_a_slow_hash() -> None:
    credential = new_credential(PEPPER, b"hush")
    assert credential.slow
    assert credential.digest != hmac.digest(PEPPER, credential.salt + b"hush", "sha256")
    assert matches(credential, PEPPER, b"hush")
    assert not matches(credential, PEPPER, b"rush")


def test_credential_shows_no_digest() -> None:
    credential = new_credential(PEPPER, b"0123456789abcdef")
    assert repr(credential.digest) not in repr(credential)


def throttle(capacity: int = 100) -> Throttle:
    return Throttle(limit=3, window=timedelta(seconds=60), capacity=capacity)


@pytest.mark.row("T82")
def test_the_fourth_attempt_within_the_window_is_refused_until_the_first_failure_has_aged() -> None:
    failures = throttle()
    for now in (0.0, 10.0, 20.0):
        assert failures.blocked("a", "CP1", now) is None
        failures.failed("a", "CP1", now)
    refusal = failures.blocked("a", "CP1", 30.0)
    assert refusal == Refuse(429, "too many failed attempts", (("Retry-After", "31"),))
    assert failures.blocked("a", "CP1", 60.0) is None


@pytest.mark.row("T82")
def test_attempts_under_way_count_until_they_are_over() -> None:
    failures = throttle()
    failures.failed("a", "CP1", 0.0)
    with failures.trying("a", "CP1"):
        assert failures.blocked("a", "cp1", 1.0) is None
        with failures.trying("a", "cp1"):
            assert failures.blocked("a", "CP1", 1.0) == Refuse(
                429, "too many failed attempts", (("Retry-After", "60"),)
            )
            assert failures.blocked("a", "CP2", 1.0) is None
            assert failures.blocked("a", "CP1", 60.0) is None, "the failure has aged, and a place is left"
            with failures.trying("a", "CP1"):
                refusal = failures.blocked("a", "CP1", 60.0)
                assert refusal == Refuse(429, "too many failed attempts", (("Retry-After", "1"),))
    assert failures.blocked("a", "CP1", 1.0) is None


@pytest.mark.row("T82")
def test_neither_the_address_nor_the_identity_alone_is_blocked() -> None:
    failures = throttle()
    for now in range(5):
        failures.failed("a", "CP1", float(now))
    assert failures.blocked("a", "CP2", 5.0) is None
    assert failures.blocked("b", "CP1", 5.0) is None
    assert failures.blocked("a", "cp1", 5.0) is not None


def test_success_forgets_the_failures() -> None:
    failures = throttle()
    for now in range(5):
        failures.failed("a", "CP1", float(now))
    failures.succeeded("a", "CP1")
    assert failures.blocked("a", "CP1", 5.0) is None
    assert len(failures) == 0


def test_memory_is_bounded_and_the_least_recent_pair_goes_first() -> None:
    failures = throttle(capacity=10)
    for now in range(5):
        failures.failed("a", "CP1", float(now))
    for number in range(9):
        failures.failed("b", f"X{number}", 10.0)
    failures.failed("a", "CP1", 11.0)
    failures.failed("b", "X9", 12.0)
    assert len(failures) == 10
    assert failures.blocked("a", "CP1", 12.0) is not None
