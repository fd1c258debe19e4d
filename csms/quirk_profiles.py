"""List the charging stations that need to be treated in a way of their own, and the ways that an inventory may name.

Data only. After it: `quirks`, which chooses. Beside it: docs/hardware.md, which tells operators, and tests/hardware,
which proves each entry on the wire.

What a station does wrong and every station may do wrong is no profile: it is tolerated for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from csms.quirk_settings import Forbidden, QuirkSettings


@dataclass(frozen=True, slots=True)
class QuirkProfile:
    """One way of treating stations. Patterns are globs, compared without regard to case."""

    name: str
    """`[a-z0-9-]+`, as the inventory's column `quirks` names it."""
    symptom: str
    """What goes wrong without it."""
    settings: QuirkSettings
    evidence: str
    """Where it was seen; says so where the spelling of vendor or model is assumed."""
    vendor: tuple[str, ...] = ()
    """Of BootNotification; none: the profile applies only where the inventory names it."""
    model: tuple[str, ...] = ("*",)
    firmware: tuple[str, ...] = ("*",)

    @property
    def automatic(self) -> bool:
        """Does it apply by vendor, model and firmware."""
        return bool(self.vendor)


def _s(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


_REBOOTS_ON_WRITE = "it reboots after configuration writes (lbbrhzn/ocpp#1153)"
_ABB_LOOPS = "firmware up to 1.8.21 restarts for ever when asked for MeterValuesSampledData (lbbrhzn/ocpp#1275)"
_WRITES = ("ChangeConfiguration", "SetVariables", "SetNetworkProfile", "UpdateFirmware", "SignedUpdateFirmware")


PROFILES: tuple[QuirkProfile, ...] = (
    QuirkProfile(
        name="abb-terra-ac",
        symptom="restarts for ever once it is asked for MeterValuesSampledData",
        settings=QuirkSettings(forbidden=(Forbidden("GetConfiguration", "MeterValuesSampledData", _ABB_LOOPS),)),
        evidence="lbbrhzn/ocpp#1275 (its BootNotification is in the corpus)",
        vendor=("abb",),
        model=("*tac*",),
        firmware=("*v1.[0-7].*", "*v1.8.[0-9]", "*v1.8.1[0-9]", "*v1.8.2[01]"),
    ),
    QuirkProfile(
        name="alfen",
        symptom="replays days of old statuses when it first connects, and may restart when asked to boot",
        settings=QuirkSettings(settle=_s(30), never_trigger_boot=True, replays=True),
        evidence="lbbrhzn/ocpp#337 and #361 (its frames are in the corpus)",
        vendor=("alfen*",),
    ),
    QuirkProfile(
        name="mennekes-amtron",
        symptom="answers after a minute, and closes the connection when asked much at once",
        settings=QuirkSettings(trigger_timeout=_s(180), call_spacing=_s(10)),
        evidence="evcc#26837, #32236, #33099 (vendor as in its StatusNotification, in the corpus)",
        vendor=("mennekes*",),
    ),
    QuirkProfile(
        name="wallbox",
        symptom="reconnects in a loop when it is sent a CALL before its BootNotification",
        settings=QuirkSettings(first_call_wait=_s(60), settle=_s(30), never_trigger_boot=True),
        evidence="lbbrhzn/ocpp#1503, #1414, #1510; evcc#27203 (vendor's spelling assumed)",
        vendor=("wall*box*", "com.wallbox*"),
    ),
    QuirkProfile(
        name="starcharge",
        symptom="reconnects every minute after a restart of the server, and more so when asked at once",
        settings=QuirkSettings(settle=_s(90), call_spacing=_s(10)),
        evidence="lbbrhzn/ocpp#1096 (vendor as in its StatusNotification)",
        vendor=("starcharge*", "*star charge*"),
    ),
    QuirkProfile(
        name="ocular-lte-plus",
        symptom="closes a connection that was idle for about 110 s",
        settings=QuirkSettings(ping_interval=_s(20), heartbeat_most=_s(60)),
        evidence="lbbrhzn/ocpp#2030 (models BS-EV07 and BS-EV22)",
        vendor=("*",),
        model=("bs-ev*",),
    ),
    QuirkProfile(
        name="reboots-on-write",
        symptom="restarts when its configuration is written",
        settings=QuirkSettings(forbidden=tuple(Forbidden(action, "", _REBOOTS_ON_WRITE) for action in _WRITES[:2])),
        evidence="lbbrhzn/ocpp#1153 and #1099: Vestel, SyncEV, A-Tronix (vendors' spelling assumed)",
        vendor=("vestel*", "*syncev*", "*tronix*"),
    ),
    QuirkProfile(
        name="no-pings",
        symptom="breaks on WebSocket pings",
        settings=QuirkSettings(ping_interval=_s(0)),
        evidence="for stations that do; one that merely answers none needs no profile (lbbrhzn/ocpp#211)",
    ),
    QuirkProfile(
        name="frequent-pings",
        symptom="sits behind a NAT or modem that forgets idle connections within a minute",
        settings=QuirkSettings(ping_interval=_s(20)),
        evidence="lbbrhzn/ocpp#1679 (Morek, Timxon over 4G)",
    ),
    QuirkProfile(
        name="short-heartbeat",
        symptom="closes idle connections although it is pinged",
        settings=QuirkSettings(heartbeat_most=_s(60)),
        evidence="lbbrhzn/ocpp#2030",
    ),
    QuirkProfile(
        name="patient-start",
        symptom="reconnects in a loop when it is asked soon after it connected",
        settings=QuirkSettings(first_call_wait=_s(120), settle=_s(120)),
        evidence="lbbrhzn/ocpp#1096; ConnectorIO PR#211",
    ),
    QuirkProfile(
        name="slow-answers",
        symptom="answers a CALL after a minute or more",
        settings=QuirkSettings(trigger_timeout=_s(180)),
        evidence="evcc#26837",
    ),
    QuirkProfile(
        name="slow-calls",
        symptom="closes the connection when asked much at once",
        settings=QuirkSettings(call_spacing=_s(10)),
        evidence="evcc#32236",
    ),
    QuirkProfile(
        name="no-trigger",
        symptom="breaks on TriggerMessage; one that merely refuses it needs no profile",
        settings=QuirkSettings(never_trigger=True, never_trigger_boot=True),
        evidence="lbbrhzn/ocpp#1452; mobilityhouse/ocpp#640",
    ),
    QuirkProfile(
        name="no-boot-trigger",
        symptom="restarts when it is asked for a BootNotification",
        settings=QuirkSettings(never_trigger_boot=True),
        evidence="lbbrhzn/ocpp#337",
    ),
    QuirkProfile(
        name="no-compression",
        symptom="sends compressed frames that cannot be read ('invalid distance too far back')",
        settings=QuirkSettings(no_compression=True),
        evidence="ChargeTimeEU/Java-OCA-OCPP#413",
    ),
    QuirkProfile(
        name="replays",
        symptom="replays old statuses when it connects, so that the last one need not be the present one",
        settings=QuirkSettings(replays=True),
        evidence="lbbrhzn/ocpp#337",
    ),
    QuirkProfile(
        name="read-only",
        symptom="must not be written to",
        settings=QuirkSettings(
            forbidden=tuple(Forbidden(action, "", "the inventory marks it read-only") for action in _WRITES)
        ),
        evidence="lbbrhzn/ocpp#1099, #1153",
    ),
)
