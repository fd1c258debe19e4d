"""docs/hubs.md names the defaults as they are, and explains every outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.core.backoff import BackoffOptions
from bridge.core.full_load import FullLoadOptions
from bridge.core.reconcile import ReconcileOptions
from bridge.settings import ChargepriceAccount, OicpAccount, SpiriiAccount
from bridge.settings.sections import PushSection, Section
from bridge.upstreams import spirii_answers
from bridge.upstreams.chargeprice import Chargeprice
from bridge.upstreams.http import Lost, NotSent, failed
from bridge.upstreams.oicp import Oicp
from bridge.upstreams.spirii import Spirii
from tests.architecture.hubs_tables import HUBS, rows, said


def test_outcomes_are_all_explained() -> None:
    cells = {cell.strip() for line in HUBS.splitlines() if line.startswith("|") for cell in line.strip("|").split("|")}
    for word in ("accepted", "deferred", "deferred, in doubt", "refused", "refused, by name", "held"):
        assert f"| {word} | " in HUBS.partition("<!-- table")[0]
        assert word in cells


def test_no_answer_is_deferred_and_in_doubt_where_something_left() -> None:
    assert "No answer is deferred, and in doubt where anything of the request may have left" in HUBS.replace("\n", " ")
    assert said(failed(NotSent("no connection", 1)).outcome) == "deferred"
    assert said(failed(Lost("no answer", 1)).outcome) == "deferred, in doubt"


def shown(value: object) -> str:
    """A default as it is written."""
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        whole = next(
            ((size, unit) for size, unit in ((3600, "h"), (60, "min")) if seconds % size == 0 and seconds > size),
            (1, "s"),
        )
        return f"{seconds / whole[0]:g} {whole[1]}"
    return str(value)


def default(model: type[Section], key: str) -> Any:
    return model.model_fields[key].get_default(call_default_factory=True)


def test_defaults_agree() -> None:
    full, backoff, lane = FullLoadOptions(), BackoffOptions(), ReconcileOptions()
    at, zone = default(OicpAccount, "full_load_at"), default(OicpAccount, "time_zone")
    data_day, data_at = default(OicpAccount, "data_full_load_day"), default(OicpAccount, "data_full_load_at")
    assert backoff.retry_after_ceiling.total_seconds() == spirii_answers.LONGEST_PAUSE_S
    assert [row[1] for row in rows("defaults")] == [
        f"{shown(backoff.first)}; {shown(backoff.ceiling)}",
        shown(backoff.retry_after_ceiling),
        shown(default(PushSection, "doubt")),
        shown(default(PushSection, "refused_retry")),
        shown(lane.hold_probe),
        shown(default(PushSection, "reassert_every")),
        f"{full.first_share:.0%}; {shown(full.first_wait)}".replace("%", " %"),
        f"{at:%H:%M} {zone}",
        f"{data_day} {data_at:%H:%M}",
        f"{default(OicpAccount, 'full_load_above')}; {shown(full.above_every)}",
        shown(full.gate),
        shown(default(SpiriiAccount, "survey_every")),
        shown(default(OicpAccount, "per_minute")),
        shown(default(OicpAccount, "data_per_minute")),
        shown(default(ChargepriceAccount, "per_minute")),
        shown(default(ChargepriceAccount, "documents_per_minute")),
        shown(default(SpiriiAccount, "per_minute")),
    ]
    assert "Twenty rows refused in a row" in HUBS
    assert lane.refusals_to_hold == 20


def test_defaults_name_settings_that_exist() -> None:
    known = {name for model in (OicpAccount, ChargepriceAccount, SpiriiAccount) for name in model.model_fields}
    known |= {f"push.{name}" for name in PushSection.model_fields}
    named = {key.strip("` ") for row in rows("defaults") for key in row[2].split(",")}
    assert named - {"–"} <= known


def test_adapters_own_pace_is_that_of_the_settings() -> None:
    assert Oicp.per_minute == default(OicpAccount, "per_minute")
    assert Chargeprice.per_minute == default(ChargepriceAccount, "per_minute")
    assert Spirii.per_minute == default(SpiriiAccount, "per_minute")


@pytest.mark.parametrize(
    ("account", "key", "written"),
    [
        (OicpAccount, "per_minute", "of its 2000 (statuses)"),
        (OicpAccount, "data_per_minute", "of its 375"),
        (ChargepriceAccount, "per_minute", "of its 1000"),
        (SpiriiAccount, "per_minute", "of its 120 (writes)"),
    ],
)
def test_hubs_own_limits_agree(account: type[Section], key: str, written: str) -> None:
    assert any(row[0].endswith(written) and row[2] == f"`{key}`" for row in rows("defaults"))
    limit = int(written.split()[2])
    assert not refuses(account, key, limit)
    assert refuses(account, key, limit + 1)


def refuses(account: type[Section], key: str, value: int) -> bool:
    """Tell whether this setting is among the mistakes of an account that has nothing else."""
    try:
        account.model_validate({key: value})
    except ValidationError as error:
        return any(details["loc"] == (key,) for details in error.errors())
    return False
