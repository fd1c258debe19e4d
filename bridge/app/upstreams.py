"""Open an account's connection to its hub, with the credential that counts whenever it sends. Never sends by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import assert_never

from bridge.app import options as fill
from bridge.app.credentials import Credentials
from bridge.core.model import AccountName
from bridge.settings import Account, ChargepriceAccount, OicpAccount, Settings
from bridge.settings.certificates import tls_files
from bridge.settings.fields import check_key
from bridge.upstreams.certificates import Certificate
from bridge.upstreams.chargeprice import Chargeprice
from bridge.upstreams.credentials import Contents, CredentialUnusable, FileCredential
from bridge.upstreams.http import TlsSource
from bridge.upstreams.oicp import Oicp
from bridge.upstreams.port import Upstream
from bridge.upstreams.tls import Tls, check_new_tls, reread_tls


def open_upstream(name: str, settings: Settings, credentials: Credentials) -> Upstream:
    """Return the account's upstream; what of its credential is in files is watched by `credentials`.

    Raises: CredentialUnusable, OSError where the files cannot be used.
    """
    account: Account = settings.accounts[name]
    match account:
        case OicpAccount():
            return Oicp(fill.oicp_options(account, settings), _tls(name, account, credentials))
        case ChargepriceAccount():
            key = _key(name, account, credentials)
            return Chargeprice(fill.chargeprice_options(account, settings), key=key)
        case _:
            assert_never(account)


def _tls(name: str, account: OicpAccount, credentials: Credentials) -> TlsSource | None:
    if not account.base_url.startswith("https"):
        return None
    files = tls_files(account)
    current = credentials.watch(
        AccountName(name),
        FileCredential(files.paths, partial(reread_tls, files)),
        accept=lambda tls, now: check_new_tls(tls, files, now),
        certificate_of=_certificate_of,
    )
    return lambda: current().context


def _certificate_of(tls: Tls) -> Certificate | None:
    return tls.certificate


def _key(name: str, account: ChargepriceAccount, credentials: Credentials) -> Callable[[], str] | None:
    if account.api_key_file is None:
        return None
    return credentials.watch(AccountName(name), FileCredential([account.api_key_file], _read_key))


def _read_key(contents: Contents) -> str:
    (file, content), *_ = contents.items()
    try:
        return check_key(content.decode("utf-8").strip())
    except ValueError as error:
        problem = "should be UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise CredentialUnusable(f"{file} {problem}") from error
