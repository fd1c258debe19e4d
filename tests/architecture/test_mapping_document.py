"""docs/mapping.md and the tables in the code say the same."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.core.effective import PRECEDENCE, EffectiveOptions, effective
from bridge.core.facts import EVSE_STATUS
from bridge.core.mapping import chargeprice, oicp
from bridge.core.model import NEVER_HEARD, Charging, EvseStatus, EvseView, Fact, Moment
from bridge.core.reported import RANK
from csms.events import ChargingState, ReportedStatus

DOCUMENT = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
T0 = datetime(2026, 5, 1, tzinfo=UTC)
LATER = Moment(now=T0, steady=T0.replace(hour=1))


def rows(name: str) -> list[list[str]]:
    """The body of the table after `<!-- table: name -->`."""
    _, _, after = DOCUMENT.partition(f"<!-- table: {name} -->\n\n")
    table = after.partition("\n\n")[0].splitlines()
    assert len(table) > 2, f"docs/mapping.md has no table {name}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_reported_words_agree() -> None:
    assert {word: effective for word, effective, _ in rows("reported")} == {
        str(word): str(status) for word, status in EVSE_STATUS.items()
    }


def test_hubs_tables_agree() -> None:
    documented = rows("hubs")
    assert [row[0] for row in documented] == [str(status) for status in EvseStatus]
    assert {row[0]: row[1] for row in documented} == {str(key): word for key, word in oicp.TABLE.items()}
    assert {row[0]: row[2] for row in documented} == {str(key): word for key, word in chargeprice.TABLE.items()}


def test_hubs_words_agree() -> None:
    documented = {hub: set(words.split(", ")) for hub, words in rows("words")}
    assert documented == {"Hubject": set(oicp.WORDS), "Chargeprice": set(chargeprice.WORDS)}


@pytest.mark.parametrize("row", rows("transaction"), ids=[row[0] for row in rows("transaction")])
def test_transaction_table_agrees(row: list[str]) -> None:
    charging = Charging("tx", 1, ChargingState(row[0]), 2, T0)
    for word, expected in zip(("Available", "Occupied"), row[1:], strict=True):
        view = EvseView((Fact(1, 1, ReportedStatus(word), 1, T0),), charging=charging)
        assert effective(view, NEVER_HEARD, LATER, EffectiveOptions()).status == expected


def test_transaction_table_names_every_charging_state() -> None:
    assert {row[0] for row in rows("transaction")} == {str(state) for state in ChargingState}


def test_rank_and_precedence_agree() -> None:
    assert ", ".join(RANK) in DOCUMENT
    assert [str(kind) for kind in PRECEDENCE] == ["MAINTENANCE", "COMMISSIONING", "BLOCKED", "RESERVED"]
    assert "maintenance before commissioning before blocked" in DOCUMENT
