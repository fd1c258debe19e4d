"""Certificates and keys that a configuration names: what is wrong with them is a mistake like any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from bridge.settings import ChargepriceAccount, ConfigurationErrors, OicpAccount, Settings, load_settings
from bridge.settings.certificates import read_certificates, tls_files
from tests.certificates import Leaf, issue

Write = Callable[..., Path]

AUTHORITY = trustme.CA()
GOOD = issue(AUTHORITY)
HUBJECT = """
[accounts.hubject]
kind = "oicp"
base_url = "https://hub.example/api/oicp"
operator_id = "DE*ABC"
client_certificate = "hub.pem"
"""
CHARGEPRICE = """
[accounts.chargeprice]
kind = "chargeprice"
base_url = "https://api.chargeprice.app"
company_id = "11111111-2222-3333-4444-555555555555"
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write_files(text: str, **files: bytes) -> Path:
        for name, content in files.items():
            Path(name.replace("_", ".")).write_bytes(content)
        Path("bridge.toml").write_text(text, encoding="utf-8")
        return Path("bridge.toml")

    return write_files


def load(path: Path, environ: dict[str, str] | None = None) -> Settings:
    return load_settings(path, environ or {}, certificates_at=datetime.now(UTC))


def lines(path: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationErrors) as caught:
        load(path, environ)
    return str(caught.value).splitlines()


def test_a_good_certificate_is_no_mistake_and_can_be_read(write: Write) -> None:
    settings = load(write(HUBJECT, hub_pem=GOOD.whole))
    assert "CN=DE*ABC" in read_certificates(settings)["hubject"].subject


WRONG = [
    pytest.param(
        "", GOOD.certificate, 'client_certificate = "hub.pem": should hold the private key as well', id="no-key"
    ),
    pytest.param(
        'client_key = "hub.key"',
        issue(AUTHORITY, "DE*XYZ").certificate,
        'client_key = "hub.key": should hold the key of the certificate',
        id="another-s-key",
    ),
    pytest.param("", b"no PEM", 'client_certificate = "hub.pem": should be a PEM file', id="no-pem"),
    pytest.param(
        'ca_bundle = "hub.key"',
        GOOD.whole,
        'ca_bundle = "hub.key": should hold a CA certificate (-----BEGIN CERTIFICATE-----), and holds none',
        id="ca-bundle-without-certificate",
    ),
]


@pytest.mark.parametrize(("more", "content", "expected"), WRONG)
def test_what_is_wrong_with_a_file_is_one_mistake_that_names_it(
    write: Write, more: str, content: bytes, expected: str
) -> None:
    (said,) = lines(write(HUBJECT + more, hub_pem=content, hub_key=GOOD.key))
    assert said.startswith(f"bridge.toml: accounts.hubject.{expected}")


def test_only_who_starts_or_checks_looks_into_the_files(write: Write) -> None:
    assert load_settings(write(HUBJECT, hub_pem=b"no PEM"), {}).accounts.keys() == {"hubject"}


def test_mistakes_in_files_come_beside_all_others(write: Write) -> None:
    said = lines(write("[ocpp]\nport = -1\n" + HUBJECT, hub_pem=GOOD.certificate))
    assert [line.split()[1] for line in said] == ["accounts.hubject.client_certificate", "ocpp.port"]


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        pytest.param(issue(AUTHORITY, begins=-9, ends=-1), "expired on ", id="expired"),
        pytest.param(issue(AUTHORITY, begins=2, ends=9), "is valid only from ", id="not-yet-valid"),
    ],
)
def test_a_certificate_out_of_its_time_is_a_mistake_unless_its_account_is_forced_off(
    write: Write, leaf: Leaf, expected: str
) -> None:
    (said,) = lines(write(HUBJECT, hub_pem=leaf.whole))
    assert expected in said
    assert said.endswith('until then mode = "off" for this account lets the others start')
    assert load(write(HUBJECT + 'mode = "off"', hub_pem=leaf.whole)).accounts.keys() == {"hubject"}


def test_a_certificate_that_begins_tomorrow_is_taken(write: Write) -> None:
    load(write(HUBJECT, hub_pem=issue(AUTHORITY, begins=0.5, ends=9).whole))


LOCKED = GOOD.certificate + GOOD.locked("open sesame")


def test_an_encrypted_key_needs_its_passphrase(write: Write) -> None:
    (said,) = lines(write(HUBJECT, hub_pem=LOCKED))
    assert said.endswith("holds an encrypted key, which needs client_key_passphrase or client_key_passphrase_file")


PASSPHRASES = [
    pytest.param('client_key_passphrase = "{}"', "", {}, "bridge.toml", id="in-the-file"),
    pytest.param('client_key_passphrase_file = "word"', "word", {}, "file word", id="in-a-file-of-its-own"),
    pytest.param(
        "",
        "secrets/BRIDGE_ACCOUNTS__HUBJECT__CLIENT_KEY_PASSPHRASE",
        {"BRIDGE_SECRETS_DIR": "secrets"},
        "secret file secrets/BRIDGE_ACCOUNTS__HUBJECT__CLIENT_KEY_PASSPHRASE",
        id="in-the-secrets-directory",
    ),
    pytest.param(
        "",
        "",
        {"BRIDGE_ACCOUNTS__HUBJECT__CLIENT_KEY_PASSPHRASE": "{}"},
        "environment variable BRIDGE_ACCOUNTS__HUBJECT__CLIENT_KEY_PASSPHRASE",
        id="in-the-environment",
    ),
]


@pytest.mark.parametrize(("more", "file", "environ", "source"), PASSPHRASES)
def test_the_passphrase_counts_wherever_it_is_from_and_is_never_shown(
    write: Write, more: str, file: str, environ: dict[str, str], source: str
) -> None:
    def loaded(passphrase: str) -> tuple[Path, dict[str, str]]:
        Path("secrets").mkdir(exist_ok=True)
        if file:
            Path(file).write_text(f"{passphrase}\n", encoding="utf-8")
        path = write(HUBJECT + more.format(passphrase), hub_pem=LOCKED)
        return path, {name: value.format(passphrase) for name, value in environ.items()}

    settings = load(*loaded("open sesame"))
    assert read_certificates(settings).keys() == {"hubject"}
    assert "sesame" not in f"{settings!r} {settings}"
    account = settings.accounts["hubject"]
    assert isinstance(account, OicpAccount)
    assert tls_files(account).passphrase_file == (Path(file) if file else None)
    assert "sesame" not in repr(tls_files(account))
    assert lines(*loaded("open barley")) == [
        f"{source}: accounts.hubject.client_key_passphrase" + ": should be the passphrase of the client key, and is not"
    ]


def test_a_passphrase_without_a_certificate_is_a_mistake(write: Write) -> None:
    text = HUBJECT.replace('client_certificate = "hub.pem"', 'client_key_passphrase = "open sesame"')
    said = lines(write(text.replace("https://hub.example", "http://127.0.0.1")))
    assert said == ["bridge.toml: accounts.hubject.client_key_passphrase: needs client_certificate beside it"]


def test_a_passphrase_twice_and_one_that_cannot_be_read_are_mistakes(write: Write) -> None:
    more = 'client_key_passphrase_file = "none"'
    assert lines(write(HUBJECT + more, hub_pem=GOOD.whole)) == [
        'bridge.toml: accounts.hubject.client_key_passphrase_file = "none": '
        "should be a readable file: no such file or directory"
    ]
    assert lines(write(HUBJECT + more + '\nclient_key_passphrase = "x"', hub_pem=GOOD.whole)) == [
        'bridge.toml: accounts.hubject.client_key_passphrase_file = "none": '
        "should not be given beside client_key_passphrase"
    ]


API_KEY = "BRIDGE_ACCOUNTS__CHARGEPRICE__API_KEY"


def test_a_key_knows_the_file_that_it_is_from(write: Write) -> None:
    Path("secrets").mkdir()
    Path("key").write_text("of-its-own\n", encoding="utf-8")
    (Path("secrets") / API_KEY).write_text("of-the-directory\n", encoding="utf-8")

    def known(text: str, environ: dict[str, str]) -> tuple[str, Path | None]:
        account = load(write(CHARGEPRICE + text), environ).accounts["chargeprice"]
        assert isinstance(account, ChargepriceAccount)
        return account.api_key.get_secret_value(), account.api_key_file

    secrets = {"BRIDGE_SECRETS_DIR": "secrets"}
    assert known('api_key_file = "key"', {}) == ("of-its-own", Path("key"))
    assert known("", secrets) == ("of-the-directory", Path("secrets") / API_KEY)
    assert known('api_key = "of-the-file"', secrets) == ("of-the-directory", Path("secrets") / API_KEY)
    assert known("", {**secrets, API_KEY: "of-the-environment"}) == ("of-the-environment", None)
    assert known('api_key = "of-the-file"', {}) == ("of-the-file", None)
