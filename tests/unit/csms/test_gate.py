from __future__ import annotations

from csms.gate import Gate, Place


def entered(found: Place | str) -> Place:
    assert isinstance(found, Place)
    return found


def test_one_address_gets_so_many_handshakes_and_no_more_until_one_is_over() -> None:
    gate = Gate(connections=10, pending_per_address=2)
    first = entered(gate.enter("a"))
    entered(gate.enter("a"))
    assert gate.enter("a") == "too many handshakes from this address"
    entered(gate.enter("b"))
    first.passed()
    entered(gate.enter("a"))


def test_one_ipv6_subscriber_is_one_address() -> None:
    gate = Gate(connections=10, pending_per_address=1)
    first = entered(gate.enter("2001:db8::1"))
    assert gate.enter("2001:db8::2") == "too many handshakes from this address"
    entered(gate.enter("2001:db8:0:1::1"))
    first.passed()
    entered(gate.enter("2001:db8::2"))


def test_a_proxys_address_stands_for_many() -> None:
    gate = Gate(connections=10, pending_per_address=1)
    for _ in range(3):
        entered(gate.enter("proxy", shared=True))


def test_all_connections_together_have_a_limit_until_one_leaves() -> None:
    gate = Gate(connections=2, pending_per_address=5)
    first, _ = entered(gate.enter("a")), entered(gate.enter("b"))
    first.passed()
    assert gate.enter("c") == "too many connections"
    first.leave()
    entered(gate.enter("c"))


def test_what_is_said_twice_counts_once_and_nothing_is_kept() -> None:
    gate = Gate(connections=2, pending_per_address=5)
    place = entered(gate.enter("a"))
    for _ in range(2):
        place.passed()
        place.leave()
    assert (len(gate), gate.pending("a")) == (0, 0)
