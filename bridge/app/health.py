"""Say how each part of the bridge does. Pure.

A hub that is down or is sent nothing, a certificate that ends soon, or a task that is being started anew is *degraded*:
stations are recorded and answered all the same. *Failed* is what keeps statuses from being recorded, or from coming
true: without the ticker no hold ends, and nobody is found silent. Before it: `services`, which asked. After it:
`GET /healthz`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bridge.core.expiry import Urgency
from bridge.web.health_shapes import Component, Health, Readiness
from bridge.web.shapes import ListenerItem, UpstreamItem
from bridge.web.task_shapes import TaskItem

TICKER = "ticker"
"""The name of its task."""

_SILENCE = timedelta(minutes=15)
"""Above the longest that anything in order waits: 10 min, a first fullLoad for its stations."""
_WORST_LAST = ("ok", "degraded", "failed")
_ESSENTIAL = (TICKER,)
_AWAY = ("down", "stalled")


def health_of(
    recording: Readiness,
    upstreams: Sequence[UpstreamItem],
    unread: str = "",
    listeners: Sequence[ListenerItem] = (),
    tasks: Sequence[TaskItem] = (),
    not_sending: Collection[str] = (),
) -> Health:
    """Return the health of every component, and the worst of them as the whole's.

    `recording`: whether the database commits. `unread`: why the accounts could not be read, where `upstreams` is empty
    for that. `not_sending`: the accounts that should send and do not, as the function of that name finds them.
    """
    components = {"database": _database(recording, unread)}
    for item in upstreams:
        components[f"account {item.name}"] = _account(item, item.name in not_sending)
        if item.certificate is not None:
            components[f"certificate {item.name}"] = _certificate(item)
    for listener in listeners:
        if listener.certificate is not None:
            components[f"listener certificate {listener.name}"] = _certificate(listener)
    for task in tasks:
        components[f"task {task.name}"] = _task(task)
    worst = max((component.status for component in components.values()), key=_WORST_LAST.index)
    return Health(status=worst, components=components)


def readiness_of(tasks: Sequence[TaskItem]) -> Readiness:
    """Return whether the tasks without which no status comes true are at work."""
    for task in tasks:
        if task.name in _ESSENTIAL and task.state in _AWAY:
            return Readiness(ready=False, why=_what(task))
    return Readiness(ready=True)


def task_warnings(tasks: Sequence[TaskItem]) -> list[str]:
    """Return what operators should know of the bridge's own tasks, one line each."""
    return [_what(task) for task in tasks if task.state != "running"]


def _what(task: TaskItem) -> str:
    words = {"recovering": "runs again", "down": "waits to be started anew", "stalled": "hangs and is being ended"}
    event = "task_stalled" if task.stalls else "task_failed"
    return f"task {task.name} {words[task.state]}: {task.why} (restarts: {task.restarts}; the log has {event})"


def _task(task: TaskItem) -> Component:
    if task.state == "running":
        return Component(status="ok")
    failed = task.name in _ESSENTIAL and task.state in _AWAY
    return Component(status="failed" if failed else "degraded", why=_what(task))


def _database(recording: Readiness, unread: str) -> Component:
    if not recording.ready:
        return Component(status="failed", why=recording.why)
    return Component(status="degraded", why=unread) if unread else Component(status="ok")


def not_sending(item: UpstreamItem, now: datetime, running: timedelta) -> bool:
    """Tell whether a live account that nothing holds back has sent nothing for long, though statuses are due.

    Such a lane may go round and be none that hangs. `running`: since when this process runs; a process, and an account
    that was just switched on, have time for the first fullLoad, which waits for the stations.
    """
    enabled = item.mode_at is not None and now - item.mode_at < _SILENCE
    if item.state != "ok" or item.silent_s is None or running < _SILENCE or enabled:
        return False
    return item.silent_s >= _SILENCE.total_seconds()


def _account(item: UpstreamItem, silent: bool) -> Component:
    if item.state in ("degraded", "held"):
        return Component(status="degraded", why=item.held or item.last_error)
    if silent and item.silent_s is not None:
        why = f"{item.backlog} statuses wait, and nothing was sent for {item.silent_s // 60:.0f} min"
        return Component(status="degraded", why=why)
    return Component(status="ok")


def _certificate(item: UpstreamItem | ListenerItem) -> Component:
    if item.certificate is None or item.certificate.urgency is Urgency.NONE:
        return Component(status="ok")
    return Component(status="degraded", why=item.certificate.warning)
