from datetime import time, timedelta
from ipaddress import IPv4Network, IPv6Network

import pytest

from bridge.app.options import (
    chargeprice_options,
    derive_options,
    lane_options,
    oicp_options,
    server_options,
    ticker_options,
)
from bridge.app.plans import document_plans
from bridge.core.documents import DocumentKind
from bridge.core.full_load import FullLoadPolicy
from bridge.core.mapping.until import pack
from bridge.core.nightly import Nightly
from bridge.core.reachability import ReachabilityOptions
from bridge.settings import ChargepriceAccount, OicpAccount, Settings
from csms.events import OcppVersion, SecurityProfile
from csms.options import Compression, ListenerOptions, ProxyOptions, ServerOptions, UnknownPolicy

OCPP = {
    "host": "127.0.0.2",
    "port": 9001,
    "max_message_size": 2048,
    "strict": True,
    "sign_certificate": "hold",
    "messages_per_second": 7,
    "message_burst": 8,
    "ping_interval": "11 s",
    "settle": "12 s",
    "settle_after_boot": "13 s",
    "trigger_timeout": "14 s",
    "trigger_spread": "15 s",
    "default_version": "1.6",
    "identity_case": "exact",
    "anonymous_station": "CP1",
    "uniform_reject": True,
    "compression": "on",
    "max_connections": 16,
    "max_handshakes_per_address": 17,
    "unknown_stations": "accept",
    "accept_from": ["10.0.0.0/8", "::1"],
}


def test_every_setting_of_the_stations_side_reaches_the_server() -> None:
    assert server_options(Settings.model_validate({"ocpp": OCPP})) == ServerOptions(
        host="127.0.0.2",
        port=9001,
        max_size=2048,
        strict=True,
        hold_certificate_requests=True,
        messages_per_second=7,
        message_burst=8,
        ping_interval=timedelta(seconds=11),
        settle=timedelta(seconds=12),
        settle_after_boot=timedelta(seconds=13),
        trigger_timeout=timedelta(seconds=14),
        trigger_spread=timedelta(seconds=15),
        default_version=OcppVersion.V16,
        exact_identity=True,
        anonymous_station="CP1",
        uniform_reject=True,
        compression=Compression.ON,
        max_connections=16,
        max_pending_per_address=17,
        unknown_stations=UnknownPolicy.ACCEPT,
        accept_from=(IPv4Network("10.0.0.0/8"), IPv6Network("::1/128")),
    )


def test_every_setting_about_silence_reaches_the_ticker() -> None:
    status = {"offline_after": "21 s", "restart_grace": "22 s", "mass_offline_hold": "23 s"}
    settings = Settings.model_validate({"status": status, "ocpp": {"trigger_timeout": "24 s"}})
    assert ticker_options(settings).reachability == ReachabilityOptions(
        offline_after=timedelta(seconds=21),
        restart_grace=timedelta(seconds=22),
        mass_offline_hold=timedelta(seconds=23),
        ask_timeout=timedelta(seconds=24),
    )


def test_every_key_of_a_listener_reaches_the_server() -> None:
    table = {
        "host": "127.0.0.2",
        "port": 9001,
        "profiles": [3],
        "behind_proxy": ["10.0.0.1"],
        "proxy_certificate_header": "A",
        "proxy_verify_header": "B",
        "proxy_address_header": "C",
    }
    options = server_options(Settings.model_validate({"ocpp": {"listeners": {"one": table}}}))
    assert options.all_listeners == (
        ListenerOptions(
            "one",
            "127.0.0.2",
            9001,
            frozenset({SecurityProfile.TLS_CERTIFICATE}),
            tls=False,
            proxy=ProxyOptions(("10.0.0.1",), "A", "B", "C"),
        ),
    )


def test_without_listeners_host_and_port_are_the_one_plain_listener() -> None:
    options = server_options(Settings.model_validate({"ocpp": {"host": "127.0.0.2", "port": 9001}}))
    assert options.all_listeners == (
        ListenerOptions("default", "127.0.0.2", 9001, frozenset({SecurityProfile.NONE, SecurityProfile.BASIC})),
    )


def chargeprice(**more: object) -> Settings:
    account = {
        "kind": "chargeprice",
        "base_url": "https://hub.example",
        "company_id": "1e49b853-36fc-47ed-9826-97828b5b2fdd",
        "api_key": "k",
        **more,
    }
    return Settings.model_validate(
        {"accounts": {"cp": account}, "operators": {"acme": {"name": "A", "accounts": ["cp"]}}}
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, None),
        ({"valid_until": True}, pack),
        ({"valid_until": True, "map": {"faulted": "unknown"}}, pack),
        ({"valid_until": True, "map": {"available": "unknown"}}, None),
    ],
    ids=["default", "on", "on-other-word", "on-but-available-is-called-otherwise"],
)
def test_end_of_a_word_is_told_only_where_asked_for_and_where_the_hub_ends_in_available(more, told) -> None:
    (route,) = derive_options(chargeprice(**more)).routes["acme"]
    assert route.until is told


HUBJECT = {"kind": "oicp", "base_url": "http://127.0.0.1:1", "operator_id": "DE*ABC"}
OPERATORS = {
    "acme": {"name": "Acme Charging", "accounts": ["hubject"]},
    "other": {"name": "Other", "accounts": ["second"]},
}


def hubject(**more: object) -> Settings:
    second = {**HUBJECT, "operator_id": "DE*XYZ", "evse_data": True}
    return Settings.model_validate(
        {"accounts": {"hubject": {**HUBJECT, **more}, "second": second}, "operators": OPERATORS}
    )


def test_an_account_sends_no_data_unless_it_is_told_to() -> None:
    settings = hubject()
    assert lane_options(settings, "hubject").documents is None
    assert [plan.account for plan in document_plans(settings)] == ["second"]


def test_an_account_with_data_sends_it_weekly_by_the_account_s_own_policy() -> None:
    settings = hubject(
        evse_data=True,
        data_per_minute=17,
        full_load="auto",
        data_full_load_at="01:15",
        data_full_load_day="tuesday",
        time_zone="Europe/Berlin",
    )
    documents = lane_options(settings, "hubject").documents
    assert documents is not None
    assert (documents.kinds, documents.per_minute) == (frozenset({DocumentKind.EVSE_DATA}), 17)
    full = documents.full_load
    assert (full.policy, full.nightly) == (FullLoadPolicy.AUTO, Nightly(time(1, 15), 2, "Europe/Berlin"))
    assert documents.survey_every is None
    assert [plan.account for plan in document_plans(settings)] == ["hubject", "second"]


@pytest.mark.parametrize(("own", "said"), [("", "Acme Charging"), ("ABC technologies", "ABC technologies")])
def test_data_has_an_operator_name_even_where_the_account_has_none(own: str, said: str) -> None:
    settings = hubject(operator_name=own, sub_operator_ids=["DE*SUB"])
    account = settings.accounts["hubject"]
    assert isinstance(account, OicpAccount)
    options = oicp_options(account, settings)
    assert (options.operator_name, options.data_operator_name) == (own, said)
    assert options.sub_operator_ids == ("DE*SUB",)


def test_chargeprice_account_sends_stations_and_companies_without_a_full_load() -> None:
    documents = lane_options(chargeprice(documents_per_minute=17), "cp").documents
    assert documents is not None
    assert documents.kinds == frozenset({DocumentKind.STATION, DocumentKind.COMPANY})
    assert (documents.per_minute, documents.survey_every) == (17, None)
    assert documents.full_load.policy is FullLoadPolicy.NEVER
    assert [plan.account for plan in document_plans(chargeprice())] == ["cp"]


def test_station_prefix_reaches_the_adapter() -> None:
    settings = chargeprice(station_prefix="v1")
    account = settings.accounts["cp"]
    assert isinstance(account, ChargepriceAccount)
    assert chargeprice_options(account, settings).station_prefix == "v1"
