"""Read a local time as people write it in a zone, and refuse one that comes twice or never on its day.

Never reads a clock. Before it: a terminal (`cli.moments`) or a form (`web`). After it: `temporary`, in UTC.

Source: PEP 495: at the end of summer time a local time comes twice, at its beginning an hour never comes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_LOCAL = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?)?", re.ASCII)


class NoMoment(ValueError):
    """A text that is no time, or one that comes twice or never in its zone; its text says what would be right."""


class ComesTwice(NoMoment):
    """A local time that there is twice on its day, as the clocks are set back."""

    def __init__(self, both: tuple[datetime, datetime]) -> None:
        spelled = " or ".join(moment.isoformat(timespec="seconds") for moment in both)
        super().__init__(f"this time comes twice on that day; say {spelled}")
        self.both = both
        """The earlier one first, each with its offset."""


def read_local(text: str, zone: ZoneInfo | None) -> datetime | None:
    """Return the moment of "2026-12-01 08:00" in a zone (None: this machine's); None where it is written otherwise.

    Raises: NoMoment.
    """
    local = _LOCAL.fullmatch(text.strip())
    if local is None:
        return None
    day, minutes, seconds = local.groups()
    try:
        return _in_zone(f"{day} {minutes or '00:00'}{seconds or ':00'}", zone)
    except NoMoment:
        raise
    except (ValueError, OverflowError) as error:
        raise NoMoment("there is no such day or time") from error


def _in_zone(text: str, zone: ZoneInfo | None) -> datetime:
    naive = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the zone is added here
    first, second = (_attached(naive.replace(fold=fold), zone) for fold in (0, 1))
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise NoMoment("the clocks skip this time on that day")
    if first.utcoffset() != second.utcoffset():
        raise ComesTwice((first, second))
    return first


def _attached(naive: datetime, zone: ZoneInfo | None) -> datetime:
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
