"""Say how each part of the bridge does. Pure.

A hub that is down, or a certificate that ends soon, is *degraded*: restarting the bridge would not help it. Only what
keeps statuses from being recorded is *failed*. Before it: `services`, which asked. After it: `GET /healthz`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.core.expiry import Urgency
from bridge.web.shapes import Component, Health, ListenerItem, Readiness, UpstreamItem

_WORST_LAST = ("ok", "degraded", "failed")


def health_of(
    readiness: Readiness,
    upstreams: Sequence[UpstreamItem],
    unread: str = "",
    listeners: Sequence[ListenerItem] = (),
) -> Health:
    """Return the health of every component, and the worst of them as the whole's.

    `unread`: why the accounts could not be read, where `upstreams` is empty for that.
    """
    components = {"database": _database(readiness, unread)}
    for item in upstreams:
        components[f"account {item.name}"] = _account(item)
        if item.certificate is not None:
            components[f"certificate {item.name}"] = _certificate(item)
    for listener in listeners:
        if listener.certificate is not None:
            components[f"listener certificate {listener.name}"] = _certificate(listener)
    worst = max((component.status for component in components.values()), key=_WORST_LAST.index)
    return Health(status=worst, components=components)


def _database(readiness: Readiness, unread: str) -> Component:
    if not readiness.ready:
        return Component(status="failed", why=readiness.why)
    return Component(status="degraded", why=unread) if unread else Component(status="ok")


def _account(item: UpstreamItem) -> Component:
    if item.state in ("degraded", "held"):
        return Component(status="degraded", why=item.held or item.last_error)
    return Component(status="ok")


def _certificate(item: UpstreamItem | ListenerItem) -> Component:
    if item.certificate is None or item.certificate.urgency is Urgency.NONE:
        return Component(status="ok")
    return Component(status="degraded", why=item.certificate.warning)
