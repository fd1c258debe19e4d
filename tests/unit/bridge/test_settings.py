from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.modes import Mode
from bridge.settings import ConfigurationErrors, IdTags, OicpAccount, Settings, load_settings
from bridge.settings.fields import read_duration
from bridge.settings.keys import known_keys
from bridge.settings.load import settle
from bridge.settings.sources import Layers

Write = Callable[[str], Path]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HUBJECT = """
[accounts.hubject]
kind = "oicp"
base_url = "http://127.0.0.1:8000/api/oicp"
operator_id = "DE*ABC"
"""
CHARGEPRICE = """
[accounts.chargeprice]
kind = "chargeprice"
base_url = "https://api.chargeprice.app"
company_id = "11111111-2222-3333-4444-555555555555"
api_key = "s3cr3t-key"
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write_file(text: str) -> Path:
        Path("bridge.toml").write_text(text, encoding="utf-8")
        return Path("bridge.toml")

    return write_file


def lines(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationErrors) as caught:
        load_settings(path, environ or {}, certificates_at=NOW)
    return str(caught.value).splitlines()


def test_without_a_file_every_default_of_the_design_counts() -> None:
    settings = load_settings(None, {})
    assert (settings.ocpp.port, settings.web.host, settings.web.port) == (9000, "127.0.0.1", 8080)
    assert settings.ocpp.ping_interval == timedelta(seconds=50)
    assert settings.ocpp.heartbeat_interval == timedelta(seconds=300)
    assert (settings.ocpp.settle, settings.ocpp.settle_after_boot) == (timedelta(seconds=5), timedelta(seconds=30))
    assert settings.ocpp.trigger_timeout == timedelta(seconds=60)
    assert settings.ocpp.max_message_size == 1024 * 1024
    assert settings.ocpp.sign_certificate == "reject"
    assert (settings.ocpp.messages_per_second, settings.ocpp.message_burst) == (50, 500)
    assert settings.status.available_hold == timedelta(seconds=2)
    assert settings.status.offline_after == timedelta(minutes=15)
    assert settings.status.restart_grace == timedelta(minutes=3)
    assert settings.status.mass_offline_hold == timedelta(minutes=30)
    assert (settings.push.connect_timeout, settings.push.total_timeout) == (timedelta(seconds=5), timedelta(seconds=15))
    assert (settings.push.doubt, settings.push.refused_retry) == (timedelta(seconds=90), timedelta(hours=6))
    assert settings.push.reassert_every == timedelta(days=1)
    assert settings.store_url == "sqlite:///state/bridge.db"


SPIRII = """
[accounts.spirii]
kind = "spirii"
base_url = "https://api.spirii.com"
api_key = "s3cr3t-key"
"""


WRONG = [
    pytest.param("[ocpp]\nport = 70000", "ocpp.port = 70000: should be a whole number from 0 to 65535", id="port"),
    pytest.param(
        "[ocpp]\nport = true", "ocpp.port = true: should be a whole number from 0 to 65535", id="bool-is-no-number"
    ),
    pytest.param("[ocpp]\nport = 1.5", "ocpp.port = 1.5: should be a whole number from 0 to 65535", id="fraction"),
    pytest.param("[ocpp]\nprot = 1", "ocpp.prot: unknown key; did you mean ocpp.port?", id="unknown-key"),
    pytest.param("[ocp]\nport = 1", "ocp: unknown key; did you mean ocpp?", id="unknown-section"),
    pytest.param(
        '[ocpp]\nsettle = "5 parsecs"',
        'ocpp.settle = "5 parsecs": should be a duration such as "90 s", "15 min" or "24 h" '
        "(units ms, s, min, h, d; a number is seconds)",
        id="duration",
    ),
    pytest.param('[push]\ndoubt = "3 d"', 'push.doubt = "3 d": should be from 0.1 s to 1 h', id="duration-too-long"),
    pytest.param(
        '[ocpp]\nid_tags = "maybe"', "ocpp.id_tags = \"maybe\": should be 'reject', 'list' or 'accept'", id="choice"
    ),
    pytest.param('[ocpp]\nstrict = "yep"', 'ocpp.strict = "yep": should be true or false', id="boolean"),
    pytest.param(
        '[ocpp]\naccept_from = ["10.0.0.5/8"]',
        "ocpp.accept_from: should be networks such as 10.0.0.0/8 or ::1, not '10.0.0.5/8'",
        id="network",
    ),
    pytest.param(
        '[ocpp]\nunknown_stations = "allow"',
        "ocpp.unknown_stations = \"allow\": should be 'reject', 'quarantine' or 'accept'",
        id="unknown-stations",
    ),
    pytest.param("[ocpp]\nid_tag_list = 3", 'ocpp.id_tag_list = 3: should be a list such as ["one", "two"]', id="list"),
    pytest.param('[ocpp]\nid_tag_list = ["a", 3]', "ocpp.id_tag_list[1] = 3: should be text in quotes", id="list-item"),
    pytest.param('ocpp = "x"', 'ocpp = "x": should be a table', id="no-table"),
    pytest.param(
        '[web]\nhost = "a b"', 'web.host = "a b": should be a host name or address such as "127.0.0.1"', id="host"
    ),
    pytest.param(
        'database_url = "mysql://u:pass@h/x"',
        "database_url: should be sqlite:///path/to/file or postgresql://user:password@host/database",
        id="database",
    ),
    pytest.param(
        '[accounts.Bad-Name]\nkind = "ocpi"',
        "accounts.Bad-Name: names are made of a-z, 0-9 and single _ between them\n"
        "accounts.Bad-Name.kind = \"ocpi\": should be 'oicp', 'chargeprice' or 'spirii'",
        id="account-name-and-kind",
    ),
    pytest.param(
        "[accounts.a]\nmode = 1", "accounts.a.kind: is needed: oicp, chargeprice or spirii", id="kind-missing"
    ),
    pytest.param(
        HUBJECT.replace("127.0.0.1", "hub.example"),
        'accounts.hubject.base_url = "http://hub.example:8000/api/oicp": '
        "should be an https:// address (http:// only for a loopback address)",
        id="plain-http",
    ),
    pytest.param(
        HUBJECT.replace("127.0.0.1", "user:pw@127.0.0.1"),
        'accounts.hubject.base_url = "http://…@127.0.0.1:8000/api/oicp": '
        "should be an address without user, query or fragment",
        id="credentials-in-address",
    ),
    pytest.param(
        HUBJECT + 'sub_operator_ids = ["DE*XYZ", "XYZ"]',
        'accounts.hubject.sub_operator_ids[1] = "XYZ": should be an OperatorID such as "DE*ABC"',
        id="sub-operator",
    ),
    pytest.param(
        HUBJECT + "data_per_minute = 376",
        "accounts.hubject.data_per_minute = 376: should be a whole number from 1 to 375",
        id="data-rate",
    ),
    pytest.param(
        HUBJECT + 'data_full_load_day = "sun"',
        "accounts.hubject.data_full_load_day = \"sun\": should be 'sunday', 'monday', 'tuesday', 'wednesday', "
        "'thursday', 'friday' or 'saturday'",
        id="weekday",
    ),
    pytest.param(
        HUBJECT.replace("http:", "https:"),
        "accounts.hubject.client_certificate: is needed: Hubject knows its partners by their certificate",
        id="no-certificate",
    ),
    pytest.param(
        HUBJECT + 'client_certificate = "none.pem"',
        'accounts.hubject.client_certificate = "none.pem": should be a readable file: no such file or directory',
        id="certificate-missing",
    ),
    pytest.param(
        HUBJECT.replace("DE*ABC", "DE*ABCD"),
        'accounts.hubject.operator_id = "DE*ABCD": should be an OperatorID such as "DE*ABC"',
        id="operator-id",
    ),
    pytest.param(
        HUBJECT.replace('operator_id = "DE*ABC"', ""),
        "accounts.hubject.operator_id: is needed",
        id="operator-id-missing",
    ),
    pytest.param(
        HUBJECT + 'full_load_at = "25:00"',
        'accounts.hubject.full_load_at = "25:00": should be a time of day such as "03:30"',
        id="time-of-day",
    ),
    pytest.param(
        HUBJECT + 'time_zone = "Mars/Olympus"',
        'accounts.hubject.time_zone = "Mars/Olympus": should be a time zone such as "Europe/Berlin"',
        id="time-zone",
    ),
    pytest.param(
        HUBJECT + 'api_key = "s3cr3t"',
        "accounts.hubject.api_key: unknown key for an account of this kind",
        id="key-of-another-kind",
    ),
    pytest.param(
        HUBJECT + '[accounts.hubject.map]\nunknown = "EvseNotFound"',
        'accounts.hubject.map.unknown = "EvseNotFound": '
        "the hub's word must be one of Available, Occupied, OutOfService, Reserved, Unknown",
        id="map-word",
    ),
    pytest.param(
        HUBJECT + '[accounts.hubject.map]\nsleeping = "Unknown"',
        'accounts.hubject.map.sleeping = "Unknown": the status must be one of available, occupied, charging, reserved, '
        "unavailable, faulted, unknown, maintenance, commissioning, blocked",
        id="map-status",
    ),
    pytest.param(
        CHARGEPRICE.replace("11111111-", ""),
        'accounts.chargeprice.company_id = "2222-3333-4444-555555555555": '
        "should be a UUID such as 11111111-2222-3333-4444-555555555555",
        id="company",
    ),
    pytest.param(
        CHARGEPRICE.replace('api_key = "s3cr3t-key"', ""),
        "accounts.chargeprice.api_key: is needed, or api_key_file",
        id="key-missing",
    ),
    pytest.param(
        CHARGEPRICE.replace("s3cr3t-key", "s3cr3t key"),
        "accounts.chargeprice.api_key: should be the key alone: printable ASCII, no spaces",
        id="key-with-space",
    ),
    pytest.param(
        CHARGEPRICE + 'api_key_file = "key"',
        'accounts.chargeprice.api_key_file = "key": should not be given beside api_key',
        id="key-twice",
    ),
    pytest.param(
        CHARGEPRICE.replace('api_key = "s3cr3t-key"', 'api_key_file = "none"'),
        'accounts.chargeprice.api_key_file = "none": should be a readable file: no such file or directory',
        id="key-file-missing",
    ),
    pytest.param(
        HUBJECT + HUBJECT.replace("hubject", "again").replace("DE*ABC", "deabc"),
        'accounts.again.operator_id = "deabc": accounts.hubject has the same OperatorID',
        id="operator-id-twice",
    ),
    pytest.param(
        CHARGEPRICE + CHARGEPRICE.replace("accounts.chargeprice", "accounts.again"),
        "accounts.again.api_key: accounts.chargeprice has the same key",
        id="same-key-twice",
    ),
    pytest.param(
        SPIRII + 'map = { unknown = "Unknown" }',
        "accounts.spirii.map: unknown key for an account of this kind",
        id="words-for-a-hub-that-is-told-no-statuses",
    ),
    pytest.param(
        SPIRII + "per_minute = 121",
        "accounts.spirii.per_minute = 121: should be a whole number from 1 to 120",
        id="faster-than-spirii-allows",
    ),
    pytest.param(
        SPIRII + SPIRII.replace("accounts.spirii", "accounts.again"),
        "accounts.again.api_key: accounts.spirii has the same key",
        id="same-key-at-spirii-twice",
    ),
    pytest.param(
        SPIRII.replace("https://api.spirii.com", "http://127.0.0.1:8080"),
        'accounts.spirii.base_url = "http://127.0.0.1:8080": '
        "is this bridge's own [web] address: give Spirii's, https://api.spirii.com",
        id="mirror-into-ourselves",
    ),
    pytest.param(
        HUBJECT + '[operators.acme]\nname = "Acme"\naccounts = ["hubjct"]',
        'operators.acme.accounts = "hubjct": no such account; there are: hubject',
        id="no-such-account",
    ),
    pytest.param(
        '[operators.acme]\nname = ""', 'operators.acme.name = "": should be a name of 1 to 100 characters', id="name"
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_a_mistake_names_file_key_value_and_what_would_be_right(write: Write, text: str, expected: str) -> None:
    assert lines(write(text)) == [f"bridge.toml: {line}" for line in expected.splitlines()]


@pytest.mark.parametrize("text", [case.values[0] for case in WRONG], ids=[case.id for case in WRONG])
def test_no_mistake_shows_a_secret(write: Write, text: str) -> None:
    said = " ".join(lines(write(str(text))))
    assert not any(secret in said for secret in ("s3cr3t", "u:pass", "user:pw"))


def test_all_mistakes_come_at_once(write: Write) -> None:
    path = write("colour = 1\n[ocpp]\nport = -1\n" + HUBJECT + "per_minute = 0\n")
    assert lines(path, {"BRIDGE_WEB__PORT": "x"}) == [
        "bridge.toml: accounts.hubject.per_minute = 0: should be a whole number from 1 to 2000",
        "bridge.toml: colour: unknown key",
        "bridge.toml: ocpp.port = -1: should be a whole number from 0 to 65535",
        'environment variable BRIDGE_WEB__PORT: web.port = "x": should be a whole number from 0 to 65535',
    ]


def test_a_file_that_is_not_there_is_named() -> None:
    assert lines(Path("nowhere.toml")) == ["nowhere.toml: cannot be read: no such file or directory"]


def test_a_file_that_is_no_toml_is_named_with_its_line(write: Write) -> None:
    assert lines(write("[ocpp]\nport = \n")) == ["bridge.toml: should be TOML: Invalid value (at line 2, column 8)"]


def test_a_file_that_is_no_text_is_named(write: Write) -> None:
    path = write("")
    path.write_bytes(b"\xff\xfe")
    assert lines(path) == ["bridge.toml: should be UTF-8 text"]


UNKNOWN_VARIABLES = [
    pytest.param("BRIDGE_OCPP__PROT", "ocpp.prot: unknown key; did you mean ocpp.port?", id="key"),
    pytest.param("BRIDGE_ZZZ", "zzz: unknown key", id="section"),
    pytest.param(
        "BRIDGE_ACCOUNTS__HUBJEKT__MODE",
        "accounts.hubjekt.mode: there is no table [accounts.hubjekt] in the file; there are: hubject",
        id="account",
    ),
    pytest.param(
        "BRIDGE_OPERATORS__ACME__NAME",
        "operators.acme.name: there is no table [operators.acme] in the file; there are: none",
        id="operator",
    ),
    pytest.param("BRIDGE_OCPP", "ocpp: is a table: name one of its keys", id="section-alone"),
    pytest.param("BRIDGE_OCPP__PORT__X", "ocpp.port.x: unknown key; did you mean ocpp.port?", id="too-deep"),
]


@pytest.mark.parametrize(("name", "expected"), UNKNOWN_VARIABLES)
def test_a_variable_that_means_nothing_is_a_mistake(write: Write, name: str, expected: str) -> None:
    assert lines(write(HUBJECT), {name: "secret-value"}) == [f"environment variable {name}: {expected}"]


def test_variables_of_other_programs_and_the_one_that_names_the_file_are_left_alone() -> None:
    assert load_settings(None, {"PATH": "/bin", "BRIDGE_CONFIG": "x", "BRIDGEHEAD": "1"}) == load_settings(None, {})


def test_environment_wins_over_secrets_over_file_over_default(write: Write, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, port in (("BRIDGE_OCPP__PORT", "3"), ("bridge_web__port", "3"), ("other_program", "x")):
        (secrets / name).write_text(f"{port}\n", encoding="utf-8")
    path = write(f'secrets_dir = "{secrets}"\n[ocpp]\nport = 2\n[web]\nport = 2\n[log]\nlevel = "debug"\n')
    settings = load_settings(path, {"BRIDGE_OCPP__PORT": "4"})
    assert (settings.ocpp.port, settings.web.port, settings.log.level, settings.log.format) == (4, 3, "debug", "auto")


def test_a_wrong_secret_file_is_named_without_its_content(write: Write, tmp_path: Path) -> None:
    (tmp_path / "BRIDGE_ACCOUNTS__CHARGEPRICE__API_KEY").write_text("s3cr3t key", encoding="utf-8")
    path = write(CHARGEPRICE)
    assert lines(path, {"BRIDGE_SECRETS_DIR": str(tmp_path)}) == [
        f"secret file {tmp_path}/BRIDGE_ACCOUNTS__CHARGEPRICE__API_KEY: accounts.chargeprice.api_key: "
        "should be the key alone: printable ASCII, no spaces"
    ]


def test_a_secrets_directory_that_is_named_must_be_there(write: Write) -> None:
    path = write('secrets_dir = "nowhere"')
    assert lines(path) == [
        'bridge.toml: secrets_dir = "nowhere": should be a readable directory: no such file or directory'
    ]


def test_environment_changes_an_account_of_the_file(write: Write) -> None:
    settings = load_settings(
        write(HUBJECT + '[operators.acme]\nname = "Acme"\naccounts = []\n'),
        {
            "BRIDGE_ACCOUNTS__HUBJECT__BASE_URL": "http://127.0.0.1:1/api/oicp/",
            "BRIDGE_ACCOUNTS__HUBJECT__MODE": "off",
            "BRIDGE_ACCOUNTS__HUBJECT__MAP__UNKNOWN": "OutOfService",
            "BRIDGE_OPERATORS__ACME__ACCOUNTS": "hubject,",
            "BRIDGE_OCPP__ID_TAG_LIST": "one, two",
            "BRIDGE_OCPP__STRICT": "true",
        },
    )
    account = settings.accounts["hubject"]
    assert isinstance(account, OicpAccount)
    assert (account.base_url, account.mode) == ("http://127.0.0.1:1/api/oicp", Mode.OFF)
    assert account.map == {"unknown": "OutOfService"}
    assert settings.operators["acme"].accounts == ("hubject",)
    assert (settings.ocpp.id_tag_list, settings.ocpp.strict) == (("one", "two"), True)


def test_an_operator_s_account_from_the_environment_must_exist_too(write: Write) -> None:
    path = write(HUBJECT + '[operators.acme]\nname = "Acme"\n')
    assert lines(path, {"BRIDGE_OPERATORS__ACME__ACCOUNTS": "nobody"}) == [
        'environment variable BRIDGE_OPERATORS__ACME__ACCOUNTS: operators.acme.accounts = "nobody": '
        "no such account; there are: hubject"
    ]


def test_the_key_may_be_in_a_file_of_its_own(write: Write, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cr3t-key\n", encoding="utf-8")
    settings = load_settings(write(CHARGEPRICE.replace('api_key = "s3cr3t-key"', 'api_key_file = "key"')), {})
    account = settings.accounts["chargeprice"]
    assert account.kind == "chargeprice"
    assert account.api_key.get_secret_value() == "s3cr3t-key"
    assert "s3cr3t" not in repr(settings)


def test_a_database_s_password_is_not_in_the_text_of_the_settings(write: Write) -> None:
    settings = load_settings(write('database_url = "postgresql://u:pass@h/x"'), {})
    assert settings.store_url == "postgresql://u:pass@h/x"
    assert "pass@" not in f"{settings!r} {settings}"


def test_command_that_only_asks_does_not_look_into_files(write: Write) -> None:
    text = HUBJECT + 'client_certificate = "none.pem"\nca_bundle = "none.pem"' + CHARGEPRICE
    text = text.replace('api_key = "s3cr3t-key"', 'api_key_file = "none"')
    assert load_settings(write(text), {}).accounts.keys() == {"hubject", "chargeprice"}


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings(None, {}).ocpp.port = 1


WARNINGS = [
    pytest.param("[ocpp]\nid_tags = 'reject'", ["no account is set up: no hub is told anything"], id="no-account"),
    pytest.param(
        "[web]\nhost = '0.0.0.0'\n[ocpp]\nid_tags = 'list'\n" + HUBJECT,
        [
            'ocpp.id_tags is "list", and ocpp.id_tag_list is empty: every idTag is rejected',
            "web.host is 0.0.0.0: the REST interface can be reached from other machines, without TLS",
            "accounts.hubject: no operator refers to it",
        ],
        id="open-web-empty-list-idle-account",
    ),
    pytest.param(
        "[ocpp]\nid_tags = 'reject'\nunknown_stations = 'accept'\naccept_from = ['::1', '10.0.0.0/8', '0.0.0.0/0']",
        [
            'ocpp.unknown_stations is "accept", and ocpp.accept_from has 10.0.0.0/8, 0.0.0.0/0: whoever connects from '
            'there becomes a station of the inventory; "quarantine" asks you first',
            "no account is set up: no hub is told anything",
        ],
        id="accept-beyond-loopback",
    ),
    pytest.param(
        "[ocpp]\nid_tags = 'reject'\nunknown_stations = 'accept'",
        ["no account is set up: no hub is told anything"],
        id="accept-on-loopback",
    ),
    pytest.param(
        HUBJECT + "[operators.acme]\nname = 'Acme'\naccounts = ['hubject']",
        ["ocpp.id_tags is not set: every idTag is rejected, so that no driver can start by card or app"],
        id="id-tags-not-set",
    ),
    pytest.param(
        "[ocpp]\nid_tags = 'reject'\n"
        + HUBJECT
        + HUBJECT.replace("accounts.hubject", "accounts.hub").replace("DE*ABC", "DE*HUB")
        + 'sub_operator_ids = ["DE*XYZ", "DEABC"]\n'
        + "[operators.acme]\nname = 'Acme'\naccounts = ['hubject', 'hub']",
        [
            "accounts.hub: sub_operator_ids has DEABC, the operator_id of accounts.hubject: "
            "an EVSE that goes to both stands at Hubject twice"
        ],
        id="one-operator-at-two-accounts",
    ),
    pytest.param(
        "[ocpp]\nid_tags = 'reject'\nheartbeat_interval = '301 s'\n",
        [
            "status.offline_after is less than three times ocpp.heartbeat_interval: a station that answers no ping "
            "counts as lost after one or two missed heartbeats",
            "no account is set up: no hub is told anything",
        ],
        id="offline-before-three-heartbeats",
    ),
]


@pytest.mark.parametrize(("text", "expected"), WARNINGS)
def test_what_is_probably_not_meant_is_a_warning(write: Write, text: str, expected: list[str]) -> None:
    assert load_settings(write(text), {}).warnings() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90 s", timedelta(seconds=90)),
        ("15min", timedelta(minutes=15)),
        (90, timedelta(seconds=90)),
        (0.5, timedelta(milliseconds=500)),
        ("250 ms", timedelta(milliseconds=250)),
        ("1.5 h", timedelta(minutes=90)),
        ("2 d", timedelta(days=2)),
        ("90", timedelta(seconds=90)),
    ],
)
def test_durations_are_read_with_their_unit(text: str | float, expected: timedelta) -> None:
    assert read_duration(text) == expected


@pytest.mark.parametrize("text", ["", "-1 s", "1 week", "1 h 30 min", True, None, "٣ s", "nan"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="should be a duration"):
        read_duration(text)


def test_enforced_kinds_are_a_list_or_a_variable_with_commas(write: Write) -> None:
    assert load_settings(None, {}).temporary.enforce == ()
    path = write('[temporary]\nenforce = ["MAINTENANCE"]\n')
    assert load_settings(path, {}).temporary.enforce == ("MAINTENANCE",)
    varied = load_settings(path, {"BRIDGE_TEMPORARY__ENFORCE": "BLOCKED, COMMISSIONING"})
    assert varied.temporary.enforce == ("BLOCKED", "COMMISSIONING")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param(
            '["RESERVED"]',
            "RESERVED cannot be enforced: an EVSE that is unavailable at its station is not shown as reserved",
            id="reserved",
        ),
        pytest.param(
            '["maintenance"]', "should be of MAINTENANCE, COMMISSIONING, BLOCKED, not 'maintenance'", id="lower-case"
        ),
        pytest.param("true", 'should be a list such as ["one", "two"]', id="no-list"),
    ],
)
def test_what_cannot_be_enforced_is_refused_with_the_reason(write: Write, value: str, problem: str) -> None:
    (line,) = lines(write(f"[temporary]\nenforce = {value}\n"))
    assert line.startswith("bridge.toml: temporary.enforce")
    assert line.endswith(problem)


def test_id_tags_have_three_choices() -> None:
    assert list(IdTags) == ["reject", "list", "accept"]
    assert Settings().ocpp.id_tags is None


_ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.datetimes(),
        st.times(),
        st.sampled_from(["oicp", "chargeprice", "https://x", "http://[", "http://h:99999999", "off", "1 s"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from(sorted(known_keys())), value=_ANYTHING, kind=_ANYTHING)
@settings(max_examples=400, deadline=None)
def test_whatever_a_file_holds_is_taken_or_is_a_mistake_never_a_crash(
    key: tuple[str, ...], value: object, kind: object
) -> None:
    layers = Layers("bridge.toml", {"accounts": {"one": {"kind": kind}}})
    parent = layers.tree
    for part in ("one" if part == "*" else part for part in key[:-1]):
        parent = parent.setdefault(part, {})
    parent[key[-1]] = value
    with contextlib.suppress(ConfigurationErrors):
        settle(layers)


@given(name=st.text(alphabet="ABCHJKMOPRSTU_1", max_size=30), text=st.text(max_size=10))
@settings(max_examples=200, deadline=None)
def test_whatever_the_environment_holds_is_taken_or_is_a_mistake(name: str, text: str) -> None:
    with contextlib.suppress(ConfigurationErrors):
        load_settings(None, {f"BRIDGE_{name}": text, f"BRIDGE_ACCOUNTS__{name}": text, f"BRIDGE_OCPP__{name}": text})
