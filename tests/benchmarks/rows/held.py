"""What it costs to hold 10,000 stations that only stay connected: memory of the whole process, and CPU.

Each sends a heartbeat every 300 s and is pinged every 50 s, which it answers. Besides, how memory grows from 100
stations on, and the same with permessage-deflate (OCPP 2.0.1) and with TLS, each in a process of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.benchmarks.bridge import Installation, Serving
from tests.benchmarks.cohort import Cohort, cohort, used_for_a_day
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import Hubs, mock_hubs
from tests.benchmarks.options import Options
from tests.benchmarks.processes import cpu_seconds, memory_mib

_LONG_S = 60.0
_SETTLED_S = 45.0
"""After the last station has connected: its boot's 30 s and the end of its resync are over."""
_FEW = 100


@dataclass(frozen=True, slots=True)
class _Held:
    """One process with its stations."""

    mib: float
    cpu: float
    """Percent of one core."""
    few_kib: float
    """Memory of each of the first hundred stations."""
    many_kib: float
    """Of each station beyond those."""
    connected: int


def measure(options: Options, folder: Path) -> Report:
    """Hold plain stations, then those with compression, then those with TLS."""
    with mock_hubs(folder, seed=options.seed) as hubs:
        plain = _plain(hubs, options, folder)
        deflated = _fresh(hubs, options, folder / "deflate", version="2.0.1", deflate=True)
        secure = _fresh(hubs, options, folder / "tls", tls=True)
    kinds = (("plain", plain), ("deflate", deflated), ("TLS", secure))
    wrong = [f"{name}: {held.connected} connected at the end" for name, held in kinds if held.connected != options.many]
    return Report(
        (
            Figure(f"memory with {options.many:,} stations", plain.mib, "MiB", Goal(450)),
            Figure("CPU with pings and heartbeats", plain.cpu, "% of a core", Goal(15)),
            Figure(
                "memory per station, against the first hundred",
                plain.many_kib,
                "KiB",
                Goal(1.2, of_ratio=True),
                plain.few_kib,
            ),
            Figure("memory with 2.0.1 and permessage-deflate", deflated.mib, "MiB"),
            Figure("CPU of that", deflated.cpu, "% of a core"),
            Figure("memory with TLS", secure.mib, "MiB"),
            Figure("CPU of that", secure.cpu, "% of a core"),
        ),
        tuple(f"{name}: {held.few_kib:.1f} then {held.many_kib:.1f} KiB per station" for name, held in kinds),
        (*wrong,),
    )


def _plain(hubs: Hubs, options: Options, folder: Path) -> _Held:
    installation = used_for_a_day(folder, hubs, options.many, wire_log=options.wire_log)
    return _held(installation, options)


def _fresh(hubs: Hubs, options: Options, folder: Path, **manner: Any) -> _Held:
    """Hold stations of an installation that has not been used before."""
    folder.mkdir()
    more = _tls(folder) if "tls" in manner else ""
    installation = Installation(folder, hubs, wire_log=options.wire_log, more=more)
    installation.add_stations(options.many, manner.get("version", "1.6"))
    return _held(installation, options, **manner)


def _held(installation: Installation, options: Options, **manner: Any) -> _Held:
    with installation.serving() as bridge, cohort() as crowd:
        before = memory_mib(bridge.process)
        crowd.connect(bridge, _FEW, **manner)
        few = memory_mib(bridge.process)
        crowd.connect(bridge, options.many - _FEW, **manner)
        time.sleep(_SETTLED_S)
        cpu, mib = _watched(bridge, crowd)
        return _Held(
            mib, cpu, 1024 * (few - before) / _FEW, 1024 * (mib - few) / (options.many - _FEW), crowd.connected()
        )


def _watched(bridge: Serving, crowd: Cohort) -> tuple[float, float]:
    """Return the percent of a core and the memory while nothing but pings and heartbeats happens."""
    before, started = cpu_seconds(bridge.process), time.monotonic()
    crowd.hold(_LONG_S, heartbeat_s=300)
    used = cpu_seconds(bridge.process) - before
    return 100 * used / (time.monotonic() - started), memory_mib(bridge.process)


def _tls(folder: Path) -> str:
    """Make a certificate, and return the listener that uses it."""
    issued = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA)
    certificate, key = folder / "tls.pem", folder / "tls-key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return f"""
[ocpp.listeners.tls]
host = "127.0.0.1"
port = 0
profiles = [2]
tls_certificate = "{certificate}"
tls_key = "{key}"
"""
