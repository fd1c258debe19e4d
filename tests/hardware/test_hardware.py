"""Real charging hardware as it is in the field, byte by byte; the table in docs/hardware.md is what this run measured.

`make hardware` runs it and writes the table.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from csms.quirk_profiles import PROFILES, QuirkProfile
from csms.quirks import quirks_of
from simulators.fleet.quirks import CATALOGUE as SIMULATED
from tests.hardware import table
from tests.hardware.fixtures import TEXTS, Fixture, every
from tests.hardware.play import CORPUS, Play
from tests.hardware.sites import site_of

FIXTURES = every()
RESULTS: dict[str, str] = {}
SIMULATORS = table.DOCUMENT.with_name("simulators.md")

# The numbers of the catalogue; it skips some.
CATALOGUE = {
    *range(1, 5), 6, 7, *range(9, 36), 36, 38, 39, 40, 41, 43, 44, 45, 47, 48, 49, *range(51, 65),
}  # fmt: skip


TORTURE_ROWS = {
    "T53": ("26-half-open", "27-late-close", "13-shared-id"),
    "T57": ("63-blinks-available",),
    "T58": ("51-local-time", "52-no-clock", "53-event-time", "54-replayed-queue"),
    "T59": ("31-our-restart", "59-never-boots"),
    "T60": ("56-no-status-after-reconnect",),
    "T61": ("57-no-trigger", "57-trigger-not-supported", "57-trigger-rejected", "58-trigger-without-connector"),
    "T62": ("61-connector-0-disagrees", "61-only-connector-0"),
    "T68": ("32-answers-no-call",),
}
"""Rows of the torture catalogue (tests/catalogue) that fixtures play."""


def _marked(fixture: Fixture) -> object:
    rows = [row for row, names in TORTURE_ROWS.items() if fixture.name in names]
    return pytest.param(fixture, id=fixture.name, marks=[pytest.mark.row(*rows)] if rows else [])


@pytest.mark.parametrize("fixture", [_marked(fixture) for fixture in FIXTURES])
async def test_hardware(fixture: Fixture, tmp_path: Path) -> None:
    RESULTS[fixture.name] = "failed"
    async with site_of(fixture, tmp_path) as site:
        await Play(fixture, site).run()
    RESULTS[fixture.name] = "passed"


def test_hardware_table_is_what_this_run_measured() -> None:
    """Compare the rows that were measured here: a selection of fixtures is compared as a selection."""
    if not RESULTS:
        pytest.skip("no fixture ran in this process")
    if os.environ.get(table.WRITE) == "write" and len(RESULTS) == len(FIXTURES):
        table.write(FIXTURES, RESULTS)
    written = table.rows_in_document()
    measured = [table.row(fixture, RESULTS[fixture.name]) for fixture in FIXTURES if fixture.name in RESULTS]
    differing = [line for line in measured if line not in written]
    assert not differing, "docs/hardware.md differs; run make hardware:\n" + "\n".join(differing)
    if len(RESULTS) == len(FIXTURES):
        assert written == measured


def test_hardware_catalogue_is_covered_or_said_why_not() -> None:
    """Every number has a fixture, or a row with the reason in the second table of docs/hardware.md."""
    fixed = {int(number) for fixture in FIXTURES for number in re.findall(r"#(\d+)", fixture.id)}
    text = table.DOCUMENT.read_text(encoding="utf-8")
    reasons = text.partition("<!-- table: not covered -->")[2].partition("\n## ")[0]
    explained = {int(number) for number in re.findall(r"^\| #(\d+) \|", reasons, re.MULTILINE)}
    assert fixed | explained == CATALOGUE
    assert not fixed & explained


def test_hardware_catalogue_is_simulated_or_said_why_not() -> None:
    """Every number has a quirk of the simulated fleet, or a row with the reason in docs/simulators.md."""
    simulated = {entry.number for entry in SIMULATED if entry.number is not None}
    text = SIMULATORS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (#[#\d, ]+) \|", text.partition("<!-- table: no quirk -->")[2], re.MULTILINE)
    explained = {int(number) for row in rows for number in re.findall(r"\d+", row)}
    assert simulated | explained == CATALOGUE
    assert not simulated & explained


def test_hardware_profiles_are_documented_and_have_a_fixture() -> None:
    text = table.DOCUMENT.read_text(encoding="utf-8")
    played = " ".join(str(fixture.station) + fixture.inventory + str(fixture.step) for fixture in FIXTURES)
    for profile in PROFILES:
        assert f"`{profile.name}`" in text, f"docs/hardware.md does not name {profile.name}"
        automatic = any(_applies(profile, device) for fixture in FIXTURES for device in devices(fixture))
        assert automatic or f"'{profile.name}'" in played, f"no fixture plays {profile.name}"


def _applies(profile: QuirkProfile, device: tuple[str, str, str]) -> bool:
    vendor, model, firmware = device
    found = quirks_of(None, vendor=vendor, model=model, firmware=firmware)
    return profile in [applied.profile for applied in found.applied]


def devices(fixture: Fixture) -> Iterator[tuple[str, str, str]]:
    """Yield vendor, model and firmware of what a fixture plays: as the registry has them, and as each Boot says."""
    if fixture.station.get("vendor"):
        yield tuple(str(fixture.station.get(name, "")) for name in ("vendor", "model", "firmware"))  # type: ignore[misc]
    for step in fixture.step:
        text = CORPUS[step["corpus"]] if "corpus" in step else step.get("send", "")
        try:
            message = json.loads(text)
        except ValueError:
            continue
        match message:
            case [2, _, "BootNotification", {"chargePointVendor": vendor, "chargePointModel": model, **more}]:
                yield vendor, model, str(more.get("firmwareVersion", ""))
            case _:
                pass


def test_hardware_fixtures_of_the_torture_catalogue_are_there() -> None:
    assert {name for names in TORTURE_ROWS.values() for name in names} <= {fixture.name for fixture in FIXTURES}


def test_hardware_fixtures_say_what_they_are() -> None:
    for fixture in FIXTURES:
        assert all(getattr(fixture, name) for name in TEXTS), fixture.name
