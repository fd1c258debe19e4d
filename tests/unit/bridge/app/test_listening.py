from __future__ import annotations

import pytest

from bridge.app.listening import CannotListen, listening, station_urls
from bridge.settings import Settings
from csms.options import DEFAULT_LISTENER, ListenerOptions
from csms.server import ListenFailed


def test_addresses_that_stations_connect_to_by_listener() -> None:
    tables = {
        "plain": {"host": "::", "port": 0},
        "tls": {"port": 9443, "tls_certificate": "server.pem"},
        "proxied": {"host": "127.0.0.1", "port": 9001, "behind_proxy": ["127.0.0.1"]},
    }
    settings = Settings.model_validate({"ocpp": {"listeners": tables}}, context={"look into files": False})
    assert station_urls(settings, {"plain": 40000, "tls": 9443, "proxied": 9001}) == {
        "plain": "ws://[::]:40000",
        "tls": "wss://0.0.0.0:9443",
        "proxied": "ws://127.0.0.1:9001",
    }


def test_the_one_plain_listener_is_where_host_and_port_say() -> None:
    settings = Settings.model_validate({"ocpp": {"host": "127.0.0.1", "port": 0}})
    assert station_urls(settings, {DEFAULT_LISTENER: 40000}) == {"default": "ws://127.0.0.1:40000"}


@pytest.mark.parametrize(
    ("name", "table"), [pytest.param(DEFAULT_LISTENER, "ocpp", id="the-one"), ("tls", "ocpp.listeners.tls")]
)
def test_a_listener_that_cannot_listen_is_named_by_its_table(name: str, table: str) -> None:
    failed = ListenFailed(ListenerOptions(name, "127.0.0.1", 9000), OSError(98, "error while attempting to bind"))
    with pytest.raises(CannotListen) as caught, listening("ocpp", "0.0.0.0", 1):
        raise failed
    assert str(caught.value) == (
        f"{table}.port 9000 on {table}.host 127.0.0.1: address already in use; "
        f"end the program that uses it, or set {table}.port to another (0: any free one)"
    )
