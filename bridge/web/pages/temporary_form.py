"""Read the form that creates temporary statuses: whose, which, and from when until when in which zone.

Never creates. Every mistake is noted beside its field. Before it: `temporary`. After it: a `TemporaryWish`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bridge.core.local_time import ComesTwice, NoMoment, read_local
from bridge.core.model import TemporaryKind
from bridge.core.temporary import Impossible, parse_moment
from bridge.web.overview_services import EvseHome
from bridge.web.pages.forms import Form
from bridge.web.pages.zones import zone_names
from bridge.web.temporary_shapes import TemporaryWish

_BETWEEN = re.compile(r"[\s,;]+")
_MOST = 1000
_MOST_FOUND = 30


def read_wish(form: Form, homes: Iterable[EvseHome]) -> TemporaryWish | None:
    """Return what is wished; None where something is wrong, which is then noted in the form."""
    evse_ids = _evse_ids(form, homes)
    zone = _zone(form)
    kind = _kind(form)
    begin = None if form.text("begins", "now") == "now" else _moment(form, "from", zone)
    end = None if form.text("ends", "removed") == "removed" else _moment(form, "to", zone)
    if form.mistakes or kind is None:
        return None
    enforce = {"yes": True, "no": False}.get(form.text("enforce"))
    try:
        return TemporaryWish(evse_ids=evse_ids, status=kind, valid_from=begin, valid_to=end, enforce=enforce)
    except ValidationError as error:
        form.note(error)
        return None


def _evse_ids(form: Form, homes: Iterable[EvseHome]) -> tuple[str, ...]:
    named = [text for text in _BETWEEN.split(form.text("evse_ids")) if text]
    station, operator = form.text("station"), form.text("operator")
    if station or operator:
        known = list(homes)
        of_station = [home.evse_id for home in known if station and home.station.casefold() == station.casefold()]
        if station and not of_station:
            form.mistakes["station"] = "the inventory has no EVSE of this station"
        named += of_station
        named += [home.evse_id for home in known if operator and home.operator == operator]
    found = tuple(dict.fromkeys(named))
    if not found and "station" not in form.mistakes:
        form.mistakes["evse_ids"] = "name at least one EVSE, a station or an operator"
    if len(found) > _MOST:
        form.mistakes["evse_ids"] = f"at most {_MOST} at once: these are {len(found)}"
    return found


def matching(homes: Iterable[EvseHome], wanted: str) -> list[EvseHome]:
    """Return up to thirty EVSEs whose id or whose station's has this part, separators aside."""
    part = _folded(wanted)
    found = (home for home in homes if part and (part in _folded(home.evse_id) or part in _folded(home.station)))
    return list(islice(found, _MOST_FOUND))


def _folded(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _zone(form: Form) -> ZoneInfo:
    name = form.text("zone", "UTC")
    if name not in zone_names():
        form.mistakes["zone"] = "should be one of the list, such as Europe/Berlin"
        return ZoneInfo("UTC")
    return ZoneInfo(name)


def _kind(form: Form) -> TemporaryKind | None:
    text = form.text("status")
    if text not in set(TemporaryKind):
        form.mistakes["status"] = "choose one"
        return None
    return TemporaryKind(text)


def _moment(form: Form, name: str, zone: ZoneInfo) -> datetime | None:
    """Return the moment of a field in UTC; where it comes twice that day, `…_offset` says which of them is meant.

    Source: PEP 495: a local time that comes twice equals no moment of another zone, so none of them leaves here.
    """
    text = form.text(name)
    if not text:
        form.mistakes[name] = "choose a day and a time, or the other choice"
        return None
    try:
        return (read_local(text, zone) or parse_moment(text, name)).astimezone(UTC)
    except ComesTwice as error:
        for moment in error.both:
            if moment.isoformat()[-6:] == form.text(f"{name}_offset"):
                return moment.astimezone(UTC)
        form.mistakes[name] = "the clocks are set back that day, and this time comes twice: choose which one"
    except NoMoment as error:
        form.mistakes[name] = f"{error}: choose a time before or after the gap" if "skip" in str(error) else str(error)
    except Impossible as error:
        form.mistakes[name] = error.wanted
    return None


def both_of(form: Form, name: str) -> tuple[tuple[str, str], ...]:
    """Return the two moments that a field may mean, as choices for `…_offset`; empty where it means one."""
    text, zone = form.text(name), form.text("zone", "UTC")
    try:
        read_local(text, ZoneInfo(zone if zone in zone_names() else "UTC"))
    except ComesTwice as error:
        first, second = (moment.isoformat()[-6:] for moment in error.both)
        return (first, f"the first one, UTC{first}"), (second, f"the second one, UTC{second}")
    except NoMoment:
        pass
    return ()
