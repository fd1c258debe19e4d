"""Open an account's connection to its hub. Never sends anything by itself."""

from __future__ import annotations

import ssl
from typing import assert_never

from bridge.app import options as fill
from bridge.settings import Account, ChargepriceAccount, OicpAccount, Settings
from bridge.upstreams.chargeprice import Chargeprice
from bridge.upstreams.oicp import Oicp
from bridge.upstreams.port import Upstream


def open_upstream(account: Account, settings: Settings) -> Upstream:
    """Return the account's upstream. Raises: OSError (ssl.SSLError included) where its TLS files cannot be used."""
    match account:
        case OicpAccount():
            return Oicp(fill.oicp_options(account, settings), _tls(account))
        case ChargepriceAccount():
            return Chargeprice(fill.chargeprice_options(account, settings))
        case _:
            assert_never(account)


def _tls(account: OicpAccount) -> ssl.SSLContext | None:
    """Source: OICP 2.3 CPO, Security: the client certificate says who we are; Hubject's own chain is no public one."""
    if not account.base_url.startswith("https"):
        return None
    context = ssl.create_default_context(cafile=account.ca_bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if account.client_certificate is not None:
        context.load_cert_chain(account.client_certificate, account.client_key)
    return context
