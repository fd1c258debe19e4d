from datetime import timedelta

import pytest

from bridge.app.options import derive_options, server_options
from bridge.core.mapping.until import pack
from bridge.settings import Settings
from csms.options import ServerOptions

OCPP = {
    "host": "127.0.0.2",
    "port": 9001,
    "max_message_size": 2048,
    "strict": True,
    "ping_interval": "11 s",
    "settle": "12 s",
    "settle_after_boot": "13 s",
    "trigger_timeout": "14 s",
    "trigger_spread": "15 s",
}


def test_every_setting_of_the_stations_side_reaches_the_server() -> None:
    assert server_options(Settings.model_validate({"ocpp": OCPP})) == ServerOptions(
        host="127.0.0.2",
        port=9001,
        max_size=2048,
        strict=True,
        ping_interval=timedelta(seconds=11),
        settle=timedelta(seconds=12),
        settle_after_boot=timedelta(seconds=13),
        trigger_timeout=timedelta(seconds=14),
        trigger_spread=timedelta(seconds=15),
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
