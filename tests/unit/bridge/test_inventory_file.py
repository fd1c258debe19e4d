from collections.abc import Callable

import pytest

from bridge.core.model import Layer0
from bridge.inventory_file import ConnectorRow, EvseRow, Inventory, InventoryInvalid, StationRow, parse_inventory
from csms.events import OcppVersion

KEY = "0123456789abcdef"
HEADER = "station,version,key,key_file,security,evse,connector,evse_id,operator,layer0,default_version,strict\n"


def no_files(path: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", path)


def parse(content: bytes | str, read_key_file: Callable[[str], bytes] = no_files) -> Inventory:
    return parse_inventory(content, operators={"north", "south"}, read_key_file=read_key_file)


def errors(content: bytes | str) -> list[str]:
    with pytest.raises(InventoryInvalid) as caught:
        parse(content)
    assert KEY not in str(caught.value)
    return [str(error) for error in caught.value.errors]


def test_evse_is_marked_as_managed_at_spirii_by_true_and_by_nothing_else() -> None:
    rows = f"CP-1,1.6,{KEY},1,DE*ABC*E1,north,true\nCP-1,1.6,,2,DE*ABC*E2,north,\nCP-1,1.6,,3,DE*ABC*E3,north,false\n"
    inventory = parse("station,version,key,connector,evse_id,operator,spirii\n" + rows)
    assert [evse.spirii for evse in inventory.evses] == [True, False, False]
    with pytest.raises(InventoryInvalid, match=r"spirii .yes.: must be true or false"):
        parse("station,version,key,connector,evse_id,operator,spirii\n" + rows.replace("true", "yes"))


def test_rows_become_stations_evses_and_connectors() -> None:
    inventory = parse(
        "station,version,key,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point\n"
        f"CP-1,1.6,{KEY},,1,de*abc*e1,north,s1,p1\n"
        "CP-1,1.6,,,2,DE*ABC*E1,north,s1,p1\n"
        f"CS-2,ocpp2.0.1,{KEY},3,1,DE*ABC*E2,south,,\n"
    )
    assert inventory == Inventory(
        stations=(
            StationRow(2, "CP-1", OcppVersion.V16, None, 1, KEY.encode(), Layer0.DOWNGRADE, False),
            StationRow(4, "CS-2", OcppVersion.V201, None, 1, KEY.encode(), Layer0.DOWNGRADE, False),
        ),
        evses=(
            EvseRow(2, "DE*ABC*E1", "DEABCE1", "CP-1", "north", "s1", "p1"),
            EvseRow(4, "DE*ABC*E2", "DEABCE2", "CS-2", "south", "", ""),
        ),
        connectors=(
            ConnectorRow(2, "CP-1", 0, 1, "DE*ABC*E1"),
            ConnectorRow(3, "CP-1", 0, 2, "DE*ABC*E1"),
            ConnectorRow(4, "CS-2", 3, 1, "DE*ABC*E2"),
        ),
    )


@pytest.mark.parametrize("text", ["2.1", "ocpp2.1", "OCPP2.1"])
def test_station_of_21_counts_its_connectors_within_evses(text: str) -> None:
    rows = f"station,version,key,evse,connector,evse_id,operator\nCS-3,{text},{KEY},2,1,DE*ABC*E3,north\n"
    inventory = parse(rows)
    assert inventory.stations[0].version is OcppVersion.V21
    assert inventory.connectors == (ConnectorRow(2, "CS-3", 2, 1, "DE*ABC*E3"),)
    with pytest.raises(InventoryInvalid, match=r"evse: is missing: OCPP 2\.x counts connectors within an EVSE"):
        parse(rows.replace(",2,1,", ",,1,"))


def test_comments_and_empty_lines_count_for_nothing_but_in_the_numbers_of_lines() -> None:
    content = (
        "# what this is\n"
        "\n"
        '  # indented, with a , and a "\n'
        f"{HEADER}"
        "\r\n"
        f"A,1.6,{KEY},,,,1,DE*ABC*E1,north,,,\n"
        "#A,1.6,,,,,2,DE*ABC*E2,north,,,\n"
        f"B#1,1.6,{KEY},,,,1,DE*ABC*E3,north,,,\n"
    )
    inventory = parse(content)
    assert [(row.line, row.station) for row in inventory.stations] == [(6, "A"), (8, "B#1")]
    assert errors(content + "C,1.6\n# the end\n") == [
        "line 9: has 2 fields and the header 12; quote a value that contains a comma"
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param("", 1, id="empty"),
        pytest.param("# nothing but this\n\n", 1, id="comments-only"),
        pytest.param("# first\nstation;version\n", 2, id="semicolons"),
    ],
)
def test_a_missing_header_is_said_where_it_should_be(content: str, line: int) -> None:
    (error,) = errors(content)
    assert error.startswith(f"line {line}: must name the columns, separated by commas; missing: station, version,")


def test_every_station_column_is_read() -> None:
    inventory = parse(HEADER + "A,1.6,,,insecure,,1,DE*ABC*E1,north,source,ocpp1.6,true\n")
    assert inventory.stations == (StationRow(2, "A", OcppVersion.V16, OcppVersion.V16, 0, None, Layer0.SOURCE, True),)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"\ufeff{HEADER}A,1.6,{KEY},,,,1,DE*ABC*E1,north,,,\n".encode(), id="byte-order-mark"),
        pytest.param(f"{HEADER}A,1.6,{KEY},,,,1,DE*ABC*E1,north,,,\n".replace("\n", "\r\n"), id="crlf"),
        pytest.param(f"{HEADER}\n,,,,,,,,,,,\nA,1.6,{KEY},,,,1,DE*ABC*E1,north,,,", id="blank-lines"),
        pytest.param(f'{HEADER}"A"," 1.6 ",{KEY},,,,1,DE*ABC*E1,north,,,\n', id="quotes-and-spaces"),
    ],
)
def test_what_spreadsheets_write_is_read(content: bytes | str) -> None:
    assert [row.station for row in parse(content).stations] == ["A"]


def test_a_key_may_come_from_a_file_and_loses_its_line_end() -> None:
    content = HEADER + "A,1.6,,keys/a,,,1,DE*ABC*E1,north,,,\n"
    assert parse(content, {"keys/a": b"sixteen bytes ok\r\n"}.__getitem__).stations[0].key == b"sixteen bytes ok"


def test_a_key_is_not_shown_by_repr() -> None:
    assert KEY not in repr(parse(f"{HEADER}A,1.6,{KEY},,,,1,DE*ABC*E1,north,,,\n"))


GOOD = "DE*ABC*E1,north"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param("A,1.5,,,,,1,{good},,,", "line 2, version '1.5': must be 1.6, 2.0.1 or 2.1", id="version"),
        pytest.param("A,,,,,,1,{good},,,", "line 2, version: is missing: 1.6, 2.0.1 or 2.1", id="no-version"),
        pytest.param(
            "A,1.6,hush,,,,1,{good},,,",
            "line 2, key: has 4 bytes and must have at least 16; where the station takes no longer one, "
            "write true into a column weak_key (quarantine map: --weak-key)",
            id="short-key",
        ),
        pytest.param(
            "A,1.6,,gone,,,1,{good},,,",
            "line 2, key_file: the file cannot be read (No such file or directory)",
            id="key-file",
        ),
        pytest.param(
            "A,1.6,{key},,insecure,,1,{good},,,",
            "line 2, security 'insecure': an insecure station has no key; remove the key or the word insecure",
            id="insecure-with-key",
        ),
        pytest.param(
            "A,1.6,{key},,4,,1,{good},,,",
            "line 2, security '4': must be 1 (a key over HTTP Basic, the default), 2 (the same within TLS), "
            "3 (a client certificate) or insecure (no proof at all)",
            id="security",
        ),
        pytest.param(
            "A,1.6,,,,1,1,{good},,,", "line 2, evse '1': must be empty: OCPP 1.6 knows connectors only", id="16"
        ),
        pytest.param(
            "A,2.0.1,,,,,1,{good},,,",
            "line 2, evse: is missing: OCPP 2.x counts connectors within an EVSE",
            id="201-without-evse",
        ),
        pytest.param(
            "A,1.6,,,,,0,{good},,,", "line 2, connector '0': must be a whole number, 1 or more", id="connector"
        ),
        pytest.param("A,1.6,,,,,٣,{good},,,", "line 2, connector '٣': must be a whole number, 1 or more", id="digits"),
        pytest.param("A,1.6,,,,,,{good},,,", "line 2, connector: is missing", id="no-connector"),
        pytest.param(",1.6,,,,,1,{good},,,", "line 2, station: is missing", id="no-station"),
        pytest.param("a/b,1.6,,,,,1,{good},,,", "line 2, station 'a/b': must be at most", id="slash"),
        pytest.param("a:b,1.6,,,,,1,{good},,,", "line 2, station 'a:b': must not contain a colon", id="colon"),
        pytest.param(
            "A,1.6,,,,,1,DE-ABC-E1,north,,,", "line 2, evse_id 'DE-ABC-E1': must be two letters", id="evse-id"
        ),
        pytest.param(
            "A,1.6,,,,,1,DE*ABC*E1,west,,,",
            "line 2, operator 'west': is no configured operator; configured: north, south",
            id="operator",
        ),
        pytest.param("A,1.6,,,,,1,DE*ABC*E1,,,,", "line 2, operator: is missing", id="no-operator"),
        pytest.param(
            "A,1.6,,,,,1,{good},up,,", "line 2, layer0 'up': must be one of downgrade, source, ignore", id="layer0"
        ),
        pytest.param("A,1.6,,,,,1,{good},,,yes", "line 2, strict 'yes': must be true or false", id="strict"),
        pytest.param(
            "A,1.6,,,,,1,{good},,2.0.1,",
            "line 2, default_version '2.0.1': must be empty or the station's version, ocpp1.6",
            id="default-version",
        ),
        pytest.param(
            "A,1.6,{key},,1,1,{good},,,",
            "line 2: has 11 fields and the header 12; quote a value that contains a comma",
            id="fields",
        ),
        pytest.param(
            "A,1.6,,,,,1,{good},,,\nA,2.0.1,,,,,2,DE*ABC*E2,north,,,",
            "line 3, version '2.0.1': differs from line 2; all rows of a station must agree",
            id="station-columns",
        ),
        pytest.param(
            "A,1.6,,,,,1,{good},,,\nB,1.6,,,,,1,{good},,,",
            "line 3, station 'B': differs from line 2; all rows of EVSE DE*ABC*E1 must agree",
            id="evse-at-two-stations",
        ),
        pytest.param(
            "A,1.6,,,,,1,{good},,,\nA,1.6,,,,,1,DE*ABC*E2,north,,,",
            "line 3, connector '1': of station 'A' is claimed for DE*ABC*E2 here and for DE*ABC*E1 in line 2; "
            "it belongs to one EVSE",
            id="second-claim",
        ),
        pytest.param(
            "A,1.6,,,,,1,{good},,,\na,1.6,,,,,1,DE*ABC*E2,north,,,",
            "line 3, station 'a': differs from 'A' (line 2) only in case; stations must differ in more",
            id="case",
        ),
    ],
)
def test_a_wrong_row_is_told_where_what_and_what_would_be_right(rows: str, expected: str) -> None:
    found = errors(HEADER + rows.format(good=GOOD, key=KEY) + "\n")
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_every_bad_row_is_listed_in_the_order_of_the_file() -> None:
    found = errors(
        HEADER
        + "A,1.5,,,9,,0,DE*ABC*E1,north,,,\n"
        + f"B,1.6,{KEY},,,,1,DE*ABC*E2,north,,,\n"
        + "C,1.6,,,,,1,DE*ABC*S3,west,,,\n"
    )
    places = [text.split(":")[0] for text in found]
    assert places == [
        "line 2, connector '0'",
        "line 2, security '9'",
        "line 2, version '1.5'",
        "line 4, evse_id 'DE*ABC*S3'",
        "line 4, operator 'west'",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            HEADER.replace("strict", "colour"), "line 1 'colour': is no column; known: station, version", id="unknown"
        ),
        pytest.param(f"A,1.6,{KEY},,,,1,DE*ABC*E1,north\n", "line 1: must name the columns", id="no-header"),
        pytest.param("", "line 1: must name the columns", id="empty"),
        pytest.param(HEADER.replace("key_file", "key"), "line 1 'key': is named twice", id="twice"),
        pytest.param(HEADER.encode() + b"\nM\xfcnchen", "line 3: is not UTF-8", id="latin-1"),
        pytest.param(HEADER + '"A,1.6', "line 2: cannot be read as CSV", id="open-quote"),
    ],
)
def test_a_file_that_is_no_inventory_is_refused(content: bytes | str, expected: str) -> None:
    assert errors(content)[0].startswith(expected)


def test_ids_that_collide_without_separators_are_a_warning_that_names_both() -> None:
    inventory = parse(HEADER + "A,1.6,,,,,1,DE*ABC*E1*11,north,,,\nA,1.6,,,,,2,DE*ABC*E11*1,north,,,\n")
    assert [(warning.line, warning.text.split(" are ")[0]) for warning in inventory.warnings] == [
        (3, "DE*ABC*E11*1 and DE*ABC*E1*11 (line 2)")
    ]


def test_a_quirk_profile_that_does_not_exist_is_refused_with_those_that_do() -> None:
    content = f"station,version,key,connector,evse_id,operator,quirks\nA,1.6,{KEY},1,DE*ABC*E1,north,alfen no-pong\n"
    with pytest.raises(InventoryInvalid) as refused:
        parse_inventory(content, operators={"north"}, read_key_file=lambda _: b"", quirks=["alfen", "no-pings"])
    assert str(refused.value) == (
        "line 2, quirks 'alfen no-pong': names no quirk profile: no-pong; must be none, or names separated by blanks; "
        "known: alfen, no-pings"
    )
