"""Hold what a quirk profile may change about one station, and bring several of them together.

Pure data and pure functions. Never knows a vendor: that is `quirk_profiles`. After it: `quirks`, which chooses;
`session`, `commands`, `resync_plan` and `calls`, which behave accordingly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A request that harms the station, so that an operator must insist on it."""

    action: str
    """OCPP action of ours, for example GetConfiguration."""
    key: str
    """Configuration key (1.6) or variable (2.x), any case; empty: whatever the request names."""
    why: str


@dataclass(frozen=True, slots=True)
class QuirkSettings:
    """What differs from how every other station is treated; the defaults change nothing."""

    ping_interval: timedelta | None = None
    """Between our pings; zero: none; None: as the server's."""
    first_call_wait: timedelta = _NONE
    """A new connection may stay silent at least this long before we send a first CALL."""
    settle: timedelta = _NONE
    """At least this long from the first CALL, or from a BootNotification, to our first question."""
    trigger_timeout: timedelta = _NONE
    """At least this long we wait for the answer to a question."""
    call_spacing: timedelta = _NONE
    """At least this long from one CALL of ours to the next."""
    heartbeat_most: timedelta | None = None
    """The longest heartbeat interval that an accepted BootNotification is answered with; whole seconds."""
    never_trigger: bool = False
    """Send no TriggerMessage at all."""
    never_trigger_boot: bool = False
    """Never ask for a BootNotification."""
    no_compression: bool = False
    replays: bool = False
    """It replays old statuses after it connects: they are recorded, and their connectors are asked all the same."""
    forbidden: tuple[Forbidden, ...] = ()


def merged(settings: Iterable[QuirkSettings]) -> QuirkSettings:
    """Return what holds where several profiles apply: the stricter value of each, whatever their order.

    No pings is stricter than rare ones, since it is for stations that break on them; else the shorter interval keeps
    more connections open.
    """
    every = tuple(settings)
    if not every:
        return QuirkSettings()
    return QuirkSettings(
        ping_interval=_shortest(each.ping_interval for each in every),
        first_call_wait=max(each.first_call_wait for each in every),
        settle=max(each.settle for each in every),
        trigger_timeout=max(each.trigger_timeout for each in every),
        call_spacing=max(each.call_spacing for each in every),
        heartbeat_most=_shortest(each.heartbeat_most for each in every),
        never_trigger=any(each.never_trigger for each in every),
        never_trigger_boot=any(each.never_trigger_boot for each in every),
        no_compression=any(each.no_compression for each in every),
        replays=any(each.replays for each in every),
        forbidden=tuple(
            sorted({one for each in every for one in each.forbidden}, key=lambda one: (one.action, one.key, one.why))
        ),
    )


def _shortest(spans: Iterable[timedelta | None]) -> timedelta | None:
    return min((span for span in spans if span is not None), default=None)


def forbidden(settings: QuirkSettings, action: str, payload: Mapping[str, Any]) -> str | None:
    """Return why this request must not be sent unless an operator insists; None where nothing is known against it.

    A GetConfiguration that names no key asks for every key, the harmful one included.
    """
    named = {key.casefold() for key in _keys(payload)}
    for each in settings.forbidden:
        if each.action == action and (not each.key or not named or each.key.casefold() in named):
            return each.why
    return None


def _keys(payload: Mapping[str, Any]) -> Iterator[str]:
    """Yield the configuration keys (1.6) and variables (2.x) that a request names.

    Source: OCPP 1.6 §6.9 ChangeConfiguration.req and §6.23 GetConfiguration.req; OCPP 2.0.1 Part 2,
    GetVariablesRequest and SetVariablesRequest.
    """
    key = payload.get("key")
    yield from (each for each in (key if isinstance(key, list) else [key]) if isinstance(each, str))
    for name in ("getVariableData", "setVariableData"):
        data = payload.get(name)
        for item in data if isinstance(data, list) else ():
            variable = item.get("variable") if isinstance(item, dict) else None
            if isinstance(variable, dict) and isinstance(variable.get("name"), str):
                yield variable["name"]


def changes(settings: QuirkSettings) -> Iterator[str]:
    """Yield in words what the settings change, for operators."""
    if settings.ping_interval is not None:
        yield f"pings every {_seconds(settings.ping_interval)}" if settings.ping_interval else "no pings"
    if settings.first_call_wait:
        yield f"no CALL within {_seconds(settings.first_call_wait)} unless it speaks first"
    if settings.settle:
        yield f"no question within {_seconds(settings.settle)} of its first CALL or Boot"
    if settings.trigger_timeout:
        yield f"waits {_seconds(settings.trigger_timeout)} for an answer"
    if settings.call_spacing:
        yield f"at most one CALL every {_seconds(settings.call_spacing)}"
    if settings.heartbeat_most is not None:
        yield f"heartbeat at most every {_seconds(settings.heartbeat_most)}"
    if settings.never_trigger:
        yield "no TriggerMessage"
    if settings.never_trigger_boot:
        yield "no TriggerMessage(BootNotification)"
    if settings.no_compression:
        yield "no compression"
    if settings.replays:
        yield "asks again after replayed statuses"
    for each in settings.forbidden:
        yield f"{each.action}({each.key or 'anything'}) only if insisted on"


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
