"""What is told of what changes: the newest of each thing, in order, bounded, and never without a way back."""

from __future__ import annotations

import random

import pytest

from bridge.core.feed import EventName, Interest, Mailbox, Notice, Ring


def status(number: int, evse: str = "DE*ABC*E1", operators: frozenset[str] | None = None) -> Notice:
    return Notice(number, EventName.STATUS, evse, f'{{"n":{number}}}', evse_id=evse, operators=operators)


def delivery(number: int, evse: str = "DE*ABC*E1", account: str = "hubject") -> Notice:
    return Notice(number, EventName.DELIVERY, f"{account} {evse}", "{}", evse_id=evse, account=account)


UPSTREAM = Notice(1, EventName.UPSTREAM, "hubject", "{}", account="hubject", operators=frozenset({"acme"}))
STATION = Notice(1, EventName.STATION, "CS-1", "{}", station="CS-1", operators=frozenset({"acme"}))
RESET = Notice(1, EventName.RESET, "", '{"why": "x"}')


def taken(mailbox: Mailbox) -> list[Notice]:
    found = []
    while (notice := mailbox.take()) is not None:
        found.append(notice)
    return found


def test_a_newer_notice_takes_the_place_of_an_older_one_about_the_same_thing_and_comes_last():
    mailbox = Mailbox(Interest(), 10)
    for notice in (status(1), delivery(2), status(3, "DE*ABC*E2"), status(4)):
        mailbox.put(notice)
    assert [notice.number for notice in taken(mailbox)] == [2, 3, 4]


def test_who_takes_too_little_is_told_once_to_read_everything_anew():
    mailbox = Mailbox(Interest(), 3)
    for number in range(1, 6):
        mailbox.put(status(number, f"DE*ABC*E{number}"))
    first, second = taken(mailbox)
    assert (first.number, first.name, first.data) == (4, EventName.RESET, '{"why": "more has changed than was taken"}')
    assert second == status(5, "DE*ABC*E5")


def test_an_order_to_read_everything_anew_stands_for_all_that_waits():
    mailbox = Mailbox(Interest(), 10)
    mailbox.put(status(1))
    mailbox.put(Notice(2, EventName.RESET, "", "{}"))
    mailbox.put(status(3))
    assert [(notice.number, notice.name) for notice in taken(mailbox)] == [(2, "reset"), (3, "status")]


@pytest.mark.parametrize(
    ("interest", "notice", "expected"),
    [
        pytest.param(Interest(), UPSTREAM, True, id="everything"),
        pytest.param(Interest(names=frozenset({EventName.STATUS})), status(1), True, id="its name"),
        pytest.param(Interest(names=frozenset({EventName.STATUS})), delivery(1), False, id="another name"),
        pytest.param(Interest(names=frozenset({EventName.STATUS})), RESET, True, id="reset whatever is chosen"),
        pytest.param(Interest(evse_id="DE*ABC*E1", station="CS-1"), delivery(1), True, id="its EVSE"),
        pytest.param(Interest(evse_id="DE*ABC*E1", station="CS-1"), status(1, "DE*ABC*E2"), False, id="another EVSE"),
        pytest.param(Interest(evse_id="DE*ABC*E1", station="CS-1"), STATION, True, id="its EVSE's station"),
        pytest.param(Interest(evse_id="DE*ABC*E1", station="CS-2"), STATION, False, id="another station"),
        pytest.param(Interest(evse_id="DE*ABC*E1", station="CS-1"), UPSTREAM, False, id="an account is no EVSE"),
        pytest.param(Interest(account="hubject"), UPSTREAM, True, id="its account"),
        pytest.param(Interest(account="hubject"), delivery(1, account="chargeprice"), False, id="another account"),
        pytest.param(Interest(account="hubject"), status(1), False, id="a status is no account's"),
        pytest.param(Interest(operators=frozenset({"acme"})), UPSTREAM, True, id="its operator"),
        pytest.param(Interest(operators=frozenset({"other"})), STATION, False, id="another operator"),
        pytest.param(Interest(operators=frozenset({"other"})), status(1), True, id="everybody's"),
        pytest.param(Interest(operators=frozenset()), STATION, False, id="no operator at all"),
    ],
)
def test_a_client_is_told_what_it_chose_and_may_know(interest, notice, expected):
    assert interest.takes(notice) is expected


def test_the_ring_tells_what_followed_as_long_as_all_of_it_is_kept():
    ring = Ring(3)
    for number in range(1, 6):
        ring.add(status(number))
    assert [notice.number for notice in ring.after(4) or ()] == [5]
    assert [notice.number for notice in ring.after(2) or ()] == [3, 4, 5]
    assert ring.after(1) is None
    assert ring.after(5) == ()


def test_a_ring_that_forgot_all_knows_only_what_follows():
    ring = Ring(3)
    ring.add(status(1))
    ring.clear(1)
    assert (ring.after(0), ring.after(1)) == (None, ())
    ring.add(status(2))
    assert [notice.number for notice in ring.after(1) or ()] == [2]


@pytest.mark.parametrize("seed", range(30))
def test_whoever_loses_the_connection_anywhere_ends_with_the_newest_of_everything(seed):
    """A client takes now and then, breaks off and comes back with the number it saw last, or is told to read anew."""
    random_ = random.Random(seed)
    ring, mailbox = Ring(40), Mailbox(Interest(), 6)
    truth: dict[str, int] = {}
    seen: dict[str, int] = {}
    last = 0

    def take(times: int) -> None:
        nonlocal last
        for _ in range(times):
            if (notice := mailbox.take()) is not None:
                assert notice.number >= last
                last = notice.number
                if notice.name is EventName.RESET:
                    seen.clear()
                    seen.update(truth)
                else:
                    seen[notice.key] = max(notice.number, seen.get(notice.key, 0))

    for number in range(1, 400):
        notice = status(number, f"E{random_.randrange(12)}")
        truth[notice.key] = number
        ring.add(notice)
        mailbox.put(notice)
        take(random_.randrange(3))
        if random_.random() < 0.05:
            mailbox = Mailbox(Interest(), 6)
            missed = ring.after(last)
            for each in (Notice(number, EventName.RESET, "", "{}"),) if missed is None else missed:
                mailbox.put(each)
    take(1000)
    assert seen == truth
