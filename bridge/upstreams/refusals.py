"""Tell that a hub refused our client certificate: by its TLS alert, or by the page of the server in front of it.

Never decides what that means for an account: that is each upstream's `classify`. Before it: `http`, which has the
error or the reply. Source: RFC 8446 §6.2 and RFC 5246 §7.2.2 (alerts).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

CERTIFICATE_REFUSED = "the hub refused our client certificate"

_ALERTS = {
    "bad_certificate": "",
    "unsupported_certificate": "",
    "certificate_revoked": "",
    "certificate_expired": "",
    "certificate_unknown": "",
    "unknown_ca": "",
    "access_denied": "",
    "certificate_required": "",
    # With TLS 1.2 the only alert of a server that wanted a certificate and got none that it can use.
    "handshake_failure": ", or it has no cipher in common with us",
}
"""Alerts that are about our certificate → what else each may mean."""

_ALERT = re.compile(r"ALERT[ _]([A-Z _]+)", re.IGNORECASE)

_NGINX_STATUSES = (495, 496)
"""Source: nginx, ngx_http_ssl_module, Error Processing: certificate error, certificate required (shown as 400)."""

_NGINX_PAGE = re.compile(r"the ssl certificate error|no required ssl certificate was sent", re.IGNORECASE)


def certificate_alert(error: BaseException) -> str | None:
    """Return the TLS alert by which the other end refused our certificate, as the RFCs name it; None: it did not."""
    for cause in _causes(error):
        if not isinstance(cause, ssl.SSLError):
            continue
        # aiohttp's own errors have no reason; OpenSSL's newest alerts have none in an older Python's table.
        found = _ALERT.search(getattr(cause, "reason", None) or str(cause))
        name = found[1].strip().replace(" ", "_").lower() if found else ""
        if name in _ALERTS:
            return f"{name}{_ALERTS[name]}"
    return None


def refuses_certificate(status: int, text: str) -> bool:
    """Say whether a reply is nginx's page for a client certificate that it does not take."""
    return status in _NGINX_STATUSES or (status == 400 and _NGINX_PAGE.search(text) is not None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, what it wraps and what caused it, at most a few deep."""
    current: BaseException | None = error
    for _ in range(5):
        if current is None:
            return
        yield current
        wrapped = getattr(current, "os_error", None)
        if isinstance(wrapped, BaseException):
            yield wrapped
        current = current.__cause__
