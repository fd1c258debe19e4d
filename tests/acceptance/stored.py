"""Read what the bridge has stored, with the database's own client and no line of the product.

Used while the bridge is dead: what counts after `kill -9` is what the next process will find.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from simulators.fleet.journal import Kind, Report, read_journal

Connector = tuple[str, int, int]
"""Station, evse, connector as on the wire; 0, 0 is the station itself."""


def rows(database_url: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    if database_url.startswith("sqlite:///"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
            return database.execute(query).fetchall()
    with psycopg.connect(database_url) as connection:
        return connection.execute(query).fetchall()


def reported_at(database_url: str) -> dict[Connector, str]:
    """Return the station's own timestamp of the stored status of every connector."""
    found = rows(database_url, "SELECT station, ocpp_evse, ocpp_connector, reported_at FROM fact")
    return {(station, evse, connector): at for station, evse, connector, at in found}


def booted_at(database_url: str) -> dict[str, int]:
    """Return when each station's last BootNotification was recorded."""
    return dict(rows(database_url, "SELECT id, booted_at FROM station"))


def highest_answered(reports: Iterable[Report]) -> dict[Connector, str]:
    """Return the newest status of every connector that its station was told we have."""
    newest: dict[Connector, str] = {}
    for report in reports:
        if report.kind is Kind.STATUS and report.answered:
            key = (report.station, report.evse, report.connector)
            newest[key] = max(newest.get(key, ""), report.at)
    return newest


def lost(answered: Mapping[Connector, str], stored: Mapping[Connector, str]) -> list[str]:
    """Return one line for every connector whose stored status is older than one that was answered.

    A station's timestamps have one format and grow strictly, so that they compare as texts.
    """
    return [
        f"{key}: answered {at}, stored {stored.get(key, 'nothing')}"
        for key, at in answered.items()
        if stored.get(key, "") < at
    ]


def assert_nothing_lost(journal: Path, database_url: str) -> int:
    """Fail where an answered status is not stored; returns how many connectors were compared."""
    answered = highest_answered(read_journal(journal))
    missing = lost(answered, reported_at(database_url))
    assert missing == [], "statuses that were answered and are not stored:\n" + "\n".join(missing)
    return len(answered)


def waiting_for_an_answer(journal: Path) -> set[int]:
    """Return the numbers of the newest report of each station, where it was not answered: the calls that are open."""
    newest = {report.station: report for report in read_journal(journal)}
    return {report.n for report in newest.values() if not report.answered}
