"""Print stations, and what they answered, for people. Never asks. Before it: `station` and its verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.output import print_table

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.web.station_shapes import CallResult, StationDetail, StationPage


def print_stations(page: StationPage) -> None:
    """Print a page of stations as a table."""
    if not page.items:
        print("no stations")
        return
    header = ("station", "connected", "version", "profile", "vendor", "model", "firmware", "EVSEs", "last heard")
    rows = (
        (
            item.station,
            _connected(item.connected, item.commandable),
            item.version or "",
            "" if item.profile is None else str(item.profile),
            item.vendor,
            item.model,
            item.firmware,
            str(item.evses),
            _moment(item.heard_at),
        )
        for item in page.items
    )
    print_table(header, rows)


def print_station(found: StationDetail) -> None:
    """Print everything about one station."""
    for name, value in _lines(found):
        if value:
            print(f"{name}: {value}")
    if found.evses:
        print_table(
            ("EVSE id", "operator", "connectors", "status"),
            (
                (
                    evse.evse_id,
                    evse.operator,
                    " ".join(connector_name(each) for each in evse.connectors),
                    evse.effective,
                )
                for evse in found.evses
            ),
        )
    if found.reports:
        header = ("reported by", "status", "age", "error", "info")
        print_table(
            header,
            (
                (
                    connector_name(f"{report.evse}.{report.connector}"),
                    f"{report.status}{' (stale)' if report.stale else ''}",
                    f"{report.age_s:.0f} s",
                    " ".join(part for part in (report.error_code, report.vendor_error_code) if part),
                    report.info,
                )
                for report in found.reports
            ),
        )
    for event in found.security_events:
        print(f"security event {_moment(event.at)}: {event.kind} {event.info}".rstrip())
    for request in found.certificate_requests:
        print(f"asks to be signed since {_moment(request.at)} {request.kind}:".replace(" :", ":"))
        for line in request.csr.splitlines():
            # Whatever stands around a PEM is the station's own text, and must not move a terminal.
            print("".join(letter for letter in line if letter.isprintable()))


def print_result(found: CallResult) -> None:
    """Print how a CALL ended in one line, then the configuration or the payload that came back."""
    print(result_line(found))
    if found.settings:
        rows = ((each.key, each.value or "", _access(each.readonly), each.status) for each in found.settings)
        print_table(("key", "value", "access", "status"), rows)
    elif found.payload and set(found.payload) != {"status"}:
        import json

        print(json.dumps(found.payload, ensure_ascii=False, indent=2))


def result_line(found: CallResult) -> str:
    """Return how a CALL ended, in one line."""
    if found.outcome in ("timed_out", "gone"):
        return f"{found.station} {found.action}: {found.why}"
    said = f"refused with CALLERROR {found.code}" if found.outcome == "refused" else found.status or "answered"
    hint = _HINTS.get(found.status, "")
    why = f" (the answer is not valid: {found.why})" if not found.valid else f": {found.why}" if found.why else ""
    return f"{found.station} {found.action}: {said}{hint}{why}"


_HINTS = {
    "RebootRequired": ", and takes effect after a reboot (station reset)",
    "Scheduled": ", and happens when the transaction there has ended",
    "NotSupported": ": the station does not know this",
}


def _lines(found: StationDetail) -> list[tuple[str, str]]:
    link, security = found.connection, found.security
    return [
        ("station", found.station),
        ("connected", _connected(found.connected, None if link is None else link.commandable)),
        ("version", found.version or ""),
        ("remote", "" if link is None else f"{link.remote} since {_moment(link.since)}"),
        ("takeovers", str(link.takeovers) if link is not None and link.takeovers else ""),
        ("vendor", found.vendor),
        ("model", found.model),
        ("serial", found.serial),
        ("firmware", found.firmware),
        ("security profile", f"{security.profile} demanded, {security.reached} reached"),
        ("key sent and not used yet", _moment(security.rotating_since)),
        ("certificate name", security.certificate_name),
        ("booted", _moment(found.booted_at)),
        ("last heard", _moment(found.heard_at)),
        ("unreachable since", _moment(found.unreachable_since)),
        ("refuses TriggerMessage", "yes" if found.refuses_trigger else ""),
        ("counted", ", ".join(f"{kind} {count}" for kind, count in sorted(found.counts.items()))),
    ]


def connector_name(address: str) -> str:
    """Return a connector as its station counts it: EVSE.CONNECTOR, with OCPP 1.6, which knows no EVSEs, CONNECTOR."""
    return "station" if address == "0.0" else address.removeprefix("0.")


def _connected(connected: bool, commandable: bool | None) -> str:
    if not connected:
        return "no"
    return "yes, but answers no calls" if commandable is False else "yes"


def _access(readonly: bool | None) -> str:
    return {True: "read only", False: "read/write", None: ""}[readonly]


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S UTC")
