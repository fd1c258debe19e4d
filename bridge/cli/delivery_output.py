"""Print pushes to hubs for people. Never decides anything. Twin: `output`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bridge.cli.moments import shown
from bridge.cli.output import print_table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bridge.web.delivery_shapes import (
        DeliveryLogDetail,
        DeliveryLogItem,
        DeliveryLogPage,
        ExchangeItem,
        RetryReport,
    )


def print_deliveries(page: DeliveryLogPage, zone: ZoneInfo | None) -> None:
    """Print a page of the log as a table."""
    if not page.items:
        print("no deliveries")
        return
    header = ("id", "sent", "account", "what", "value", "outcome", "http", "code", "took", "lag", "why")
    rows = (
        (
            item.id,
            shown(item.sent_at, zone),
            item.account,
            _what(item),
            item.value or "",
            item.outcome,
            "" if item.http is None else item.http,
            item.code,
            _seconds(item.took_ms),
            _seconds(item.lag_ms),
            item.why,
        )
        for item in page.items
    )
    print_table(header, rows)
    if page.next_cursor is not None:
        print(f"older ones: --cursor {page.next_cursor}")


def print_delivery(item: DeliveryLogDetail, zone: ZoneInfo | None) -> None:
    """Print one push and everything that is kept of it."""
    print(f"{item.id}: {item.account} {_what(item)} {item.value or ''}".rstrip())
    print(f"sent {shown(item.sent_at, zone)}, {_took(item)}")
    print(f"{item.outcome}{f': {item.why}' if item.why else ''}")
    if item.reference:
        print(f"the hub's reference: {item.reference}")
    if item.lag_ms is not None:
        print(f"the hub had not had the value for {_seconds(item.lag_ms)}")
    if item.exchanges is None:
        print("what was said is not kept, or no more")
        return
    for exchange in item.exchanges:
        print()
        _print_exchange(exchange)


def print_retry(report: RetryReport) -> None:
    """Print what was ordered."""
    named = report.evse_id or f"{report.kind} {report.document}"
    value = f" ({report.value})" if report.value else ""
    was = f"was {report.was}{f': {report.why}' if report.why else ''}"
    if report.waits:
        print(f"{named}{value} is due at {report.account}, but {report.waits}; {was}")
    else:
        print(f"{named}{value} is sent to {report.account} now; {was}")


def _what(item: DeliveryLogItem) -> str:
    if item.evse_id is not None:
        return item.evse_id
    if item.document is not None:
        return f"{item.kind} {item.document}"
    return f"{item.kind} of {item.records}"


def _took(item: DeliveryLogItem) -> str:
    if item.took_ms is None:
        return "nobody saw an answer"
    return (
        f"answered{'' if item.http is None else f' HTTP {item.http}'}{f' {item.code}' if item.code else ''} after "
        + (f"{item.took_ms} ms")
    )


def _seconds(millis: int | None) -> str:
    return "" if millis is None else f"{millis / 1000:.3g} s"


def _print_exchange(exchange: ExchangeItem) -> None:
    print(f"{exchange.method} {exchange.url}")
    _print_message(exchange.headers, exchange.body, exchange.bytes)
    print(f"HTTP {exchange.status}" if exchange.status is not None else f"no answer: {exchange.failure}")
    _print_message(exchange.answer_headers, exchange.answer_body, exchange.answer_bytes)


def _print_message(headers: dict[str, str], body: str, whole: int) -> None:
    for name, value in headers.items():
        print(f"  {name}: {value}")
    if body:
        print(f"  {_printable(body)}")
    if whole > len(body.encode()):
        print(f"  … of {whole} bytes")


def _printable(text: str) -> str:
    """Show a hub's text as one line: what a terminal would obey is escaped."""
    return text if text.isprintable() else json.dumps(text, ensure_ascii=True)
