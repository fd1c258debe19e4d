from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.auth import Refuse, matches, new_credential
from csms.client_certificates import ClientCertificate
from csms.events import OcppVersion, SecurityProfile, StationId
from csms.options import PLAIN_PROFILES
from csms.profiles import Login, Presented, names, weigh
from csms.records import StationRecord
from tests.profile_table import PROFILES, TABLES, cells

PEPPER = b"pepper"
KEY = b"0123456789abcdef"
CREDENTIAL = new_credential(PEPPER, KEY)
TLS = frozenset({SecurityProfile.TLS_BASIC, SecurityProfile.TLS_CERTIFICATE})


def basic(user: bytes, password: bytes) -> str:
    return "Basic " + base64.b64encode(user + b":" + password).decode()


def station(security: int = 1, reached: int = 0, **changes: Any) -> StationRecord:
    record = StationRecord(
        StationId("CP1"),
        CREDENTIAL if security in (1, 2) else None,
        OcppVersion.V16,
        accepted=True,
        connectors=(),
        security=SecurityProfile(security),
        reached=SecurityProfile(reached),
    )
    return replace(record, **changes)


def certificate(name: str = "CP1") -> ClientCertificate:
    return ClientCertificate(name, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def show(what: str, *, secure: bool) -> Presented:
    key = (basic(b"CP1", KEY),) if what == "key" else ()
    shown = {"certificate": certificate(), "foreign": certificate("CP2")}.get(what)
    return Presented("CP1", key, secure, shown)


@pytest.mark.parametrize(
    ("listener", "security", "reached", "what", "expected"),
    [
        pytest.param(name, *cell, id=f"{name}-{cell[0]}-reached-{cell[1]}-{cell[2]}")
        for name in TABLES
        for cell in cells(name)
    ],
)
def test_profile_of_each_listener_station_and_proof(
    listener: str, security: int, reached: int, what: str, expected: int
) -> None:
    record = station(security, reached)
    allowed = {SecurityProfile(profile) for profile in PROFILES[listener]}
    decision = weigh(show(what, secure=listener != "plain"), record, allowed)
    if isinstance(decision, Refuse):
        assert decision.status == expected
    elif decision.password is not None and record.credential is None:
        assert expected == 401
    else:
        assert decision.profile == expected


@pytest.mark.parametrize(
    ("identity", "record", "authorization", "reason"),
    [
        pytest.param("CP1", station(), [basic(b"CP1", KEY)], None, id="right"),
        pytest.param("cp1", station(), [basic(b"CP1", KEY)], None, id="case-differs"),
        pytest.param("CP1", None, [basic(b"CP1", KEY)], "404 unknown charging station", id="unknown"),
        pytest.param("", None, [], "404 unknown charging station", id="no-identity"),
        pytest.param("CP1", station(), [], "401 credentials missing", id="missing"),
        pytest.param("CP1", station(), [basic(b"CP1", KEY)] * 2, "401 credentials repeated", id="repeated"),
        pytest.param("CP1", station(), ["Bearer x"], "401 credentials are not HTTP Basic", id="other-scheme"),
        pytest.param("CP1", station(), [basic(b"CP2", KEY)], "401 credentials wrong", id="user-is-not-the-identity"),
        pytest.param("CP1", station(), [basic(b"\xff", KEY)], "401 credentials wrong", id="user-is-no-text"),
        pytest.param(
            "CP1",
            station(1, 2),
            [basic(b"CP1", KEY)],
            "403 this station must use security profile 2; this is profile 1",
            id="less-than-it-proved-before",
        ),
    ],
)
def test_reason_of_a_refusal(
    identity: str, record: StationRecord | None, authorization: list[str], reason: str | None
) -> None:
    decision = weigh(Presented(identity, authorization), record, PLAIN_PROFILES)
    if reason is None:
        assert isinstance(decision, Login)
        assert decision.password is not None
        assert matches(CREDENTIAL, PEPPER, decision.password)
        return
    assert isinstance(decision, Refuse)
    assert f"{decision.status} {decision.reason}" == reason
    assert [name for name, _ in decision.headers] == (["WWW-Authenticate"] if decision.status == 401 else [])


def test_a_listener_names_the_profiles_that_it_takes() -> None:
    decision = weigh(show("key", secure=False), station(), {SecurityProfile.TLS_BASIC, SecurityProfile.TLS_CERTIFICATE})
    assert decision == Refuse(403, "this listener takes security profile 2 or 3; this is profile 1")


def test_profile_3_without_a_certificate_and_with_anothers_is_explained() -> None:
    assert weigh(show("key", secure=True), station(3), TLS) == Refuse(
        403, "it showed no client certificate; this station must use security profile 3"
    )
    assert weigh(show("foreign", secure=True), station(3), TLS) == Refuse(
        403, "its certificate is for 'CP2', not for 'CP1'; this station must use security profile 3"
    )


@pytest.mark.parametrize(
    ("shown", "configured", "same"),
    [
        pytest.param("CP1", "", True, id="identity"),
        pytest.param("cp1", "", True, id="case-never-counts"),
        pytest.param("SN-4711", "sn-4711", True, id="configured-name"),
        pytest.param("CP1", "SN-4711", False, id="configured-name-replaces-the-identity"),
        pytest.param("CP10", "", False, id="longer"),
        pytest.param("", "", False, id="none"),
    ],
)
def test_certificate_belongs_to_the_station_that_it_names(shown: str, configured: str, same: bool) -> None:
    assert names(certificate(shown), station(3, certificate_name=configured)) is same


def test_user_name_counts_by_its_case_where_identities_do() -> None:
    presented = Presented("CP1", [basic(b"cp1", KEY)])
    assert isinstance(weigh(presented, station(), PLAIN_PROFILES), Login)
    assert weigh(presented, station(), PLAIN_PROFILES, exact=True) == Refuse(
        401, "credentials wrong", (("WWW-Authenticate", 'Basic realm="OCPP", charset="UTF-8"'),)
    )


def test_nothing_shows_the_password() -> None:
    decision = weigh(show("key", secure=False), station(), PLAIN_PROFILES)
    assert "0123456789abcdef" not in repr(decision) + repr(show("key", secure=False))
