"""Whom a simulated station believes is the same with every version of Python; `test_tls` shows what it means."""

import ssl
from pathlib import Path

import trustme

from simulators.trust import trusting


def test_an_authority_that_is_named_is_trusted_as_it_is(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    flags = trusting(tmp_path / "ca.pem").verify_flags
    assert flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not flags & ssl.VERIFY_X509_STRICT


def test_for_those_of_the_system_python_s_own_rules_hold() -> None:
    assert trusting(None).verify_flags == ssl.create_default_context().verify_flags
