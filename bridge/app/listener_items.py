"""Show where stations connect, and how near the ends of the listeners' certificates are.

Before it: `services`, at each question. After it: status, health and metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from bridge.core.expiry import days_left, server_expiry_warning, urgency
from bridge.core.model import Moment
from bridge.settings import Settings
from bridge.upstreams.certificates import Certificate
from bridge.web.shapes import CertificateItem, ListenerItem


def shown_listeners(
    settings: Settings, certificates: Callable[[], Mapping[str, Certificate]], clock: Callable[[], Moment]
) -> list[ListenerItem]:
    """Return the listeners that have names; `certificates` gives of each the one that ends first."""
    found, now = certificates(), clock().now
    return [
        ListenerItem(
            name=name,
            secure=table.secure,
            profiles=tuple(sorted(table.taken)),
            certificate=_certificate(found.get(name), now),
        )
        for name, table in settings.ocpp.listeners.items()
    ]


def listener_warnings(items: Iterable[ListenerItem]) -> list[str]:
    """Return what operators should know of the listeners' certificates, one line each."""
    shown = ((item.name, item.certificate) for item in items)
    return [f"ocpp.listeners.{name}: {found.warning}" for name, found in shown if found is not None and found.warning]


def _certificate(certificate: Certificate | None, now: datetime) -> CertificateItem | None:
    if certificate is None:
        return None
    return CertificateItem(
        subject=certificate.subject,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        days=days_left(certificate.not_after, now),
        urgency=urgency(certificate.not_after, now),
        warning=server_expiry_warning(certificate.not_after, now) or "",
    )
