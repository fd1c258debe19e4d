"""Turn settings into each part's own options. Pure: no part is made here, no file read.

Before it: `bridge.settings`. After it: `serve`, `services`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from types import MappingProxyType

from bridge.app.plans import mirror_plans
from bridge.core.documents import DocumentKind
from bridge.core.effective import EffectiveOptions
from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.mapping import mapping_for, until
from bridge.core.model import AccountName, EvseStatus
from bridge.core.nightly import Nightly
from bridge.core.reachability import ReachabilityOptions
from bridge.core.reconcile import ReconcileOptions
from bridge.core.retention import Kept
from bridge.derive import DeriveOptions, Route
from bridge.lane import DocumentOptions, LaneOptions
from bridge.retention import RetentionOptions
from bridge.settings import Account, ChargepriceAccount, Day, IdTags, OicpAccount, Settings, SpiriiAccount
from bridge.settings.sections import ListenerTable, SignCertificate
from bridge.ticker import TickerOptions
from bridge.upstreams.chargeprice import ChargepriceOptions
from bridge.upstreams.http import Timeouts
from bridge.upstreams.oicp import OicpOptions
from bridge.upstreams.spirii import SpiriiOptions
from bridge.web.access import AccessOptions, KeyRing
from bridge.web.pages.public import PublicOptions
from bridge.web.peers import networks_of
from bridge.web.scope import Ownership
from bridge.web.server import WebOptions
from bridge.web.sessions import SessionLimits
from bridge.wire_log import WireLogOptions
from csms.events import SecurityProfile
from csms.options import Compression, ListenerOptions, ProxyOptions, ServerOptions, UnknownPolicy
from csms.reply_options import IdTagPolicy, ReplyOptions

_EXCHANGES = 10
"""More than any one push takes with a hub, each within the total timeout."""
_LEAST_PATIENCE = timedelta(seconds=30)

NODE = "bridge"
"""Name of this process among those that may share a database one day."""


def derive_options(settings: Settings) -> DeriveOptions:
    """Say which account each operator's EVSEs go to, and with which words."""
    routes = {
        name: _route(name, account)
        for name, account in settings.accounts.items()
        if not isinstance(account, SpiriiAccount)
    }
    by_operator = {
        operator: tuple(routes[account] for account in table.accounts if account in routes)
        for operator, table in settings.operators.items()
    }
    return DeriveOptions(
        effective=EffectiveOptions(available_hold=settings.status.available_hold),
        routes=MappingProxyType(by_operator),
        farewells={route.account: route.farewell for route in routes.values()},
        moved_keeps=settings.status.offline_after,
    )


def _route(name: str, account: OicpAccount | ChargepriceAccount) -> Route:
    mapping = mapping_for(account.kind)
    words = mapping.table_with(account.map)
    return Route(
        account=AccountName(name),
        words=words,
        farewell=mapping.GONE,
        needs_references=account.kind == "chargeprice",
        until=until.pack if _tells_ends(account, words) else None,
    )


def _tells_ends(account: Account, words: Mapping[EvseStatus, str]) -> bool:
    """An end promises what the hub turns the EVSE to: only where that is what available is called there."""
    wanted = isinstance(account, ChargepriceAccount) and account.valid_until
    return wanted and words[EvseStatus.AVAILABLE] == until.BACK_TO


def ticker_options(settings: Settings) -> TickerOptions:
    """Say when silence counts."""
    status = settings.status
    return TickerOptions(
        reachability=ReachabilityOptions(
            offline_after=status.offline_after,
            restart_grace=status.restart_grace,
            mass_offline_hold=status.mass_offline_hold,
            ask_timeout=settings.ocpp.trigger_timeout,
        ),
        derive=derive_options(settings),
        node=NODE,
        documents=mirror_plans(settings),
    )


def lane_options(settings: Settings, name: str) -> LaneOptions:
    """Say how one account is served."""
    account, push = settings.accounts[name], settings.push
    return LaneOptions(
        account=AccountName(name),
        configured_mode=account.mode,
        per_minute=account.per_minute,
        reconcile=ReconcileOptions(
            doubt=push.doubt, refused_retry=push.refused_retry, reassert_every=push.reassert_every
        ),
        full_load=_full_load_options(account, settings),
        documents=_document_options(account, settings),
        longest_request=max(_LEAST_PATIENCE, _EXCHANGES * push.total_timeout),
    )


def _document_options(account: Account, settings: Settings) -> DocumentOptions | None:
    match account:
        case OicpAccount(evse_data=True):
            return DocumentOptions(
                kinds=frozenset({DocumentKind.EVSE_DATA}),
                per_minute=account.data_per_minute,
                full_load=replace(
                    _full_load_options(account, settings),
                    nightly=Nightly(
                        at=account.data_full_load_at,
                        weekday=list(Day).index(account.data_full_load_day),
                        zone=account.time_zone.key,
                    ),
                ),
            )
        case SpiriiAccount():
            return DocumentOptions(
                kinds=frozenset({DocumentKind.TEMPORARY}),
                per_minute=account.per_minute,
                survey_every=account.survey_every,
            )
        case ChargepriceAccount():
            return DocumentOptions(
                kinds=frozenset({DocumentKind.STATION, DocumentKind.COMPANY}),
                per_minute=account.documents_per_minute,
            )
        case _:
            return None


def _full_load_options(account: Account, settings: Settings) -> FullLoadOptions:
    if not isinstance(account, OicpAccount):
        return FullLoadOptions(policy=FullLoadPolicy.NEVER)
    return FullLoadOptions(
        policy=FullLoadPolicy(account.full_load),
        nightly=Nightly(at=account.full_load_at, zone=account.time_zone.key),
        above=account.full_load_above,
        doubt=settings.push.doubt,
    )


def oicp_options(account: OicpAccount, settings: Settings) -> OicpOptions:
    """Say where Hubject is and who we are there."""
    return OicpOptions(
        base_url=account.base_url,
        operator_id=account.operator_id,
        operator_name=account.operator_name,
        data_operator_name=account.operator_name or _first_operator_name(settings, account),
        sub_operator_ids=account.sub_operator_ids,
        action_update=account.action,
        timeouts=timeouts(settings),
    )


def _first_operator_name(settings: Settings, account: Account) -> str:
    """Return the name of the first operator on the account, for a field that Hubject wants filled."""
    names = (name for name, found in settings.accounts.items() if found is account)
    used = {*names}
    return next((table.name for table in settings.operators.values() if used & {*table.accounts}), "")


def chargeprice_options(account: ChargepriceAccount, settings: Settings) -> ChargepriceOptions:
    """Say where Chargeprice is and who we are there."""
    return ChargepriceOptions(
        base_url=account.base_url,
        company_id=str(account.company_id),
        api_key=account.api_key.get_secret_value(),
        timeouts=timeouts(settings),
        station_prefix=account.station_prefix,
    )


def spirii_options(account: SpiriiAccount, settings: Settings) -> SpiriiOptions:
    """Say where Spirii is and who we are there."""
    return SpiriiOptions(
        base_url=account.base_url, api_key=account.api_key.get_secret_value(), timeouts=timeouts(settings)
    )


def timeouts(settings: Settings) -> Timeouts:
    """Say how long a request to a hub may take."""
    return Timeouts(connect=settings.push.connect_timeout, total=settings.push.total_timeout)


def server_options(settings: Settings) -> ServerOptions:
    """Say how stations are listened to."""
    ocpp = settings.ocpp
    return ServerOptions(
        host=ocpp.host,
        port=ocpp.port,
        listeners=tuple(_listener(name, table) for name, table in ocpp.listeners.items()),
        default_version=ocpp.default_version,
        exact_identity=ocpp.identity_case == "exact",
        anonymous_station=ocpp.anonymous_station,
        uniform_reject=ocpp.uniform_reject,
        compression=Compression(ocpp.compression),
        max_connections=ocpp.max_connections,
        max_pending_per_address=ocpp.max_handshakes_per_address,
        max_size=ocpp.max_message_size,
        strict=ocpp.strict,
        hold_certificate_requests=ocpp.sign_certificate is SignCertificate.HOLD,
        messages_per_second=ocpp.messages_per_second,
        message_burst=ocpp.message_burst,
        ping_interval=ocpp.ping_interval,
        settle=ocpp.settle,
        settle_after_boot=ocpp.settle_after_boot,
        trigger_timeout=ocpp.trigger_timeout,
        trigger_spread=ocpp.trigger_spread,
        unknown_stations=UnknownPolicy(ocpp.unknown_stations.value),
        accept_from=tuple(ip_network(network) for network in ocpp.accept_from),
    )


def _listener(name: str, table: ListenerTable) -> ListenerOptions:
    proxy = ProxyOptions(
        table.behind_proxy, table.proxy_certificate_header, table.proxy_verify_header, table.proxy_address_header
    )
    return ListenerOptions(
        name=name,
        host=table.host,
        port=table.port,
        profiles=frozenset(SecurityProfile(profile) for profile in table.taken),
        tls=bool(table.tls_certificate),
        proxy=proxy if table.behind_proxy else None,
    )


def reply_options(settings: Settings) -> ReplyOptions:
    """Say how stations are answered."""
    ocpp = settings.ocpp
    return ReplyOptions(
        heartbeat_interval=ocpp.heartbeat_interval,
        id_tags=IdTagPolicy((ocpp.id_tags or IdTags.REJECT).value),
        id_tag_list=frozenset(ocpp.id_tag_list),
    )


def wire_log_options(settings: Settings) -> WireLogOptions:
    """Say how much is kept of what goes over the wire."""
    return WireLogOptions(per_station=settings.wire_log.per_station, total=settings.wire_log.total_mib * 2**20)


def retention_options(settings: Settings) -> RetentionOptions:
    """Say what is kept for how long."""
    kept = settings.retention
    return RetentionOptions(
        history=Kept(kept.history, kept.history_rows),
        delivery_log=Kept(kept.delivery_log, kept.delivery_log_rows),
        delivery_bodies=Kept(kept.delivery_bodies, kept.delivery_body_rows),
        security_events=Kept(kept.security_events, kept.security_event_rows),
        temporary=Kept(kept.temporary, kept.temporary_rows),
    )


def web_options(settings: Settings) -> WebOptions:
    """Say where operators are listened to."""
    public = PublicOptions(on=settings.web.public_page, indexed=settings.web.public_page_indexed)
    return WebOptions(host=settings.web.host, port=settings.web.port, public=public)


def access_options(
    settings: Settings, ring: KeyRing, ownership: Ownership, secret: bytes, wall: Callable[[], datetime]
) -> AccessOptions:
    """Return how the web interface finds out who asks; `secret` signs cookies."""
    return AccessOptions(
        ring=ring,
        ownership=ownership,
        secret=secret,
        sessions=SessionLimits(idle=settings.web.session_idle, total=settings.web.session_total),
        proxies=networks_of(settings.web.trusted_proxies),
        wall=wall,
    )
