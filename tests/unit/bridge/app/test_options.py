from datetime import timedelta

from bridge.app.options import server_options
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
