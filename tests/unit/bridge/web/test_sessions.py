from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.web.sessions import SessionLimits, Sessions, local_path, no_cookie

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
DIGEST = "ab" * 32


class Wall:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def sessions(wall: Wall) -> Sessions:
    return Sessions(b"s" * 32, SessionLimits(idle=timedelta(hours=12), total=timedelta(days=7)), wall)


def test_what_was_written_is_read_and_stands_for_its_key(sessions: Sessions) -> None:
    session = sessions.begin(7, DIGEST)
    read = sessions.read(sessions.write(session))
    assert read == session
    assert read.key == 7
    assert sessions.stands_for(read, DIGEST)
    assert not sessions.stands_for(read, "cd" * 32)


@pytest.mark.parametrize("place", [0, 20, 60, 80, 100, 110])
def test_a_cookie_that_was_changed_anywhere_is_none(sessions: Sessions, place: int) -> None:
    value = sessions.write(sessions.begin(7, DIGEST))
    other = "B" if value[place] == "A" else "A"
    assert sessions.read(value[:place] + other + value[place + 1 :]) is None


@pytest.mark.parametrize("value", ["", "A", "x" * 119, "\u00e9" * 119, "=" * 119, "A" * 5000])
def test_rubbish_is_no_session(sessions: Sessions, value: str) -> None:
    assert sessions.read(value) is None


def test_a_cookie_of_another_secret_is_none(sessions: Sessions, wall: Wall) -> None:
    other = Sessions(b"t" * 32, SessionLimits(), wall)
    assert sessions.read(other.write(other.begin(7, DIGEST))) is None


def test_a_session_is_over_when_nothing_was_asked_for_long(sessions: Sessions, wall: Wall) -> None:
    value = sessions.write(sessions.begin(7, DIGEST))
    wall.now = NOON + timedelta(hours=11, minutes=59)
    assert sessions.read(value) is not None
    wall.now = NOON + timedelta(hours=12)
    assert sessions.read(value) is None


def test_each_request_renews_it_but_for_its_age(sessions: Sessions, wall: Wall) -> None:
    session = sessions.begin(7, DIGEST)
    wall.now = NOON + timedelta(seconds=59)
    assert sessions.renewed(session) is None
    for _ in range(15):
        wall.now += timedelta(hours=11)
        renewed = sessions.renewed(session)
        assert renewed is not None
        session = renewed
    assert wall.now < NOON + timedelta(days=7)
    assert sessions.read(sessions.write(session)) == session
    wall.now = NOON + timedelta(days=7)
    assert sessions.read(sessions.write(session)) is None


def test_a_session_that_was_ended_is_over_wherever_its_cookie_was_copied_to(sessions: Sessions) -> None:
    session, another = sessions.begin(7, DIGEST), sessions.begin(7, DIGEST)
    sessions.end(session)
    assert sessions.read(sessions.write(session)) is None
    assert sessions.read(sessions.write(another)) == another


def test_the_form_s_token_is_one_session_s_and_stays_when_it_is_renewed(sessions: Sessions, wall: Wall) -> None:
    session = sessions.begin(7, DIGEST)
    wall.now += timedelta(hours=1)
    renewed = sessions.renewed(session)
    assert renewed is not None
    assert sessions.csrf(renewed) == sessions.csrf(session)
    assert sessions.csrf(sessions.begin(7, DIGEST)) != sessions.csrf(session)
    assert len(sessions.csrf(session)) == 43


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(sessions: Sessions) -> None:
    session = sessions.begin(7, DIGEST)
    value = sessions.write(session)
    ends = "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"
    assert sessions.cookie(session, secure=False) == f"ocpp-bridge={value}; {ends}"
    assert sessions.cookie(session, secure=True) == f"__Host-ocpp-bridge={value}; {ends}; Secure"
    assert no_cookie(secure=False) == "ocpp-bridge=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/evses?status=faulted", "/evses?status=faulted"),
        ("/", "/"),
        ("", "/"),
        ("evses", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: a=b", "/"),
        ("/" + "x" * 2048, "/"),
    ],
)
def test_after_the_login_one_comes_to_a_path_of_ours(text: str, place: str) -> None:
    assert local_path(text) == place
