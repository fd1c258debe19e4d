"""differences: how a row stands, and which fields of a document differ."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bridge.core.differences import FieldChange, Standing, field_changes, standing_of
from bridge.core.model import Delivery

NEW = Delivery(desired='{"a":1}', desired_seq=1)
AGREED = Delivery(desired='{"a":1}', desired_seq=1, acked='{"a":1}', acked_seq=1)
DOUBT = datetime(2026, 1, 1, tzinfo=UTC)

ROWS = {
    "nothing acknowledged": (NEW, Standing.NEW),
    "agreed": (AGREED, Standing.AGREED),
    "another value": (replace(AGREED, desired='{"a":2}', desired_seq=2), Standing.CHANGED),
    "there and back": (replace(AGREED, desired_seq=3), Standing.AGAIN),
    "forgotten": (replace(AGREED, acked_seq=0), Standing.AGAIN),
    "in doubt": (replace(AGREED, doubt_until=DOUBT), Standing.AGAIN),
    "refused": (replace(NEW, refused="no", refused_seq=1), Standing.REFUSED),
    "refused before it changed": (replace(NEW, refused="no", refused_seq=1, desired_seq=2), Standing.NEW),
    "to be deleted": (replace(AGREED, desired="", desired_seq=2, tombstone=True), Standing.LEAVING),
    "deletion refused": (
        replace(AGREED, desired="", desired_seq=2, tombstone=True, refused="no", refused_seq=2),
        Standing.REFUSED,
    ),
    "withdrawn": (replace(AGREED, tombstone=True), Standing.WITHDRAWN),
}


@pytest.mark.parametrize(("row", "standing"), ROWS.values(), ids=ROWS.keys())
def test_row_stands_as_its_hub_acknowledged_it(row: Delivery, standing: Standing) -> None:
    assert standing_of(row) is standing


def test_fields_differ_by_their_paths() -> None:
    before = '{"attributes":{"name":"Spar","free_parking":null},"points":[{"plug":"ccs","ids":["A"]}]}'
    after = '{"attributes":{"name":"Billa","free_parking":true},"points":[{"plug":"ccs","ids":["A","B"]},{"plug":"x"}]}'
    assert field_changes(before, after) == (
        FieldChange("attributes.free_parking", "null", "true"),
        FieldChange("attributes.name", '"Spar"', '"Billa"'),
        FieldChange("points[0].ids", '["A"]', '["A", "B"]'),
        FieldChange("points[1].plug", None, '"x"'),
    )


def test_document_that_is_new_has_only_new_fields() -> None:
    assert field_changes(None, '{"a":{"b":1}}') == (FieldChange("a.b", None, "1"),)
    assert field_changes('{"a":1}', '{"a":1}') == ()
