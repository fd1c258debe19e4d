"""Tell which two temporary statuses say the same, and which one has ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bridge.core.documents import canonical_json
from bridge.core.mirror import fields_of, is_over, says_the_same
from bridge.core.model import EvseId

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONTENT = (
    '{"evseId":"DK*SPI*E123*1","temporaryStatus":"MAINTENANCE",'
    '"validFrom":"2026-11-25T12:00:00Z","validTo":"2026-11-25T18:00:00Z"}'
)


def with_(**fields: object) -> str:
    return canonical_json({**json.loads(CONTENT), **fields})


def test_beginning_and_end_are_in_utc_with_z_and_have_milliseconds_only_where_there_are_any() -> None:
    oslo = timezone(timedelta(hours=1))
    fields = fields_of(
        EvseId("DK*SPI*E123*1"), "BLOCKED", NOON.astimezone(oslo), NOON + timedelta(milliseconds=250, microseconds=999)
    )
    assert fields == {
        "evseId": "DK*SPI*E123*1",
        "temporaryStatus": "BLOCKED",
        "validFrom": "2026-11-25T12:00:00Z",
        "validTo": "2026-11-25T12:00:00.250Z",
    }
    assert fields_of(EvseId("DK*SPI*E1"), "BLOCKED", NOON, None)["validTo"] is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(with_(evseId="DK.SPI.E123*1"), id="other separators"),
        pytest.param(with_(evseId="dkspie1231"), id="no separators, other case"),
        pytest.param(with_(validFrom="2026-11-25T12:00:00.000Z"), id="milliseconds that are none"),
        pytest.param(with_(validTo="2026-11-25T19:00:00+01:00"), id="another offset"),
        pytest.param(with_(id=42, createdBy="us"), id="fields that we do not know"),
    ],
)
def test_what_is_written_in_another_way_says_the_same(other: str) -> None:
    assert says_the_same(CONTENT, other)
    assert says_the_same(other, CONTENT)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(with_(evseId="DK*SPI*E123*2"), id="another EVSE"),
        pytest.param(with_(temporaryStatus="BLOCKED"), id="another kind"),
        pytest.param(with_(validFrom="2026-11-25T12:00:00.001Z"), id="a millisecond later"),
        pytest.param(with_(validTo=None), id="no end"),
        pytest.param(with_(validTo="soon"), id="an end that cannot be read"),
        pytest.param(with_(validFrom="0001-01-01T00:00:00+14:00"), id="a moment before all time"),
        pytest.param(with_(validFrom=None), id="no beginning"),
        pytest.param("", id="a deletion"),
        pytest.param("[]", id="no object"),
    ],
)
def test_what_differs_in_anything_says_something_else(other: str) -> None:
    assert not says_the_same(CONTENT, other)


def test_one_has_ended_at_its_end_and_never_without_one() -> None:
    end = datetime(2026, 11, 25, 18, tzinfo=UTC)
    assert is_over(CONTENT, end)
    assert not is_over(CONTENT, end - timedelta(milliseconds=1))
    assert not is_over(with_(validTo=None), datetime(9999, 1, 1, tzinfo=UTC))
    assert not is_over("", end)
