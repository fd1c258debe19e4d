from __future__ import annotations

from ipaddress import ip_network

import pytest

from csms.auth import matches
from csms.gate import network_of
from csms.options import ServerOptions, UnknownPolicy
from csms.unknown import first_credential, policy_for, registrable, within
from tests.integration.csms.fakes import basic

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
PEPPER = b"pepper"
KEY = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("identity", "taken"),
    [
        pytest.param("CP1", True, id="letters and digits"),
        pytest.param("DE*ABC_1=2+3|4@5.6-7", True, id="every sign of an identifierString but the colon"),
        pytest.param("x" * 48, True, id="48 characters"),
        pytest.param("x" * 49, False, id="49 characters"),
        pytest.param("", False, id="nothing"),
        pytest.param("a:b", False, id="a colon, which HTTP Basic cannot carry"),
        pytest.param("a b", False, id="a blank"),
        pytest.param("a/b", False, id="a slash"),
        pytest.param("<b>", False, id="markup"),
        pytest.param("ä", False, id="no ASCII"),
        pytest.param("CP1\n", False, id="a line break at the end"),
        pytest.param("\u0661", False, id="a digit that is no ASCII"),
    ],
)
def test_only_identities_of_harmless_characters_register_themselves(identity: str, taken: bool) -> None:
    assert registrable(identity) is taken


@pytest.mark.parametrize(
    ("address", "network"),
    [
        pytest.param("192.0.2.7", "192.0.2.7", id="IPv4"),
        pytest.param("::ffff:192.0.2.7", "192.0.2.7", id="IPv4 in IPv6 clothes"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6: the subscriber's whole network"),
        pytest.param("unix", "unix", id="no address"),
    ],
)
def test_one_sender_is_an_ipv4_address_or_an_ipv6_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        pytest.param("127.0.0.1", True, id="loopback"),
        pytest.param("127.9.9.9", True, id="all of 127"),
        pytest.param("::1", True, id="IPv6 loopback"),
        pytest.param("::ffff:127.0.0.1", True, id="loopback in IPv6 clothes"),
        pytest.param("192.0.2.7", False, id="another network"),
        pytest.param("", False, id="no address"),
    ],
)
def test_networks_contain_addresses(address: str, inside: bool) -> None:
    assert within(address, LOOPBACK) is inside


@pytest.mark.parametrize(
    ("policy", "identity", "address", "expected"),
    [
        pytest.param("reject", "CP1", "127.0.0.1", "reject", id="reject is for all"),
        pytest.param("quarantine", "CP1", "192.0.2.7", "quarantine", id="quarantine is for all addresses"),
        pytest.param("quarantine", "a:b", "192.0.2.7", "reject", id="nobody of a strange name is let in"),
        pytest.param("accept", "CP1", "127.0.0.1", "accept", id="accept within its networks"),
        pytest.param("accept", "CP1", "192.0.2.7", "reject", id="accept elsewhere is reject"),
        pytest.param("accept", "a:b", "127.0.0.1", "reject", id="nobody of a strange name is taken in"),
    ],
)
def test_policy_for_a_stranger(policy: str, identity: str, address: str, expected: str) -> None:
    options = ServerOptions(unknown_stations=UnknownPolicy(policy), accept_from=LOOPBACK)
    assert policy_for(options, identity, address) == UnknownPolicy(expected)


def test_the_key_that_a_stranger_presents_is_the_one_it_is_held_to() -> None:
    credential = first_credential("CP1", [basic("cp1", KEY)], PEPPER)
    assert credential is not None
    assert matches(credential, PEPPER, KEY)
    assert not matches(credential, PEPPER, KEY[:-1] + b"x")


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param([], id="none"),
        pytest.param([basic("CP1", KEY[:15])], id="15 bytes, which could be guessed"),
        pytest.param([basic("CP2", KEY)], id="another's"),
        pytest.param([basic("CP1", KEY)] * 2, id="two"),
        pytest.param(["Bearer 0123456789abcdef"], id="not Basic"),
    ],
)
def test_what_proves_nothing_is_no_credential(authorization: list[str]) -> None:
    assert first_credential("CP1", authorization, PEPPER) is None
