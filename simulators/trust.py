"""Say whose certificates a simulated station believes. Never connects. After it: `fleet` and `load`."""

from __future__ import annotations

import ssl
from pathlib import Path


def trusting(ca: Path | str | None) -> ssl.SSLContext:
    """Return the context of a client that trusts the authorities of a file; None: those of the system.

    An authority of one's own often leaves out what RFC 5280 §4.2 asks for, which Python refuses from 3.13 on. A file
    that names it is trusted with every version, and so is what it names besides roots. Raises: OSError, ssl.SSLError.
    """
    context = ssl.create_default_context(cafile=ca)
    if ca is not None:
        context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    return context
