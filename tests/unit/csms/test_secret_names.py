from __future__ import annotations

import pytest

from csms.secret_names import sets_secret


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AuthorizationKey", True),
        ("authorizationkey", True),
        ("BasicAuthPassword", True),
        ("VendorWifiPassphrase", True),
        ("Wifi_Password", True),
        ("apiKey", True),
        ("VendorCredentials", True),
        ("CloudToken", True),
        ("simPin", True),
        ("wifi.psk", True),
        ("FtpPwd", True),
        ("Pre-Shared Value", True),
        ("api key 2", True),
        ("Wifi_Key_", True),
        ("HeartbeatInterval", False),
        ("SpinLock", False),
        ("GetConfigurationMaxKeys", False),
        ("ConnectorPhaseRotation", False),
    ],
)
def test_secrets_are_known_by_their_names(name: str, expected: bool) -> None:
    assert sets_secret(name) is expected
