"""The tables [ocpp.listeners.NAME]: what they take, what excludes what, and what is wrong with their files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from bridge.settings import ConfigurationErrors, Settings, load_settings
from bridge.settings.listener_certificates import read_first_certificates
from tests.certificates import issue

Write = Callable[..., Path]

AUTHORITY = trustme.CA()
GOOD = issue(AUTHORITY, "csms.example", ends=90)
TLS = """
[ocpp.listeners.tls]
port = 9443
tls_certificate = "server.pem"
"""
PLAIN = """
[ocpp.listeners.plain]
port = 9000
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
    return [line.removeprefix("bridge.toml: ocpp.listeners.") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("text", "profiles"),
    [
        pytest.param("", {0, 1}, id="plain"),
        pytest.param('tls_certificate = "server.pem"', {2}, id="tls"),
        pytest.param('tls_certificate = "server.pem"\nclient_ca = "ca.pem"', {2, 3}, id="tls-with-client-ca"),
        pytest.param('behind_proxy = "10.0.0.1"', {2}, id="proxy"),
        pytest.param('behind_proxy = ["10.0.0.1"]\nclient_ca = "ca.pem"', {2, 3}, id="proxy-with-client-ca"),
        pytest.param("profiles = [1]", {1}, id="said"),
    ],
)
def test_profiles_that_a_listener_takes(write: Write, text: str, profiles: set[int]) -> None:
    path = write(PLAIN + text, server_pem=GOOD.whole, ca_pem=AUTHORITY.cert_pem.bytes())
    assert load(path).ocpp.listeners["plain"].taken == profiles


def test_environment_addresses_a_listener_that_has_a_table(write: Write) -> None:
    environ = {"BRIDGE_OCPP__LISTENERS__PLAIN__PORT": "9001", "BRIDGE_OCPP__LISTENERS__PLAIN__PROFILES": "0,1"}
    listener = load(write(PLAIN), environ).ocpp.listeners["plain"]
    assert (listener.port, listener.profiles) == (9001, (0, 1))


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        pytest.param(
            "BRIDGE_OCPP__LISTENERS__OTHER__PORT",
            "there is no table [ocpp.listeners.other] in the file; there are: plain",
            id="no-such-table",
        ),
        pytest.param(
            "BRIDGE_OCPP__LISTENERS__PLAIN__PROT", "unknown key; did you mean ocpp.listeners.plain.port?", id="typo"
        ),
        pytest.param("BRIDGE_OCPP__LISTENERS__PLAIN", "is a table: name one of its keys", id="table"),
    ],
)
def test_variable_that_means_nothing_is_a_mistake(write: Write, variable: str, problem: str) -> None:
    [line] = lines(write(PLAIN), {variable: "9001"})
    assert line.startswith(f"environment variable {variable}: ")
    assert line.endswith(problem)


WRONG = [
    pytest.param("[ocpp]\nport = 9000" + PLAIN, "ocpp.port: should be in a table of its own", id="both-forms"),
    pytest.param('[ocpp]\nhost = "::"' + PLAIN, "ocpp.host: should be in a table of its own", id="both-forms-host"),
    pytest.param("[ocpp.listeners.plain]", "plain.port: is needed", id="no-port"),
    pytest.param("[ocpp.listeners.Plain]\nport = 1", "Plain: names are made of a-z, 0-9", id="name"),
    pytest.param(PLAIN + "tls = 1", "plain.tls: unknown key", id="unknown-key"),
    pytest.param(PLAIN + "profiles = [2]", "plain.profiles: profile 2 needs TLS", id="2-without-tls"),
    pytest.param(PLAIN + "profiles = []", "plain.profiles: should name one profile at least", id="no-profile"),
    pytest.param(PLAIN + "profiles = [4]", "plain.profiles[0] = 4: should be a whole number from 0 to 3", id="4"),
    pytest.param(TLS + "profiles = [3]", "tls.profiles: profile 3 needs client_ca", id="3-without-client-ca"),
    pytest.param(TLS + "profiles = [1]", "tls.profiles: profile 1 is for plain listeners", id="1-with-tls"),
    pytest.param(PLAIN + 'client_ca = "ca.pem"', "plain.client_ca: needs tls_certificate or behind_proxy", id="ca"),
    pytest.param(
        PLAIN + "compat_ciphers = true", "plain.compat_ciphers: needs tls_certificate beside it", id="ciphers"
    ),
    pytest.param(PLAIN + 'behind_proxy = "proxy"', 'plain.behind_proxy[0] = "proxy": should be an address', id="peer"),
    pytest.param(
        PLAIN + 'behind_proxy = "0.0.0.0/0"', 'plain.behind_proxy[0] = "0.0.0.0/0": would let', id="every-peer"
    ),
    pytest.param(PLAIN + 'behind_proxy = "::/0"', 'plain.behind_proxy[0] = "::/0": would let', id="every-peer-of-ipv6"),
    pytest.param(TLS + 'behind_proxy = "10.0.0.1"', "tls.behind_proxy: excludes tls_certificate", id="proxy-and-tls"),
    pytest.param(TLS + 'tls_key = ["a", "b"]', "tls.tls_key: should name as many files as tls_certificate", id="keys"),
    pytest.param(
        PLAIN + PLAIN.replace("plain", "second"),
        "second.port = 9000: ocpp.listeners.plain has the same port",
        id="port",
    ),
    pytest.param(
        PLAIN + 'proxy_address_header = "a b"',
        'plain.proxy_address_header = "a b": should be the name of an HTTP header',
        id="header",
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_what_excludes_or_needs_another_key_is_a_mistake(write: Write, text: str, expected: str) -> None:
    said = lines(write(text, server_pem=GOOD.whole, ca_pem=AUTHORITY.cert_pem.bytes()))
    assert any(line.removeprefix("bridge.toml: ").startswith(expected) for line in said), said


FILES = [
    pytest.param("", b"no PEM", 'tls_certificate = "server.pem": should be a PEM file', id="no-pem"),
    pytest.param(
        "", GOOD.certificate, 'tls_certificate = "server.pem": should hold the private key as well', id="no-key"
    ),
    pytest.param(
        'tls_key = "other.key"',
        issue(AUTHORITY).certificate,
        'tls_key = "other.key": should hold the key of the certificate',
        id="another-s-key",
    ),
    pytest.param(
        "",
        issue(AUTHORITY, ends=-1).whole,
        'tls_certificate = "server.pem": should be a certificate that is valid; this one',
        id="expired",
    ),
    pytest.param(
        "",
        GOOD.certificate + GOOD.locked("secret"),
        'tls_certificate = "server.pem": holds an encrypted key, which needs tls_key_passphrase_file',
        id="locked",
    ),
    pytest.param(
        'tls_key_passphrase_file = "wrong.txt"',
        GOOD.certificate + GOOD.locked("secret"),
        'tls_key_passphrase_file = "wrong.txt": should be the passphrase of the key, and is not',
        id="wrong-passphrase",
    ),
    pytest.param(
        'client_ca = "other.key"', GOOD.whole, 'client_ca = "other.key": should hold a CA certificate', id="no-ca"
    ),
    pytest.param("", None, 'tls_certificate[0] = "server.pem": should be a readable file', id="no-file"),
]


@pytest.mark.parametrize(("more", "certificate", "expected"), FILES)
def test_what_is_wrong_with_a_file_names_its_key(
    write: Write, more: str, certificate: bytes | None, expected: str
) -> None:
    files = {"other_key": issue(AUTHORITY).key, "wrong_txt": b"guess"}
    if certificate is not None:
        files["server_pem"] = certificate
    [line] = lines(write(TLS + more, **files))
    assert line.startswith(f"tls.{expected}")


def test_two_certificates_of_one_kind_are_a_mistake(write: Write) -> None:
    text = TLS.replace('"server.pem"', '["server.pem", "other.pem"]')
    [line] = lines(write(text, server_pem=GOOD.whole, other_pem=issue(AUTHORITY).whole))
    assert line.startswith('tls.tls_certificate = "other.pem": should be of another kind than the first one')


def test_the_certificate_that_ends_first_is_shown(write: Write) -> None:
    settings = load(write(TLS + PLAIN, server_pem=GOOD.whole))
    assert list(read_first_certificates(settings)) == ["tls"]
    assert "CN=csms.example" in read_first_certificates(settings)["tls"].subject


def test_a_command_that_only_asks_looks_into_no_file(write: Write) -> None:
    assert load_settings(write(TLS), {}).ocpp.listeners["tls"].port == 9443
