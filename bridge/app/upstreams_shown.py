"""Turn what the store knows of accounts into the shapes that operators see. Pure.

Before it: `services` and `health`. Beside it: `shown`, for EVSEs and their deliveries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from bridge.core.expiry import days_left, expiry_warning, urgency
from bridge.core.mapping.until import shown
from bridge.core.modes import Mode
from bridge.settings import Account, OicpAccount, SpiriiAccount
from bridge.store.lane_readings import LaneReading
from bridge.upstreams.certificates import Certificate
from bridge.web.full_load_times import FullLoadTimes
from bridge.web.meters import Usage
from bridge.web.shapes import CertificateItem, UpstreamItem, UpstreamState, experimental_reason


def values_shown(values: Mapping[str, int]) -> dict[str, int]:
    """Show how many EVSEs have each value; some differ by less than is shown."""
    counted = Counter[str]()
    for value, count in values.items():
        counted[shown(value)] += count
    return dict(counted)


def upstream_item(
    name: str, account: Account, mode: Mode, lane: LaneReading | None, usage: Usage | None = None
) -> UpstreamItem:
    """Show one account: does it send, how far is it behind, what went wrong last; `usage`: what it was sent lately.

    An account that is not live is not behind: what it would be sent is counted apart, and nothing of it is late.
    """
    lane = _as_told(account, lane)
    item = UpstreamItem(
        name=name,
        kind=account.kind,
        mode=mode,
        state=_upstream_state(mode, lane),
        backlog=0,
        refused=0,
        lag_s=None,
        experimental=experimental_reason(account.kind),
        per_minute=account.per_minute,
        requests_last_minute=None if usage is None else usage.last_minute,
        accepted_last_hour=None if usage is None else usage.accepted_last_hour,
        failed_last_hour=None if usage is None else usage.failed_last_hour,
    )
    if lane is None:
        return item
    live = mode is Mode.LIVE
    return item.model_copy(
        update={
            **_set_by(account, lane),
            "backlog": lane.dirty if live else 0,
            "would_send": 0 if live else lane.dirty,
            "refused": lane.refused,
            "lag_s": lane.lag.total_seconds() if live and lane.lag is not None else None,
            "silent_s": lane.silent.total_seconds() if live and lane.silent is not None else None,
            "paused_until": lane.paused_until,
            "held": lane.held,
            "last_error": lane.last_error or _why_documents_wait(lane),
            "last_accepted_at": lane.last_accepted_at,
            "documents_backlog": lane.documents.dirty,
            "documents_refused": lane.documents.refused,
            "documents_held": lane.documents.held,
            **_full_loads(account, lane),
        }
    )


def _full_loads(account: Account, lane: LaneReading) -> dict[str, FullLoadTimes]:
    """Return when an account's fullLoads were and will be, where it has any."""
    if not isinstance(account, OicpAccount) or account.full_load == "never":
        return {}
    statuses = FullLoadTimes(
        wanted=lane.full_load_wanted,
        attempted_at=lane.full_load_attempted_at,
        accepted_at=lane.full_load_accepted_at,
        next_at=lane.full_load_next,
        size=lane.full_load_size,
    )
    if not account.evse_data:
        return {"full_load": statuses}
    told = lane.documents
    data = FullLoadTimes(
        wanted=told.full_load_wanted,
        attempted_at=told.full_load_attempted_at,
        accepted_at=told.full_load_accepted_at,
        next_at=told.full_load_next,
        size=told.full_load_size,
    )
    return {"full_load": statuses, "data_full_load": data}


def certificate_item(certificate: Certificate | None, now: datetime) -> CertificateItem | None:
    """Show an account's client certificate; `now` is wall time."""
    if certificate is None:
        return None
    return CertificateItem(
        subject=certificate.subject,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        days=days_left(certificate.not_after, now),
        urgency=urgency(certificate.not_after, now),
        warning=expiry_warning(certificate.not_after, now) or "",
    )


def certificate_warnings(items: Iterable[UpstreamItem]) -> list[str]:
    """Return what operators should know of the accounts' certificates, one line each."""
    shown = ((item.name, item.certificate) for item in items)
    return [f"{name}: {found.warning}" for name, found in shown if found is not None and found.warning]


def _why_documents_wait(lane: LaneReading) -> str:
    told = lane.documents
    return f"besides statuses: {told.last_error}" if told.failures and told.last_error else ""


def _as_told(account: Account, lane: LaneReading | None) -> LaneReading | None:
    """Return the lane as it counts for the account: one at Spirii is told temporary statuses, and no other."""
    if lane is None or not isinstance(account, SpiriiAccount):
        return lane
    told = lane.documents
    return replace(
        lane,
        paused_until=told.paused_until or lane.paused_until,
        held=told.held,
        last_error=told.last_error,
        last_accepted_at=told.last_accepted_at,
        dirty=told.dirty,
        refused=told.refused,
        in_doubt=told.in_doubt,
        lag=told.lag,
    )


def _set_by(account: Account, lane: LaneReading) -> dict[str, object]:
    """Return who set the mode that counts, and when: an `off` in the configuration is nobody else's."""
    if account.mode is Mode.OFF or lane.mode is None:
        return {}
    return {"mode_by": lane.mode_by or "configuration", "mode_at": lane.mode_at}


def _upstream_state(mode: Mode, lane: LaneReading | None) -> UpstreamState:
    match mode:
        case Mode.OFF:
            return "off"
        case Mode.DRY_RUN:
            return "dry_run"
        case Mode.LIVE if lane is None:
            return "ok"
        case Mode.LIVE if lane.held is not None:
            return "held"
        case Mode.LIVE:
            told = lane.documents
            return "degraded" if lane.failures or told.failures or told.held is not None else "ok"
