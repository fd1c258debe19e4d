"""Shape what is said about quirk profiles: what each is for, what it changes, and to whom it applies."""

from __future__ import annotations

from bridge.web.shapes import Shape


class QuirkItem(Shape):
    """One quirk profile."""

    name: str
    automatic: bool
    """It applies by vendor, model and firmware; else only where the inventory names it."""
    vendor: tuple[str, ...]
    """Globs over BootNotification's field, any case; so are the next two."""
    model: tuple[str, ...]
    firmware: tuple[str, ...]
    symptom: str
    """What goes wrong without it."""
    changes: tuple[str, ...]
    evidence: str
    why: str = ""
    """Why it applies to the station that was asked about."""


class QuirkList(Shape):
    """Quirk profiles."""

    items: tuple[QuirkItem, ...]


class StationQuirks(QuirkList):
    """The quirk profiles that apply to one station."""

    station: str
    connected: bool
    """They apply to its connection; else they will apply to its next one."""
